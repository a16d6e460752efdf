package mesh

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/migrate"
	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// usualName is what docker calls the ingress network of a new swarm.
const usualName = "ingress"

// Wish is what the new ingress network shall be. What is left out stays as it
// is.
type Wish struct {
	Subnets []swarm.Subnet
	Options map[string]string
}

// Plan is how ingress comes to what is wished for.
type Plan struct {
	Context string
	Job     Job
	// Old is the network to be replaced; nil when there is none.
	Old *swarm.Network
	// Changes are what is different afterwards; empty when nothing is.
	Changes []string
	// Services publish ports through ingress: those come off and back.
	Services []Service
	Steps    []string
	// Notes are what one should know.
	Notes []string
}

// Service is what happens to one service.
type Service struct {
	Name string
	// Ports are "8080->80/tcp".
	Ports []string
	// Tasks are its tasks, each of which restarts twice.
	Tasks int
}

// Restarts counts the restarts of tasks.
func (p Plan) Restarts() int {
	n := 0
	for _, sv := range p.Services {
		n += 2 * sv.Tasks
	}
	return n
}

// New works out how ingress becomes what is wished for. The error lists what
// stands in the way.
func New(s *swarm.Snapshot, w Wish) (Plan, error) {
	p := Plan{Context: s.Context}
	if _, ok := Find(s); ok {
		return p, UnderWay(s.Context)
	}
	before := swarm.NetworkSpec{}
	if n, ok := s.Ingress(); ok {
		before, p.Old = migrate.SpecOf(n), &n
	}
	goal := before
	goal.Name, goal.Ingress = cmp.Or(before.Name, usualName), true
	if len(w.Subnets) > 0 {
		goal.Subnets = w.Subnets
	}
	goal.Options = map[string]string{}
	maps.Copy(goal.Options, before.Options)
	maps.Copy(goal.Options, w.Options)
	p.Job = Job{Before: before, Goal: goal}
	if p.Old != nil {
		if p.Changes = netspec.Changes(*p.Old, goal); len(p.Changes) == 0 {
			return p, nil
		}
	}
	rest := *s
	rest.Networks = slices.DeleteFunc(slices.Clone(s.Networks), func(n swarm.Network) bool { return n.Ingress })
	d, err := netspec.Decide(&rest, netspec.Wish{Spec: goal})
	if err != nil {
		return p, err
	}
	p.Job.Goal.Subnets = d.Spec.Subnets
	if p.Old == nil {
		p.Changes = []string{"ingress: none → " + words(p.Job.Goal)}
	}
	publishing := having(s, swarm.Service.NeedsIngress)
	p.describe(s, publishing)
	return p, p.room(s, publishing)
}

// UnderWay is the error for a swarm whose ingress is being made anew, or was
// left in the middle of that.
func UnderWay(dockerContext string) error {
	return problem.New("the ingress network of context %q is being made anew already, or that was interrupted: services remember their ports", dockerContext).
		WithNext("%s", GoOn(dockerContext))
}

// GoOn is what to type to go on or to go back.
func GoOn(dockerContext string) string {
	return fmt.Sprintf("Run 'docker -c %s swarmnet ingress recreate --resume' to go on, or 'docker -c %[1]s swarmnet ingress recreate --undo' to have ingress as it was.", dockerContext)
}

// describe fills in what people read.
func (p *Plan) describe(s *swarm.Snapshot, publishing []swarm.Service) {
	step := func(format string, args ...any) { p.Steps = append(p.Steps, fmt.Sprintf(format, args...)) }
	var names []string
	for _, sv := range publishing {
		names = append(names, text.Clean(sv.Name))
		out := Service{Name: sv.Name, Tasks: s.LiveTasks(sv.ID)}
		for _, port := range sv.Ports {
			if port.Mode == "ingress" {
				out.Ports = append(out.Ports, fmt.Sprintf("%d->%d/%s", port.Published, port.Target, port.Protocol))
			}
		}
		p.Services = append(p.Services, out)
		if p.Old == nil {
			continue // nothing is taken off, or put back
		}
		for _, number := range sv.Chosen {
			p.Notes = append(p.Notes, fmt.Sprintf("port %d of %s was chosen by the swarm; to keep it, it becomes part of the service's spec", number, text.Clean(sv.Name)))
		}
	}
	list := strings.Join(names, ", ")
	if p.Old != nil {
		if list != "" {
			step("take the ports in the mesh off %s, which remember them in labels (restarts their tasks)", list)
		}
		step("wait until no task is left on network %q, and remove it", text.Clean(p.Old.Name))
	}
	step("create network %q, %s", text.Clean(p.Job.Goal.Name), words(p.Job.Goal))
	if p.Old != nil && list != "" {
		step("put the same ports back on %s (restarts their tasks)", list)
		step("wait until they are up and the mesh knows them, and take the labels off")
		p.Notes = append(p.Notes, "the ports above answer nowhere from the first step to the last")
	}
	if p.Old != nil && len(s.Services) == 0 {
		p.Notes = append(p.Notes, "there is no service to remember this: should it be killed in the middle, run the same command again")
	}
}

// room refuses a subnet that is too small for who must be on it: every node has
// a load balancer there, every publishing service a virtual address, each of
// its tasks an address, and one more where new tasks start beside old ones.
func (p *Plan) room(s *swarm.Snapshot, publishing []swarm.Service) error {
	need := len(s.Nodes)
	for _, sv := range publishing {
		tasks := s.LiveTasks(sv.ID)
		need += 1 + tasks
		if sv.UpdateOrder == "start-first" {
			need += min(tasks, int(min(cmp.Or(sv.UpdateParallel, uint64(tasks)), 1<<30))) //nolint:gosec // bounded
		}
	}
	empty := swarm.Network{ID: "new", Scope: "swarm", Subnets: p.Job.Goal.Subnets, Options: p.Job.Goal.Options}
	have := addr.Usage(&swarm.Snapshot{Networks: []swarm.Network{empty}}, empty).Free
	if have >= need {
		return nil
	}
	return problem.New("nothing was changed in context %q: ingress needs %d addresses (one for each of %d nodes, the services that publish and their tasks), and %s has %d", s.Context, need, len(s.Nodes), prefixes(p.Job.Goal.Subnets), have).
		WithNext("Choose a larger --subnet; the default is a /24.")
}

// words are a network's subnets and options.
func words(spec swarm.NetworkSpec) string {
	out := []string{prefixes(spec.Subnets)}
	for _, k := range slices.Sorted(maps.Keys(spec.Options)) {
		if k == swarm.OptMTU {
			out = append(out, "mtu "+text.Clean(spec.Options[k]))
			continue
		}
		out = append(out, text.Clean(strings.TrimSuffix(k+"="+spec.Options[k], "=")))
	}
	return strings.Join(out, ", ")
}

func prefixes(subnets []swarm.Subnet) string {
	out := make([]string, len(subnets))
	for i, s := range subnets {
		out[i] = s.Prefix.String()
	}
	return strings.Join(out, " and ")
}
