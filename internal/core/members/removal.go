package members

import (
	"fmt"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Holder is a member that keeps a network from being removed, and the command
// that frees the network of it.
type Holder struct {
	Member Member
	// Who names the holder in a sentence.
	Who string
	// Free is the command to type; it starts with "on NODE:" where it must be
	// typed on another machine.
	Free string
}

// Removal is what stands between a network and its removal.
type Removal struct {
	// Holders must be freed by a person.
	Holders []Holder
	// Leaving are members that the swarm is ending: the network must wait for
	// them, or their addresses on other networks leak (moby#37338).
	Leaving []Member
}

// RemovalOf tells what keeps a network from being removed.
func RemovalOf(s *swarm.Snapshot, n swarm.Network) Removal {
	var r Removal
	services := make(map[string]bool)
	for _, m := range Of(s, n, false) {
		switch {
		case m.Kind == Service && n.Ingress:
			services[m.Service] = true
			r.Holders = append(r.Holders, Holder{
				Member: m, Who: fmt.Sprintf("service %q publishes ports through it", m.Name),
				Free: "docker service update --publish-rm PORT " + m.Name,
			})
		case m.Kind == Service:
			services[m.Service] = true
			r.Holders = append(r.Holders, Holder{
				Member: m, Who: fmt.Sprintf("service %q", m.Name),
				Free: fmt.Sprintf("docker service rm %s (or: docker swarmnet detach %s %s)", m.Name, n.Name, m.Name),
			})
		case m.Kind == Container && !m.Leaving():
			r.Holders = append(r.Holders, containerHolder(s, n, m))
		case m.Kind == Task && services[m.Service] && !m.Leaving():
			// Held by its service, which is named already.
		case m.Kind == Task && !m.Leaving():
			r.Holders = append(r.Holders, Holder{
				Member: m, Who: fmt.Sprintf("task %s on node %s", m.Name, m.Node),
				Free: "docker service ps --no-trunc " + orID(m.Service, m.Name),
			})
		case unreachable(s, m.NodeID):
			r.Holders = append(r.Holders, lostHolder(s, m))
		default:
			r.Leaving = append(r.Leaving, m)
		}
	}
	return r
}

func containerHolder(s *swarm.Snapshot, n swarm.Network, m Member) Holder {
	if unreachable(s, m.NodeID) {
		return lostHolder(s, m)
	}
	return Holder{
		Member: m, Who: fmt.Sprintf("container %s on node %s", m.Name, m.Node),
		Free: fmt.Sprintf("on %s: docker network disconnect %s %s", m.Node, n.Name, m.Name),
	}
}

// lostHolder is a member on a node that does not answer: the swarm waits for
// it until the node is back or taken out of the swarm.
func lostHolder(s *swarm.Snapshot, m Member) Holder {
	return Holder{
		Member: m, Who: fmt.Sprintf("%s %s on node %s, which is down", m.Kind, m.Name, m.Node),
		Free: fmt.Sprintf("bring node %s back, or: docker node rm --force %s", m.Node, s.NodeArg(m.NodeID)),
	}
}

func unreachable(s *swarm.Snapshot, nodeID string) bool {
	n, ok := s.NodeByID(nodeID)
	return ok && n.State == "down"
}

func orID(name, id string) string {
	if name != "" {
		return name
	}
	return id
}
