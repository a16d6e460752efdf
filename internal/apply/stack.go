package apply

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/converge"
	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/wait"
)

// StackWriter changes the objects of a stack.
type StackWriter interface {
	CreateResource(ctx context.Context, r *engine.StackRequest, res plan.Resource) (id string, warnings []string, err error)
	UpdateResource(ctx context.Context, r *engine.StackRequest, step plan.Step) (warnings []string, err error)
	RestoreService(ctx context.Context, before swarm.Service) error
	RecreateService(ctx context.Context, before swarm.Service) error
	RestoreLabels(ctx context.Context, kind plan.Kind, before plan.Object) error
}

// StackDeployer is what carrying out the plan of a stack needs of an engine.
type StackDeployer interface {
	wait.Watcher
	StackRemover
	StackWriter
	Networks(ctx context.Context) ([]swarm.Network, error)
	Service(ctx context.Context, id string) (swarm.Service, error)
	MarkUpToDate(ctx context.Context, ids []string, tasks []swarm.Task) error
}

// StackDeployment is a stack to deploy, as decided.
type StackDeployment struct {
	Request  *engine.StackRequest
	Observed *plan.Observed
	Desired  plan.Desired
	Plan     plan.Plan
	// Detach returns as soon as the swarm has taken all requests.
	Detach bool
	// Leave leaves a stack that does not come up as it is.
	Leave   bool
	Timeout time.Duration
	// Again is the command to type to go on.
	Again string
	Log   TaskLog
}

// stackRun is one deployment under way.
type stackRun struct {
	StackDeployment
	e    StackDeployer
	sink event.Sink

	mu   sync.Mutex
	done []written
	// ids are those of the plan's services by name, as they come to be known.
	ids map[string]string
	// back tells that all that was done has been undone.
	back bool
}

// written is an object that this deployment has changed.
type written struct {
	plan.Step // with the ID of what was created
	// made is a service as it was written, before as it was; zero for others.
	made, before swarm.Service
	// removed tells that before was removed, to make one of another mode.
	removed bool
}

// DeployStack carries the plan out: networks, configs and secrets side by side,
// then the services in their order, and waits until all services of the stack
// are up. Then it removes what the plan removes. When something fails the stack
// goes back to what it was before. The plan must have no Err.
func DeployStack(ctx context.Context, e StackDeployer, d StackDeployment, sink event.Sink) error {
	r := newStackRun(e, d, sink)
	limited, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	if err := r.deployWithin(ctx, limited); err != nil {
		return err
	}
	return r.prune(limited)
}

func newStackRun(e StackDeployer, d StackDeployment, sink event.Sink) *stackRun {
	return &stackRun{StackDeployment: d, e: e, sink: sink, ids: map[string]string{}}
}

// deployWithin does all but the removals while limited, which is of ctx, lasts,
// and takes the stack back when something fails.
func (r *stackRun) deployWithin(ctx, limited context.Context) error {
	verdicts, err := r.carryOut(limited)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return r.interrupted(ctx, verdicts)
	case engine.IsSilent(err) && limited.Err() == nil:
		return r.unknown(verdicts, err)
	}
	f := failure{msg: r.failed(ctx, verdicts, err), timedOut: limited.Err() != nil}
	return r.takeBack(ctx, f)
}

// errNotUp tells that a service failed for good; the verdicts say which.
var errNotUp = errors.New("not all services came up")

// carryOut does all steps but the removals, and waits.
func (r *stackRun) carryOut(ctx context.Context) (map[string]converge.Verdict, error) {
	var objects, services []plan.Step
	for _, s := range r.Plan.Steps {
		switch {
		case s.Action == plan.Remove:
		case s.Kind == plan.Service:
			services = append(services, s)
			if s.ID != "" {
				r.ids[s.Name] = s.ID
			}
		default:
			objects = append(objects, s)
		}
	}
	if err := each(ctx, objects, r.object); err != nil {
		return nil, err
	}
	if err := r.allocated(ctx, objects); err != nil {
		return nil, err
	}
	if err := r.inOrder(ctx, services); err != nil {
		return nil, err
	}
	if r.Detach || len(services) == 0 {
		return nil, nil
	}
	return r.wait(ctx, services)
}

// wait waits until every service of the stack is up. One that was up before and
// has not been touched need not be watched again.
func (r *stackRun) wait(ctx context.Context, services []plan.Step) (map[string]converge.Verdict, error) {
	if len(r.done) == 0 {
		steady, err := r.steady(ctx, services)
		if steady || err != nil {
			return nil, err
		}
	}
	ids := make([]string, 0, len(services))
	for _, s := range services {
		ids = append(ids, r.ids[s.Name])
	}
	verdicts, err := wait.Services(ctx, r.e, ids, r.sink)
	if err != nil {
		return verdicts, err
	}
	for _, v := range verdicts {
		if v.State != converge.Up {
			return verdicts, errNotUp
		}
	}
	return verdicts, nil
}

// steady tells by the look that preceded whether all services are up and have
// been so for as long as they would be watched. It costs one call.
func (r *stackRun) steady(ctx context.Context, services []plan.Step) (bool, error) {
	ids := make([]string, 0, len(services))
	for _, s := range services {
		if s.ID == "" { // made by another run since the look, which does not know it
			return false, nil
		}
		ids = append(ids, s.ID)
	}
	tasks := slices.Clone(r.Observed.Tasks)
	if err := answered(ctx, r.sink, func() error { return r.e.MarkUpToDate(ctx, ids, tasks) }); err != nil {
		return false, err
	}
	for _, id := range ids {
		sv, ok := r.Observed.ServiceByID(id)
		if !ok || !converge.Steady(sv, tasks, r.Observed.Nodes, r.Observed.Taken) {
			return false, nil
		}
	}
	for _, s := range services {
		r.sink.On(event.Event{Object: "service " + s.Name, Kind: event.Good, State: "unchanged"})
	}
	return true, nil
}

// note remembers what has been changed.
func (r *stackRun) note(w written) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = append(r.done, w)
	if w.Kind == plan.Service {
		r.ids[w.Name] = w.ID
	}
}
