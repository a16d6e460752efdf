package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/placement"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// service decides about a service of the stack.
func (r *reconciler) service(w ServiceWish) Step {
	s := Step{Resource: Resource{Service, w.Service.Name}, DependsOn: r.dependencies(w)}
	if is, ok := r.o.ServiceByName(w.Service.Name); ok && w.Existing == nil {
		s.Action, s.ID, s.Version = Blocked, is.ID, is.Version
		s.Cause = []deploy.Change{{Field: "stack", From: is.Labels[deploy.LabelStack], To: r.d.Stack}}
		s.WayOut = "it belongs to somebody else: give the service or the stack another name"
		return s
	}
	if w.Existing == nil {
		s.Action = Create
		s.Effect = r.effect(w)
		return s
	}
	s.ID, s.Version, s.Cause = w.Existing.ID, w.Existing.Version, w.Changes
	switch {
	case w.Existing.Mode != w.Service.Mode:
		s.Action = Replace
		s.Note = "a swarm cannot change the mode of a service: it is removed and made anew, and is away meanwhile"
	case len(w.Changes) == 0:
		s.Action = Unchanged
		return s
	default:
		s.Action = Update
	}
	s.Effect = r.effect(w)
	return s
}

// dependencies are what a service needs before it: what the file has of
// networks, secrets, configs and services before it, and a service that gives
// up a port which this one takes.
func (r *reconciler) dependencies(w ServiceWish) []Resource {
	var out []Resource
	add := func(kind Kind, name string) {
		res := Resource{kind, name}
		if r.own[res] && !slices.Contains(out, res) {
			out = append(out, res)
		}
	}
	for _, a := range w.Service.Networks {
		add(Network, r.networkName(a.Target))
	}
	for _, n := range w.Secrets {
		add(Secret, n)
	}
	for _, n := range w.Configs {
		add(Config, n)
	}
	for _, n := range w.DependsOn {
		add(Service, n)
	}
	for _, other := range r.d.Services {
		if other.Existing == nil || other.Service.Name == w.Service.Name {
			continue
		}
		for _, p := range portsBeyond(other.Existing.Ports, other.Service.Ports) {
			if slices.ContainsFunc(w.Service.Ports, func(q swarm.Port) bool { return meet(p, q) }) {
				add(Service, other.Service.Name)
			}
		}
	}
	return out
}

// meet tells whether two published ports cannot be there side by side: the
// routing mesh has a port on every node.
func meet(p, q swarm.Port) bool {
	return p.Published != 0 && p.Published == q.Published && p.Protocol == q.Protocol && (p.Mode == "ingress" || q.Mode == "ingress")
}

// networkName resolves what a service's spec names: an ID or a name.
func (r *reconciler) networkName(target string) string {
	if n, ok := r.future.NetworkByID(target); ok {
		return n.Name
	}
	return target
}

// effect is what creating, updating or replacing a service does.
func (r *reconciler) effect(w ServiceWish) Effect {
	nodes, want := r.tasksWanted(w.Service)
	have := 0
	var before swarm.Service
	if w.Existing != nil {
		before = *w.Existing
		have = r.live(before.ID)
	}
	e := Effect{Starts: max(0, want-have), Stops: max(0, have-want)}
	replaced := w.Existing != nil && before.Mode != w.Service.Mode
	restarts := deploy.Restarts(w.Changes)
	switch {
	case replaced:
		e.Starts, e.Stops = want, have
	case w.Service.Mode.Job():
		// Every update of a job is a new run (swarmkit orchestrator/jobs).
		e.Starts, e.Stops = want, have
	case restarts:
		e.Restarts = min(have, want)
		if e.Restarts > 0 {
			e.Order, e.Parallel = w.Service.UpdateOrder, w.Service.UpdateParallel
		}
	}
	e.Addresses = r.needs(w, nodes, restarts)
	e.PortsTaken, e.PortsFreed = portsBeyond(w.Service.Ports, before.Ports), portsBeyond(before.Ports, w.Service.Ports)
	is, wanted := r.names(before), r.names(w.Service)
	e.NamesGained, e.NamesLost = beyond(wanted, is), beyond(is, wanted)
	return e
}

// tasksWanted is how many tasks the service shall have, on which nodes.
func (r *reconciler) tasksWanted(sv swarm.Service) (nodes []string, want int) {
	suitable, _, err := placement.Nodes(r.o.Nodes, sv)
	if err != nil {
		return nil, 0 // told as a problem of the plan
	}
	for _, n := range suitable {
		nodes = append(nodes, n.ID)
	}
	if sv.Mode.PerNode() {
		return nodes, len(nodes)
	}
	return nodes, int(min(sv.Replicas, 1<<30))
}

// live counts the tasks of a service that have not ended and are not to end.
func (r *reconciler) live(serviceID string) int {
	n := 0
	for _, t := range r.o.Tasks {
		if t.ServiceID == serviceID && t.Live() {
			n++
		}
	}
	return n
}

// demand is a service as far as addresses go. One that is replaced has given
// its own back before.
func (r *reconciler) demand(w ServiceWish, nodes []string, restarts bool) addr.Demand {
	d := addr.DemandOf(w.Service, nodes)
	if w.Existing != nil {
		d.ServiceID, d.Restart = w.Existing.ID, restarts
	}
	return d
}

func (r *reconciler) needs(w ServiceWish, nodes []string, restarts bool) []addr.NetworkNeed {
	return slices.DeleteFunc(r.book.Needs(r.demand(w, nodes, restarts)), func(n addr.NetworkNeed) bool { return n.Total() == 0 })
}

// names are what the embedded DNS answers for the service, on each network.
func (r *reconciler) names(sv swarm.Service) []Name {
	var out []Name
	for _, a := range sv.Networks {
		network := r.networkName(a.Target)
		for _, n := range append([]string{sv.Name}, a.Aliases...) {
			if name := (Name{network, n}); !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

func beyond(a, b []Name) []Name {
	var out []Name
	for _, n := range a {
		if !slices.Contains(b, n) {
			out = append(out, n)
		}
	}
	return out
}

// portsBeyond returns the published ports of a that b has not. Where the swarm
// chooses the number, one is as good as another.
func portsBeyond(a, b []swarm.Port) []swarm.Port {
	var out []swarm.Port
	for _, p := range a {
		if p.Published != 0 && !slices.ContainsFunc(b, func(q swarm.Port) bool {
			return q.Protocol == p.Protocol && q.Mode == p.Mode && (q.Published == p.Published || q.Published == 0 && q.Target == p.Target)
		}) {
			out = append(out, p)
		}
	}
	return out
}

// prune returns the steps that remove what the swarm has of the stack and the
// file has not; what others use stays, with a warning.
func (r *reconciler) prune(p *Plan) []Step {
	var out []Step
	var staying []swarm.Service
	for _, sv := range r.o.Services {
		if sv.Labels[deploy.LabelStack] != r.d.Stack || r.own[Resource{Service, sv.Name}] {
			staying = append(staying, sv)
			continue
		}
		gone := Effect{Stops: r.live(sv.ID), PortsFreed: portsBeyond(sv.Ports, nil), NamesLost: r.names(sv)}
		out = append(out, Step{Action: Remove, Resource: Resource{Service, sv.Name}, ID: sv.ID, Version: sv.Version, Effect: gone})
	}
	after := resources(out)
	remove := func(kind Kind, name, id string, version uint64, users []string) {
		if len(users) > 0 {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s is no longer in the file and stays, since %s", Resource{kind, name}, used(users)))
			return
		}
		out = append(out, Step{Action: Remove, Resource: Resource{kind, name}, ID: id, Version: version, DependsOn: after})
	}
	for _, n := range r.o.Networks {
		if n.Scope == "swarm" && n.Labels[deploy.LabelStack] == r.d.Stack && !r.own[Resource{Network, n.Name}] {
			remove(Network, n.Name, n.ID, n.Version, r.usersOf(staying, func(sv swarm.Service) bool { return sv.Wants(n) }, r.attached(n.ID)))
		}
	}
	for _, c := range []struct {
		kind    Kind
		objects []Object
		of      func(swarm.Service) []string
	}{
		{Secret, r.o.Secrets, func(sv swarm.Service) []string { return sv.Secrets }},
		{Config, r.o.Configs, func(sv swarm.Service) []string { return sv.Configs }},
	} {
		for _, obj := range c.objects {
			if obj.Labels[deploy.LabelStack] == r.d.Stack && !r.own[Resource{c.kind, obj.Name}] {
				remove(c.kind, obj.Name, obj.ID, obj.Version, r.usersOf(staying, func(sv swarm.Service) bool { return slices.Contains(c.of(sv), obj.ID) }, nil))
			}
		}
	}
	return out
}

// usersOf names the services that will use something after the deploy: of the
// stack's own as the file has them.
func (r *reconciler) usersOf(staying []swarm.Service, uses func(swarm.Service) bool, more []string) []string {
	var out []string
	for _, sv := range staying {
		for _, w := range r.d.Services {
			if w.Service.Name == sv.Name && w.Existing != nil {
				sv = w.Service
			}
		}
		if uses(sv) {
			out = append(out, Resource{Service, sv.Name}.String())
		}
	}
	return append(out, more...)
}

// attached names "docker run" containers on a network.
func (r *reconciler) attached(networkID string) []string {
	var out []string
	for _, a := range r.o.Attachments {
		if _, on := a.On(networkID); on && !a.State.Ended() {
			out = append(out, "a container on node "+r.o.NodeName(a.NodeID))
		}
	}
	return out
}

func used(users []string) string {
	const most = 3
	if len(users) > most {
		return fmt.Sprintf("%s and %d more use it", strings.Join(users[:most], ", "), len(users)-most)
	}
	if len(users) == 1 {
		return users[0] + " uses it"
	}
	return strings.Join(users, ", ") + " use it"
}

func resources(steps []Step) []Resource {
	var out []Resource
	for _, s := range steps {
		out = append(out, s.Resource)
	}
	return out
}
