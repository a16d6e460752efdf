package check

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/ports"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// noQuorum knows a swarm without a leader by the words of its managers
// (swarmkit manager/state/raft ErrNoRaftMember and ca.ErrNoLeader, moby
// daemon/cluster errNoManager).
func noQuorum(l *look) (o outcome) {
	errs := []string{l.s.Cluster.Error}
	for _, u := range l.s.Unread {
		errs = append(errs, u.Err.Error())
	}
	for _, e := range errs {
		if strings.Contains(e, "does not have a leader") || strings.Contains(e, "too few managers are online") {
			o.add(l.onSwarm("the managers that are up have no leader: tasks run on, and nothing can be changed or looked at").
				then("bring managers back, or on one of them: docker swarm init --force-new-cluster"))
			return o
		}
	}
	return o
}

func swarmInactive(l *look) (o outcome) {
	switch c := l.s.Cluster; c.State {
	case swarm.StateActive:
	case swarm.StateLocked:
		o.add(l.onSwarm("the swarm is locked on this manager, which restarted").then(l.cmd("swarm unlock")))
	case swarm.StatePending, swarm.StateError:
		o.add(l.onSwarm("the engine's part in the swarm is in state %q: %s", c.State, text.Clean(c.Error)).then(l.cmd("info")))
	default:
		o.add(l.onSwarm("the engine is not in a swarm").then(l.cmd("swarm init")))
	}
	return o
}

// managers returns the nodes that are managers.
func (l *look) managers() []*swarm.Node {
	var out []*swarm.Node
	for i := range l.s.Nodes {
		if n := &l.s.Nodes[i]; n.Role == "manager" {
			out = append(out, n)
		}
	}
	return out
}

// up returns the nodes that are not down.
func (l *look) up() []*swarm.Node {
	var out []*swarm.Node
	for i := range l.s.Nodes {
		if n := &l.s.Nodes[i]; !down(n) {
			out = append(out, n)
		}
	}
	return out
}

// down tells whether the swarm has given a node up. "unknown" is what a new
// leader says of every node until it has heard of it.
func down(n *swarm.Node) bool { return n.State == "down" || n.State == "disconnected" }

func evenManagers(l *look) (o outcome) {
	n := len(l.managers())
	if n == 0 || n%2 == 1 {
		return o
	}
	bears := n/2 - 1
	o.add(l.onSwarm("%d managers bear the loss of %s, as %d would", n, orNone(bears, "manager"), n-1))
	return o
}

func orNone(n int, word string) string {
	if n == 0 {
		return "no " + word
	}
	return plural(n, word)
}

func singleManager(l *look) (o outcome) {
	if len(l.managers()) == 1 && len(l.s.Nodes) > 1 {
		o.add(l.onSwarm("one manager for %d nodes: without it nothing can be changed", len(l.s.Nodes)))
	}
	return o
}

func nodeDown(l *look) (o outcome) {
	for i := range l.s.Nodes {
		n := &l.s.Nodes[i]
		if !down(n) {
			continue
		}
		f := l.onNode(n, "the node is %s%s", text.Clean(n.State), because(n.Message))
		if n.Availability != "active" || l.backAgain(n) {
			// Somebody has taken it out of service before, or it has joined again and
			// this is what was left of it, as SN109 says.
			f = f.as(Note)
		}
		o.add(f)
	}
	return o
}

// backAgain tells whether the machine of a node that is down is in the swarm
// as another node, which is up.
func (l *look) backAgain(n *swarm.Node) bool {
	at, ok := ports.AddressOf(*n)
	return ok && slices.ContainsFunc(l.s.Nodes, func(o swarm.Node) bool {
		now, ok := ports.AddressOf(o)
		return ok && now == at && o.ID != n.ID && o.Hostname == n.Hostname && !down(&o)
	})
}

// because puts an explanation of the swarm into a sentence.
func because(message string) string {
	if message == "" {
		return ""
	}
	return " (" + text.Clean(message) + ")"
}

func managerUnreachable(l *look) (o outcome) {
	managers := l.managers()
	reachable := 0
	for _, n := range managers {
		if n.Reachability == "reachable" {
			reachable++
		}
	}
	for _, n := range managers {
		if n.Reachability != "unreachable" {
			continue
		}
		f := l.onNode(n, "the other managers cannot reach it: %d of %s left, and %d are needed", reachable, plural(len(managers), "manager"), len(managers)/2+1)
		o.add(f.then(l.cmd("swarmnet ports")))
	}
	return o
}

// badNodeAddress finds addresses that other machines cannot use. A swarm of one
// node needs none.
func badNodeAddress(l *look) (o outcome) {
	if len(l.s.Nodes) < 2 {
		return o
	}
	for _, n := range l.up() {
		if _, ok := ports.AddressOf(*n); ok {
			continue
		}
		f := l.onNode(n, "other nodes know it by the address %s, which they cannot reach", name(n.Addr))
		o.add(f.then("on that node: docker swarm leave, then join with --advertise-addr ADDRESS"))
	}
	return o
}

// kindOf says from where an address can be reached.
func kindOf(a netip.Addr) string {
	shared := netip.MustParsePrefix("100.64.0.0/10") // RFC 6598, also of VPNs
	family := "IPv4"
	if a.Is6() {
		family = "IPv6"
	}
	switch {
	case shared.Contains(a):
		return "carrier-grade NAT or VPN (100.64.0.0/10)"
	case a.IsPrivate():
		return "private " + family
	case a.IsLinkLocalUnicast():
		return "link-local " + family
	default:
		return "public " + family
	}
}

func mixedNodeAddresses(l *look) (o outcome) {
	kinds := map[string][]string{}
	for _, n := range l.up() {
		if a, ok := ports.AddressOf(*n); ok {
			kinds[kindOf(a)] = append(kinds[kindOf(a)], l.nodeName(n.ID))
		}
	}
	if len(kinds) < 2 {
		return o
	}
	o.add(l.onSwarm("nodes are known by addresses of different kinds, and overlay traffic passes no NAT: %s", groups(kinds)))
	return o
}

// groups names the members of groups: "private: n1, n2; public: n3".
func groups(by map[string][]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(by)) {
		slices.Sort(by[k])
		out = append(out, k+": "+some(by[k]))
	}
	return strings.Join(out, "; ")
}

func duplicateHostname(l *look) (o outcome) {
	by := map[string][]*swarm.Node{}
	for i := range l.s.Nodes {
		if n := &l.s.Nodes[i]; n.Hostname != "" {
			by[n.Hostname] = append(by[n.Hostname], n)
		}
	}
	for _, hostname := range slices.Sorted(maps.Keys(by)) {
		same := by[hostname]
		if len(same) < 2 {
			continue
		}
		var gone []string
		for _, n := range same {
			if down(n) {
				gone = append(gone, n.ID)
			}
		}
		f := l.onNode(same[0], "%d nodes are called %s", len(same), name(hostname))
		if len(gone) > 0 {
			f.Text += fmt.Sprintf(", of which %d down: left over from a node that joined again", len(gone))
			f = f.then(l.cmd("node rm %s", strings.Join(gone, " ")))
		}
		o.add(f)
	}
	return o
}

// mixedEngines is a note within one major version: a roll-out of engines
// passes through it.
func mixedEngines(l *look) (o outcome) {
	versions, majors := map[string][]string{}, map[string]bool{}
	for _, n := range l.up() {
		if n.EngineVersion == "" {
			continue
		}
		v := text.Clean(n.EngineVersion)
		versions[v] = append(versions[v], l.nodeName(n.ID))
		major, _, _ := strings.Cut(v, ".")
		majors[major] = true
	}
	if len(versions) < 2 {
		return o
	}
	f := l.onSwarm("nodes run %d engine versions: %s", len(versions), groups(versions))
	if len(majors) < 2 {
		f = f.as(Note)
	}
	o.add(f)
	return o
}

// encrypted returns the encrypted networks.
func (l *look) encrypted() []*swarm.Network {
	return slices.DeleteFunc(l.overlays(), func(n *swarm.Network) bool { return !n.Encrypted() })
}

func encryptedMixedEngines(l *look) (o outcome) {
	networks := l.encrypted()
	if len(networks) == 0 {
		return o
	}
	var odd, even, unclear []string
	for _, n := range l.up() {
		v, ok := parseVersion(n.EngineVersion)
		label := l.nodeName(n.ID) + " (" + text.Clean(n.EngineVersion) + ")"
		switch {
		case !ok:
			unclear = append(unclear, label)
		case v.otherSPI():
			odd = append(odd, label)
		default:
			even = append(even, label)
		}
	}
	if len(odd) > 0 && len(even) > 0 {
		f := l.onNetwork(networks[0], "%s encrypted, and %s cannot decrypt what %s send, nor the other way", areNetworks(networks), some(odd), some(even))
		o.add(f.touching(networks...).then("upgrade those nodes to 29.2.1 or newer (25.0.15 of that line)"))
	}
	if len(unclear) > 0 {
		o.cannotTell("no engine version can be read of " + some(unclear))
	}
	return o
}

func areNetworks(networks []*swarm.Network) string {
	if len(networks) == 1 {
		return "the network is"
	}
	return plural(len(networks), "network") + " are"
}

func knownCve(l *look) (o outcome) {
	var holes, unclear []string
	for i := range l.s.Nodes {
		n := &l.s.Nodes[i]
		v, ok := parseVersion(n.EngineVersion)
		switch {
		case !ok:
			unclear = append(unclear, l.nodeName(n.ID))
		case v.leaksEncrypted():
			holes = append(holes, l.nodeName(n.ID)+" ("+text.Clean(n.EngineVersion)+")")
		}
	}
	if len(holes) > 0 {
		f := l.onSwarm("CVE-2023-28840, -28841 and -28842 (clear text in encrypted networks) are in the engines of %s", some(holes))
		f = f.then("upgrade to 20.10.24, 23.0.3 or newer")
		if len(l.encrypted()) == 0 {
			f = f.as(Note)
		}
		o.add(f.touching(l.encrypted()...))
	}
	if len(unclear) > 0 {
		o.cannotTell("no engine version can be read of " + some(unclear))
	}
	return o
}

// nftablesBackend asks the engine that answered only: others do not tell
// theirs. Engines before 29.0 know no other backend than iptables.
func nftablesBackend(l *look) (o outcome) {
	e := l.s.Engine
	v, ok := parseVersion(e.Version)
	if e.FirewallBackend == "" {
		if !ok || v[0] >= 29 {
			o.cannotTell("the engine does not tell its firewall backend")
		}
		return o
	}
	if !strings.HasPrefix(e.FirewallBackend, "nftables") {
		return o
	}
	why := "swarm needs the feature flag swarm-nftables there, and the routing mesh still uses iptables"
	if ok && v.compare(version{29, 6, 0}) < 0 {
		why = "with which an engine before 29.6 refuses to be in a swarm"
	}
	o.add(l.onSwarm("the firewall backend of engine %s (%s) is nftables: %s", name(e.Name), text.Clean(e.Version), why).
		then(`set "firewall-backend": "iptables" in the engine's daemon.json`))
	return o
}
