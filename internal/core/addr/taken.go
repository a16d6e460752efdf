// Package addr is the arithmetic of overlay addresses: which blocks are taken
// and by whom, which block is free, how full a network is, and whether a
// service still fits.
package addr

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Owner is somebody who uses a block of addresses.
type Owner struct {
	Prefix netip.Prefix
	// Name says who, ready to be put in a sentence: `network "web" of context
	// "east"`.
	Name string
	// NetworkID is set where the owner is a network.
	NetworkID string
	// Likely marks a block that is only presumed to be in use: the /24 (IPv6:
	// /64) around a node's address, since the API does not tell how large the
	// LAN of a node is. It is avoided when a block is chosen and there is
	// another one, but it is no conflict.
	Likely bool
}

// String names the owner with its block.
func (o Owner) String() string { return fmt.Sprintf("%s (%s)", o.Name, o.Prefix) }

// Taken is the addresses that a new network must stay away from.
type Taken struct {
	owners []Owner
	seen   map[ownerKey]bool
}

type ownerKey struct {
	prefix netip.Prefix
	id     string
	likely bool
}

// TakenBy collects what all given swarms and their engines use: networks of
// the swarm with ingress, networks local to the engine that answered, and the
// addresses of nodes. Two snapshots of one swarm (same cluster ID) do not
// count twice.
func TakenBy(snapshots ...*swarm.Snapshot) *Taken {
	t := &Taken{}
	for _, s := range snapshots {
		t.addNetworks(s)
		t.addNodes(s)
	}
	return t
}

// Clone returns a copy that can be added to apart from t.
func (t *Taken) Clone() *Taken {
	return &Taken{owners: slices.Clone(t.owners), seen: maps.Clone(t.seen)}
}

// Avoid adds blocks that the user wants to keep free.
func (t *Taken) Avoid(prefixes ...netip.Prefix) {
	for _, p := range prefixes {
		t.Add(Owner{Prefix: p, Name: "the range to avoid"})
	}
}

// Add adds one owner. Blocks that are not valid are left out.
func (t *Taken) Add(o Owner) {
	o.Prefix = canonical(o.Prefix)
	if !o.Prefix.IsValid() {
		return
	}
	key := ownerKey{o.Prefix, cmp.Or(o.NetworkID, o.Name), o.Likely}
	if t.seen[key] {
		return
	}
	if t.seen == nil {
		t.seen = map[ownerKey]bool{}
	}
	t.seen[key] = true
	t.owners = append(t.owners, o)
}

// Conflicts returns who uses addresses of the block, in the order of their
// addresses.
func (t *Taken) Conflicts(block netip.Prefix) []Owner {
	block = canonical(block)
	var found []Owner
	for _, o := range t.owners {
		if !o.Likely && o.Prefix.Overlaps(block) {
			found = append(found, o)
		}
	}
	slices.SortStableFunc(found, func(a, b Owner) int { return comparePrefix(a.Prefix, b.Prefix) })
	return found
}

// Set returns the addresses taken; with the presumed ones if likely is true.
func (t *Taken) Set(likely bool) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, o := range t.owners {
		if likely || !o.Likely {
			b.AddPrefix(o.Prefix)
		}
	}
	return built(&b)
}

func (t *Taken) addNetworks(s *swarm.Snapshot) {
	for _, n := range s.Networks {
		for _, sub := range n.Subnets {
			t.Add(Owner{Prefix: sub.Prefix, Name: networkOwner(s, n), NetworkID: n.ID})
		}
	}
}

func networkOwner(s *swarm.Snapshot, n swarm.Network) string {
	switch {
	case n.Scope != "swarm":
		return fmt.Sprintf("local network %q of engine %q", n.Name, s.Engine.Name)
	case n.Ingress:
		return fmt.Sprintf("ingress network %q of context %q", n.Name, s.Context)
	default:
		return fmt.Sprintf("network %q of context %q", n.Name, s.Context)
	}
}

func (t *Taken) addNodes(s *swarm.Snapshot) {
	for _, n := range s.Nodes {
		name := fmt.Sprintf("node %q of context %q", cmp.Or(n.Hostname, n.ID), s.Context)
		t.addHost(name, n.Addr)
		t.addHost(name, hostOf(n.ManagerAddr))
	}
	self := fmt.Sprintf("node %q of context %q", s.NodeName(s.Cluster.NodeID), s.Context)
	t.addHost(self, s.Cluster.NodeAddr)
	for _, m := range s.Cluster.Managers {
		t.addHost(fmt.Sprintf("manager %s of context %q", hostOf(m), s.Context), hostOf(m))
	}
}

// addHost adds the address of a machine. 0.0.0.0, which a manager shows as its
// own address in some states, and loopback addresses say nothing.
func (t *Taken) addHost(name, ip string) {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.IsUnspecified() || a.IsLoopback() {
		return
	}
	a = a.Unmap().WithZone("")
	for _, o := range t.owners {
		if !o.Likely && o.Prefix == netip.PrefixFrom(a, a.BitLen()) {
			return // the same machine, under the first name it was seen with
		}
	}
	t.Add(Owner{Prefix: netip.PrefixFrom(a, a.BitLen()), Name: name})
	lan := 24
	if a.Is6() {
		lan = 64
	}
	t.Add(Owner{Prefix: netip.PrefixFrom(a, lan), Name: "the LAN of " + name, Likely: true})
}

// hostOf returns the host of host:port.
func hostOf(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return strings.Trim(hostport, "[]")
	}
	return host
}

// canonical returns the block with its host bits cleared and as IPv4 where it
// is an IPv4 block written as IPv6; the zero value where it is none.
func canonical(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

func comparePrefix(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// built returns the builder's set. The builder reports invalid prefixes only,
// which were left out before.
func built(b *netipx.IPSetBuilder) *netipx.IPSet {
	s, err := b.IPSet()
	if err != nil || s == nil {
		return &netipx.IPSet{}
	}
	return s
}
