package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/rewire"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/wait"
)

// Rewirer is what changing the networks of a service needs of an engine.
type Rewirer interface {
	wait.Watcher
	Service(ctx context.Context, id string) (swarm.Service, error)
	WriteNetworks(ctx context.Context, sv swarm.Service, networks []swarm.Attach) (warnings []string, err error)
}

// Rewiring is how changes of networks are carried out.
type Rewiring struct {
	Context string
	// Detach returns as soon as the swarm has taken the request.
	Detach bool
	// Timeout bounds the roll-out of one service.
	Timeout time.Duration
	// Again is the command to type to go on: "docker swarmnet attach".
	Again string
	Log   TaskLog
}

// Rewired is a service whose networks were written: what Undo needs.
type Rewired struct {
	Before swarm.Service
	// Networks are the networks that were written.
	Networks []swarm.Attach
}

// writes is how often a write is tried on a fresh reading of the service. The
// swarm itself writes a service often while it rolls out an update, but
// seldom twice within the time of one read and write.
const writes = 10

// Service carries the change of one service out and waits until its tasks run
// on the new networks. A service that does not come up gets its old networks
// back. done is nil when nothing had to be written, or was undone.
//
// A service that has the networks already, but is still being updated, is
// waited for too: this is how an interrupted command goes on.
func (r Rewiring) Service(ctx context.Context, e Rewirer, w rewire.Wish, sink event.Sink) (done *Rewired, err error) {
	done, err = r.write(ctx, e, w, sink)
	if err != nil {
		return nil, err
	}
	moving := done != nil || w.Service.Update.State == "updating"
	if !moving || r.Detach || w.Service.Mode.Job() {
		state := "unchanged"
		if done != nil {
			state = "updated"
		}
		sink.On(event.Event{Object: "service " + w.Service.Name, Kind: event.Good, State: state})
		return done, nil
	}
	out := rollout{dockerContext: r.Context, service: w.Service, did: "updated", again: r.Again, timeout: r.Timeout, log: r.Log}
	if done == nil {
		out.left = "its update had begun before this command"
	} else {
		out.undo = func(ctx context.Context) (string, error) {
			if err := r.Undo(ctx, e, *done, sink); err != nil {
				return "", err
			}
			return "It has its old networks again.", nil
		}
	}
	if err := out.wait(ctx, e, sink); err != nil {
		var p *problem.Error
		if errors.As(err, &p) && p.Code == problem.Interrupted {
			return done, err
		}
		return nil, err
	}
	return done, nil
}

// write writes the new list of networks over the version that was read. When
// somebody else was quicker, it is tried again on what they have written,
// unless they changed the networks too.
func (r Rewiring) write(ctx context.Context, e Rewirer, w rewire.Wish, sink event.Sink) (*Rewired, error) {
	sv := w.Service
	var err error
	for range writes {
		networks, changed := w.Change.Of(sv)
		if !changed {
			return nil, nil
		}
		var warnings []string
		warnings, err = e.WriteNetworks(ctx, sv, networks)
		if err == nil {
			warned(sink, sv.Name, warnings)
			return &Rewired{Before: sv, Networks: networks}, nil
		}
		if !engine.IsOutOfSequence(err) {
			return nil, r.explained(ctx, w, err)
		}
		fresh, readErr := e.Service(ctx, sv.ID)
		if readErr != nil {
			return nil, r.explained(ctx, w, readErr)
		}
		if !rewire.SameNetworks(fresh.Networks, sv.Networks) {
			return nil, problem.New("somebody else changed the networks of service %q of context %q in this moment, and it was left as they made it", text.Clean(sv.Name), r.Context).
				WithNext("Run the command again to see what it does now.")
		}
		sv = fresh
	}
	return nil, problem.New("service %q of context %q is being changed by somebody else all the time, and its networks were not changed: %w", text.Clean(sv.Name), r.Context, err).
		WithNext("Run the command again when the other changes are over.")
}

// explained says which service an error is about.
func (r Rewiring) explained(ctx context.Context, w rewire.Wish, err error) error {
	name := text.Clean(w.Service.Name)
	switch {
	case ctx.Err() != nil:
		return problem.New("interrupted while the new networks of service %q of context %q were being written", name, r.Context).
			WithNext("Run the same '%s' again to see what it has now and to go on.", r.Again).WithCode(problem.Interrupted)
	case engine.IsNotFound(err):
		return problem.New("service %q was removed from context %q in this moment: %w", name, r.Context, err)
	}
	return problem.New("the networks of service %q were not changed: %w", name, err)
}

// Undo gives a service the networks back that it had, keeps what else was
// changed meanwhile, and waits until it is up. The error is errNotOurs when its
// networks are no longer those that were written.
func (r Rewiring) Undo(ctx context.Context, e Rewirer, done Rewired, sink event.Sink) error {
	asked, cancel := toItsEnd(ctx)
	defer cancel()
	var err error
	for range writes {
		var now swarm.Service
		if now, err = e.Service(asked, done.Before.ID); err != nil {
			return err
		}
		if rewire.SameNetworks(now.Networks, done.Before.Networks) {
			break
		}
		if !rewire.SameNetworks(now.Networks, done.Networks) {
			return errNotOurs
		}
		if _, err = e.WriteNetworks(asked, now, done.Before.Networks); err == nil {
			break
		}
		if !engine.IsOutOfSequence(err) {
			return err
		}
	}
	if err != nil {
		return err
	}
	if done.Before.Mode.Job() {
		return nil
	}
	return restored(ctx, e, []string{done.Before.ID}, sink)
}

// Services carries the changes out one service after another. When one fails,
// those before it get their old networks back too, so that all is as it was.
// Interrupted, everything stays as it is.
func (r Rewiring) Services(ctx context.Context, e Rewirer, wishes []rewire.Wish, sink event.Sink) error {
	_, err := r.services(ctx, e, wishes, sink)
	return err
}

// services is Services, which returns the changes that were made and stay.
func (r Rewiring) services(ctx context.Context, e Rewirer, wishes []rewire.Wish, sink event.Sink) (done []Rewired, err error) {
	for i, w := range wishes {
		one, err := r.Service(ctx, e, w, sink)
		if err == nil {
			if one != nil {
				done = append(done, *one)
			}
			continue
		}
		var p *problem.Error
		if ctx.Err() != nil && errors.As(err, &p) {
			if left := wishes[i+1:]; len(left) > 0 {
				p.Msg += fmt.Sprintf("; not begun: %s", serviceNames(left))
			}
			return done, p
		}
		return nil, r.undoAll(ctx, e, done, err, sink)
	}
	return done, nil
}

// undoAll undoes changes, the last one first, and adds to the error that is
// the reason what became of it. All is as it was before unless one of them, or
// what the reason is about, could not be taken back.
func (r Rewiring) undoAll(ctx context.Context, e Rewirer, done []Rewired, reason error, sink event.Sink) error {
	if len(done) == 0 {
		return reason
	}
	code := problem.RolledBack
	msg := reason.Error()
	var next string
	var p *problem.Error
	if errors.As(reason, &p) {
		msg, next = p.Msg, p.Next
		if p.Code == problem.RollbackFailed {
			code = p.Code
		}
	}
	var silent *wait.SilentError
	if errors.Is(reason, errNotOurs) || errors.As(reason, &silent) {
		code = problem.RollbackFailed
	}
	ctx = context.WithoutCancel(ctx)
	for i := len(done) - 1; i >= 0; i-- {
		within, cancel := context.WithTimeout(ctx, restoreTime)
		err := r.Undo(within, e, done[i], sink)
		cancel()
		name := text.Clean(done[i].Before.Name)
		if err != nil {
			code = problem.RollbackFailed
			msg += fmt.Sprintf("\n\nService %q of context %q had been changed before, and could not be taken back: %v.", name, r.Context, err)
			continue
		}
		sink.On(event.Event{Object: "service " + done[i].Before.Name, Kind: event.Warning, State: "rolled back"})
		msg += fmt.Sprintf("\n\nService %q of context %q had been changed before, and has its old networks again.", name, r.Context)
	}
	return &problem.Error{Msg: msg, Next: next, Code: code, Err: reason}
}

func serviceNames(wishes []rewire.Wish) string {
	var out string
	for i, w := range wishes {
		if i > 0 {
			out += ", "
		}
		out += fmt.Sprintf("service %q", text.Clean(w.Service.Name))
	}
	return out
}
