package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"golang.org/x/sync/errgroup"

	"github.com/swarmnet/docker-swarmnet/internal/core/converge"
	"github.com/swarmnet/docker-swarmnet/internal/core/migrate"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/wait"
)

// roll changes the networks of the step's services, some at the same time, and
// waits until each is up.
func (r *migration) roll(ctx context.Context, st migrate.Step) error {
	return r.each(ctx, st.Services, func(ctx context.Context, sv swarm.Service) error {
		written, err := r.write(ctx, sv.ID, func(now swarm.Service) error {
			networks, changed := st.Networks(now)
			if !changed {
				return nil // somebody else has done it
			}
			warnings, err := r.e.WriteNetworks(ctx, now, networks)
			warned(r.sink, now.Name, warnings)
			return err
		})
		if err != nil || written == nil {
			return err
		}
		return r.up(ctx, *written)
	})
}

// label writes the job's labels on services, or takes them off.
func (r *migration) label(ctx context.Context, st migrate.Step) error {
	ours, err := r.course.Labels()
	if err != nil {
		return err
	}
	return r.each(ctx, st.Services, func(ctx context.Context, sv swarm.Service) error {
		_, err := r.write(ctx, sv.ID, func(now swarm.Service) error {
			labels := maps.Clone(now.Labels)
			if labels == nil {
				labels = map[string]string{}
			}
			for key, value := range ours {
				if st.Kind == migrate.Mark {
					labels[key] = value
				} else {
					delete(labels, key)
				}
			}
			return r.e.WriteLabels(ctx, now, labels)
		})
		return err
	})
}

// each does something with services, Parallel at a time; the first that does
// not come up ends it.
func (r *migration) each(ctx context.Context, services []swarm.Service, do func(context.Context, swarm.Service) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(r.Parallel, 1))
	for _, sv := range services {
		g.Go(func() error {
			if gctx.Err() != nil {
				return gctx.Err() // another one has failed, and this one is not begun
			}
			return do(gctx, sv)
		})
	}
	return g.Wait()
}

// write reads a service and writes it, again when somebody else was quicker.
// The result is nil when the service is gone.
func (r *migration) write(ctx context.Context, id string, change func(swarm.Service) error) (*swarm.Service, error) {
	var err error
	for range writes {
		var now swarm.Service
		if now, err = r.e.Service(ctx, id); err != nil {
			if engine.IsNotFound(err) {
				return nil, nil
			}
			return nil, err
		}
		if err = change(now); err == nil {
			return &now, nil
		}
		if !engine.IsOutOfSequence(err) {
			return nil, fmt.Errorf("service %q: %w", text.Clean(now.Name), err)
		}
	}
	return nil, problem.New("a service is being changed by somebody else all the time: %w", err)
}

// up waits until a service is up. On the way back, one that does not come up
// is noted and left behind.
func (r *migration) up(ctx context.Context, sv swarm.Service) error {
	if sv.Mode.Job() {
		return nil // takes it up with its next run
	}
	within, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	v, err := wait.Service(within, r.e, sv.ID, r.sink)
	var silent *wait.SilentError
	switch {
	case err == nil && (v.State == converge.Up || v.Cause == converge.CauseRemoved):
		r.broken(sv.ID, false)
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &silent):
		return err
	}
	reason := "did not come up"
	if err != nil {
		reason = fmt.Sprintf("was not up within %s", r.Timeout)
	}
	evidence := evidence(ctx, r.Log, v)
	failed := &unfitError{service: sv, msg: fmt.Sprintf("service %q of context %q %s: %s%s", text.Clean(sv.Name), r.Context, reason, text.Clean(v.Reason), evidence)}
	if r.course.Back {
		r.broken(sv.ID, true)
		return nil
	}
	return failed
}

// broken notes whether a service's tasks come up.
func (r *migration) broken(id string, is bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if is {
		r.course.Broken[id] = true
	} else {
		delete(r.course.Broken, id)
	}
}

// settle waits until the tasks of the services are on the networks that their
// specs say, and none of before is left.
func (r *migration) settle(ctx context.Context, st migrate.Step) error {
	if err := r.each(ctx, st.Services, r.up); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	for {
		s, err := engine.LookWhole(within, r.e)
		if err == nil {
			now := r.course.Next(s)
			if now.Kind != migrate.Settle {
				return nil
			}
			st = now
		}
		pause(within, settle)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case within.Err() != nil:
			return problem.New("tasks of service %q are not on the networks of its spec after %s, or do not end", text.Clean(st.Services[0].Name), r.Timeout).
				WithNext("Run 'docker -c %s service ps --no-trunc %s' to see them.", r.Context, text.Clean(st.Services[0].Name)).WithCode(problem.TimedOut)
		case err != nil && !engine.IsAway(err):
			return err
		}
	}
}
