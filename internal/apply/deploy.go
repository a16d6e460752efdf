package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/wait"
)

// ServiceDeployer is what deploying a service needs of an engine beside being
// watched.
type ServiceDeployer interface {
	wait.Watcher
	CreateService(ctx context.Context, r *engine.ServiceRequest) (id string, warnings []string, err error)
	UpdateService(ctx context.Context, before swarm.Service, r *engine.ServiceRequest) (warnings []string, err error)
	RemoveService(ctx context.Context, id string) error
	RestoreService(ctx context.Context, before swarm.Service) error
	Service(ctx context.Context, id string) (swarm.Service, error)
}

// ServiceDeployment is a service to create or update, as decided.
type ServiceDeployment struct {
	Context string
	Request *engine.ServiceRequest
	// Before is the service as it is; nil when it is to be created.
	Before *swarm.Service
	// Unchanged leaves Before alone: it is as asked for.
	Unchanged bool
	// Detach returns as soon as the swarm has taken the request.
	Detach bool
	// Leave leaves a service that does not come up as it is.
	Leave   bool
	Timeout time.Duration
	Log     TaskLog
}

// DeployService creates or updates the service, waits until it is up and
// returns its ID. A service that does not come up is taken back.
func DeployService(ctx context.Context, e ServiceDeployer, d ServiceDeployment, sink event.Sink) (string, error) {
	r := &serviceRun{ServiceDeployment: d, e: e, sink: sink}
	err := r.deploy(ctx)
	return r.made.ID, err
}

// serviceRun is one deployment under way.
type serviceRun struct {
	ServiceDeployment
	e    ServiceDeployer
	sink event.Sink

	// made is the service as it was written, or found unchanged.
	made swarm.Service
	// back tells that what was done has been undone.
	back bool
}

func (r *serviceRun) deploy(ctx context.Context) error {
	name := r.Request.Service().Name
	if r.Unchanged {
		r.made = *r.Before
		r.sink.On(event.Event{Object: "service " + text.Clean(name), Kind: event.Good, State: "unchanged"})
		return nil
	}
	id, warnings, err := r.write(ctx, r.e)
	if err != nil {
		return err
	}
	r.made = swarm.Service{ID: id, Name: name}
	warned(r.sink, name, warnings)
	made, err := r.e.Service(ctx, id)
	switch {
	case err == nil:
		r.made = made
	case ctx.Err() == nil:
		return problem.New("service %q was written, and whether it is up is not known: %w", text.Clean(name), err)
	}
	if r.Detach && err == nil {
		return nil
	}
	out := rollout{
		dockerContext: r.Context, service: r.made, did: "created", again: "docker swarmnet deploy", timeout: r.Timeout, log: r.Log,
		undo: func(ctx context.Context) (string, error) { return r.undo(ctx, r.e, r.made, r.sink) },
	}
	if r.Before != nil {
		out.did = "updated"
	}
	if r.Leave {
		out.left = "--on-failure leave"
	}
	err = out.wait(ctx, r.e, r.sink)
	r.back = problem.CodeOf(err) == problem.RolledBack
	return err
}

// warned passes on what the engine warns of.
func warned(sink event.Sink, service string, warnings []string) {
	for _, w := range warnings {
		sink.On(event.Event{Object: "service " + service, Kind: event.Warning, State: "warning", Detail: text.Clean(w)})
	}
}

// write creates or updates; a name or a version that somebody else was quicker
// with is an error that says so.
func (d ServiceDeployment) write(ctx context.Context, e ServiceDeployer) (id string, warnings []string, err error) {
	asked, cancel := toItsEnd(ctx)
	defer cancel()
	id, warnings, err = d.request(asked, e)
	if err != nil && asked.Err() != nil {
		name := text.Clean(d.Request.Service().Name)
		return "", nil, cutShort(ctx, err, fmt.Sprintf("service %q of context %q was being written: whether it was", name, d.Context)).
			WithNext("Run 'docker -c %s service ps %s' to see, or the same 'docker swarmnet deploy' again to go on.", d.Context, name)
	}
	return id, warnings, err
}

func (d ServiceDeployment) request(ctx context.Context, e ServiceDeployer) (id string, warnings []string, err error) {
	if d.Before == nil {
		id, warnings, err = e.CreateService(ctx, d.Request)
		if engine.IsConflict(err) {
			return "", nil, problem.New("service %q was created by somebody else in this moment: %w", text.Clean(d.Request.Service().Name), err).
				WithNext("Run the command again to compare with what is there.")
		}
		return id, warnings, err
	}
	warnings, err = e.UpdateService(ctx, *d.Before, d.Request)
	if engine.IsOutOfSequence(err) {
		return "", nil, problem.New("service %q was changed by somebody else in this moment, and nothing was changed here: %w", text.Clean(d.Before.Name), err).
			WithNext("Run the command again to compare with what is there.")
	}
	return d.Before.ID, warnings, err
}

// undo removes what was created, or writes the service back as it was and
// waits until it is up. how says what was written, also with an error.
func (d ServiceDeployment) undo(ctx context.Context, e ServiceDeployer, made swarm.Service, sink event.Sink) (how string, err error) {
	asked, cancel := toItsEnd(ctx)
	defer cancel()
	now, err := e.Service(asked, made.ID)
	if err != nil {
		return "", err
	}
	mine, err := engine.SameSpec(now, made)
	switch {
	case err != nil:
		return "", err
	case !mine:
		return "", errNotOurs
	case d.Before == nil:
		if err := e.RemoveService(asked, made.ID); err != nil {
			return "", err
		}
		return "It was removed again.", nil
	}
	if err := e.RestoreService(asked, *d.Before); err != nil {
		return "", err
	}
	return "It was restored to what it was.", restored(ctx, e, []string{d.Before.ID}, sink)
}
