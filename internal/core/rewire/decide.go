package rewire

import (
	"cmp"
	"fmt"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/placement"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// Wish is a change asked for one service.
type Wish struct {
	Service swarm.Service
	Change  Change
}

// Step is what a change does to one service.
type Step struct {
	Wish
	// Networks is the service's new list; Changed tells whether it differs from
	// the present one. Where it does not, nothing below is set.
	Networks []swarm.Attach
	Changed  bool
	// Restarts counts the tasks that the swarm replaces.
	Restarts int
	// Gains and Loses are the names in the DNS of the network joined and of the
	// network left.
	Gains, Loses []string
	// Apart are the services that can no longer reach this one: they share no
	// other network with it.
	Apart []string
	// Needs is what the service's networks must have free while it changes.
	Needs []addr.NetworkNeed
	// Warnings are what a person should know before agreeing.
	Warnings []string
}

// Plan is what a command does to services, one after another.
type Plan struct {
	Context string
	Steps   []Step
}

// Decide works out the wishes on one look at the swarm. The error lists all
// that stands in the way of any of them.
func Decide(s *swarm.Snapshot, wishes []Wish) (Plan, error) {
	p := Plan{Context: s.Context}
	book := addr.BookOf(s)
	var found []string
	told := map[string]bool{}
	for _, w := range wishes {
		if reason := cmp.Or(unfit(s, w.Change.On), bound(w.Change.Off)); reason != "" && !told[reason] {
			told[reason] = true
			found = append(found, reason)
		}
		step := stepOf(s, w)
		if step.Changed {
			reasons, needs := step.obstacles(s, book)
			step.Needs = needs
			found = append(found, reasons...)
		}
		p.Steps = append(p.Steps, step)
	}
	if len(found) == 0 {
		// What is misplaced makes these numbers meaningless.
		found = p.crowded(s, book)
	}
	if len(found) == 0 {
		return p, nil
	}
	return p, problem.Join(fmt.Sprintf("nothing was changed in context %q, since the swarm could not carry it out", s.Context), found)
}

// Changes counts the services that change, Restarts the tasks they replace.
func (p Plan) Changes() (services, restarts int) {
	for _, st := range p.Steps {
		if st.Changed {
			services++
			restarts += st.Restarts
		}
	}
	return services, restarts
}

// unfit says why no service can be on the network, "" when one can.
func unfit(s *swarm.Snapshot, n *swarm.Network) string {
	if n == nil {
		return ""
	}
	name := text.Clean(n.Name)
	switch {
	case n.Ingress:
		return fmt.Sprintf("network %q is the routing mesh, which a service joins by publishing a port (docker service update --publish-add), not by name", name)
	case n.Scope != "swarm":
		return fmt.Sprintf("network %q is local to engine %q, and a service needs a network of the swarm: make one with 'docker swarmnet create'", name, text.Clean(s.Engine.Name))
	case !n.Overlay():
		return fmt.Sprintf("network %q is no overlay network (driver %s)", name, text.Clean(n.Driver))
	case !n.Allocated():
		return fmt.Sprintf("the swarm has not allocated network %q, and tasks on it would stay in New (moby#37921): run 'docker swarmnet create' again with its options, or remove it", name)
	}
	return ""
}

// bound says why no service can be taken off the network by name, "" when one
// can.
func bound(n *swarm.Network) string {
	if n == nil || !n.Ingress {
		return ""
	}
	return fmt.Sprintf("network %q is the routing mesh, which a service leaves by publishing no port through it (docker service update --publish-rm), not by name", text.Clean(n.Name))
}

// stepOf works out one wish.
func stepOf(s *swarm.Snapshot, w Wish) Step {
	st := Step{Wish: w}
	st.Networks, st.Changed = w.Change.Of(w.Service)
	if !st.Changed {
		return st
	}
	if !w.Service.Mode.Job() {
		st.Restarts = s.LiveTasks(w.Service.ID)
	}
	after := w.Service
	after.Networks = st.Networks
	if n := w.Change.On; n != nil {
		st.Gains = without(namesOn(after, *n), namesOn(w.Service, *n))
		st.Warnings = append(st.Warnings, clashes(s, after, *n, st.Gains)...)
	}
	if n := w.Change.Off; n != nil {
		st.Loses = without(namesOn(w.Service, *n), namesOn(after, *n))
		st.Apart = apart(s, w.Service, after, *n)
	}
	st.Warnings = append(st.Warnings, st.notices()...)
	return st
}

// notices are the warnings that depend on the service alone.
func (st Step) notices() []string {
	var out []string
	sv := st.Service
	if stack := sv.Labels[deploy.LabelStack]; stack != "" {
		out = append(out, fmt.Sprintf("it belongs to stack %q, whose next deploy undoes this unless its file says the same", text.Clean(stack)))
	}
	switch sv.Update.State {
	case "updating", "paused", "rollback_started", "rollback_paused":
		out = append(out, fmt.Sprintf("its last update is %s, and this one takes its place", text.Clean(sv.Update.State)))
	}
	if len(st.Networks) == 0 {
		out = append(out, "it is then on no network of the swarm: nobody finds it by name")
	}
	return out
}

// obstacles is what keeps the swarm from rolling the change out, and what the
// service needs of its networks meanwhile.
func (st *Step) obstacles(s *swarm.Snapshot, book *addr.Book) (reasons []string, needs []addr.NetworkNeed) {
	suitable, _, err := placement.Nodes(s.Nodes, st.Service)
	name := text.Clean(st.Service.Name)
	if err != nil {
		return []string{fmt.Sprintf("service %q: %v", name, err)}, nil
	}
	if reason := NoRoom(st.Service, len(suitable), st.Restarts); reason != "" {
		return []string{fmt.Sprintf("service %q %s", name, reason)}, nil
	}
	return nil, book.Needs(st.demand(suitable))
}

// demand is the changed service, as far as addresses are concerned.
func (st Step) demand(suitable []swarm.Node) addr.Demand {
	after := st.Service
	after.Networks = st.Networks
	ids := make([]string, 0, len(suitable))
	for _, n := range suitable {
		ids = append(ids, n.ID)
	}
	d := addr.DemandOf(after, ids)
	// A job that is changed goes on as it is until its next run.
	d.Restart = !st.Service.Mode.Job()
	return d
}

// NoRoom says why a start-first update could never begin: the new task finds
// no node beside the old one, since a node has each host port once, and takes
// MaxPerNode tasks.
func NoRoom(sv swarm.Service, nodes, running int) string {
	if sv.UpdateOrder != "start-first" || running == 0 {
		return ""
	}
	perNode, why := 0, ""
	if sv.MaxPerNode > 0 {
		perNode, why = int(min(sv.MaxPerNode, 1<<30)), fmt.Sprintf("runs at most %d tasks on a node", sv.MaxPerNode)
	}
	for _, p := range sv.Ports {
		if p.Mode == "host" && p.Published != 0 {
			perNode, why = 1, fmt.Sprintf("publishes port %d/%s in host mode", p.Published, p.Protocol)
		}
	}
	if perNode == 0 || !sv.Mode.PerNode() && perNode*nodes > running {
		return ""
	}
	return fmt.Sprintf("starts new tasks before it stops old ones (start-first) and %s: its %d running tasks leave no node for a new one. Run 'docker service update --update-order stop-first %s' first, which restarts nothing",
		why, running, text.Clean(sv.Name))
}
