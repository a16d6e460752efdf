package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/converge"
	"github.com/swarmnet/docker-swarmnet/internal/core/members"
	"github.com/swarmnet/docker-swarmnet/internal/core/mesh"
	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/wait"
)

// IngressRecreator is what making ingress anew needs of an engine.
type IngressRecreator interface {
	NetworkCreator
	Rewirer
	PortParker
}

// PortParker takes the ports of the mesh off services and gives them back.
type PortParker interface {
	ParkPorts(ctx context.Context, id, job string) error
	RestorePorts(ctx context.Context, id string) error
	WriteLabels(ctx context.Context, sv swarm.Service, labels map[string]string) error
}

// Recreation is how ingress is made anew.
type Recreation struct {
	Context string
	// Timeout bounds each step: tasks leave, the network is there, services are
	// up with their ports.
	Timeout time.Duration
	Log     TaskLog
}

// Go makes ingress anew, or goes back, from wherever it is, and returns the
// network it ends with. What fails on the way is undone. An interruption leaves
// all as it is; the error says how to go on, and whether there is an ingress
// network at all.
func (m Recreation) Go(ctx context.Context, e IngressRecreator, c mesh.Course, sink event.Sink) (swarm.Network, error) {
	r := &recreation{Recreation: m, e: e, course: c, sink: sink}
	n, err := r.run(ctx)
	var left *leftError
	switch {
	case err == nil:
		return n, nil
	case errors.As(err, &left):
		return n, r.told(left)
	case c.Back || c.Before.Name == "":
		return n, r.told(&leftError{msg: text.Lines(err.Error()), code: problem.RollbackFailed, err: err})
	}
	sink.On(event.Event{Object: r.object(), Kind: event.Warning, State: "going back", Detail: text.Clean(firstLine(err))})
	back := &recreation{Recreation: m, e: e, sink: sink, course: mesh.Course{Job: c.Job, Back: true}}
	if _, undoErr := back.run(ctx); undoErr != nil {
		code := problem.RollbackFailed
		if errors.As(undoErr, &left) && left.code == problem.Interrupted {
			code = left.code
		}
		msg := fmt.Sprintf("ingress of context %q could not be made anew: %v\n\nGoing back failed too: %v", m.Context, err, undoErr)
		return n, back.told(&leftError{msg: msg, code: code, err: err})
	}
	return n, problem.New("ingress of context %q could not be made anew, and is as it was before: %w", m.Context, err).WithCode(problem.RolledBack)
}

// leftError tells that all was left as it is, half-way.
type leftError struct {
	msg  string
	code int
	err  error
}

func (l *leftError) Error() string { return l.msg }

func (l *leftError) Unwrap() error { return l.err }

// recreation is one going on.
type recreation struct {
	Recreation
	e      IngressRecreator
	course mesh.Course
	sink   event.Sink
	// kind is the step under way, begun when it was first seen to be next.
	kind  mesh.Kind
	begun time.Time
	// answered is when the swarm last did what was asked.
	answered time.Time
	// seen is the last look; nil before the first.
	seen *swarm.Snapshot
	// broken are the services that did not come up on the way back.
	broken []string
}

func (r *recreation) object() string { return "network " + r.course.Goal.Name }

// told is the error for what was left half-way: it never hides that a swarm has
// no ingress network.
func (r *recreation) told(l *leftError) error {
	there, marked := true, true
	if r.seen != nil {
		_, there = r.seen.Ingress()
		_, marked = mesh.Find(r.seen)
	}
	says := []string{l.msg}
	if !there {
		says = append(says, fmt.Sprintf("THE SWARM OF CONTEXT %q HAS NO INGRESS NETWORK at this moment: no port published in the routing mesh answers.", r.Context))
	}
	next := fmt.Sprintf("Run 'docker -c %s swarmnet ingress recreate' with the options it shall have.", r.Context)
	if marked {
		says = append(says, "The services remember their ports.")
		next = mesh.GoOn(r.Context)
	}
	return &problem.Error{Msg: strings.Join(says, "\n\n"), Next: next, Code: l.code, Err: l.err}
}

// run looks, does the next step, and looks again, until there is none.
func (r *recreation) run(ctx context.Context) (swarm.Network, error) {
	r.answered, r.begun = time.Now(), time.Now()
	for {
		st, again, err := r.next(ctx)
		if err == nil && st.Kind == mesh.Done {
			return r.end()
		}
		if err == nil && !again {
			if err = r.step(ctx, st); err == nil {
				r.answered = time.Now()
				if st.Kind == mesh.Finish {
					r.begun = r.answered // it may have waited for all of its time
				}
			}
		}
		if err := r.stopped(ctx, err); err != nil {
			return swarm.Network{}, err
		}
		pause(ctx, settle)
	}
}

// next looks and says what is to be done. again asks for a second look: one
// alone does not prove that ingress is gone, which an engine may forget for a
// moment while it takes the old network down.
func (r *recreation) next(ctx context.Context) (st mesh.Step, again bool, err error) {
	s, err := engine.LookWhole(ctx, r.e)
	if err != nil {
		return st, false, err
	}
	r.seen = s
	st = r.course.Next(s)
	if st.Kind != r.kind {
		again = st.Kind == mesh.Create
		r.kind, r.begun = st.Kind, time.Now()
		r.tell(st)
	}
	return st, again, nil
}

// tell says what is done now.
func (r *recreation) tell(st mesh.Step) {
	if st.Kind == mesh.Done || st.Kind == mesh.Create { // its creation tells itself
		return
	}
	var names []string
	for _, sv := range st.Services {
		names = append(names, text.Clean(sv.Name))
	}
	r.sink.On(event.Event{Object: r.object(), Kind: event.Working, State: string(st.Kind), Detail: strings.Join(names, ", ")})
}

// step carries one step out.
func (r *recreation) step(ctx context.Context, st mesh.Step) error {
	within, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	switch st.Kind {
	case mesh.Remember, mesh.Park:
		return r.park(within, st)
	case mesh.Remove:
		return r.remove(within, st.Old)
	case mesh.Create:
		_, err := CreateNetwork(within, r.e, r.seen, netspec.Wish{Spec: st.Spec}, r.sink)
		return err
	case mesh.Restore:
		for _, sv := range st.Services {
			if err := r.e.RestorePorts(within, sv.ID); err != nil {
				return err
			}
		}
	case mesh.Finish:
		return r.finish(ctx, st.Services)
	case mesh.Done:
	}
	return nil
}

// park writes the job on services and takes their ports off.
func (r *recreation) park(ctx context.Context, st mesh.Step) error {
	job, err := r.course.Label()
	if err != nil {
		return err
	}
	for _, sv := range st.Services {
		if st.Kind == mesh.Remember {
			err = r.label(ctx, sv, job)
		} else {
			err = r.e.ParkPorts(ctx, sv.ID, job)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// label writes the job on a service, or takes it off when it is empty.
func (r *recreation) label(ctx context.Context, sv swarm.Service, job string) error {
	now, err := r.e.Service(ctx, sv.ID)
	if err != nil {
		return err
	}
	labels := maps.Clone(now.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	delete(labels, mesh.LabelJob)
	if job != "" {
		labels[mesh.LabelJob] = job
	}
	return r.e.WriteLabels(ctx, now, labels)
}

// remove removes ingress unless somebody is on it: one that goes before its
// last task leaks addresses (moby#37338). The error says who is.
func (r *recreation) remove(ctx context.Context, n swarm.Network) error {
	removal := members.RemovalOf(r.seen, n)
	left := removal.Leaving
	for _, h := range removal.Holders {
		left = append(left, h.Member)
	}
	if len(left) > 0 {
		r.sink.On(event.Event{Object: "network " + n.Name, Kind: event.Working, State: "waiting", Detail: "for " + names(left) + " to leave"})
		return fmt.Errorf("%w by %s%s", errStillOn, names(left), unreplaced(r.seen, left))
	}
	return r.e.RemoveNetwork(ctx, n.ID)
}

// unreplaced says of the services whose tasks stay where they are what their
// newest task died of: as long as none comes up, the update that takes the old
// ones away does not go on.
func unreplaced(s *swarm.Snapshot, left []members.Member) string {
	var says []string
	for _, sv := range s.Services {
		if !slices.ContainsFunc(left, func(m members.Member) bool { return m.Service == sv.Name }) {
			continue
		}
		var last, runs swarm.Task
		for _, t := range s.TasksOf(sv.ID) {
			switch {
			case t.State == swarm.TaskRunning && t.Created.After(runs.Created):
				runs = t
			case t.State.Ended() && t.Err != "" && t.Created.After(last.Created):
				last = t
			}
		}
		if last.Created.After(runs.Created) {
			says = append(says, fmt.Sprintf("; the last new task of %s on %s was %s: %s",
				text.Clean(sv.Name), text.Clean(s.NodeName(last.NodeID)), last.State, text.Clean(last.Err)))
		}
	}
	return strings.Join(says, "")
}

// errStillOn tells that somebody is still on ingress.
var errStillOn = errors.New("it is still in use")

// finish waits until services are up with their ports and the mesh knows them,
// and lets them forget the job. On the way back, those that do not come up are
// noted and left behind.
func (r *recreation) finish(ctx context.Context, services []swarm.Service) error {
	ids := make([]string, len(services))
	for i, sv := range services {
		ids[i] = sv.ID
	}
	within, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	verdicts, err := wait.Services(within, r.e, ids, r.sink)
	var silent *wait.SilentError
	if ctx.Err() != nil || errors.As(err, &silent) || err != nil && within.Err() == nil {
		return err
	}
	for _, sv := range services {
		v := verdicts[sv.ID]
		switch {
		case v.State == converge.Up || v.Cause == converge.CauseRemoved || sv.Mode.Job():
		case !r.course.Back:
			return &unfitError{service: sv, msg: fmt.Sprintf("service %q did not come up with its ports: %s%s", text.Clean(sv.Name), text.Clean(v.Reason), evidence(ctx, r.Log, v))}
		case v.State != converge.Failed && v.Running >= v.Wanted:
			// All run; its update may go on for as long as its own delay says.
		default:
			r.broken = append(r.broken, fmt.Sprintf("service %q: %s", text.Clean(sv.Name), text.Clean(v.Reason)))
		}
	}
	if len(r.broken) == 0 {
		if waiting := mesh.Unserved(r.seen, services); len(waiting) > 0 {
			return fmt.Errorf("%w: service %s", errUnserved, text.Clean(waiting[0]))
		}
	}
	for _, sv := range services {
		if err := r.label(ctx, sv, ""); err != nil && !engine.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// errUnserved tells that the swarm has not put a service on ingress yet.
var errUnserved = errors.New("the swarm has given no address or port on ingress yet")

// end is where all is as it shall be, services that are not up apart.
func (r *recreation) end() (swarm.Network, error) {
	n, _ := r.seen.Ingress()
	if len(r.broken) > 0 {
		return n, problem.Join("ingress is as it was, and some services are not up", slices.Compact(r.broken)).
			WithNext("Run 'docker -c %s service ps --no-trunc SERVICE' to see why.", r.Context).WithCode(problem.RollbackFailed)
	}
	return n, nil
}

// stopped decides whether an error ends it; nil means to look again. What an
// engine says while ingress goes and comes passes: that it is not found, in
// use, or still there.
func (r *recreation) stopped(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return &leftError{msg: fmt.Sprintf("interrupted while ingress of context %q was being made anew", r.Context), code: problem.Interrupted, err: ctx.Err()}
	case err == nil && time.Since(r.begun) < r.Timeout:
		return nil
	case err == nil:
		err = errors.New("the swarm does not take it up")
	case engine.IsAway(err):
		if time.Since(r.answered) < away(err) {
			r.sink.On(event.Event{Object: "engine", Kind: event.Warning, State: "does not answer", Detail: "trying again"})
			return nil
		}
		return &leftError{msg: err.Error(), code: problem.Failed, err: err}
	case passing(err) && time.Since(r.begun) < r.Timeout:
		return nil
	case !passing(err):
		return err
	}
	return fmt.Errorf("%s was not over within %s: %w", r.kind, r.Timeout, err)
}

func passing(err error) bool {
	return errors.Is(err, errStillOn) || errors.Is(err, errUnserved) || engine.IsInUse(err) || engine.IsNetworkGone(err) ||
		engine.IsConflict(err) || engine.IsIngressPresent(err) || engine.IsOutOfSequence(err)
}

// firstLine is the beginning of an error, for a line of progress.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
