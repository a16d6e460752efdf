package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// The names of the steps, in their order.
const (
	stepExists    = "exists"
	stepNetwork   = "network"
	stepAddresses = "addresses"
	stepPlaced    = "placed"
	stepRunning   = "running"
	stepHealthy   = "healthy"
	stepName      = "name"
	stepGossip    = "gossip"
	stepPorts     = "ports"
	stepKernel    = "kernel"
)

func (w *walk) exists() Step {
	s := Step{Name: stepExists, Status: OK, Evidence: fmt.Sprintf("service %s, %s", text.Clean(w.sv.Name), w.wanted())}
	if w.sv.Mode == swarm.Replicated && w.sv.Replicas == 0 {
		s.Status = Broken
		s.Cause = fmt.Sprintf("The service %q is scaled to no replica", text.Clean(w.sv.Name))
		s.Fix = "docker service scale " + text.Clean(w.sv.Name) + "=1"
	}
	return s
}

func (w *walk) wanted() string {
	if w.sv.Mode.PerNode() {
		return "a task on each node"
	}
	return plural(int(min(w.sv.Replicas, 1<<31-1)), "replica") //nolint:gosec // bounded in the same expression
}

// network holds that the networks exist and are made, and that the two services
// have one in common. Ingress carries no traffic between services.
func (w *walk) network() Step {
	if s := w.judged(stepNetwork, "", "SN409", "SN301", "SN308"); s.Status == Broken {
		return s
	}
	// A task's own finding tells of networks that were not made just now.
	for _, n := range w.networks {
		if !n.Allocated() {
			return Step{
				Name: stepNetwork, Status: Broken, Evidence: "network " + text.Clean(n.Name) + " has no driver or subnet yet",
				Cause: fmt.Sprintf("The swarm has not made the network %q", text.Clean(n.Name)), Fix: "docker swarmnet check " + text.Clean(n.Name),
			}
		}
	}
	s := Step{Name: stepNetwork, Status: OK, Evidence: "on " + list(w.networks)}
	if len(w.networks) == 0 {
		s.Evidence = "on no overlay network"
	}
	if w.in.From == nil {
		return s
	}
	var common, theirs []swarm.Network
	for _, n := range w.s.Networks {
		if !n.Overlay() || n.Ingress || !w.in.From.Wants(n) {
			continue
		}
		theirs = append(theirs, n)
		if w.sv.Wants(n) {
			common = append(common, n)
		}
	}
	if len(common) > 0 {
		s.Evidence = "both services are on " + list(common)
		return s
	}
	to, from := text.Clean(w.sv.Name), text.Clean(w.in.From.Name)
	s.Status, s.Evidence = Broken, fmt.Sprintf("%s is on %s, %s on %s", to, list(w.networks), from, list(theirs))
	s.Cause = fmt.Sprintf("The services %q and %q have no network in common", from, to)
	s.Fix = "docker swarmnet attach NETWORK " + from
	for _, n := range w.networks {
		if !n.Ingress {
			s.Fix = "docker swarmnet attach " + text.Clean(n.Name) + " " + from
		}
	}
	return s
}

func list(networks []swarm.Network) string {
	if len(networks) == 0 {
		return "no network"
	}
	names := make([]string, len(networks))
	for i, n := range networks {
		names[i] = text.Clean(n.Name)
	}
	return strings.Join(names, ", ")
}

// addresses holds that its networks have addresses free, or nobody waits for
// one, that it has its own, and that no address has two holders.
func (w *walk) addresses() Step {
	book := addr.BookOf(w.s)
	var free []string
	for _, n := range w.networks {
		u := book.Usage(n)
		free = append(free, fmt.Sprintf("%s has %d of %d free", text.Clean(n.Name), u.Free, u.Capacity))
	}
	var own []string
	for _, v := range w.sv.VIPs {
		own = append(own, v.Addr.Addr().String())
	}
	evidence := strings.Join(free, ", ")
	if len(own) > 0 {
		evidence += "; virtual address " + strings.Join(own, ", ")
	}
	// A network that is full harms nobody who has an address.
	s := w.judged(stepAddresses, evidence, "SN416", "SN401", "SN208")
	if s.Status == Broken || !w.waits() {
		return s
	}
	if f, ok := w.found("SN201"); ok {
		return broken(stepAddresses, f)
	}
	return s
}

// waits tells whether a task of the service has no address yet.
func (w *walk) waits() bool {
	return slices.ContainsFunc(w.tasks, func(t swarm.Task) bool { return t.State == swarm.TaskNew })
}

func (w *walk) placed() Step {
	placed := 0
	for _, t := range w.tasks {
		if t.NodeID != "" {
			placed++
		}
	}
	s := w.judged(stepPlaced, fmt.Sprintf("%s of %s have a node", number(placed), w.wanted()), "SN402")
	if s.Status == OK && placed == 0 && !w.sv.Mode.Job() {
		return w.notYet(s)
	}
	return s
}

// notYet is the state of a step that has not been reached and that nothing is
// known to keep from being reached.
func (w *walk) notYet(s Step) Step {
	if _, ok := w.found("SN403", "SN418", "SN404", "SN405"); ok {
		return s // the next step knows
	}
	s.Status = Unknown
	s.Evidence = "no task yet: the swarm is at it, or has given up"
	return s
}

// running holds that tasks run: not rejected, with their image, not failing.
func (w *walk) running() Step {
	var where []string
	running := 0
	for _, t := range w.tasks {
		if t.State != swarm.TaskRunning {
			continue
		}
		running++
		on := text.Clean(w.s.NodeName(t.NodeID))
		if a := addressOf(t); a != "" {
			on += " (" + a + ")"
		}
		where = append(where, on)
	}
	evidence := fmt.Sprintf("%s of %s run", number(running), w.wanted())
	if len(where) > 0 {
		evidence += ": " + some(where)
	}
	s := w.judged(stepRunning, evidence, "SN403", "SN418", "SN404", "SN405", "SN407")
	if s.Code == "SN404" && strings.Contains(s.Evidence, "unhealthy") {
		return Step{Name: stepRunning, Status: OK, Evidence: "tasks start"}
	}
	if s.Status == OK && running == 0 && !w.sv.Mode.Job() {
		s.Status = Unknown
		s.Evidence = "none runs yet"
		for _, t := range w.tasks {
			s.Evidence = fmt.Sprintf("none runs yet: a task is %s for %s", t.State, w.s.Taken.Sub(t.Created).Round(time.Second))
		}
	}
	return s
}

func addressOf(t swarm.Task) string {
	for _, on := range t.Networks {
		for _, a := range on.Addrs {
			return a.Addr().String()
		}
	}
	return ""
}

// healthy holds that health checks pass: a task that does not pass is in no
// DNS answer and gets no traffic.
func (w *walk) healthy() Step {
	s := w.judged(stepHealthy, "its health check passes where tasks run", "SN404")
	if s.Status == OK && !w.sv.HasHealthcheck {
		s.Evidence = "it sets no health check (its image may have one)"
	}
	return s
}

func (w *walk) name() Step {
	names := []string{text.Clean(w.sv.Name)}
	for _, a := range w.sv.Networks {
		for _, alias := range a.Aliases {
			if alias = text.Clean(alias); !slices.Contains(names, alias) {
				names = append(names, alias)
			}
		}
	}
	return w.judged(stepName, "answers to "+strings.Join(names, ", ")+", alone", "SN408")
}

// settled is how old a task must be for the gossip to know it for sure: one
// round of the bulk sync (moby libnetwork networkdb), which repairs what the
// fast rounds lost.
const settled = 30 * time.Second

// gossip compares the addresses of tasks with what the manager knows of them
// from other nodes. It can only look at networks that it has a task on itself.
func (w *walk) gossip() Step {
	s := Step{Name: stepGossip, Status: Unknown, Evidence: "the manager has no task on its networks, so it takes no part in their gossip"}
	now := w.s.Taken
	if !w.s.Engine.Clock.IsZero() {
		now = w.s.Engine.Clock
	}
	seen, fresh := 0, 0
	for _, n := range w.networks {
		g, ok := w.in.Gossip[n.ID]
		if !ok || n.Ingress {
			continue
		}
		for _, t := range w.tasks {
			on, is := t.On(n.ID)
			if !is || t.State != swarm.TaskRunning || len(on.Addrs) == 0 {
				continue
			}
			a := on.Addrs[0].Addr().String()
			switch {
			case slices.Contains(g.Addrs[w.sv.Name], a):
				seen++
			case now.Sub(t.StateSince) < settled:
				fresh++
			default:
				s.Status, s.Evidence = Broken, fmt.Sprintf("the manager does not know %s of %s on network %s, which runs on %s",
					a, text.Clean(w.sv.Name), text.Clean(n.Name), text.Clean(w.s.NodeName(t.NodeID)))
				s.Cause = "The gossip between the nodes has lost a task: " + s.Evidence
				s.Fix = "docker service update --force " + text.Clean(w.sv.Name) + ", and see 'docker swarmnet ports'"
				return s
			}
		}
	}
	switch {
	case fresh > 0:
		s.Evidence = fmt.Sprintf("%s for less than %s: too early to tell", plural(fresh, "task"), settled)
	case seen > 0:
		s.Status, s.Evidence = OK, fmt.Sprintf("the manager knows all %s", plural(seen, "task"))
	}
	return s
}

func (w *walk) ports() Step {
	var published []string
	for _, p := range w.sv.Ports {
		published = append(published, fmt.Sprintf("%d→%d/%s (%s)", p.Published, p.Target, text.Clean(p.Protocol), text.Clean(p.Mode)))
	}
	evidence := "it publishes none"
	if len(published) > 0 {
		evidence = strings.Join(published, ", ")
	}
	if _, ok := w.s.Ingress(); !ok && w.sv.NeedsIngress() {
		return Step{
			Name: stepPorts, Status: Broken, Code: "SN307", Evidence: evidence,
			Cause: "Ports are published in the routing mesh, and the swarm has no ingress network",
			Fix:   "docker swarmnet ingress recreate",
		}
	}
	return w.judged(stepPorts, evidence, "SN411", "SN410", "SN412")
}

func (w *walk) kernel() Step {
	if w.sv.EndpointMode == "dnsrr" || len(w.sv.VIPs) == 0 {
		return Step{Name: stepKernel, Status: OK, Evidence: "it has no virtual address, which alone needs IPVS"}
	}
	return w.judged(stepKernel, "the manager's kernel has IPVS, which virtual addresses need", "SN417")
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func number(n int) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprint(n)
}

// some names a handful and counts the rest.
func some(words []string) string {
	const most = 4
	if len(words) <= most {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
}
