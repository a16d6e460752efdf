package deploy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/placement"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// LabelStack is the label by which docker stack knows its services.
const LabelStack = "com.docker.stack.namespace"

// Preflight returns an error that lists all that stands in the way of a wish,
// each with the way out; nil when nothing does. changes is what the wish
// changes about the service that exists.
func Preflight(s *swarm.Snapshot, w Wish, changes []Change) error {
	found := Missed(s, w)
	found = append(found, existing(w)...)
	found = append(found, Obstacles(s, w)...)
	if len(found) == 0 {
		// What is missing or misplaced makes these numbers meaningless.
		found = addresses(s, w, Restarts(changes))
	}
	if len(found) == 0 {
		return nil
	}
	return problem.Join(fmt.Sprintf("service %s cannot be deployed on the swarm of context %q, and nothing was changed", name(w.Service), s.Context), found)
}

func name(sv swarm.Service) string {
	if sv.Name == "" {
		return "without a name"
	}
	return fmt.Sprintf("%q", text.Clean(sv.Name))
}

// Obstacles lists ports that others hold and tasks that no node would run.
func Obstacles(s *swarm.Snapshot, w Wish) []string { return append(ports(s, w), nodes(s, w)...) }

// Missed lists objects that are not there and networks a service cannot be on.
func Missed(s *swarm.Snapshot, w Wish) []string {
	var found []string
	for _, m := range w.Missing {
		switch m.Kind {
		case "network":
			found = append(found, missingNetwork(s, m.Name))
		default:
			found = append(found, fmt.Sprintf("%s %q does not exist: run 'docker %s create %s FILE' first, or see 'docker %[1]s ls'", m.Kind, m.Name, m.Kind, m.Name))
		}
	}
	for _, n := range w.Networks {
		if n.Ingress {
			found = append(found, fmt.Sprintf("network %q is the routing mesh, which a service joins by publishing a port (--publish), not by name", text.Clean(n.Ref)))
		}
	}
	return found
}

func missingNetwork(s *swarm.Snapshot, ref string) string {
	create := fmt.Sprintf("run 'docker swarmnet create %s' first", ref)
	for _, n := range s.Networks {
		switch {
		case n.Name == ref && n.Scope != "swarm":
			return fmt.Sprintf("network %q is local to engine %q, and a service needs a network of the swarm: give one another name with 'docker swarmnet create'", ref, text.Clean(s.Engine.Name))
		case n.Scope == "swarm" && strings.EqualFold(n.Name, ref):
			return fmt.Sprintf("network %q does not exist, but %q does: names are told apart by upper and lower case", ref, text.Clean(n.Name))
		}
	}
	return fmt.Sprintf("network %q does not exist: %s, or see 'docker swarmnet ls'", ref, create)
}

// existing covers what the swarm never changes about a service.
func existing(w Wish) []string {
	e := w.Existing
	if e == nil {
		return nil
	}
	var found []string
	service := text.Clean(e.Name)
	if e.Mode != w.Service.Mode {
		found = append(found, fmt.Sprintf("the service exists in mode %q, and the swarm cannot change it to %q: run 'docker service rm %s' first, or choose another --name", e.Mode, w.Service.Mode, service))
	}
	if stack := e.Labels[LabelStack]; stack != "" && w.Service.Labels[LabelStack] != stack {
		found = append(found, fmt.Sprintf("the service belongs to the stack %q: change the stack's file and deploy that, or choose another --name", text.Clean(stack)))
	}
	return found
}

// ports follows swarmkit's checkPortConflicts (manager/controlapi/service.go):
// a port of the routing mesh is nobody else's on the whole swarm; ports in host
// mode may meet, and the scheduler keeps them on different nodes.
func ports(s *swarm.Snapshot, w Wish) []string {
	var found []string
	type port struct {
		number   uint32
		protocol string
	}
	seen := map[port]bool{}
	for _, p := range w.Service.Ports {
		if w.Service.EndpointMode == "dnsrr" && p.Mode == "ingress" {
			found = append(found, fmt.Sprintf("port %d cannot be published in the routing mesh with --endpoint-mode dnsrr: use --publish mode=host,target=%d,published=%[1]d, or --endpoint-mode vip", p.Published, p.Target))
		}
		if p.Published == 0 {
			continue
		}
		key := port{p.Published, p.Protocol}
		if seen[key] {
			found = append(found, fmt.Sprintf("port %d/%s is published twice", p.Published, p.Protocol))
		}
		seen[key] = true
	}
	if _, ok := s.Ingress(); !ok && w.Service.NeedsIngress() {
		found = append(found, "a port is published in the routing mesh, and the swarm has no ingress network: run 'docker swarmnet ingress recreate' to make one, or publish with mode=host")
	}
	for _, sv := range s.Services {
		if sv.Name == w.Service.Name {
			continue // itself
		}
		for _, held := range sv.Ports {
			if seen[port{held.Published, held.Protocol}] && (held.Mode == "ingress" || publishes(w.Service, held, "ingress")) {
				found = append(found, fmt.Sprintf("port %d/%s is published by service %q already (mode %s): choose another, or run 'docker service update --publish-rm %d %s'",
					held.Published, held.Protocol, text.Clean(sv.Name), held.Mode, held.Target, text.Clean(sv.Name)))
			}
		}
	}
	return found
}

func publishes(sv swarm.Service, p swarm.Port, mode string) bool {
	return slices.ContainsFunc(sv.Ports, func(q swarm.Port) bool {
		return q.Published == p.Published && q.Protocol == p.Protocol && q.Mode == mode
	})
}

// nodes covers placement: whether the tasks find nodes at all.
func nodes(s *swarm.Snapshot, w Wish) []string {
	sv := w.Service
	suitable, refused, err := placement.Nodes(s.Nodes, sv)
	if err != nil {
		return []string{err.Error()}
	}
	if !sv.Mode.PerNode() && sv.Replicas == 0 {
		return nil
	}
	if len(suitable) == 0 {
		return []string{"no node can run it: " + reasons(refused)}
	}
	if sv.Mode.PerNode() {
		return nil
	}
	if limit := sv.MaxPerNode * uint64(len(suitable)); sv.MaxPerNode > 0 && !sv.Mode.Job() && limit < sv.Replicas {
		return []string{fmt.Sprintf("%d replicas with at most %d per node need more than the %d %s that can run it: lower --replicas or raise --replicas-max-per-node",
			sv.Replicas, sv.MaxPerNode, len(suitable), plural(len(suitable), "node"))}
	}
	return hostPorts(s, w, suitable)
}

// hostPorts counts the nodes on which the ports in host mode are free. A node
// takes one task of the service at most.
func hostPorts(s *swarm.Snapshot, w Wish, suitable []swarm.Node) []string {
	var wanted []swarm.Port
	for _, p := range w.Service.Ports {
		if p.Mode == "host" && p.Published != 0 {
			wanted = append(wanted, p)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	holders := map[string]string{} // by node ID
	for _, t := range s.Tasks {
		if !t.Live() || w.Existing != nil && t.ServiceID == w.Existing.ID {
			continue
		}
		owner, _ := s.ServiceByID(t.ServiceID)
		for _, p := range wanted {
			if publishes(owner, p, "host") {
				holders[t.NodeID] = fmt.Sprintf("%d/%s on %s is held by service %q", p.Published, p.Protocol, text.Clean(s.NodeName(t.NodeID)), text.Clean(owner.Name))
			}
		}
	}
	var held []string
	free := 0
	for _, n := range suitable {
		if h, ok := holders[n.ID]; ok {
			held = append(held, h)
			continue
		}
		free++
	}
	want := int(min(w.Service.Replicas, 1<<30))
	if w.Service.Mode == swarm.ReplicatedJob {
		want = 1
	}
	if free >= want {
		return nil
	}
	msg := fmt.Sprintf("%d %s in host mode: a port of a node serves one task, and it is free on %d of %d suitable nodes", want, plural(want, "replica"), free, len(suitable))
	if len(held) > 0 {
		msg += " (" + strings.Join(held, ", ") + ")"
	}
	return []string{msg + ": lower --replicas, use --mode global, or publish in the routing mesh"}
}

// reasons says why nodes refuse, a reason once with its nodes.
func reasons(refused []placement.Refusal) string {
	if len(refused) == 0 {
		return "the swarm has no nodes"
	}
	byReason := map[string][]string{}
	var order []string
	for _, r := range refused {
		if byReason[r.Reason] == nil {
			order = append(order, r.Reason)
		}
		byReason[r.Reason] = append(byReason[r.Reason], text.Clean(cmp.Or(r.Node.Hostname, r.Node.ID)))
	}
	var out []string
	for _, reason := range order {
		out = append(out, some(byReason[reason])+": "+text.Clean(reason))
	}
	return strings.Join(out, "; ")
}

// some names a handful and counts the rest.
func some(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// addresses compares what the service needs of its networks with what is left.
func addresses(s *swarm.Snapshot, w Wish, restarts bool) []string {
	suitable, _, err := placement.Nodes(s.Nodes, w.Service)
	if err != nil {
		return nil
	}
	ids := make([]string, 0, len(suitable))
	for _, n := range suitable {
		ids = append(ids, n.ID)
	}
	d := addr.DemandOf(w.Service, ids)
	if w.Existing != nil {
		d.ServiceID, d.Restart = w.Existing.ID, restarts
	}
	book := addr.BookOf(s)
	var found []string
	for _, need := range book.Needs(d) {
		if need.Short() == 0 {
			continue
		}
		msg := need.String()
		if d.Mode == swarm.Replicated {
			if most := book.MaxReplicas(d); most > 0 {
				msg += fmt.Sprintf(": at most %d %s fit; lower --replicas or use a larger network", most, plural(most, "replica"))
			} else {
				msg += ": use a larger network, or remove services from this one"
			}
		} else {
			msg += ": use a larger network, or remove services from this one"
		}
		found = append(found, msg)
	}
	return found
}
