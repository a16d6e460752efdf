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
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// Watcher is what waiting for services needs of an engine.
type Watcher interface {
	WatchServices(ctx context.Context, ids []string) ([]swarm.Service, []swarm.Task, []swarm.Node, error)
	Changes(ctx context.Context) <-chan struct{}
}

const (
	// poll is the slow look behind the stream of events: a manager's stream
	// tells nothing of tasks on other nodes (moby daemon/cluster/events.go).
	poll = 500 * time.Millisecond
	// gap is the least time between two looks: many tasks that start at once
	// make many events, health checks make some for ever, and a look at many
	// services is work for the manager that has to start them.
	gap = 100 * time.Millisecond
	// silence is how long an engine may not answer before waiting ends: a manager
	// that restarts is back in a few seconds. More is an outage, which the user
	// should hear of while they can still do something.
	silence = 25 * time.Second
	// election is how long its swarm may have no leader. Another one stands 10 to
	// 20 s after the last sign of the old one (swarmkit's election timeout is 10
	// ticks of 1 s), and all begins anew when its log is the older one or two stand
	// at once: three rounds were seen to take over 41 s (20.10).
	election = time.Minute
	// tries is how often it is asked in that time at least: a manager with too
	// much to do gives up one answer after 20 s (swarmkit's own limit on a
	// request, moby daemon/cluster swarmRequestTimeout) and is there all the time.
	tries = 3
)

// Silence is how long an engine may answer with this error, or not at all, before
// waiting ends.
func Silence(err error) time.Duration {
	if engine.IsLeaderless(err) {
		return election
	}
	return silence
}

// A SilentError ends a wait because the engine stopped answering. What the
// services are doing meanwhile is not known.
type SilentError struct {
	For time.Duration
	Err error // the last answer
}

func (e *SilentError) Error() string {
	return fmt.Sprintf("the engine has not answered for %s: %v", e.For, e.Err)
}

func (e *SilentError) Unwrap() error { return e.Err }

// Service waits for one service, as Services does for many.
func Service(ctx context.Context, w Watcher, id string, sink event.Sink) (converge.Verdict, error) {
	v, err := Services(ctx, w, []string{id}, sink)
	return v[id], err
}

// Services waits until every service is up at the same time, or one of them
// has failed for good, and returns the last verdict on each by ID. When ctx
// ends first, its error comes with them. An engine that does not answer for a
// while is asked again; when it stays silent, a SilentError comes with them.
//
// A look costs the same number of calls however many services there are.
func Services(ctx context.Context, w Watcher, ids []string, sink event.Sink) (map[string]converge.Verdict, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ws := watches{by: make(map[string]*converge.Watch, len(ids)), last: make(map[string]converge.Verdict, len(ids))}
	if len(ids) == 0 {
		return ws.last, ctx.Err()
	}
	changes := w.Changes(ctx)
	answered, unanswered := time.Now(), 0
	for {
		services, tasks, nodes, err := w.WatchServices(ctx, ids)
		switch {
		case ctx.Err() != nil:
			return ws.last, ctx.Err()
		case err != nil:
			unanswered++
			if quiet := time.Since(answered); quiet >= Silence(err) && unanswered >= tries {
				return ws.last, &SilentError{For: quiet.Round(time.Second), Err: err}
			}
			sink.On(event.Event{Object: "engine", Kind: event.Warning, State: "does not answer", Detail: "trying again"})
		default:
			if unanswered > 0 {
				for _, one := range ws.by {
					one.Unseen(time.Now())
				}
			}
			answered, unanswered = time.Now(), 0
			if ws.step(ids, services, tasks, nodes, sink) {
				return ws.last, nil
			}
		}
		changes = ws.pause(ctx, changes)
	}
}

// watches judge several services look by look.
type watches struct {
	by   map[string]*converge.Watch
	last map[string]converge.Verdict
}

// step judges each service by one look and tells whether the wait is over.
func (ws watches) step(ids []string, services []swarm.Service, tasks []swarm.Task, nodes []swarm.Node, sink event.Sink) (over bool) {
	found := make(map[string]swarm.Service, len(services))
	for _, sv := range services {
		found[sv.ID] = sv
	}
	tasksOf := make(map[string][]swarm.Task, len(ids))
	for _, t := range tasks {
		tasksOf[t.ServiceID] = append(tasksOf[t.ServiceID], t)
	}
	up := 0
	for _, id := range ids {
		sv, ok := found[id]
		if !ok {
			ws.last[id] = converge.Gone(ws.last[id].Service)
			over = true
			continue
		}
		if ws.by[id] == nil {
			ws.by[id] = &converge.Watch{}
		}
		v := ws.by[id].Step(sv, tasksOf[id], nodes, converge.Options{Now: time.Now()})
		ws.last[id] = v
		tell(sink, v)
		switch v.State {
		case converge.Up:
			up++
		case converge.Failed:
			over = true
		case converge.Waiting:
		}
	}
	return over || up == len(ids)
}

// pause returns when it is worth to look again, with the stream of changes,
// nil after its end: the slow look goes on without it.
func (ws watches) pause(ctx context.Context, changes <-chan struct{}) <-chan struct{} {
	left := poll
	for _, v := range ws.last {
		if !v.DueAt.IsZero() {
			left = min(left, max(time.Until(v.DueAt), 10*time.Millisecond))
		}
	}
	least := min(gap, left)
	timer := time.NewTimer(least)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return changes
	case <-timer.C:
	}
	timer.Reset(left - least)
	select {
	case <-ctx.Done():
	case <-timer.C:
	case _, open := <-changes:
		if !open {
			return nil
		}
	}
	return changes
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
