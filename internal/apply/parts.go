package apply

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/stack"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/wait"
)

// PartsRemover is what removing the parts of a stack needs of an engine.
type PartsRemover interface {
	NetworkRemover
	RemoveResource(ctx context.Context, kind plan.Kind, id string) error
}

// parallel bounds the changes under way in one swarm at a time. Its raft log
// takes them one after the other in any case (swarmkit manager/state/raft).
const parallel = 4

// RemoveParts removes services, waits until every task of them has ended, and
// then removes networks, configs and secrets: a network that goes before its
// last task leaks that task's addresses on its other networks (moby#37338).
// name is the stack whose tasks are waited for besides; "" for none. The
// context's deadline bounds it all. The error is that of the first step that
// failed; what is left is told by the swarm.
func RemoveParts(ctx context.Context, e PartsRemover, p stack.Parts, name string, sink event.Sink) error {
	if err := each(ctx, p.Services, func(ctx context.Context, sv swarm.Service) error {
		sink.On(event.Event{Object: "service " + sv.Name, Kind: event.Working, State: "removing"})
		return answered(ctx, sink, func() error { return e.RemoveResource(ctx, plan.Service, sv.ID) })
	}); err != nil {
		return err
	}
	if err := tasksGone(ctx, e, p.Services, name, sink); err != nil {
		return err
	}
	for _, sv := range p.Services {
		sink.On(event.Event{Object: "service " + sv.Name, Kind: event.Good, State: "removed"})
	}
	networks := each(ctx, p.Networks, func(ctx context.Context, n swarm.Network) error {
		return RemoveNetwork(ctx, e, n, sink)
	})
	object := func(kind plan.Kind) func(context.Context, plan.Object) error {
		return func(ctx context.Context, o plan.Object) error {
			err := answered(ctx, sink, func() error { return e.RemoveResource(ctx, kind, o.ID) })
			if err == nil {
				sink.On(event.Event{Object: string(kind) + " " + o.Name, Kind: event.Good, State: "removed"})
			}
			return err
		}
	}
	return errors.Join(networks, each(ctx, p.Configs, object(plan.Config)), each(ctx, p.Secrets, object(plan.Secret)))
}

// tasksGone waits until the tasks of the services have ended.
func tasksGone(ctx context.Context, e NetworkRemover, services []swarm.Service, name string, sink event.Sink) error {
	if len(services) == 0 && name == "" {
		return nil
	}
	ids, names := make(map[string]bool, len(services)), make(map[string]string, len(services))
	for _, sv := range services {
		ids[sv.ID], names[sv.ID] = true, sv.Name
	}
	for {
		s, err := lookAnswered(ctx, e, sink)
		if err != nil {
			return err
		}
		left := stack.Tasks(s, ids, name)
		if len(left) == 0 {
			return nil
		}
		byService := map[string]int{}
		for _, t := range left {
			byService[names[t.ServiceID]]++
		}
		for _, sv := range services {
			if byService[sv.Name] > 0 {
				sink.On(event.Event{Object: "service " + sv.Name, Kind: event.Working, State: "removing", Detail: text.Count(byService[sv.Name], "task") + " to end"})
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settle):
		}
	}
}

// each does something to all, a few at a time, and goes on after a failure: the
// error joins all that failed.
func each[T any](ctx context.Context, all []T, do func(context.Context, T) error) error {
	var mu sync.Mutex
	var failed []error
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, one := range all {
		g.Go(func() error {
			if err := do(ctx, one); err != nil {
				mu.Lock()
				failed = append(failed, err)
				mu.Unlock()
			}
			return nil
		})
	}
	_ = g.Wait()
	return errors.Join(failed...)
}

// answered makes a call that an engine may not answer for a moment, while its
// swarm has no leader, and repeats it until it does or has been silent for as
// long as a wait is. The call must do no harm when it is made twice.
func answered(ctx context.Context, sink event.Sink, call func() error) error {
	begin := time.Now()
	for {
		err := call()
		if err == nil || ctx.Err() != nil || !engine.IsSilent(err) || time.Since(begin) > wait.Silence(err) {
			return err
		}
		sink.On(event.Event{Object: "engine", Kind: event.Warning, State: "does not answer", Detail: "trying again: " + text.Clean(err.Error())})
		select {
		case <-ctx.Done():
			return err
		case <-time.After(settle):
		}
	}
}

// lookAnswered takes a whole snapshot, as answered makes a call.
func lookAnswered(ctx context.Context, e engine.Looker, sink event.Sink) (s *swarm.Snapshot, err error) {
	err = answered(ctx, sink, func() (err error) { s, err = engine.LookWhole(ctx, e); return err })
	return s, err
}

// leftOf returns those parts that a swarm still has, in words, with the tasks
// that keep them.
func leftOf(s *plan.Observed, p stack.Parts, name string) []string {
	ids, names := map[string]bool{}, map[string]string{}
	var left stack.Parts
	for _, sv := range p.Services {
		ids[sv.ID], names[sv.ID] = true, sv.Name
		if _, ok := s.ServiceByID(sv.ID); ok {
			left.Services = append(left.Services, sv)
		}
	}
	for _, n := range p.Networks {
		if _, ok := s.NetworkByID(n.ID); ok {
			left.Networks = append(left.Networks, n)
		}
	}
	left.Configs, left.Secrets = still(s.Configs, p.Configs), still(s.Secrets, p.Secrets)
	words := append(left.Words(), stack.TaskWords(s.Snapshot, stack.Tasks(s.Snapshot, ids, name), names)...)
	for i := range words {
		words[i] = text.Clean(words[i])
	}
	return words
}

func still(now, before []plan.Object) []plan.Object {
	var out []plan.Object
	for _, o := range before {
		if slices.ContainsFunc(now, func(n plan.Object) bool { return n.ID == o.ID }) {
			out = append(out, o)
		}
	}
	return out
}
