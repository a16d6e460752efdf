package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// problems lists all that stands in the way of the plan as a whole.
func (r *reconciler) problems(p Plan) []string {
	found := r.missing()
	found = append(found, r.newNetworks()...)
	found = append(found, r.sharedPorts()...)
	others := r.others()
	for _, w := range r.d.Services {
		s, _ := p.Step(Resource{Service, w.Service.Name})
		if s.Action == Unchanged {
			continue // it runs, whatever a check would say
		}
		for _, f := range deploy.Obstacles(others, w.Wish) {
			found = append(found, s.Resource.String()+": "+f)
		}
	}
	if len(found) == 0 {
		// What is missing or misplaced makes these numbers meaningless.
		found = r.addresses()
	}
	return found
}

// missing lists external objects that are not there, each once.
func (r *reconciler) missing() []string {
	var found []string
	for _, w := range r.d.Services {
		for _, f := range deploy.Missed(r.o.Snapshot, w.Wish) {
			if !slices.Contains(found, f) {
				found = append(found, f)
			}
		}
	}
	return found
}

// newNetworks covers networks that the swarm would not take, or take and never
// allocate.
func (r *reconciler) newNetworks() []string {
	taken := addr.TakenBy(r.o.Snapshot)
	var found []string
	for _, w := range r.d.Networks {
		res := Resource{Network, w.Spec.Name}
		if _, there := swarmNetwork(r.o.Snapshot, w.Spec.Name); there {
			continue
		}
		if err := netspec.CheckName(w.Spec.Name); err != nil {
			found = append(found, err.Error())
		}
		for _, n := range r.o.Networks {
			switch {
			case n.Scope == "swarm" && strings.EqualFold(n.Name, w.Spec.Name):
				found = append(found, fmt.Sprintf("%s cannot be created beside %q: a swarm does not tell upper from lower case", res, text.Clean(n.Name)))
			case n.Scope != "swarm" && n.Name == w.Spec.Name:
				found = append(found, fmt.Sprintf("%s cannot be created: engine %q has a local network of that name, and docker would call it ambiguous", res, text.Clean(r.o.Engine.Name)))
			}
		}
		for _, f := range netspec.Conflicts(r.o.Snapshot, w.Spec, taken, "the subnet") {
			found = append(found, res.String()+": "+f)
		}
		for _, s := range w.Spec.Subnets {
			taken.Add(addr.Owner{Prefix: s.Prefix, Name: res.String() + " of the same file", NetworkID: w.Spec.Name})
		}
	}
	return found
}

// sharedPorts lists ports of the routing mesh that two services of the file
// publish.
func (r *reconciler) sharedPorts() []string {
	type port struct {
		number   uint32
		protocol string
	}
	holder := map[port]string{}
	var found []string
	for _, w := range r.d.Services {
		for _, p := range w.Service.Ports {
			if p.Published == 0 || p.Mode != "ingress" {
				continue
			}
			key := port{p.Published, p.Protocol}
			if first, ok := holder[key]; ok && first != w.Service.Name {
				found = append(found, fmt.Sprintf("port %d/%s is published by %s and by %s: choose another for one of them",
					p.Published, p.Protocol, Resource{Service, first}, Resource{Service, w.Service.Name}))
				continue
			}
			holder[key] = w.Service.Name
		}
	}
	return found
}

// others is the swarm as a service of the stack will find it: services of the
// stack as the file has them, of which only ports of nodes count, since those
// of the mesh are compared in sharedPorts.
func (r *reconciler) others() *swarm.Snapshot {
	s := *r.o.Snapshot
	s.Services = slices.Clone(s.Services)
	wanted := map[string]swarm.Service{}
	for _, w := range r.d.Services {
		wanted[w.Service.Name] = w.Service
	}
	at := map[string]int{}
	for i, sv := range s.Services {
		at[sv.Name] = i
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		sv := wanted[name]
		sv.Ports = slices.DeleteFunc(slices.Clone(sv.Ports), func(p swarm.Port) bool { return p.Mode != "host" })
		if i, ok := at[name]; ok {
			sv.ID = s.Services[i].ID
			s.Services[i] = sv
			continue
		}
		s.Services = append(s.Services, sv)
	}
	return &s
}

// addresses compares what the services that change need together with what
// their networks have left.
func (r *reconciler) addresses() []string {
	var demands []addr.Demand
	var changing []string
	for _, w := range r.d.Services {
		if w.Existing != nil && len(w.Changes) == 0 {
			continue
		}
		nodes, _ := r.tasksWanted(w.Service)
		demands = append(demands, r.demand(w, nodes, deploy.Restarts(w.Changes)))
		changing = append(changing, w.Service.Name)
	}
	var found []string
	for _, need := range r.book.Needs(demands...) {
		if need.Short() == 0 {
			continue
		}
		found = append(found, fmt.Sprintf("%s for what changes on it (%s), %d short: lower the replicas, use a larger network, or remove services from this one",
			need, text.Clean(some(r.on(need.NetworkID, changing))), need.Short()))
	}
	return found
}

// on returns the short list of services that are wanted on a network.
func (r *reconciler) on(networkID string, changing []string) []string {
	n, _ := r.future.NetworkByID(networkID)
	var out []string
	for _, w := range r.d.Services {
		if slices.Contains(changing, w.Service.Name) && w.Service.Wants(n) {
			out = append(out, w.Service.Name)
		}
	}
	return out
}

func some(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// clashes warns of names that two services answer to on one network: whoever
// asks gets one or the other (moby#37348).
func (r *reconciler) clashes() []string {
	wanted := map[string]bool{}
	all := make([]swarm.Service, 0, len(r.o.Services)+len(r.d.Services))
	for _, w := range r.d.Services {
		wanted[w.Service.Name] = true
		all = append(all, w.Service)
	}
	mine := len(all)
	for _, sv := range r.o.Services {
		if !wanted[sv.Name] {
			all = append(all, sv)
		}
	}
	holders := map[Name][]string{}
	ours := map[Name]bool{}
	for i, sv := range all {
		for _, n := range r.names(sv) {
			holders[n] = append(holders[n], sv.Name)
			ours[n] = ours[n] || i < mine
		}
	}
	var found []string
	for n, services := range holders {
		if len(services) > 1 && ours[n] {
			found = append(found, fmt.Sprintf("name %q on network %q is answered by %s: whoever asks gets any of them (--no-short-aliases leaves short names off networks that are not the stack's own)",
				text.Clean(n.Name), text.Clean(n.Network), text.Clean(some(services))))
		}
	}
	slices.Sort(found)
	return found
}
