package check

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/ledger"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// settled is how long nothing may have changed before what is not as it should
// be counts: one round of the gossip's bulk sync (moby libnetwork networkdb).
const settled = 30 * time.Second

// networkFull is an error while somebody waits for an address, and a warning
// while all who are there have one.
func networkFull(l *look) (o outcome) {
	for _, n := range l.overlays() {
		if !l.full(n) {
			continue
		}
		u := l.usage(n)
		f := l.onNetwork(n, "none of %s is free", plural(u.Capacity, "address"))
		if u.Waiting > 0 {
			f.Text += fmt.Sprintf(", and %s for one", waits(u.Waiting))
		} else {
			f = f.as(Warning)
		}
		o.add(f.then(l.cmd("swarmnet addresses")))
	}
	return o
}

func waits(n int) string {
	if n == 1 {
		return "1 task or virtual address waits"
	}
	return fmt.Sprintf("%d tasks and virtual addresses wait", n)
}

func networkNearFull(l *look) (o outcome) {
	for _, n := range l.overlays() {
		u := l.usage(n)
		if u.Free == 0 || u.Percent() < ledger.NearFull {
			continue
		}
		fits := ledger.Fits(u, l.s.Nodes)
		f := l.onNetwork(n, "%d of %s are free, %s", u.Free, plural(u.Capacity, "address"), fitsMore(fits))
		o.add(f.then(l.cmd("swarmnet addresses")))
	}
	return o
}

func fitsMore(replicas int) string {
	if replicas < 1 {
		return "too few for one more service"
	}
	return "enough for one more service with " + plural(replicas, "replica") + " at most"
}

func subnetOverlap(l *look) (o outcome) {
	for _, v := range l.overlaps() {
		a, b := l.networks[v.A.ID], l.networks[v.B.ID]
		if a == nil || b == nil || !a.Allocated() || !b.Allocated() {
			continue // a network that was not made for that is another rule's
		}
		f := l.onNetwork(b, "%s lies in %s of network %s", v.B.Prefix, v.A.Prefix, name(v.A.Network))
		o.add(f.touching(a).then(l.cmd("swarmnet addresses")))
	}
	return o
}

// overlaps are those inside the swarm.
func (l *look) overlaps() []ledger.Overlap { return ledger.Overlaps([]*swarm.Snapshot{l.s}) }

func overlapWithNode(l *look) (o outcome) {
	for _, v := range l.overlaps() {
		block, node := v.A, v.B
		if block.Node != "" {
			block, node = node, block
		}
		n := l.networks[block.ID]
		if node.Node == "" || n == nil {
			continue
		}
		f := l.onNetwork(n, "the address %s of node %s lies in its subnet %s: its containers cannot reach that node", node.Prefix.Addr(), name(node.Node), block.Prefix)
		o.add(f.then(l.cmd("swarmnet addresses")))
	}
	return o
}

func overlapWithBridge(l *look) (o outcome) {
	for _, v := range ledger.Bridges(l.s) {
		n, local := l.networks[v.A.ID], l.networks[v.B.ID]
		overlay, bridge := v.A.Prefix, v.B.Prefix
		if n.Scope == "local" {
			n, local, overlay, bridge = local, n, bridge, overlay
		}
		f := l.onNetwork(n, "its subnet %s overlaps %s of the local network %s on %s", overlay, bridge, name(local.Name), text.Clean(l.s.Engine.Name))
		o.add(f.then(l.cmd("network inspect %s", text.Clean(local.Name))))
	}
	return o
}

// overlapAcrossSwarms says once for each two swarms what they have in common:
// all swarms begin with the same blocks, which matters only where they are
// routed to each other.
func overlapAcrossSwarms(looks []*look) (o outcome) {
	var snapshots []*swarm.Snapshot
	mesh := map[string]bool{} // the IDs of ingress networks
	for _, l := range looks {
		if why := l.missing(ReadsNetworks); why != "" {
			o.cannotTell(fmt.Sprintf("context %s: %s", name(l.s.Context), why))
			continue
		}
		snapshots = append(snapshots, l.s)
		for _, n := range l.ingress {
			mesh[n.ID] = true
		}
	}
	type pair struct{ a, b string }
	found := map[pair][]ledger.Overlap{}
	var order []pair
	for _, v := range ledger.Overlaps(snapshots) {
		if v.A.Context == v.B.Context {
			continue
		}
		p := pair{min(v.A.Context, v.B.Context), max(v.A.Context, v.B.Context)}
		if found[p] == nil {
			order = append(order, p)
		}
		found[p] = append(found[p], v)
	}
	for _, p := range order {
		// Better not what nearly all swarms have in common, and nobody is reached by.
		v := found[p][0]
		if i := slices.IndexFunc(found[p], func(v ledger.Overlap) bool { return !mesh[v.A.ID] || !mesh[v.B.ID] }); i >= 0 {
			v = found[p][i]
		}
		f := Finding{
			Context: p.a, Kind: "swarm", Object: text.Clean(p.a),
			Text: fmt.Sprintf("%s used in this swarm and in %s, such as %s and %s", blocks(len(found[p])), name(p.b), who(v.A), who(v.B)),
			Next: fmt.Sprintf("docker swarmnet addresses --contexts %s,%s", text.Clean(p.a), text.Clean(p.b)),
		}
		for _, v := range found[p] {
			for _, b := range []ledger.Block{v.A, v.B} {
				if b.Network != "" {
					f.Networks = append(f.Networks, b.ID)
				}
			}
		}
		o.add(f)
	}
	return o
}

func blocks(n int) string {
	if n == 1 {
		return "1 block is"
	}
	return fmt.Sprintf("%d blocks are", n)
}

func who(b ledger.Block) string {
	if b.Node != "" {
		return "node " + name(b.Node) + " (" + b.Prefix.Addr().String() + ")"
	}
	return "network " + name(b.Network) + " (" + b.Prefix.String() + ")"
}

// owner is who holds an address, and since when.
type owner struct {
	what  string
	since time.Time
}

// duplicateAddress looks for addresses with two holders. The lists of a look
// are read one after another, so holders that have just come do not count.
func duplicateAddress(l *look) (o outcome) {
	type place struct {
		network string
		addr    netip.Addr
	}
	holders := map[place]owner{}
	hold := func(networkID string, p netip.Prefix, by owner) {
		n, ok := l.networks[networkID]
		if !ok || !n.Overlay() || !p.IsValid() {
			return
		}
		at := place{networkID, p.Addr().Unmap()}
		first, taken := holders[at]
		if !taken {
			holders[at] = by
			return
		}
		if first.what != by.what && l.older(first.since, settled) && l.older(by.since, settled) {
			o.add(l.onNetwork(n, "%s is the address of %s and of %s", at.addr, first.what, by.what))
		}
	}
	for _, n := range l.overlays() {
		for _, sub := range n.Subnets {
			hold(n.ID, netip.PrefixFrom(sub.Gateway, sub.Gateway.BitLen()), owner{what: "the gateway"})
		}
	}
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		for _, v := range sv.VIPs {
			hold(v.NetworkID, v.Addr, owner{"service " + name(sv.Name), sv.Updated})
		}
	}
	for i := range l.s.Tasks {
		t := &l.s.Tasks[i]
		if t.State.Ended() {
			continue
		}
		for _, on := range t.Networks {
			for _, p := range on.Addrs {
				hold(on.NetworkID, p, owner{"task " + name(l.taskName(t)), t.Updated})
			}
		}
	}
	for _, n := range l.overlays() {
		for _, a := range l.attached[n.ID] {
			on, _ := a.On(n.ID)
			for _, p := range on.Addrs {
				hold(n.ID, p, owner{"container " + short(a.ContainerID), a.Updated})
			}
		}
	}
	return o
}

// short cuts an ID as docker does.
func short(id string) string {
	const most = 12
	return text.Clean(id[:min(len(id), most)])
}

func poolNearlyUsed(l *look) (o outcome) {
	for _, p := range ledger.Pools([]*swarm.Snapshot{l.s}) {
		const most = 62 // more blocks than an int counts are enough
		bits := p.Bits - p.Prefix.Bits()
		if bits < 0 || bits > most {
			continue
		}
		total := 1 << bits
		if used := total - p.Left; used < 1 || used*100/total < ledger.NearFull {
			continue
		}
		f := l.onSwarm("%d of the %s of /%d in the pool %s are left for new networks", p.Left, plural(total, "block"), p.Bits, p.Prefix)
		o.add(f.then(l.cmd("swarmnet addresses")))
	}
	return o
}

// addressesLeaked compares what the engine counts with what there is to be
// counted, on networks where nothing moves.
func addressesLeaked(l *look) (o outcome) {
	var moving []string
	for _, n := range l.overlays() {
		leaks := ledger.LeaksOf(l.s, *n, l.usage(n))
		switch {
		case !reported(n):
		case !leaks.Known:
			moving = append(moving, text.Clean(n.Name))
		case leaks.N > 0:
			f := l.onNetwork(n, "%s in use and nobody has them: a network was removed before its tasks had ended", plural(leaks.N, "address"))
			o.add(f.then(l.cmd("swarmnet addresses")))
		}
	}
	if len(moving) > 0 {
		o.cannotTell("tasks of " + some(moving) + " are on their way, and addresses count only while nothing moves")
	}
	return o
}

// reported tells whether the engine has counted a network's addresses.
func reported(n *swarm.Network) bool {
	return slices.ContainsFunc(n.Subnets, func(s swarm.Subnet) bool { return s.Reported != nil })
}

// missingStatus says why the engine's own count is not known.
func (l *look) missingStatus() string {
	if slices.ContainsFunc(l.overlays(), reported) {
		return ""
	}
	return "the engine has not told its own count of addresses: it has API 1.52 (29.0) or newer to do so, and is not asked where networks are many"
}
