package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/members"
	"github.com/swarmnet/docker-swarmnet/internal/core/placement"
	"github.com/swarmnet/docker-swarmnet/internal/core/rewire"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// obstacles lists what could not follow or would hold the migration up.
func (p *Plan) obstacles(s *swarm.Snapshot, services []swarm.Service) []string {
	var found []string
	for _, h := range members.RemovalOf(s, p.Old).Holders {
		if h.Member.Kind == members.Container {
			found = append(found, fmt.Sprintf("%s was started by \"docker run\" and cannot follow: %s", text.Clean(h.Who), text.Clean(h.Free)))
		}
	}
	for _, sv := range services {
		name := text.Clean(sv.Name)
		if sv.Mode.Job() {
			if live := live(s, sv); live > 0 {
				found = append(found, fmt.Sprintf("service %q is a job with %d tasks under way, which keep the network until they end: wait for them, or 'docker service rm %[1]s'", name, live))
			}
			continue
		}
		if up, want := running(s, sv), wanted(s, sv); up < want {
			found = append(found, fmt.Sprintf("service %q is not up (%d of %d tasks), so it could not be told whether it comes up on the new network: mend it first, or 'docker service scale %[1]s=%[2]d'", name, up, want))
			continue
		}
		nodes, _, err := placement.Nodes(s.Nodes, sv)
		if err != nil {
			found = append(found, fmt.Sprintf("service %q: %v", name, err))
			continue
		}
		if reason := rewire.NoRoom(sv, len(nodes), running(s, sv)); reason != "" {
			found = append(found, fmt.Sprintf("service %q %s", name, reason))
		}
	}
	return found
}

// live counts a service's tasks that have not ended.
func live(s *swarm.Snapshot, sv swarm.Service) int {
	count := 0
	for _, t := range s.Tasks {
		if t.ServiceID == sv.ID && !t.State.Ended() {
			count++
		}
	}
	return count
}

// wanted is how many tasks are to run; of a service with one on each node,
// those that the swarm has made.
func wanted(s *swarm.Snapshot, sv swarm.Service) int {
	if !sv.Mode.PerNode() {
		return int(min(sv.Replicas, 1<<30))
	}
	return s.LiveTasks(sv.ID)
}

// need works out the addresses that each network must have room for.
func (p *Plan) need(s *swarm.Snapshot, services []swarm.Service, parallel int) {
	fresh := *s
	const twinID, finalID = "the twin", "the new network"
	fresh.Networks = append(slices.Clone(s.Networks), swarm.Network{ID: twinID, Name: p.Twin.Spec.Name, Scope: "swarm", Subnets: p.TwinSubnets})
	if !p.Job.Renames() {
		fresh.Networks = append(fresh.Networks, swarm.Network{ID: finalID, Name: p.Job.Goal.Name + " (new)", Scope: "swarm", Subnets: p.Job.Goal.Subnets})
	}
	book := addr.BookOf(&fresh)
	var joining []addr.Demand
	var surges []int
	for _, sv := range services {
		nodes, _, err := placement.Nodes(s.Nodes, sv)
		if err != nil {
			continue // an obstacle already
		}
		ids := make([]string, 0, len(nodes))
		for _, n := range nodes {
			ids = append(ids, n.ID)
		}
		d := addr.DemandOf(sv, ids)
		d.Networks, d.Ingress = []string{twinID, finalID}, false
		joining = append(joining, d)
		surges = append(surges, p.surge(book, sv, ids))
	}
	slices.SortFunc(surges, func(a, b int) int { return -cmp.Compare(a, b) })
	surge := 0
	for _, n := range surges[:min(parallel, len(surges))] {
		surge += n
	}
	if surge > 0 {
		free := book.Usage(p.Old).Free
		p.Needs = append(p.Needs, Need{Network: p.Old.Name, Needed: surge, Free: free, Detail: "for new tasks beside old ones"})
	}
	for _, n := range book.Needs(joining...) {
		detail := fmt.Sprintf("%d virtual, %d for tasks, %d for load balancers", n.VIPs, n.Tasks, n.LoadBalancers)
		if surge > 0 {
			detail += fmt.Sprintf(", %d for new tasks beside old ones", surge)
		}
		p.Needs = append(p.Needs, Need{Network: n.Network, Needed: n.Total() + surge, Free: n.Free, Detail: detail})
	}
}

// surge is how many new tasks of a service stand beside old ones while it
// moves. A service that moves in one update has them on the new network only.
func (p *Plan) surge(book *addr.Book, sv swarm.Service, nodes []string) int {
	if slices.Contains(p.Job.Direct, sv.ID) {
		return 0
	}
	d := addr.DemandOf(sv, nodes)
	d.Networks, d.Ingress, d.Restart = []string{p.Old.ID}, false, !sv.Mode.Job()
	for _, n := range book.Needs(d) {
		return n.Surge
	}
	return 0
}

// short says what is missing and what helps.
func (n Need) short(old string) string {
	msg := fmt.Sprintf("network %q needs %d free addresses (%s) and has %d", text.Clean(n.Network), n.Needed, n.Detail, n.Free)
	if n.Network == old {
		return msg + ": scale a service on it down by as many, or let start-first services stop first ('docker service update --update-order stop-first SERVICE', which restarts nothing)"
	}
	return msg + ": choose a larger --size or --subnet"
}

// startTime is a low guess at how long one batch of tasks takes to be replaced.
const startTime = 5 * time.Second

// describe fills in what people read: the steps, what to know, how long.
func (p *Plan) describe(services []swarm.Service) {
	both, one := p.names(false), p.names(true)
	step := func(format string, args ...any) { p.Steps = append(p.Steps, fmt.Sprintf(format, args...)) }
	move := func(from, to string) {
		if len(both) > 0 {
			step("put %s on network %q too, beside %q (restarts their tasks)", strings.Join(both, ", "), to, from)
		}
		if len(one) > 0 {
			step("move %s from network %q to %q (restarts its tasks)", strings.Join(one, ", "), from, to)
		}
		if len(both) > 0 {
			step("take %s off network %q (restarts their tasks)", strings.Join(both, ", "), from)
		}
		step("wait until no task is left on network %q, and remove it", from)
	}
	old, next := text.Clean(p.Old.Name), text.Clean(p.Twin.Spec.Name)
	step("create network %q, %s", next, subnets(p.TwinSubnets))
	move(old, next)
	if !p.Job.Renames() {
		step("create network %q as asked for, %s", old, subnets(p.Job.Goal.Subnets))
		move(next, old)
	}
	for i, sv := range p.Services {
		if sv.Gap && sv.Restarts > 0 {
			p.Notes = append(p.Notes, fmt.Sprintf("service %q stops all its tasks before it starts new ones: it is away for a moment, %s", text.Clean(sv.Name), text.Count(sv.Restarts, "time")))
		}
		if sv.Restarts > 0 {
			p.Least += time.Duration(sv.Restarts) * roll(services[i], sv.Tasks)
		}
	}
	if !p.Job.Renames() && len(p.Services) > 0 {
		p.Notes = append(p.Notes, "a swarm has each network name once, so the services move twice to have the old name again; with --rename NEW they move once, and stack files must then say the new name")
	}
}

// roll is how long the update of a service takes at the very least.
func roll(sv swarm.Service, tasks int) time.Duration {
	batches := 1
	if par := int(min(sv.UpdateParallel, 1<<30)); par > 0 {
		batches = (tasks + par - 1) / par
	}
	return time.Duration(batches)*startTime + cmp.Or(sv.UpdateMonitor, 5*time.Second)
}

// names are the services that move in two updates, or in one.
func (p *Plan) names(direct bool) []string {
	var out []string
	for _, sv := range p.Services {
		if sv.Direct == direct {
			out = append(out, text.Clean(sv.Name))
		}
	}
	return out
}

func subnets(in []swarm.Subnet) string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = s.Prefix.String()
	}
	return strings.Join(out, " and ")
}
