package apply

import (
	"context"
	"slices"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// object carries out the step of a network, a secret or a config.
func (r *stackRun) object(ctx context.Context, s plan.Step) error {
	object := string(s.Kind) + " " + s.Name
	switch {
	case s.Action == plan.Create:
		r.sink.On(event.Event{Object: object, Kind: event.Working, State: "creating"})
		var id string
		tries := 0
		err := answered(ctx, r.sink, func() (err error) {
			tries++
			id, _, err = r.e.CreateResource(ctx, r.Request, s.Resource)
			return err
		})
		if engine.IsConflict(err) {
			return r.adopt(ctx, s, err, tries > 1)
		}
		if err != nil {
			return about(s, err)
		}
		s.ID = id
		r.note(written{Step: s})
		if s.Kind != plan.Network { // whose event follows when it is allocated
			r.sink.On(event.Event{Object: object, Kind: event.Good, State: "created"})
		}
	case s.Action == plan.Update || s.Recheck:
		err := answered(ctx, r.sink, func() error { _, err := r.e.UpdateResource(ctx, r.Request, s); return err })
		if err != nil {
			return about(s, err)
		}
		if s.Action == plan.Update {
			r.note(written{Step: s})
			r.sink.On(event.Event{Object: object, Kind: event.Good, State: "updated"})
			return nil
		}
		fallthrough
	default:
		r.sink.On(event.Event{Object: object, Kind: event.Good, State: "unchanged"})
	}
	return nil
}

// adopt takes an object for the stack's own that somebody, another run of the
// same deploy perhaps, has created since the look, if it is as wanted.
func (r *stackRun) adopt(ctx context.Context, s plan.Step, conflict error, ours bool) error {
	o, err := r.e.LookStack(ctx, r.Request, true)
	if err != nil {
		return about(s, conflict)
	}
	only := plan.Desired{Stack: r.Desired.Stack}
	switch s.Kind {
	case plan.Network:
		only.Networks = slices.DeleteFunc(slices.Clone(r.Desired.Networks), func(n plan.NetworkWish) bool { return n.Spec.Name != s.Name })
	case plan.Secret:
		only.Secrets = objectsNamed(r.Desired.Secrets, s.Name)
	case plan.Config:
		only.Configs = objectsNamed(r.Desired.Configs, s.Name)
	case plan.Service:
	}
	now, ok := plan.Reconcile(only, o).Step(s.Resource)
	if !ok || now.Action != plan.Unchanged {
		return about(s, conflict).WithNext("Somebody else has created it in this moment, and otherwise than the file asks. Run 'docker swarmnet plan' to compare.")
	}
	r.Request.Learn(s.Resource, now.ID)
	if ours { // the call that got no answer was heard
		s.ID = now.ID
		r.note(written{Step: s})
	}
	r.sink.On(event.Event{Object: string(s.Kind) + " " + s.Name, Kind: event.Good, State: "unchanged"})
	return nil
}

func objectsNamed(all []plan.Object, name string) []plan.Object {
	return slices.DeleteFunc(slices.Clone(all), func(o plan.Object) bool { return o.Name != name })
}

// about says which object an error is about.
func about(s plan.Step, err error) *problem.Error {
	did := map[plan.Action]string{plan.Create: "created", plan.Update: "updated", plan.Replace: "replaced", plan.Unchanged: "compared"}[s.Action]
	return problem.New("%s could not be %s: %w", s.Resource, did, err)
}

// allocated waits until the swarm has allocated the stack's networks: tasks
// stay in New until then (moby#37921).
func (r *stackRun) allocated(ctx context.Context, objects []plan.Step) error {
	want := map[string]plan.Action{}
	for _, s := range objects {
		if s.Kind == plan.Network {
			want[s.Name] = s.Action
		}
	}
	for _, n := range r.Observed.Networks {
		if n.Allocated() {
			delete(want, n.Name)
		}
	}
	for len(want) > 0 {
		var list []swarm.Network
		if err := answered(ctx, r.sink, func() (err error) { list, err = r.e.Networks(ctx); return err }); err != nil {
			return err
		}
		for _, n := range list {
			action, waited := want[n.Name]
			if !waited || n.Scope != "swarm" || n.Overlay() && !n.Allocated() {
				continue
			}
			delete(want, n.Name)
			state, detail := "created", ""
			if action == plan.Unchanged {
				state = "unchanged"
			}
			if len(n.Subnets) > 0 {
				detail = n.Subnets[0].Prefix.String()
			}
			r.sink.On(event.Event{Object: "network " + n.Name, Kind: event.Good, State: state, Detail: detail})
		}
		if len(want) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			for name := range want {
				return problem.New("network %q was not allocated by the swarm in time (moby#37921)", text.Clean(name))
			}
		case <-time.After(allocation):
		}
	}
	return nil
}

// inOrder carries the steps of services out, each after those it depends on.
func (r *stackRun) inOrder(ctx context.Context, services []plan.Step) error {
	over := map[plan.Resource]bool{}
	for left := services; len(left) > 0; {
		var ready, later []plan.Step
		for _, s := range left {
			if slices.ContainsFunc(s.DependsOn, func(d plan.Resource) bool { return d.Kind == plan.Service && !over[d] }) {
				later = append(later, s)
			} else {
				ready = append(ready, s)
			}
		}
		if err := each(ctx, ready, r.service); err != nil {
			return err
		}
		for _, s := range ready {
			over[s.Resource] = true
		}
		left = later
	}
	return nil
}

// service carries out the step of a service.
func (r *stackRun) service(ctx context.Context, s plan.Step) error {
	before, _ := r.Observed.ServiceByID(s.ID)
	var warnings []string
	var err error
	var ours bool
	switch s.Action {
	case plan.Replace:
		if err := r.removeFirst(ctx, s, before); err != nil {
			return err
		}
		fallthrough
	case plan.Create:
		r.sink.On(event.Event{Object: "service " + s.Name, Kind: event.Working, State: "creating"})
		s.ID, warnings, ours, err = r.create(ctx, s)
	case plan.Update:
		r.sink.On(event.Event{Object: "service " + s.Name, Kind: event.Working, State: "updating"})
		warnings, ours, err = r.update(ctx, s, &before)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	warned(r.sink, s.Name, warnings)
	if !ours {
		r.mu.Lock()
		r.ids[s.Name] = s.ID
		r.mu.Unlock()
		return nil
	}
	w := written{Step: s}
	if s.Action == plan.Update {
		w.before = before
	}
	r.note(w) // before anything else can fail
	err = answered(ctx, r.sink, func() (err error) { w.made, err = r.e.Service(ctx, s.ID); return err })
	if err != nil {
		return about(s, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.done, func(d written) bool { return d.Resource == s.Resource && d.ID == s.ID })
	r.done[i].made = w.made
	return nil
}

// removeFirst removes a service that is to be made anew, and waits for its
// tasks: their ports and addresses are needed again.
func (r *stackRun) removeFirst(ctx context.Context, s plan.Step, before swarm.Service) error {
	r.sink.On(event.Event{Object: "service " + s.Name, Kind: event.Working, State: "removing"})
	if err := answered(ctx, r.sink, func() error { return r.e.RemoveResource(ctx, plan.Service, s.ID) }); err != nil {
		return about(s, err)
	}
	r.note(written{Step: s, before: before, removed: true})
	return tasksGone(ctx, r.e, []swarm.Service{before}, "", r.sink)
}

// create creates a service. One of that name that somebody, another run of the
// same deploy perhaps, has created since the look is taken as it is when it is
// as wanted; ours tells that it is not so.
func (r *stackRun) create(ctx context.Context, s plan.Step) (id string, warnings []string, ours bool, err error) {
	tries := 0
	err = answered(ctx, r.sink, func() (err error) {
		tries++
		id, warnings, err = r.e.CreateResource(ctx, r.Request, s.Resource)
		return err
	})
	if err == nil {
		return id, warnings, true, nil
	}
	// The other one's name is a conflict, its port an invalid argument: whichever
	// the swarm finds first.
	if o, lookErr := r.e.LookStack(ctx, r.Request, false); lookErr == nil {
		if is, ok := o.ServiceByName(s.Name); ok && r.asWanted(is, o.Networks) {
			return is.ID, nil, tries > 1, nil // the call that got no answer was heard
		}
	}
	p := about(s, err)
	if engine.IsConflict(err) {
		p = p.WithNext("Somebody else has created it in this moment, and otherwise than the file asks. Run the command again to compare.")
	}
	return "", nil, true, p
}

func (r *stackRun) asWanted(is swarm.Service, networks []swarm.Network) bool {
	request, ok := r.Request.Service(is.Name)
	if !ok || is.Labels[deploy.LabelStack] != r.Plan.Stack {
		return false
	}
	changes, err := request.Against(is, networks)
	return err == nil && len(changes) == 0
}

// update writes a service at the version that was read. When somebody was
// quicker it is tried again on what they have written, unless they have changed
// what is wanted of it; before becomes what was read last.
func (r *stackRun) update(ctx context.Context, s plan.Step, before *swarm.Service) (warnings []string, ours bool, err error) {
	for range writes {
		tries := 0
		err = answered(ctx, r.sink, func() (err error) {
			tries++
			warnings, err = r.e.UpdateResource(ctx, r.Request, s)
			return err
		})
		if !engine.IsOutOfSequence(err) {
			if err != nil {
				return nil, true, about(s, err)
			}
			return warnings, true, nil
		}
		fresh, readErr := r.e.Service(ctx, s.ID)
		if readErr != nil {
			return nil, true, about(s, readErr)
		}
		same, sameErr := engine.SameSpec(fresh, *before)
		switch {
		case sameErr != nil:
			return nil, true, sameErr
		case r.asWanted(fresh, r.Observed.Networks):
			return nil, tries > 1, nil // the call that got no answer was heard
		case !same:
			return nil, true, problem.New("%s was changed by somebody else in this moment, and was left as they made it: %w", s.Resource, err).
				WithNext("Run the command again to compare with what is there.")
		}
		*before, s.Version = fresh, fresh.Version
	}
	return nil, true, problem.New("%s is being changed by somebody else all the time: %w", s.Resource, err)
}
