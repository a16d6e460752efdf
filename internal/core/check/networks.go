package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/converge"
	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

func networkNotAllocated(l *look) (o outcome) {
	var unmade []*swarm.Network
	for _, n := range l.overlays() {
		if !n.Allocated() && l.older(n.Created, converge.Patience) {
			unmade = append(unmade, n)
		}
	}
	if len(unmade) == 0 {
		return o
	}
	overlaps := map[string]string{}
	for _, v := range l.overlaps() {
		overlaps[v.A.ID], overlaps[v.B.ID] = who(v.B), who(v.A)
	}
	for _, n := range unmade {
		why := "the log of the leader's engine says why"
		if other := overlaps[n.ID]; other != "" {
			why = "its subnet has addresses in common with " + other
		}
		f := l.onNetwork(n, "the swarm has accepted the network and not made it: %s", why)
		o.add(f.then(l.cmd("network rm %s", text.Clean(n.Name))))
	}
	return o
}

func unknownDriverOption(l *look) (o outcome) {
	for _, n := range l.overlays() {
		if ignored := addr.IgnoredOptions(n.Options); len(ignored) > 0 {
			f := l.onNetwork(n, "%s", text.Clean(strings.Join(ignored, "; ")))
			o.add(f.then(l.cmd("swarmnet inspect --pretty %s", text.Clean(n.Name))))
		}
	}
	return o
}

func encryptedFalse(l *look) (o outcome) {
	for _, n := range l.overlays() {
		if addr.EncryptedInVain(*n) {
			f := l.onNetwork(n, "it has the option encrypted=%s and encrypts: the engine looks only whether the option is there", text.Clean(n.Options[swarm.OptEncrypted]))
			o.add(f.then(l.cmd("swarmnet inspect --pretty %s", text.Clean(n.Name))))
		}
	}
	return o
}

// mtus are the networks but ingress by the MTU under them.
func (l *look) mtus() map[int][]*swarm.Network {
	by := map[int][]*swarm.Network{}
	for _, n := range l.overlays() {
		if !n.Ingress && n.Allocated() {
			by[addr.UnderlayMTU(*n)] = append(by[addr.UnderlayMTU(*n)], n)
		}
	}
	return by
}

func mtuMixed(l *look) (o outcome) {
	by := l.mtus()
	if len(by) < 2 {
		return o
	}
	var parts []string
	var all []*swarm.Network
	for _, mtu := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%d: %s", mtu, some(namesOf(by[mtu]))))
		all = append(all, by[mtu]...)
	}
	f := l.onSwarm("networks over the same wires are made for different MTUs (%s): where the smaller is right, large packets of the others vanish", strings.Join(parts, "; "))
	o.add(f.touching(all...).then(l.cmd("swarmnet ls")))
	return o
}

func namesOf(networks []*swarm.Network) []string {
	out := make([]string, len(networks))
	for i, n := range networks {
		out[i] = text.Clean(n.Name)
	}
	slices.Sort(out)
	return out
}

// ingressMtuLeftBehind is about the usual case: somebody has lowered the MTU of
// all networks, and the routing mesh cannot be named in a stack's file.
func ingressMtuLeftBehind(l *look) (o outcome) {
	by := l.mtus()
	if len(by) != 1 || len(l.ingress) == 0 {
		return o
	}
	in := l.ingress[0]
	for mtu, networks := range by {
		if own := addr.UnderlayMTU(*in); own > mtu {
			f := l.onNetwork(in, "it is made for an MTU of %d, and %s for %d: large answers of published ports vanish", own, theOthers(networks), mtu)
			if len(l.members[in.ID]) == 0 {
				f = f.as(Note)
			}
			o.add(f.then(l.cmd("swarmnet ls")))
		}
	}
	return o
}

func theOthers(networks []*swarm.Network) string {
	if len(networks) == 1 {
		return "network " + name(networks[0].Name)
	}
	return fmt.Sprintf("the %d other networks", len(networks))
}

func ipv6Overlay(l *look) (o outcome) {
	for _, n := range l.overlays() {
		v6 := slices.ContainsFunc(n.Subnets, func(s swarm.Subnet) bool { return s.Prefix.Addr().Is6() })
		if n.IPv6 || v6 {
			f := l.onNetwork(n, "it has IPv6, which the swarm does not give to tasks")
			o.add(f.then(l.cmd("swarmnet inspect --pretty %s", text.Clean(n.Name))))
		}
	}
	return o
}

// ingressMissing is a note while nobody needs the routing mesh: some swarms do
// without one.
func ingressMissing(l *look) (o outcome) {
	if len(l.ingress) > 0 {
		return o
	}
	var need []string
	for i := range l.s.Services {
		if sv := &l.s.Services[i]; sv.NeedsIngress() {
			need = append(need, text.Clean(sv.Name))
		}
	}
	create := l.cmd("swarmnet ingress recreate")
	if len(need) == 0 {
		o.add(l.onSwarm("the swarm has no ingress network, and no service needs one").as(Note).then(create))
		return o
	}
	o.add(l.onSwarm("there is no ingress network, and %s published in the routing mesh: %s", portsOf(len(need)), some(need)).then(create))
	return o
}

func portsOf(services int) string {
	if services == 1 {
		return "ports of 1 service are"
	}
	return fmt.Sprintf("ports of %d services are", services)
}

func ingressTwice(l *look) (o outcome) {
	if len(l.ingress) > 1 {
		f := l.onNetwork(l.ingress[1], "the swarm has %d ingress networks: %s", len(l.ingress), some(namesOf(l.ingress)))
		o.add(f.touching(l.ingress...).then(l.cmd("swarmnet ls")))
	}
	return o
}

func localNetworkSameName(l *look) (o outcome) {
	for i := range l.s.Networks {
		local := &l.s.Networks[i]
		n, ok := l.byName[local.Name]
		if local.Scope != "local" || !ok {
			continue
		}
		f := l.onNetwork(n, "engine %s has a local network of the same name: by its name, each is found or neither", name(l.s.Engine.Name))
		o.add(f.then(l.cmd("network rm %s", short(local.ID))))
	}
	return o
}

// idle is how long nobody may be on a network before that is worth a word: a
// stack's networks are made before its services.
const idle = time.Minute

// empty tells whether nobody is on a network, or about to be.
func (l *look) empty(n *swarm.Network) bool {
	return !n.Ingress && len(l.members[n.ID]) == 0 && l.live[n.ID] == 0 && len(l.attached[n.ID]) == 0 && l.older(n.Created, idle)
}

// stacks are the stacks that have a service.
func (l *look) stacks() map[string]bool {
	out := map[string]bool{}
	for i := range l.s.Services {
		out[l.s.Services[i].Labels[deploy.LabelStack]] = true
	}
	return out
}

func networkUnused(l *look) (o outcome) {
	stacks := l.stacks()
	for _, n := range l.overlays() {
		stack := n.Labels[deploy.LabelStack]
		if l.empty(n) && (stack == "" || stacks[stack]) {
			o.add(l.onNetwork(n, "nobody is on it").then(l.cmd("swarmnet rm %s", text.Clean(n.Name))))
		}
	}
	return o
}

func stackNetworkDangling(l *look) (o outcome) {
	stacks := l.stacks()
	for _, n := range l.overlays() {
		stack := n.Labels[deploy.LabelStack]
		if l.empty(n) && stack != "" && !stacks[stack] {
			o.add(l.onNetwork(n, "nobody is on it, and the stack %s it was made for has no services", name(stack)).then(l.cmd("swarmnet rm %s", text.Clean(n.Name))))
		}
	}
	return o
}
