package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/migrate"
	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/wait"
)

// Migrator is what a migration needs of an engine.
type Migrator interface {
	NetworkCreator
	Rewirer
	WriteLabels(ctx context.Context, sv swarm.Service, labels map[string]string) error
}

// Migration is how a migration is carried out.
type Migration struct {
	Context string
	// Parallel is how many services change at the same time.
	Parallel int
	// Timeout bounds each step: the roll-out of one service, the end of the
	// tasks that leave a network, the allocation of a network.
	Timeout time.Duration
	// Stop stops where a service does not come up, rather than undoing all.
	Stop bool
	Log  TaskLog
}

// away is how long an engine may not answer with this error before a migration
// stops.
func away(err error) time.Duration { return max(40*time.Second, wait.Silence(err)) }

// Begin starts a migration that was planned on the look s, and carries it out.
func (m Migration) Begin(ctx context.Context, e Migrator, s *swarm.Snapshot, p migrate.Plan, sink event.Sink) (swarm.Network, error) {
	if !p.Job.Renames() {
		within, cancel := context.WithTimeout(ctx, m.Timeout)
		_, err := CreateNetwork(within, e, s, p.Twin, sink)
		cancel()
		if err != nil {
			return swarm.Network{}, err
		}
	}
	return m.Go(ctx, e, migrate.Course{Job: p.Job}, sink)
}

// Go carries a migration on, or back, from wherever it is, and returns the
// network it ends with. A service that does not come up on the way makes it
// undo all, unless Stop is set. An interruption leaves all as it is, and so
// does whatever else is in the way; the error says how to go on.
func (m Migration) Go(ctx context.Context, e Migrator, c migrate.Course, sink event.Sink) (swarm.Network, error) {
	r := &migration{Migration: m, e: e, course: c, sink: sink}
	n, err := r.run(ctx)
	var failed *unfitError
	if !errors.As(err, &failed) {
		return n, err
	}
	if m.Stop {
		return n, problem.New("%s\n\nThe migration of network %q has stopped there (--on-failure stop).", failed.msg, text.Clean(c.Before.Name)).
			WithNext("%s", migrate.GoOn(m.Context, c.Job))
	}
	sink.On(event.Event{Object: r.object(), Kind: event.Warning, State: "going back", Detail: "service " + text.Clean(failed.service.Name) + " did not come up"})
	back := &migration{Migration: m, e: e, sink: sink, course: migrate.Course{Job: c.Job, Back: true, Broken: map[string]bool{failed.service.ID: true}}}
	if _, err := back.run(ctx); err != nil {
		var p *problem.Error
		if errors.As(err, &p) && p.Code == problem.Interrupted {
			return n, problem.New("%s\n\n%s", failed.msg, p.Msg).WithNext("%s", p.Next).WithCode(p.Code)
		}
		return n, problem.New("%s\n\nTaking it back failed: %w", failed.msg, err).WithCode(problem.RollbackFailed)
	}
	return n, problem.New("%s\n\nThe migration was undone: all services are on network %q as it was.", failed.msg, text.Clean(c.Before.Name)).WithCode(problem.RolledBack)
}

// migration is one going on.
type migration struct {
	Migration
	e      Migrator
	course migrate.Course
	sink   event.Sink
	mu     sync.Mutex // guards course.Broken while services roll
	// answered is when the swarm last did what was asked.
	answered time.Time
}

// unfitError tells that a service did not come up.
type unfitError struct {
	service swarm.Service
	msg     string
}

func (u *unfitError) Error() string { return u.msg }

func (r *migration) object() string { return "migration " + r.course.Before.Name }

// run looks, does the next step, and looks again, until there is none.
func (r *migration) run(ctx context.Context) (swarm.Network, error) {
	r.answered = time.Now()
	if r.course.Broken == nil {
		r.course.Broken = map[string]bool{}
	}
	var last swarm.Network
	for {
		s, err := engine.LookWhole(ctx, r.e)
		if err == nil {
			st := r.course.Next(s)
			if st.Kind == migrate.Done {
				return r.end(s)
			}
			r.tell(st)
			err = r.step(ctx, s, st)
		}
		if err == nil {
			r.answered = time.Now()
			continue
		}
		if err := r.stopped(ctx, err); err != nil {
			return last, err
		}
		pause(ctx, settle)
	}
}

// end tells of the network that is left, and of services that are not up.
func (r *migration) end(s *swarm.Snapshot) (swarm.Network, error) {
	name := r.course.Goal.Name
	if r.course.Back {
		name = r.course.Before.Name
	}
	state := "migrated"
	if r.course.Back {
		state = "undone"
	}
	var left []string
	for _, sv := range s.Services {
		if r.course.Broken[sv.ID] {
			left = append(left, fmt.Sprintf("service %q", text.Clean(sv.Name)))
		}
	}
	i := slices.IndexFunc(s.Networks, func(n swarm.Network) bool { return n.Scope == "swarm" && n.Name == name })
	if i < 0 {
		return swarm.Network{}, problem.New("network %q of context %q was removed by somebody else", text.Clean(name), r.Context)
	}
	if len(left) > 0 {
		return s.Networks[i], problem.Join(fmt.Sprintf("the services are back on network %q, and some are not up", text.Clean(name)), left).
			WithNext("Run 'docker -c %s service ps --no-trunc SERVICE' to see why.", r.Context).WithCode(problem.RollbackFailed)
	}
	r.sink.On(event.Event{Object: r.object(), Kind: event.Good, State: state, Detail: "network " + text.Clean(name) + " is the only one left"})
	return s.Networks[i], nil
}

// tell says what is done now.
func (r *migration) tell(st migrate.Step) {
	detail := ""
	from, to := text.Clean(st.From.Name), text.Clean(st.To.Name)
	switch st.Kind {
	case migrate.Join:
		detail = "on " + to + " beside " + from
	case migrate.Swap:
		detail = "from " + from + " to " + to
	case migrate.Leave, migrate.Remove:
		detail = from
	case migrate.Create:
		detail = text.Clean(st.Spec.Name)
	case migrate.Settle:
		detail = "tasks reach their networks"
	case migrate.Mark, migrate.Unmark, migrate.Done:
	}
	if len(st.Services) > 0 {
		names := make([]string, len(st.Services))
		for i, sv := range st.Services {
			names[i] = text.Clean(sv.Name)
		}
		detail = strings.TrimPrefix(detail+": ", ": ") + strings.Join(names, ", ")
	}
	r.sink.On(event.Event{Object: r.object(), Kind: event.Working, State: string(st.Kind), Detail: detail})
}

// step carries one step out.
func (r *migration) step(ctx context.Context, s *swarm.Snapshot, st migrate.Step) error {
	within, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	switch st.Kind {
	case migrate.Create:
		_, err := CreateNetwork(within, r.e, s, netspec.Wish{Spec: st.Spec}, r.sink)
		return err
	case migrate.Remove:
		return RemoveNetwork(within, r.e, st.From, r.sink)
	case migrate.Mark, migrate.Unmark:
		return r.label(within, st)
	case migrate.Settle:
		return r.settle(ctx, st)
	case migrate.Join, migrate.Swap, migrate.Leave:
		return r.roll(ctx, st)
	case migrate.Done:
	}
	return nil
}

// stopped decides whether an error ends the migration; nil means to look again.
func (r *migration) stopped(ctx context.Context, err error) error {
	name := text.Clean(r.course.Before.Name)
	goOn := migrate.GoOn(r.Context, r.course.Job)
	var unfit *unfitError
	var p *problem.Error
	// A step whose own time is over is no engine that does not answer.
	overdue := errors.As(err, &p) && p.Code == problem.TimedOut
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return problem.New("the migration of network %q of context %q was not over in time, and stays where it is", name, r.Context).
			WithNext("%s", goOn).WithCode(problem.TimedOut)
	case ctx.Err() != nil:
		return problem.New("interrupted; the migration of network %q of context %q stays where it is: services are on the old network, on both, or on the new one, and reach each other", name, r.Context).
			WithNext("%s", goOn).WithCode(problem.Interrupted)
	case errors.As(err, &unfit):
		return err
	case !overdue && engine.IsAway(err) && time.Since(r.answered) < away(err):
		r.sink.On(event.Event{Object: "engine", Kind: event.Warning, State: "does not answer", Detail: "trying again"})
		return nil
	}
	code := problem.Failed
	msg := err.Error()
	if p != nil {
		msg = p.Msg
		if p.Next != "" {
			msg += "\n\n" + p.Next
		}
		if overdue {
			code = p.Code
		}
	}
	return (&problem.Error{Msg: fmt.Sprintf("the migration of network %q has stopped: %s", name, msg), Err: err, Code: code}).WithNext("%s", goOn)
}

// pause waits a moment, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
