package addr

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// maxTasks keeps sums of task counts from overflowing an int.
const maxTasks = 1 << 30

// Demand is a service as it shall be, as far as addresses are concerned.
type Demand struct {
	// Service is the name, for messages.
	Service string
	// ServiceID is the service to be updated, "" for a new one.
	ServiceID string
	Mode      swarm.Mode
	// Replicas is the number of tasks, or of completions of a replicated job;
	// it does not count for global modes.
	Replicas uint64
	// MaxConcurrent is how many tasks of a replicated job run side by side; 0
	// stands for all.
	MaxConcurrent uint64
	// EndpointMode is "vip", "dnsrr" or "" for the default, which is vip.
	EndpointMode string
	// Networks are the IDs of the networks; ingress is added where it is needed.
	Networks []string
	// Ingress tells whether a port is published in the routing mesh.
	Ingress bool
	// Restart tells whether the update replaces all running tasks.
	Restart bool
	// StartFirst and Parallel are the update order and parallelism (0: all at
	// once). A new task then has its address beside the old one's.
	StartFirst bool
	Parallel   uint64
	// Nodes are the IDs of the nodes that may run the tasks.
	Nodes []string
}

// DemandOf returns what a service that exists asks for, unchanged.
func DemandOf(sv swarm.Service, nodes []string) Demand {
	d := Demand{
		Service: sv.Name, ServiceID: sv.ID, Mode: sv.Mode, Replicas: sv.Replicas, MaxConcurrent: sv.MaxConcurrent,
		EndpointMode: sv.EndpointMode, Ingress: sv.NeedsIngress(), Nodes: nodes,
		StartFirst: sv.UpdateOrder == "start-first", Parallel: sv.UpdateParallel,
	}
	for _, a := range sv.Networks {
		d.Networks = append(d.Networks, a.Target)
	}
	return d
}

// NetworkNeed is what deployments need of one network, at worst, beyond what
// is in use already.
type NetworkNeed struct {
	NetworkID string
	Network   string
	VIPs      int
	// Tasks are the tasks that have no address on the network yet.
	Tasks int
	// Surge are the new tasks that stand beside the old ones in a start-first
	// update. (A stop-first update makes the new task early too, but that one
	// waits for the address of the old one if it must.)
	Surge int
	// LoadBalancers are the nodes that get their first task on the network, at
	// worst: as many as there are new tasks, or all suitable ones.
	LoadBalancers int
	// Free is what the network has left now.
	Free int
}

// Total is how many addresses are needed at worst.
func (n NetworkNeed) Total() int { return n.VIPs + n.Tasks + n.Surge + n.LoadBalancers }

// Short is how many addresses are missing, 0 if they suffice.
func (n NetworkNeed) Short() int { return max(0, n.Total()-n.Free) }

// String tells the need in words: `network "web" needs 7 addresses (1 virtual,
// 4 tasks, 2 load balancers) and has 5 free`.
func (n NetworkNeed) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{n.VIPs, "virtual"},
		{n.Tasks, plural(n.Tasks, "task")},
		{n.Surge, "beside old tasks in a start-first update"},
		{n.LoadBalancers, plural(n.LoadBalancers, "load balancer")},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	s := fmt.Sprintf("network %q needs %d %s", n.Network, n.Total(), plural(n.Total(), "address"))
	if len(parts) > 0 {
		s += " (" + strings.Join(parts, ", ") + ")"
	}
	return fmt.Sprintf("%s and has %d free", s, n.Free)
}

func plural(n int, word string) string {
	switch {
	case n == 1:
		return word
	case strings.HasSuffix(word, "s"):
		return word + "es"
	default:
		return word + "s"
	}
}

// Needs returns what the demands, carried out together, need at worst of every
// network they name, in the order of the networks' names. A network that is
// still to be created must stand in the snapshot with its subnet. Networks that
// the snapshot does not hold are left out, and so are those that the swarm has
// not given a subnet yet.
func (b *Book) Needs(demands ...Demand) []NetworkNeed {
	var needs []NetworkNeed
	for _, n := range b.s.Networks {
		if n.Scope != "swarm" || len(n.Subnets) == 0 {
			continue
		}
		var on []Demand
		for _, d := range demands {
			if d.wants(n) {
				on = append(on, d)
			}
		}
		if len(on) > 0 {
			needs = append(needs, b.need(n, on))
		}
	}
	slices.SortFunc(needs, func(a, b NetworkNeed) int {
		return cmp.Or(cmp.Compare(a.Network, b.Network), cmp.Compare(a.NetworkID, b.NetworkID))
	})
	return needs
}

// MaxReplicas returns the largest number of replicas with which the demand, a
// replicated service, still fits into all its networks, with the load balancers of all nodes it may
// come to. -1 means that not even its virtual addresses fit. Tasks beyond that
// number stay in New; when all are asked for at once, the last ones that start
// take the addresses of load balancers, and virtual addresses fall silent on
// the nodes that get none.
func (b *Book) MaxReplicas(d Demand) int {
	fits := func(replicas int) bool {
		d.Replicas = uint64(replicas)
		for _, need := range b.Needs(d) {
			if need.Short() > 0 {
				return false
			}
		}
		return true
	}
	if !fits(0) {
		return -1
	}
	upper := len(b.s.Tasks)
	for _, need := range b.Needs(d) {
		upper += need.Free
	}
	return sort.Search(upper, func(n int) bool { return !fits(n + 1) })
}

func (d Demand) wants(n swarm.Network) bool {
	return n.Ingress && d.Ingress || slices.Contains(d.Networks, n.ID) || slices.Contains(d.Networks, n.Name)
}

// tasks is how many tasks the service has at a time when nothing is moving.
func (d Demand) tasks() int {
	switch {
	case d.Mode.PerNode():
		return len(d.Nodes)
	case d.Mode == swarm.ReplicatedJob && d.MaxConcurrent > 0:
		return int(min(d.Replicas, d.MaxConcurrent, maxTasks))
	default:
		return int(min(d.Replicas, maxTasks))
	}
}

// need computes what the demands on one network need of it.
func (b *Book) need(n swarm.Network, demands []Demand) NetworkNeed {
	usage := b.Usage(n)
	need := NetworkNeed{NetworkID: n.ID, Network: n.Name, Free: usage.Free}
	moving := 0
	fresh := map[string]bool{}
	for _, d := range demands {
		moving += b.add(&need, n, d)
		for _, id := range d.Nodes {
			if !usage.LBNodes[id] {
				fresh[id] = true
			}
		}
	}
	if !n.Ingress { // every node has its load balancer there already
		need.LoadBalancers = min(moving, len(fresh))
	}
	return need
}

// add adds what one demand needs and returns how many tasks may come to a node
// they were not on.
func (b *Book) add(need *NetworkNeed, n swarm.Network, d Demand) int {
	if d.EndpointMode != dnsrr && !hasVIP(b.services[d.ServiceID], n.ID) {
		need.VIPs++
	}
	held := 0
	if d.ServiceID != "" {
		held = b.tasks[member{d.ServiceID, n.ID}]
	}
	want := d.tasks()
	more := max(0, want-held)
	need.Tasks += more
	if !d.Restart {
		return more
	}
	replaced := min(want, held)
	switch {
	case d.Mode.Job():
		// The next run starts while the tasks of the last one are being stopped.
		need.Surge += replaced
	case d.StartFirst && d.Parallel == 0:
		need.Surge += replaced
	case d.StartFirst:
		need.Surge += int(min(uint64(replaced), d.Parallel))
	}
	return want
}

// Needs is Book.Needs of one snapshot.
func Needs(s *swarm.Snapshot, demands ...Demand) []NetworkNeed { return BookOf(s).Needs(demands...) }

// MaxReplicas is Book.MaxReplicas of one snapshot.
func MaxReplicas(s *swarm.Snapshot, d Demand) int { return BookOf(s).MaxReplicas(d) }
