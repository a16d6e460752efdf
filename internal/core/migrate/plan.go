package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// Plan is a whole migration, worked out before anything is touched.
type Plan struct {
	Context string
	// Old is the network as it is.
	Old swarm.Network
	Job Job
	// Twin is the network to make first: the twin, or where the network is
	// renamed, the new one. Its subnets are chosen, and chosen again when
	// somebody else is quicker.
	Twin netspec.Wish
	// TwinSubnets are the subnets that the twin gets as things stand.
	TwinSubnets []swarm.Subnet
	// Changes are what will be different about the network, one sentence each.
	Changes  []string
	Services []Service
	// Needs are the addresses that the networks need at worst.
	Needs []Need
	// Steps are what is done, in order, for people.
	Steps []string
	// Notes are what to know before agreeing.
	Notes []string
	// OtherStacks are stacks other than the network's whose services restart.
	OtherStacks []string
	// Least is how long it takes at the very least.
	Least time.Duration
}

// Service is what a migration does to one service.
type Service struct {
	ID    string
	Name  string
	Stack string
	// Tasks are its tasks, each of which restarts Restarts times.
	Tasks, Restarts int
	// Direct tells that it moves in one update, since nobody it talks to does.
	Direct bool
	// Order is "start-first" or "stop-first".
	Order string
	// Gap tells that for a moment no task of it runs.
	Gap bool
}

// Need is what a network must have room for.
type Need struct {
	Network      string
	Needed, Free int
	// Detail says what for.
	Detail string
}

// Short tells whether the addresses do not suffice.
func (n Need) Short() bool { return n.Needed > n.Free }

// New works out the migration of a network. The error lists all that stands in
// its way.
func New(s *swarm.Snapshot, n swarm.Network, w Wish) (Plan, error) {
	p := Plan{Context: s.Context, Old: n}
	if n.Ingress {
		return p, problem.New("network %q of context %q is the routing mesh, which services join by publishing a port and which cannot have a twin", text.Clean(n.Name), s.Context).
			WithNext("Run 'docker -c %s swarmnet ingress recreate' with the options it is to have.", s.Context)
	}
	if j, under := Find(s, n.Name); under {
		return p, problem.New("network %q of context %q is being migrated already", text.Clean(j.Before.Name), s.Context).
			WithNext("%s", GoOn(s.Context, j))
	}
	if !n.Allocated() {
		return p, problem.New("the swarm of context %q has not allocated network %q, so no task can be on it: remove it with 'docker -c %[1]s swarmnet rm %[2]s' and create it as it shall be", s.Context, text.Clean(n.Name))
	}
	goal, err := w.goal(n)
	if err != nil {
		return p, err
	}
	p.Job = Job{Before: SpecOf(n), Goal: goal}
	if w.Rename == "" {
		p.Job.Twin = twinName(n.Name)
	}
	members := on(s, n)
	found := w.unknownLeaves(members)
	p.Job.Direct = direct(members, w.Leaves)
	if err := p.choose(s, w); err != nil {
		return p, err
	}
	if p.Changes = netspec.Changes(n, p.Job.Goal); len(p.Changes) == 0 {
		return p, nil
	}
	for _, sv := range members {
		p.Services = append(p.Services, p.service(s, sv))
	}
	p.OtherStacks = p.foreign()
	found = append(found, p.obstacles(s, members)...)
	if len(p.OtherStacks) > 0 && !w.OtherStacks {
		found = append(found, p.unasked())
	}
	if len(found) == 0 {
		p.need(s, members, max(w.Parallel, 1))
		for _, need := range p.Needs {
			if need.Short() {
				found = append(found, need.short(n.Name))
			}
		}
	}
	p.describe(members)
	if len(found) > 0 {
		return p, problem.Join(fmt.Sprintf("network %q of context %q cannot be migrated, and nothing was changed", text.Clean(n.Name), s.Context), found)
	}
	return p, nil
}

// GoOn are the commands that go on with a migration or undo it.
func GoOn(dockerContext string, j Job) string {
	name := text.Clean(j.Before.Name)
	return fmt.Sprintf("Run 'docker -c %s swarmnet migrate --resume %s' to go on with it, or 'docker -c %[1]s swarmnet migrate --undo %[2]s' to take it back.", dockerContext, name)
}

// direct chooses the services that move in one update: those that nobody
// calls, or, where none are known, one service of a single task, which has no
// peer of its own. It may be one only: any two may talk to each other.
func direct(members []swarm.Service, leaves []string) []string {
	var ids []string
	for _, sv := range members {
		if slices.Contains(leaves, sv.Name) {
			ids = append(ids, sv.ID)
		}
	}
	if len(ids) > 0 {
		return ids
	}
	single := slices.DeleteFunc(slices.Clone(members), func(sv swarm.Service) bool {
		return sv.Mode != swarm.Replicated || sv.Replicas != 1
	})
	if len(single) == 0 {
		return nil
	}
	// The restart of a stop-first service is an outage: it gets the fewest.
	slices.SortStableFunc(single, func(a, b swarm.Service) int { return -cmp.Compare(a.UpdateOrder, b.UpdateOrder) })
	return []string{single[0].ID}
}

func (w Wish) unknownLeaves(members []swarm.Service) []string {
	var found []string
	for _, leaf := range w.Leaves {
		if !slices.ContainsFunc(members, func(sv swarm.Service) bool { return sv.Name == leaf }) {
			found = append(found, fmt.Sprintf("--leaf %q: no service of that name is on the network", text.Clean(leaf)))
		}
	}
	return found
}

// choose settles the addresses of the new network and of the twin.
func (p *Plan) choose(s *swarm.Snapshot, w Wish) error {
	wanted := netspec.Wish{Spec: p.Job.Goal, Bits: w.Bits, Pools: w.Pools, Avoid: w.Avoid}
	if w.Rename != "" {
		if wanted.Bits == 0 && !w.choosesSubnet() {
			wanted.Bits = largest(p.Old.Subnets)
		}
		d, err := netspec.Decide(s, wanted)
		if err != nil {
			return err
		}
		if d.Existing != nil {
			d.Spec.Subnets = d.Existing.Subnets
		}
		p.Job.Goal.Subnets = d.Spec.Subnets
		p.Twin = netspec.Wish{Spec: p.Job.Goal}
		p.TwinSubnets = p.Job.Goal.Subnets
		return nil
	}
	// The new network comes when the old one is gone, and may have its addresses.
	without := *s
	if len(p.Job.Goal.Subnets) > 0 {
		without.Networks = slices.DeleteFunc(slices.Clone(s.Networks), func(n swarm.Network) bool { return n.ID == p.Old.ID })
	}
	final := wanted
	final.Spec.Name = p.Job.Twin // the old network has its name
	d, err := netspec.Decide(&without, final)
	if err != nil {
		return err
	}
	p.Job.Goal.Subnets = d.Spec.Subnets
	spec, err := p.Job.twinSpec()
	if err != nil {
		return err
	}
	p.Twin = netspec.Wish{Spec: spec, Bits: largest(p.Job.Goal.Subnets), Avoid: w.Avoid, Pools: w.Pools}
	for _, sub := range p.Job.Goal.Subnets {
		p.Twin.Avoid = append(p.Twin.Avoid, sub.Prefix)
	}
	if d, err = netspec.Decide(s, p.Twin); err != nil {
		return err
	}
	p.TwinSubnets = d.Spec.Subnets
	return nil
}

// service works out what happens to one service.
func (p *Plan) service(s *swarm.Snapshot, sv swarm.Service) Service {
	out := Service{
		ID: sv.ID, Name: sv.Name, Stack: sv.Labels[labelStack], Tasks: running(s, sv),
		Direct: slices.Contains(p.Job.Direct, sv.ID), Order: sv.UpdateOrder,
	}
	if out.Tasks == 0 {
		return out
	}
	out.Restarts = p.passes() * 2
	if out.Direct {
		out.Restarts = p.passes()
	}
	out.Gap = sv.UpdateOrder != "start-first" && (out.Tasks == 1 || sv.UpdateParallel == 0 || sv.UpdateParallel >= uint64(out.Tasks))
	return out
}

// passes is how often the services move to another network.
func (p *Plan) passes() int {
	if p.Job.Renames() {
		return 1
	}
	return 2
}

// labelStack is what docker stack deploy marks its objects with.
const labelStack = "com.docker.stack.namespace"

// foreign returns the stacks, other than the network's own, that services on
// it belong to. A network of no stack is shared; so is then every stack on it,
// unless there is but one.
func (p *Plan) foreign() []string {
	var stacks []string
	own := p.Old.Labels[labelStack]
	for _, sv := range p.Services {
		if sv.Stack != "" && sv.Stack != own && !slices.Contains(stacks, sv.Stack) {
			stacks = append(stacks, sv.Stack)
		}
	}
	if own == "" && len(stacks) == 1 {
		return nil
	}
	slices.Sort(stacks)
	return stacks
}

// unasked names the services of other stacks.
func (p *Plan) unasked() string {
	var names []string
	for _, sv := range p.Services {
		if slices.Contains(p.OtherStacks, sv.Stack) {
			names = append(names, fmt.Sprintf("%s (stack %s)", text.Clean(sv.Name), text.Clean(sv.Stack)))
		}
	}
	return fmt.Sprintf("services of several stacks would restart: %s. Add --all-stacks if their owners agree", strings.Join(names, ", "))
}

// running counts a service's tasks that are to run on.
func running(s *swarm.Snapshot, sv swarm.Service) int {
	count := 0
	for _, t := range s.Tasks {
		if t.ServiceID == sv.ID && t.State == swarm.TaskRunning && !t.Desired.Ended() {
			count++
		}
	}
	return count
}
