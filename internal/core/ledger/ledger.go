// Package ledger accounts for the addresses of several swarms: how full every
// subnet is, how many replicas still fit, how many blocks are left to cut
// networks from, and which blocks overlap.
package ledger

import (
	"cmp"
	"math"
	"net/netip"
	"slices"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// NearFull is the share of a network's addresses, in percent, from which it is
// called near full.
const NearFull = 80

// Line is one subnet of an overlay network.
type Line struct {
	Context   string
	NetworkID string
	Network   string
	Gateway   netip.Addr
	addr.SubnetUsage
	// Usable counts the addresses that can go to virtual addresses, tasks,
	// containers and load balancers.
	Usable int
	// The rest is about the whole network, the same in each of its lines.

	// Percent is how much of what is usable is used.
	Percent int
	// Waiting counts who has no address yet (addr.NetworkUsage).
	Waiting int
	// Fits is the largest number of replicas with which one more service with a
	// virtual address fits at worst; -1 if not even that address is free.
	Fits int
	// StartFirst is how many tasks a start-first update can replace at a time.
	StartFirst int
	Leaks      Leaks
}

// NearlyFull tells whether the network has used most of its addresses.
func (l Line) NearlyFull() bool { return l.Percent >= NearFull }

// Pool is one range that a swarm cuts networks from.
type Pool struct {
	Context string
	Prefix  netip.Prefix
	// Bits is the prefix length of a cut, Left how many more there can be that
	// overlap nothing in any of the swarms.
	Bits, Left int
}

// Block is a block in use.
type Block struct {
	Context string
	Prefix  netip.Prefix
	// Network is the network's name, or empty where Node holds the address.
	Network, Node string
	// ID is the network's or node's.
	ID string
}

// Overlap is two blocks with addresses in common, the larger one first. At
// most one of them is the address of a node.
type Overlap struct{ A, B Block }

// Lines returns the subnets of a swarm's overlay networks by their addresses.
func Lines(s *swarm.Snapshot) []Line {
	book := addr.BookOf(s)
	var out []Line
	for _, n := range s.Networks {
		if !n.Overlay() {
			continue
		}
		u := book.Usage(n)
		fits, startFirst, leaks := Fits(u, s.Nodes), StartFirst(u, s.Nodes), LeaksOf(s, n, u)
		for i, su := range u.Subnets {
			out = append(out, Line{
				Context: s.Context, NetworkID: n.ID, Network: n.Name, Gateway: n.Subnets[i].Gateway, SubnetUsage: su,
				Usable:  usable(u, su),
				Percent: u.Percent(), Waiting: u.Waiting, Fits: fits, StartFirst: startFirst, Leaks: leaks,
			})
		}
	}
	slices.SortStableFunc(out, func(a, b Line) int { return compare(a.Prefix, b.Prefix) })
	return out
}

// usable returns how many addresses of a subnet can be held. The load balancers
// of a network that is full may hold fewer addresses than there are nodes:
// tasks that were asked for all at once take theirs, so a sum of holders would
// count too many.
func usable(u addr.NetworkUsage, sub addr.SubnetUsage) int {
	if sub.Free == math.MaxInt {
		return math.MaxInt
	}
	if len(u.Subnets) == 1 && sub.Prefix.Addr().Is4() {
		return u.Capacity
	}
	return sub.Free + sub.InUse.VIPs + sub.InUse.Tasks + sub.InUse.Attachments + sub.InUse.LoadBalancers
}

// Fits returns the largest number of replicas with which one more service with
// a virtual address fits into a network, at worst: every task may come to a
// node that has no load balancer on the network yet, which takes an address of
// its own. -1 means that the virtual address has no room.
func Fits(u addr.NetworkUsage, nodes []swarm.Node) int {
	fresh, left := freshNodes(u, nodes), u.Free-1
	if left < 2*fresh {
		// Each task may bring its node's load balancer. (-1 stays -1.)
		if left < 0 {
			return -1
		}
		return left / 2
	}
	return left - fresh
}

// Pools returns what is left of the ranges that the swarms cut networks from.
func Pools(snapshots []*swarm.Snapshot) []Pool {
	taken := addr.TakenBy(snapshots...)
	var out []Pool
	for _, s := range snapshots {
		r := addr.DefaultRequest(s)
		for _, p := range r.Pools {
			out = append(out, Pool{s.Context, p, r.Bits, addr.BlocksLeft(addr.Request{Pools: []netip.Prefix{p}, Bits: r.Bits}, taken)})
		}
	}
	return out
}

// Overlaps returns every two overlay networks with addresses in common,
// whichever swarms they are in, and every node whose address lies in one. The
// snapshots must be of different swarms.
func Overlaps(snapshots []*swarm.Snapshot) []Overlap {
	var blocks []Block
	for _, s := range snapshots {
		blocks = append(blocks, blocksOf(s)...)
	}
	return overlapping(blocks, func(a, b Block) bool { return a.ID != b.ID && (a.Node == "" || b.Node == "") })
}

// Bridges returns every network local to the engine that has addresses in
// common with an overlay network of its swarm.
func Bridges(s *swarm.Snapshot) []Overlap {
	var blocks []Block
	local := map[string]bool{}
	for _, n := range s.Networks {
		if n.Scope == "local" {
			local[n.ID] = true
		} else if !n.Overlay() {
			continue
		}
		blocks = append(blocks, blocksOfNetwork(s, n)...)
	}
	return overlapping(blocks, func(a, b Block) bool { return local[a.ID] != local[b.ID] })
}

// overlapping returns every two blocks with addresses in common that count, the
// larger one first.
func overlapping(blocks []Block, counts func(a, b Block) bool) []Overlap {
	slices.SortStableFunc(blocks, func(a, b Block) int { return compare(a.Prefix, b.Prefix) })
	// Two prefixes either nest or are apart, so those that hold the present one
	// are a stack.
	var around []Block
	var out []Overlap
	for _, b := range blocks {
		for len(around) > 0 && !around[len(around)-1].Prefix.Contains(b.Prefix.Addr()) {
			around = around[:len(around)-1]
		}
		for _, a := range around {
			if counts(a, b) {
				out = append(out, Overlap{a, b})
			}
		}
		around = append(around, b)
	}
	return out
}

// blocksOf returns the subnets of a swarm's overlay networks and the addresses
// of its nodes.
func blocksOf(s *swarm.Snapshot) []Block {
	var out []Block
	for _, n := range s.Networks {
		if !n.Overlay() {
			continue
		}
		out = append(out, blocksOfNetwork(s, n)...)
	}
	for _, n := range s.Nodes {
		a, err := netip.ParseAddr(n.Addr)
		// 0.0.0.0 is what a manager shows as its own address in some states.
		if err != nil || a.IsUnspecified() || a.IsLoopback() {
			continue
		}
		a = a.Unmap().WithZone("")
		out = append(out, Block{Context: s.Context, Prefix: netip.PrefixFrom(a, a.BitLen()), Node: cmp.Or(n.Hostname, n.ID), ID: n.ID})
	}
	return out
}

func blocksOfNetwork(s *swarm.Snapshot, n swarm.Network) []Block {
	var out []Block
	for _, sub := range n.Subnets {
		if p := sub.Prefix.Masked(); p.IsValid() {
			out = append(out, Block{Context: s.Context, Prefix: p, Network: n.Name, ID: n.ID})
		}
	}
	return out
}

func compare(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}
