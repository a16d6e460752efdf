package rewire

import (
	"fmt"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/placement"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// namesOn are the names by which a service is found on a network; none when it
// is not on it.
func namesOn(sv swarm.Service, n swarm.Network) []string {
	i := index(sv.Networks, n)
	if i < 0 {
		return nil
	}
	names := []string{sv.Name}
	for _, a := range sv.Networks[i].Aliases {
		if !slices.Contains(names, a) {
			names = append(names, a)
		}
	}
	return names
}

func without(names, those []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(those, n) })
}

// clashes names the services that answer to one of the names on the network
// already: whoever asks for it would get one or the other. Names are the same
// to DNS whatever their case.
func clashes(s *swarm.Snapshot, sv swarm.Service, n swarm.Network, names []string) []string {
	var out []string
	for _, other := range s.Services {
		if other.ID == sv.ID {
			continue
		}
		for _, has := range namesOn(other, n) {
			if slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, has) }) {
				out = append(out, fmt.Sprintf("service %q answers to %q on network %q too: whoever asks for that name gets one or the other",
					text.Clean(other.Name), text.Clean(has), text.Clean(n.Name)))
			}
		}
	}
	return out
}

// apart names the services on a network that share no network with the service
// once it has left it.
func apart(s *swarm.Snapshot, before, after swarm.Service, n swarm.Network) []string {
	var out []string
	for _, other := range s.Services {
		if other.ID == before.ID || index(other.Networks, n) < 0 {
			continue
		}
		if !slices.ContainsFunc(s.Networks, func(m swarm.Network) bool {
			return m.Overlay() && !m.Ingress && index(other.Networks, m) >= 0 && index(after.Networks, m) >= 0
		}) {
			out = append(out, other.Name)
		}
	}
	slices.Sort(out)
	return out
}

// crowded compares what the steps need with what their networks have. Services
// change one after another, so that only one at a time has new tasks beside
// old ones; but all that join a network stay on it.
func (p *Plan) crowded(s *swarm.Snapshot, book *addr.Book) []string {
	var found []string
	joining := map[string][]addr.Demand{}
	var order []string
	for i := range p.Steps {
		st := &p.Steps[i]
		if !st.Changed {
			continue
		}
		for _, need := range st.Needs {
			if on := st.Change.On; on != nil && need.NetworkID == on.ID {
				continue
			}
			// Whether its tasks move to nodes where the network has no load
			// balancer yet is up to the swarm.
			switch short := need.Total() - need.LoadBalancers - need.Free; {
			case short > 0:
				found = append(found, fmt.Sprintf("service %q: %s; free some, or run 'docker service update --update-order stop-first %[1]s' first", text.Clean(st.Service.Name), need))
			case need.Short() > 0:
				st.Warnings = append(st.Warnings, need.String()+": a node that gets its first task on it may be left without a load balancer")
			}
		}
		if on := st.Change.On; on != nil {
			suitable, _, err := placement.Nodes(s.Nodes, st.Service)
			if err != nil {
				continue // told already
			}
			if joining[on.ID] == nil {
				order = append(order, on.ID)
			}
			joining[on.ID] = append(joining[on.ID], st.demand(suitable))
		}
	}
	for _, id := range order {
		for _, need := range book.Needs(joining[id]...) {
			if need.NetworkID == id && need.Short() > 0 {
				found = append(found, need.String()+": use a larger network, or attach fewer services")
			}
		}
	}
	return found
}
