// Package members answers who is on a network: services with their virtual
// addresses and names, their tasks, and containers made by "docker run", over
// all nodes of the swarm.
package members

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Kind tells what a member is.
type Kind string

// The kinds of members.
const (
	Service   Kind = "service"
	Task      Kind = "task"
	Container Kind = "container" // made by "docker run", on an attachable network
)

// Member is one service, task or container on a network.
type Member struct {
	Kind Kind
	ID   string
	// Name is the service's name; NAME.SLOT, or NAME.NODE of a global service,
	// for a task; the container's short ID for a container.
	Name string
	// Service is the name of the service a task belongs to, "" where the
	// service is gone and only its task is left.
	Service string
	Addrs   []netip.Prefix
	// Names are what the member answers to in the network's DNS besides its
	// own name.
	Names   []string
	NodeID  string
	Node    string // host name
	State   swarm.TaskState
	Desired swarm.TaskState
	Since   time.Time
	Err     string
	// Running and Wanted count a service's tasks.
	Running, Wanted int
	// EndpointMode is a service's: "vip" or "dnsrr".
	EndpointMode string
}

// Ended tells whether a task or container no longer runs.
func (m Member) Ended() bool { return m.Kind != Service && m.State.Ended() }

// Leaving tells whether the swarm is about to end a task or container.
func (m Member) Leaving() bool { return m.Kind != Service && m.Desired.Ended() }

// Of returns the members of a network: each service followed by its tasks,
// then tasks whose service is gone, then containers. Ended tasks are left out
// unless all is set.
func Of(s *swarm.Snapshot, n swarm.Network, all bool) []Member {
	var out []Member
	seen := make(map[string]bool)
	tasks := tasksByService(s)
	nodes := nodeNames(s)

	services := slices.Clone(s.Services)
	slices.SortFunc(services, func(a, b swarm.Service) int { return cmp.Compare(a.Name, b.Name) })
	for _, sv := range services {
		vip, hasVIP := vipOn(sv, n.ID)
		if !sv.Wants(n) && !hasVIP {
			continue
		}
		seen[sv.ID] = true
		own := taskMembers(tasks[sv.ID], sv.Name, n, nodes, all)
		out = append(out, serviceMember(s, sv, n, vip, tasks[sv.ID]))
		out = append(out, own...)
	}
	for _, sv := range services {
		// A service that was just taken off the network still has tasks there.
		if !seen[sv.ID] {
			seen[sv.ID] = true
			out = append(out, taskMembers(tasks[sv.ID], sv.Name, n, nodes, all)...)
		}
	}
	for _, id := range sortedKeys(tasks) {
		if !seen[id] {
			out = append(out, taskMembers(tasks[id], "", n, nodes, all)...)
		}
	}
	return append(out, containers(s, n, nodes, all)...)
}

func tasksByService(s *swarm.Snapshot) map[string][]swarm.Task {
	by := make(map[string][]swarm.Task)
	for _, t := range s.Tasks {
		by[t.ServiceID] = append(by[t.ServiceID], t)
	}
	return by
}

func nodeNames(s *swarm.Snapshot) map[string]string {
	names := make(map[string]string, len(s.Nodes))
	for _, n := range s.Nodes {
		names[n.ID] = cmp.Or(n.Hostname, n.ID)
	}
	return names
}

func sortedKeys(m map[string][]swarm.Task) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func vipOn(sv swarm.Service, networkID string) (netip.Prefix, bool) {
	for _, v := range sv.VIPs {
		if v.NetworkID == networkID {
			return v.Addr, true
		}
	}
	return netip.Prefix{}, false
}

func serviceMember(s *swarm.Snapshot, sv swarm.Service, n swarm.Network, vip netip.Prefix, tasks []swarm.Task) Member {
	m := Member{Kind: Service, ID: sv.ID, Name: sv.Name, Service: sv.Name, EndpointMode: sv.EndpointMode, Since: sv.Created}
	if vip.IsValid() {
		m.Addrs = []netip.Prefix{vip}
	}
	for _, a := range sv.Networks {
		if a.Target == n.ID || a.Target == n.Name {
			m.Names = append(m.Names, a.Aliases...)
		}
	}
	for _, t := range tasks {
		if t.State == swarm.TaskRunning && t.Desired == swarm.TaskRunning {
			m.Running++
		}
	}
	m.Wanted = wanted(sv, tasks)
	return m
}

// wanted counts the tasks a service is to have. Docker counts the tasks that a
// global service has rather than the nodes it could run on
// (docker/cli service list).
func wanted(sv swarm.Service, tasks []swarm.Task) int {
	if !sv.Mode.PerNode() {
		return int(sv.Replicas)
	}
	count := 0
	for _, t := range tasks {
		if !t.Desired.Ended() || t.Desired == swarm.TaskComplete {
			count++
		}
	}
	return count
}

func taskMembers(tasks []swarm.Task, service string, n swarm.Network, nodes map[string]string, all bool) []Member {
	var out []Member
	for _, t := range tasks {
		at, ok := t.On(n.ID)
		if !ok || (t.State.Ended() && !all) {
			continue
		}
		out = append(out, Member{
			Kind: Task, ID: t.ID, Name: taskName(t, service, nodes), Service: service, Addrs: at.Addrs,
			NodeID: t.NodeID, Node: cmp.Or(nodes[t.NodeID], t.NodeID), State: t.State, Desired: t.Desired,
			Since: t.StateSince, Err: t.Err,
		})
	}
	slices.SortFunc(out, func(a, b Member) int {
		return cmp.Or(compareNatural(a.Name, b.Name), b.Since.Compare(a.Since), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// taskName is what docker calls a task.
func taskName(t swarm.Task, service string, nodes map[string]string) string {
	service = cmp.Or(service, t.ServiceID)
	if t.Slot != 0 {
		return service + "." + strconv.Itoa(t.Slot)
	}
	return service + "." + cmp.Or(nodes[t.NodeID], t.NodeID, t.ID)
}

// compareNatural orders web.2 before web.10.
func compareNatural(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

func containers(s *swarm.Snapshot, n swarm.Network, nodes map[string]string, all bool) []Member {
	var out []Member
	for _, a := range s.Attachments {
		at, ok := a.On(n.ID)
		if !ok || (a.State.Ended() && !all) {
			continue
		}
		out = append(out, Member{
			Kind: Container, ID: a.ID, Name: short(cmp.Or(a.ContainerID, a.ID)), Addrs: at.Addrs,
			NodeID: a.NodeID, Node: cmp.Or(nodes[a.NodeID], a.NodeID), State: a.State, Desired: a.Desired,
			Since: a.Created, Err: a.Err,
		})
	}
	slices.SortFunc(out, func(a, b Member) int { return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Name, b.Name)) })
	return out
}

// short cuts an ID as docker does.
func short(id string) string {
	if len(id) > 12 {
		return id[:12]
	}
	return id
}
