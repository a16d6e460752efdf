package addr

import (
	"math"
	"net/netip"

	"go4.org/netipx"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// smallest is how many addresses a range must hold to be of use: gateway,
// virtual address, one task, the load balancer of its node.
const smallest = 4

// Holders count the addresses in use by what holds them.
type Holders struct {
	// Reserved are the network and broadcast address.
	Reserved int
	Gateways int
	// VIPs are the virtual addresses of services.
	VIPs int
	// Tasks hold one address each in any state up to running.
	Tasks int
	// Attachments are "docker run" containers.
	Attachments int
	// LoadBalancers are the endpoints "lb-NETWORK" that every node with a live
	// task on the network has, and every node at all on ingress (swarmkit
	// allocator getNodeNetworks). The API does not show their addresses, so
	// they are computed.
	LoadBalancers int
}

// Total is the sum of all holders, which is what an engine of API 1.52 reports
// as IPsInUse.
func (h Holders) Total() int {
	return h.Reserved + h.Gateways + h.VIPs + h.Tasks + h.Attachments + h.LoadBalancers
}

func (h *Holders) add(o Holders) {
	h.Reserved += o.Reserved
	h.Gateways += o.Gateways
	h.VIPs += o.VIPs
	h.Tasks += o.Tasks
	h.Attachments += o.Attachments
	h.LoadBalancers += o.LoadBalancers
}

// SubnetUsage is how full one subnet of a network is.
type SubnetUsage struct {
	Prefix netip.Prefix
	// Range is what addresses are handed out from: the ip-range, or all of the
	// subnet.
	Range netip.Prefix
	// Size counts all addresses of the subnet, at most math.MaxInt.
	Size int
	// InUse are the holders. Load balancers of a network with several subnets
	// are not among them: nobody can tell in which subnet theirs are.
	InUse Holders
	// Free is how many addresses of Range can still be handed out
	// (DynamicIPsAvailable of API 1.52), with the same exception.
	Free int
}

// NetworkUsage is how full a network is.
type NetworkUsage struct {
	NetworkID string
	Subnets   []SubnetUsage
	// InUse and Free are totals over the IPv4 subnets, all load balancers
	// included. A network that has no subnet yet has nothing free.
	InUse Holders
	Free  int
	// Size counts all addresses, Capacity those that can go to virtual
	// addresses, tasks, attachments and load balancers.
	Size, Capacity int
	// Waiting counts virtual addresses and tasks that the swarm has not given
	// an address yet: tasks stay in New for as long (moby#35849).
	Waiting int
	// LBNodes are the IDs of the nodes with a load balancer on the network.
	LBNodes map[string]bool
}

// Percent is how much of the capacity is used, from 0 to 100.
func (u NetworkUsage) Percent() int {
	if u.Capacity == 0 {
		return 100
	}
	return 100 - int(int64(u.Free)*100/int64(u.Capacity))
}

// Usage computes how full a network is from what the snapshot shows. It is
// exact while nothing is moving; addresses that the swarm has lost (moby#37338)
// are what an engine reports beyond it.
func (b *Book) Usage(n swarm.Network) NetworkUsage {
	u := NetworkUsage{NetworkID: n.ID, LBNodes: b.loadBalancers(n), Waiting: b.waiting[n.ID]}
	for _, sub := range n.Subnets {
		su := subnetUsage(sub, b.holders[n.ID])
		if len(n.Subnets) == 1 {
			su.InUse.LoadBalancers = len(u.LBNodes)
			su.Free = max(0, su.Free-len(u.LBNodes))
		}
		u.Subnets = append(u.Subnets, su)
		if !sub.Prefix.Addr().Is4() {
			continue
		}
		u.InUse.add(su.InUse)
		u.Free += su.Free
		u.Size += su.Size
		u.Capacity += count(su.Range) - reservedIn(sub.Prefix, su.Range)
		if g := gatewayOf(sub); su.Range.Contains(g) {
			u.Capacity--
		}
	}
	if len(n.Subnets) > 1 {
		u.InUse.LoadBalancers = len(u.LBNodes)
		u.Free = max(0, u.Free-len(u.LBNodes))
	}
	return u
}

func subnetUsage(sub swarm.Subnet, held map[netip.Addr]holder) SubnetUsage {
	u := SubnetUsage{Prefix: sub.Prefix, Range: allocatable(sub), Size: count(sub.Prefix)}
	u.InUse.Reserved = reservedIn(sub.Prefix, sub.Prefix)
	inRange := reservedIn(sub.Prefix, u.Range)
	gateway := gatewayOf(sub)
	if gateway.IsValid() {
		u.InUse.Gateways++
		if u.Range.Contains(gateway) && !reserved(sub.Prefix, gateway) {
			inRange++
		}
	}
	for a, h := range held {
		if !sub.Prefix.Contains(a) || reserved(sub.Prefix, a) || a == gateway {
			continue
		}
		switch h {
		case byVIP:
			u.InUse.VIPs++
		case byTask:
			u.InUse.Tasks++
		case byAttachment:
			u.InUse.Attachments++
		}
		if u.Range.Contains(a) {
			inRange++
		}
	}
	u.Free = max(0, count(u.Range)-inRange)
	return u
}

// allocatable returns what the swarm hands addresses out from. A range larger
// than its subnet, possible on networks made before 24.0, is the subnet (moby
// defaultipam RequestPool). Aux addresses play no part: a swarm drops them
// (moby daemon/cluster/convert/network.go).
func allocatable(sub swarm.Subnet) netip.Prefix {
	r := canonical(sub.IPRange)
	if !r.IsValid() || r.Bits() < sub.Prefix.Bits() || !sub.Prefix.Overlaps(r) {
		return canonical(sub.Prefix)
	}
	return r
}

// gatewayOf returns the gateway. Every subnet of an overlay has one; where the
// swarm has not chosen it yet, it will be the first address it hands out.
func gatewayOf(sub swarm.Subnet) netip.Addr {
	if sub.Gateway.IsValid() || !sub.Prefix.IsValid() {
		return sub.Gateway.Unmap()
	}
	r := allocatable(sub)
	a := r.Addr()
	if reserved(sub.Prefix, a) {
		a = a.Next()
	}
	if !r.Contains(a) {
		return netip.Addr{}
	}
	return a
}

// reserved tells whether an address is never handed out: the first and last of
// an IPv4 subnet, unless it has but one or two (RFC 3021), and the first of an
// IPv6 subnet (moby defaultipam newPoolData).
func reserved(subnet netip.Prefix, a netip.Addr) bool {
	subnet = canonical(subnet)
	if subnet.Addr().Is4() && subnet.Bits() >= 31 {
		return false
	}
	return a == subnet.Addr() || subnet.Addr().Is4() && a == netipx.PrefixLastIP(subnet)
}

// reservedIn counts the reserved addresses of a subnet inside a range of it.
func reservedIn(subnet, r netip.Prefix) int {
	subnet = canonical(subnet)
	n := 0
	first, last := subnet.Addr(), netipx.PrefixLastIP(subnet)
	if reserved(subnet, first) && r.Contains(first) {
		n++
	}
	if last != first && reserved(subnet, last) && r.Contains(last) {
		n++
	}
	return n
}

// count returns how many addresses a block has, at most math.MaxInt.
func count(p netip.Prefix) int {
	bits := p.Addr().BitLen() - p.Bits()
	if !p.IsValid() {
		return 0
	}
	if bits >= 62 {
		return math.MaxInt
	}
	return 1 << bits
}
