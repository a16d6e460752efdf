package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/converge"
	"github.com/swarmnet/docker-swarmnet/internal/core/placement"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// aliasClash looks at the names that services answer to on each network: their
// own and their aliases (moby#37348). DNS makes no difference between upper and
// lower case.
func aliasClash(l *look) (o outcome) {
	for _, n := range l.overlays() {
		members := l.members[n.ID]
		if n.Ingress || len(members) < 2 {
			continue
		}
		owners := map[string][]*swarm.Service{}
		for _, sv := range members {
			for _, alias := range namesOn(sv, n) {
				if own := owners[alias]; len(own) == 0 || own[len(own)-1] != sv {
					owners[alias] = append(own, sv)
				}
			}
		}
		for _, alias := range slices.Sorted(maps.Keys(owners)) {
			same := owners[alias]
			if len(same) < 2 {
				continue
			}
			services := make([]string, len(same))
			for i, sv := range same {
				services[i] = text.Clean(sv.Name)
			}
			slices.Sort(services)
			f := l.onNetwork(n, "%d services answer to the name %s there, in turns: %s", len(same), name(alias), some(services))
			o.add(f.affecting(same...).then(l.cmd("swarmnet ps %s", text.Clean(n.Name))))
		}
	}
	return o
}

// namesOn returns what a service answers to on a network, in lower case.
func namesOn(sv *swarm.Service, n *swarm.Network) []string {
	names := []string{strings.ToLower(sv.Name)}
	for _, a := range sv.Networks {
		if a.Target != n.ID && a.Target != n.Name {
			continue
		}
		for _, alias := range a.Aliases {
			if alias = strings.ToLower(alias); !slices.Contains(names, alias) {
				names = append(names, alias)
			}
		}
	}
	return names
}

// danglingNetworkTarget finds networks in specs that are gone. The list of
// networks leaves "host" and its like out, whose tasks run all the same.
func danglingNetworkTarget(l *look) (o outcome) {
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		for _, a := range sv.Networks {
			if _, ok := l.target(a.Target); ok || l.predefined[a.Target] {
				continue
			}
			if !l.refused(sv) {
				o.cannotTell("service " + name(sv.Name) + " asks for network " + name(a.Target) + ", which is gone or one that docker does not list, and no task of it tells which")
				continue
			}
			f := l.onService(sv, "it asks for network %s, which does not exist", name(a.Target))
			o.add(f.then("deploy it again, or: " + l.cmd("service rm %s", text.Clean(sv.Name))))
		}
	}
	return o
}

// refused tells whether a service's tasks show that a network is missing.
func (l *look) refused(sv *swarm.Service) bool {
	return slices.ContainsFunc(l.tasks[sv.ID], func(t *swarm.Task) bool {
		err := strings.ToLower(t.Err)
		return t.State == swarm.TaskNew && !t.Desired.Ended() && l.older(t.Created, converge.Patience) ||
			strings.Contains(err, "network") && strings.Contains(err, "not found")
	})
}

// published is one use of a port.
type published struct {
	sv   *swarm.Service
	port swarm.Port
}

// portClash follows swarmkit's checkPortConflicts (manager/controlapi/service.go):
// a port of the routing mesh is nobody else's on the whole swarm; ports in host
// mode may meet where there are nodes enough.
func portClash(l *look) (o outcome) {
	type number struct {
		port     uint32
		protocol string
	}
	uses := map[number][]published{}
	var order []number
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		for _, p := range sv.Ports {
			if p.Published == 0 {
				continue
			}
			key := number{p.Published, p.Protocol}
			if uses[key] == nil {
				order = append(order, key)
			}
			uses[key] = append(uses[key], published{sv, p})
		}
	}
	own := map[number]string{
		{2377, "tcp"}: "managers", {7946, "tcp"}: "the gossip of nodes", {7946, "udp"}: "the gossip of nodes",
		{uint32(cmp.Or(l.s.Cluster.DataPathPort, 4789)), "udp"}: "overlay traffic", //nolint:gosec // a port
	}
	for _, key := range order {
		label := strconv.Itoa(int(key.port)) + "/" + key.protocol
		if by := own[key]; by != "" {
			sv := uses[key][0].sv
			o.add(l.onService(sv, "it publishes %s, which the swarm itself needs for %s", label, by).
				then(l.cmd("service update --publish-rm %d %s", uses[key][0].port.Target, text.Clean(sv.Name))))
		}
		if f, ok := l.clash(uses[key], label); ok {
			o.add(f)
		}
	}
	return o
}

func (l *look) clash(uses []published, label string) (f Finding, ok bool) {
	var services []string
	mesh := false
	tasks := 0
	for _, u := range uses {
		if s := text.Clean(u.sv.Name); !slices.Contains(services, s) {
			services = append(services, s)
			tasks += l.tasksWanted(u.sv)
		}
		mesh = mesh || u.port.Mode != "host"
	}
	if len(services) < 2 || !mesh && tasks <= len(l.s.Nodes) {
		return f, false
	}
	slices.Sort(services)
	f = l.onService(uses[0].sv, "port %s is published by %s", label, some(services))
	if !mesh {
		f.Text += fmt.Sprintf(", together %s on %s", plural(tasks, "task"), plural(len(l.s.Nodes), "node"))
	}
	for _, u := range uses[1:] {
		f = f.affecting(u.sv).touching(l.wanted(u.sv)...)
	}
	return f.then(l.cmd("service update --publish-rm %d %s", uses[0].port.Target, services[0])), true
}

// tasksWanted is how many tasks a service has when nothing is in the way.
func (l *look) tasksWanted(sv *swarm.Service) int {
	if sv.Mode.PerNode() {
		return len(l.suitable(sv))
	}
	return int(min(sv.Replicas, 1<<20)) //nolint:gosec // bounded in the same expression
}

func dnsrrWithIngressPort(l *look) (o outcome) {
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		if sv.EndpointMode == "dnsrr" && sv.NeedsIngress() {
			f := l.onService(sv, "it has no virtual address (dnsrr) and publishes a port in the routing mesh, which needs one")
			o.add(f.then(l.cmd("service update --endpoint-mode vip %s", text.Clean(sv.Name))))
		}
	}
	return o
}

func hostPortTooManyReplicas(l *look) (o outcome) {
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		at := slices.IndexFunc(sv.Ports, func(p swarm.Port) bool { return p.Mode == "host" && p.Published != 0 })
		if at < 0 || sv.Mode != swarm.Replicated {
			continue
		}
		nodes := len(l.suitable(sv))
		if replicas := l.tasksWanted(sv); replicas > nodes {
			f := l.onService(sv, "%s with port %d of the host, which serves one task on each node, and %s can run it",
				plural(replicas, "replica"), sv.Ports[at].Published, plural(nodes, "node"))
			o.add(f.then(l.cmd("service scale %s=%d", text.Clean(sv.Name), nodes)))
		}
	}
	return o
}

// suitable returns the nodes that can run a service by its constraints and
// platforms, whether or not they take tasks now. Services with the same
// constraints have the same nodes, so each set is looked for once.
func (l *look) suitable(sv *swarm.Service) []swarm.Node {
	key := fmt.Sprintf("%q %v", sv.Constraints, sv.Platforms)
	if nodes, ok := l.suitables[key]; ok {
		return nodes
	}
	all := slices.Clone(l.s.Nodes)
	for i := range all {
		all[i].State, all[i].Availability = "ready", "active"
	}
	// An error is a constraint that the swarm would have refused.
	nodes, _, _ := placement.Nodes(all, *sv)
	l.suitables[key] = nodes
	return nodes
}

// refusals says why nodes do not take a service's tasks: each reason with how
// many nodes have it.
func (l *look) refusals(sv *swarm.Service) string {
	key := fmt.Sprintf("%q %v", sv.Constraints, sv.Platforms)
	if said, ok := l.refusalsOf[key]; ok {
		return said
	}
	_, refused, err := placement.Nodes(l.s.Nodes, *sv)
	by := map[string][]string{}
	for _, r := range refused {
		by[text.Clean(r.Reason)] = append(by[text.Clean(r.Reason)], l.nodeName(r.Node.ID))
	}
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(by)) {
		slices.Sort(by[reason])
		parts = append(parts, some(by[reason])+" "+reason)
	}
	said := strings.Join(parts, "; ")
	if err != nil {
		said = text.Clean(err.Error())
	}
	l.refusalsOf[key] = said
	return said
}

func vipMissing(l *look) (o outcome) {
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		if sv.EndpointMode == "dnsrr" || !l.older(sv.Updated, converge.Patience) {
			continue
		}
		for _, n := range l.wanted(sv) {
			// Where the network was not made, other rules say so.
			if hasVIP(sv, n) || !n.Allocated() {
				continue
			}
			f := l.onService(sv, "it has no virtual address on network %s, which has addresses free", name(n.Name))
			f = f.then(l.cmd("service update --force %s", text.Clean(sv.Name)))
			if l.full(n) {
				f = l.onService(sv, "it has no virtual address on network %s, which is full", name(n.Name)).then(l.cmd("swarmnet addresses"))
			}
			o.add(f)
		}
	}
	return o
}

// ipvsMissing is about the machine that this runs on, where the engine that
// answered runs here too; other nodes' kernels are not known.
func ipvsMissing(l *look) (o outcome) {
	if l.kernel.IPVS {
		return o
	}
	var services []string
	var on []*swarm.Network
	var all []*swarm.Service
	for i := range l.s.Services {
		if sv := &l.s.Services[i]; len(sv.VIPs) > 0 {
			services, all = append(services, text.Clean(sv.Name)), append(all, sv)
			on = append(on, l.wanted(sv)...)
		}
	}
	if len(services) == 0 {
		return o
	}
	slices.Sort(services)
	f := l.onSwarm("the kernel of %s has no IPVS, so that virtual addresses and the routing mesh stay silent there (of %s); tasks.NAME and addresses of tasks work", text.Clean(l.s.Engine.Name), some(services))
	o.add(f.touching(on...).affecting(all...).then("load the kernel module ip_vs, or deploy with --endpoint-mode dnsrr"))
	return o
}
