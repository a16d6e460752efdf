package migrate

import (
	"cmp"
	"slices"

	"github.com/swarmnet/docker-swarmnet/internal/core/rewire"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Kind is what a step does.
type Kind string

// The kinds of steps.
const (
	Done   Kind = "done"
	Mark   Kind = "mark"   // write the job on the services; restarts nothing
	Unmark Kind = "unmark" // take it off again; restarts nothing
	Create Kind = "create" // make the network Spec, or wait until it is allocated
	Settle Kind = "settle" // wait until the tasks of the services are where their specs say
	Join   Kind = "join"   // services that are on From are on To too
	Swap   Kind = "swap"   // services leave From and join To in one update
	Leave  Kind = "leave"  // services that are on both leave From
	Remove Kind = "remove" // remove From, which no service is on any more
)

// Step is what to do next.
type Step struct {
	Kind     Kind
	Spec     swarm.NetworkSpec // of Create
	From, To swarm.Network
	Services []swarm.Service
}

// Rolls tells whether the step restarts tasks.
func (st Step) Rolls() bool { return st.Kind == Join || st.Kind == Swap || st.Kind == Leave }

// Course is where a migration is to go.
type Course struct {
	Job
	// Back undoes the migration: its end is the network as it was.
	Back bool
	// Broken are the IDs of services whose tasks do not come up, and that are
	// not to be waited for.
	Broken map[string]bool
}

// Next returns what has to be done next. It depends on nothing but what the
// look shows, so that a migration goes on from wherever it was left, by
// whomever. The twin must be there unless the network is renamed.
func (c Course) Next(s *swarm.Snapshot) Step {
	if c.Renames() {
		return c.nextOfRenaming(s)
	}
	goal := c.Goal
	if c.Back {
		goal = c.Before
	}
	twin, ok := named(s, c.Twin)
	if !ok {
		return Step{Kind: Done}
	}
	now, ok := named(s, goal.Name)
	switch {
	case !ok:
		return Step{Kind: Create, Spec: goal}
	case !asSpecified(now, goal):
		return c.move(s, now, twin)
	case !now.Allocated():
		return Step{Kind: Create, Spec: goal}
	}
	return c.move(s, twin, now)
}

// nextOfRenaming returns the next step where old and new network have
// different names and can be there at the same time.
func (c Course) nextOfRenaming(s *swarm.Snapshot) Step {
	from, to := c.Before, c.Goal
	if c.Back {
		from, to = to, from
	}
	away, there := named(s, from.Name)
	if there && !c.Back {
		if unmarked := c.marked(s, on(s, away), false); len(unmarked) > 0 {
			return Step{Kind: Mark, Services: unmarked}
		}
	}
	home, ok := named(s, to.Name)
	if !ok || !home.Allocated() {
		return Step{Kind: Create, Spec: to}
	}
	if there {
		return c.move(s, away, home)
	}
	if marked := c.marked(s, s.Services, true); len(marked) > 0 {
		return Step{Kind: Unmark, Services: marked}
	}
	return Step{Kind: Done}
}

// marked returns those of the services that carry the job's label, or those
// that do not.
func (c Course) marked(s *swarm.Snapshot, services []swarm.Service, want bool) []swarm.Service {
	var out []swarm.Service
	for _, sv := range services {
		if (sv.Labels[LabelNetwork] == c.Before.Name) == want {
			out = append(out, sv)
		}
	}
	return out
}

// move returns the next step of taking every service from one network to
// another and removing the first. All services are on both before any leaves,
// and each step waits until the tasks are where the last one has sent them: so
// any two tasks that talk have a network in common at every moment. Direct
// services change over while all others are on both.
func (c Course) move(s *swarm.Snapshot, from, to swarm.Network) Step {
	var join, swap, leave []swarm.Service
	for _, sv := range on(s, from) {
		switch {
		case onNetwork(sv, to):
			leave = append(leave, sv)
		case slices.Contains(c.Direct, sv.ID):
			swap = append(swap, sv)
		default:
			join = append(join, sv)
		}
	}
	st := Step{From: from, To: to}
	switch {
	case len(join) > 0:
		st.Kind, st.Services = Join, join
		return st
	case len(swap) > 0:
		st.Kind, st.Services = Swap, swap
	case len(leave) > 0:
		st.Kind, st.Services = Leave, leave
	default:
		st.Kind = Remove
	}
	// Removing waits for the tasks itself, but not for tasks that are to come up.
	if moving := c.unsettled(s, from, to); len(moving) > 0 {
		return Step{Kind: Settle, From: from, To: to, Services: moving}
	}
	return st
}

// on returns the services that want to be on a network, ordered by name.
func on(s *swarm.Snapshot, n swarm.Network) []swarm.Service {
	var out []swarm.Service
	for _, sv := range s.Services {
		if onNetwork(sv, n) {
			out = append(out, sv)
		}
	}
	slices.SortFunc(out, func(a, b swarm.Service) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return out
}

// onNetwork is Service.Wants for a network that is not the routing mesh.
func onNetwork(sv swarm.Service, n swarm.Network) bool {
	return slices.ContainsFunc(sv.Networks, func(a swarm.Attach) bool { return a.Target == n.ID || a.Target == n.Name })
}

// unsettled returns the services with a task that is not on those of the two
// networks that its service is to be on. Tasks of lost nodes are past waiting
// for: the swarm has replaced them.
func (c Course) unsettled(s *swarm.Snapshot, networks ...swarm.Network) []swarm.Service {
	moving := map[string]bool{}
	lost := map[string]bool{}
	for _, n := range s.Nodes {
		lost[n.ID] = n.State == "down"
	}
	services := map[string]swarm.Service{}
	for _, sv := range s.Services {
		services[sv.ID] = sv
	}
	for _, t := range s.Tasks {
		sv, known := services[t.ServiceID]
		if !known || t.State.Ended() || lost[t.NodeID] || sv.Mode.Job() || c.Broken[sv.ID] {
			continue
		}
		for _, n := range networks {
			if _, is := t.On(n.ID); is != onNetwork(sv, n) {
				moving[sv.ID] = true
			}
		}
	}
	var out []swarm.Service
	for _, sv := range s.Services {
		if moving[sv.ID] {
			out = append(out, sv)
		}
	}
	slices.SortFunc(out, func(a, b swarm.Service) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Networks returns a service's networks after the step, and whether they
// differ from those it has. The new network stands where the old one does, so
// that in the end nothing but the network itself is different.
func (st Step) Networks(sv swarm.Service) ([]swarm.Attach, bool) {
	switch st.Kind {
	case Swap:
		return rewire.Change{Off: &st.From, On: &st.To}.Of(sv)
	case Leave:
		return rewire.Change{Off: &st.From}.Of(sv)
	case Join:
		i := slices.IndexFunc(sv.Networks, func(a swarm.Attach) bool { return a.Target == st.From.ID || a.Target == st.From.Name })
		if i < 0 || onNetwork(sv, st.To) {
			return sv.Networks, false
		}
		both, _ := rewire.Change{Off: &st.From, On: &st.To}.Of(sv)
		return slices.Insert(both, i, sv.Networks[i]), true
	default:
		return sv.Networks, false
	}
}
