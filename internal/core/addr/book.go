package addr

import (
	"net/netip"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Book is who holds which address in a swarm, drawn up in one pass over a
// snapshot, so that looking at a thousand networks costs no more than that.
type Book struct {
	s        *swarm.Snapshot
	holders  map[string]map[netip.Addr]holder // by network ID
	lbNodes  map[string]map[string]bool       // by network ID and node ID
	services map[string]swarm.Service
	// tasks counts the live tasks that have an address, by service and network.
	tasks map[member]int
	// fresh counts the tasks of a service that are in New without any address.
	fresh map[string]int
	// waiting counts who wants an address of a network and has none yet, by
	// network ID.
	waiting map[string]int
}

type member struct{ service, network string }

// holder is the kind of thing that holds an address.
type holder int

const (
	byVIP holder = iota + 1
	byTask
	byAttachment
)

// Usage computes how full one network is. For several networks, draw up a
// Book.
func Usage(s *swarm.Snapshot, n swarm.Network) NetworkUsage { return BookOf(s).Usage(n) }

// BookOf draws up the address book of a snapshot.
func BookOf(s *swarm.Snapshot) *Book {
	b := &Book{
		s: s, holders: map[string]map[netip.Addr]holder{}, lbNodes: map[string]map[string]bool{},
		services: map[string]swarm.Service{}, tasks: map[member]int{}, fresh: map[string]int{}, waiting: map[string]int{},
	}
	for _, a := range s.Attachments {
		if !a.State.Ended() {
			b.live(byAttachment, a.NodeID, a.Networks)
		}
	}
	for _, t := range s.Tasks {
		if t.State.Ended() {
			continue
		}
		b.live(byTask, t.NodeID, t.Networks)
		allocated := false
		for _, on := range t.Networks {
			if len(on.Addrs) > 0 {
				allocated = true
				b.tasks[member{t.ServiceID, on.NetworkID}]++
			}
		}
		if t.State == swarm.TaskNew && !t.Desired.Ended() && !allocated {
			b.fresh[t.ServiceID]++
		}
	}
	for _, sv := range s.Services {
		b.services[sv.ID] = sv
		for _, v := range sv.VIPs {
			b.hold(v.NetworkID, byVIP, v.Addr)
		}
	}
	b.countWaiting()
	return b
}

// live enters a task or attachment that has not ended.
func (b *Book) live(h holder, node string, networks []swarm.TaskNetwork) {
	for _, on := range networks {
		b.hold(on.NetworkID, h, on.Addrs...)
		if node == "" {
			continue
		}
		if b.lbNodes[on.NetworkID] == nil {
			b.lbNodes[on.NetworkID] = map[string]bool{}
		}
		b.lbNodes[on.NetworkID][node] = true
	}
}

// hold enters addresses. One with two holders (moby#33795) is in use once.
func (b *Book) hold(network string, h holder, addrs ...netip.Prefix) {
	for _, p := range addrs {
		a := p.Addr().Unmap()
		if !a.IsValid() {
			continue
		}
		if b.holders[network] == nil {
			b.holders[network] = map[netip.Addr]holder{}
		}
		b.holders[network][a] = h
	}
}

// loadBalancers returns the nodes that hold a load balancer on the network:
// those a live task or attachment is assigned to, and on ingress all.
func (b *Book) loadBalancers(n swarm.Network) map[string]bool {
	if !n.Ingress {
		return b.lbNodes[n.ID]
	}
	all := map[string]bool{}
	for _, node := range b.s.Nodes {
		all[node.ID] = true
	}
	return all
}

// countWaiting enters who wants an address and has none yet. Services name
// their networks by ID or by name (swarm.Service.Wants).
func (b *Book) countWaiting() {
	ids := make(map[string][]string, 2*len(b.s.Networks))
	var ingress []string
	for _, n := range b.s.Networks {
		ids[n.ID] = append(ids[n.ID], n.ID)
		if n.Name != n.ID {
			ids[n.Name] = append(ids[n.Name], n.ID)
		}
		if n.Ingress {
			ingress = append(ingress, n.ID)
		}
	}
	for _, sv := range b.s.Services {
		wanted := map[string]bool{}
		for _, a := range sv.Networks {
			for _, id := range ids[a.Target] {
				wanted[id] = true
			}
		}
		if sv.NeedsIngress() {
			for _, id := range ingress {
				wanted[id] = true
			}
		}
		for id := range wanted {
			if sv.EndpointMode != dnsrr && !hasVIP(sv, id) {
				b.waiting[id]++
			}
			b.waiting[id] += b.fresh[sv.ID]
		}
	}
}

// dnsrr is the endpoint mode without a virtual address.
const dnsrr = "dnsrr"

func hasVIP(sv swarm.Service, networkID string) bool {
	for _, v := range sv.VIPs {
		if v.NetworkID == networkID && v.Addr.IsValid() {
			return true
		}
	}
	return false
}
