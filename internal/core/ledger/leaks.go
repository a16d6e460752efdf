package ledger

import (
	"math"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Leaks are the addresses of a network that its engine counts as in use and
// nobody holds: a swarm loses them when another network of a task goes before
// the task has ended (moby#37338).
type Leaks struct {
	// Known tells whether N can be told: the engine counts, and nothing on the
	// network is moving.
	Known bool
	N     int
}

// LeaksOf compares what the engine reports of a network with who holds its
// addresses. A network with several subnets is compared as a whole, since
// nobody can tell in which of them its load balancers are.
func LeaksOf(s *swarm.Snapshot, n swarm.Network, u addr.NetworkUsage) Leaks {
	reported := uint64(0)
	for _, sub := range n.Subnets {
		if !sub.Prefix.Addr().Is4() {
			continue
		}
		if sub.Reported == nil {
			return Leaks{}
		}
		reported += sub.Reported.InUse
	}
	if reported == 0 || reported > math.MaxInt32 || moving(s, n, u) {
		return Leaks{}
	}
	return Leaks{Known: true, N: max(0, int(reported)-u.InUse.Total())}
}

// moving tells whether addresses of the network are about to be given out or
// freed, so that two counts of them need not be the same.
func moving(s *swarm.Snapshot, n swarm.Network, u addr.NetworkUsage) bool {
	if u.Waiting > 0 {
		return true
	}
	wanted := map[string]bool{}
	for _, sv := range s.Services {
		if !sv.Wants(n) {
			continue
		}
		wanted[sv.ID] = true
		if sv.Update.State == "updating" || sv.Update.State == "rollback_started" {
			return true
		}
	}
	steady := func(state, desired swarm.TaskState) bool {
		return state.Ended() || state == swarm.TaskRunning && !desired.Ended()
	}
	for _, t := range s.Tasks {
		if _, on := t.On(n.ID); (on || wanted[t.ServiceID]) && !steady(t.State, t.Desired) {
			return true
		}
	}
	for _, a := range s.Attachments {
		if _, on := a.On(n.ID); on && !steady(a.State, a.Desired) {
			return true
		}
	}
	return false
}

// AnyLeaks tells whether an overlay network of the swarm seems to have lost
// addresses.
func AnyLeaks(s *swarm.Snapshot) bool {
	book := addr.BookOf(s)
	for _, n := range s.Networks {
		if n.Overlay() && LeaksOf(s, n, book.Usage(n)).N > 0 {
			return true
		}
	}
	return false
}

// Confirmed returns a second look with what was reported between it and the
// first one, for networks on which the same addresses were held both times:
// for others the report may be of a moment in between.
func Confirmed(first, second *swarm.Snapshot) *swarm.Snapshot {
	before, after := addr.BookOf(first), addr.BookOf(second)
	for i := range second.Networks {
		n := &second.Networks[i]
		old, ok := first.NetworkByID(n.ID)
		if !ok || len(old.Subnets) != len(n.Subnets) || before.Usage(old).InUse != after.Usage(*n).InUse {
			continue
		}
		for j := range n.Subnets {
			n.Subnets[j].Reported = old.Subnets[j].Reported
		}
	}
	return second
}

// StartFirst returns how many tasks of a network can be replaced at a time by
// a start-first update, in which a new task has its address beside the old
// one's, at worst: every task may come to a node that has no load balancer on
// the network yet.
func StartFirst(u addr.NetworkUsage, nodes []swarm.Node) int {
	return max(0, u.Free-min(u.InUse.Tasks, freshNodes(u, nodes)))
}

// freshNodes counts the nodes that may get their first task on the network.
func freshNodes(u addr.NetworkUsage, nodes []swarm.Node) int {
	fresh := 0
	for _, n := range nodes {
		if n.Ready() && n.Availability == "active" && !u.LBNodes[n.ID] {
			fresh++
		}
	}
	return fresh
}
