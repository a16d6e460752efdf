// Package wait waits for a state of the swarm and tells what it sees meanwhile.
package wait

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/converge"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// Watcher is what waiting for services needs of an engine.
type Watcher interface {
	WatchServices(ctx context.Context, ids []string) ([]swarm.Service, []swarm.Task, []swarm.Node, error)
	Changes(ctx context.Context) <-chan struct{}
}

// poll is the slow look behind the stream of events: a manager's stream tells
// nothing of tasks on other nodes (moby daemon/cluster/events.go).
const poll = 500 * time.Millisecond

// silence is how long an engine may not answer before waiting ends: a manager
// that restarts, or an election of another one, is through in a few seconds
// (swarmkit's election timeout is 10 ticks of 1 s); twice that is an outage,
// which the user should hear of while they can still do something.
const silence = 25 * time.Second

// A SilentError ends a wait because the engine stopped answering. What the
// service is doing meanwhile is not known.
type SilentError struct {
	For time.Duration
	Err error // the last answer
}

func (e *SilentError) Error() string {
	return fmt.Sprintf("the engine has not answered for %s: %v", e.For, e.Err)
}

func (e *SilentError) Unwrap() error { return e.Err }

// Service waits until the service is up or has failed for good, and returns
// the verdict. When ctx ends first, its error comes with the last verdict. An
// engine that does not answer for a while is asked again; when it stays silent,
// a SilentError comes with the last verdict.
func Service(ctx context.Context, w Watcher, id string, sink event.Sink) (converge.Verdict, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes := w.Changes(ctx)
	var watch converge.Watch
	var v converge.Verdict
	answered := time.Now()
	for {
		services, tasks, nodes, err := w.WatchServices(ctx, []string{id})
		switch {
		case ctx.Err() != nil:
			return v, ctx.Err()
		case err != nil:
			if quiet := time.Since(answered); quiet >= silence {
				return v, &SilentError{For: quiet.Round(time.Second), Err: err}
			}
			sink.On(event.Event{Object: "engine", Kind: event.Warning, State: "does not answer", Detail: "trying again"})
		case len(services) == 0:
			return converge.Gone(v.Service), nil
		default:
			answered = time.Now()
			v = watch.Step(services[0], tasks, nodes, converge.Options{Now: time.Now()})
			tell(sink, v)
			if v.State != converge.Waiting {
				return v, nil
			}
		}
		pause := poll
		if !v.DueAt.IsZero() {
			pause = min(pause, max(time.Until(v.DueAt), 10*time.Millisecond))
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case _, open := <-changes:
			if !open {
				changes = nil // the stream ended; the slow look goes on
			}
		}
		timer.Stop()
	}
}

// tell says where the service and each of its tasks are.
func tell(sink event.Sink, v converge.Verdict) {
	service := "service " + v.Service
	for _, t := range v.Tasks {
		e := event.Event{Object: "task " + t.Name, Parent: service, State: string(t.State)}
		if t.Node != "" {
			e.Detail = "on " + t.Node
		}
		switch {
		case t.State == swarm.TaskRunning || t.State == swarm.TaskComplete:
			e.Kind = event.Good
		case t.State.Ended():
			e.Kind = event.Bad
		}
		if e.Kind == event.Bad || t.State == swarm.TaskPending && strings.Contains(t.Detail, "no suitable node") {
			e.Detail = text.Clean(strings.TrimPrefix(e.Detail+": "+t.Detail, ": "))
		}
		sink.On(e)
	}
	e := event.Event{Object: service, Kind: event.Working, State: v.Cause, Detail: text.Clean(v.Reason)}
	switch v.State {
	case converge.Up:
		e.Kind, e.State, e.Detail = event.Good, "up", fmt.Sprintf("%d of %d tasks", v.Running, v.Wanted)
	case converge.Failed:
		e.Kind = event.Bad
	case converge.Waiting:
	}
	sink.On(e)
}
