package ledger

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// quiet is a swarm of two nodes with a service of two tasks on "web", where
// nothing moves: network, broadcast, gateway, the service's own, two tasks and
// two load balancers are eight addresses in use.
func quiet() *swarm.Snapshot {
	s := &swarm.Snapshot{Nodes: nodes(2), Networks: []swarm.Network{overlay("web", "10.1.0.0/24"), overlay("other", "10.2.0.0/24")}}
	address := func(last byte) netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, 0, last}), 24) }
	s.Services = []swarm.Service{{ID: "s", Networks: []swarm.Attach{{Target: "web"}}, VIPs: []swarm.VIP{{NetworkID: "web", Addr: address(2)}}}}
	for i := range 2 {
		s.Tasks = append(s.Tasks, swarm.Task{
			ServiceID: "s", NodeID: fmt.Sprint("node", i), State: swarm.TaskRunning, Desired: swarm.TaskRunning,
			Networks: []swarm.TaskNetwork{{NetworkID: "web", Addrs: []netip.Prefix{address(byte(3 + i))}}},
		})
	}
	return s
}

func report(s *swarm.Snapshot, inUse uint64) {
	s.Networks[0].Subnets[0].Reported = &swarm.Reported{InUse: inUse, Available: 256 - inUse}
}

func TestLeaksOf(t *testing.T) {
	for _, tc := range []struct {
		doc      string
		reported uint64 // 0: the engine does not count
		change   func(*swarm.Snapshot)
		want     Leaks
	}{
		{"not counted", 0, nil, Leaks{}},
		{"all accounted for", 8, nil, Leaks{Known: true}},
		{"three lost", 11, nil, Leaks{Known: true, N: 3}},
		{"fewer than we count is no leak", 7, nil, Leaks{Known: true}},
		{"a task starts", 11, func(s *swarm.Snapshot) { s.Tasks[0].State = swarm.TaskStarting }, Leaks{}},
		{"a task is ending", 11, func(s *swarm.Snapshot) { s.Tasks[0].Desired = swarm.TaskShutdown }, Leaks{}},
		{"a task has no address yet", 11, func(s *swarm.Snapshot) {
			s.Tasks = append(s.Tasks, swarm.Task{ServiceID: "s", State: swarm.TaskNew, Desired: swarm.TaskRunning})
		}, Leaks{}},
		{"an update runs", 11, func(s *swarm.Snapshot) { s.Services[0].Update.State = "updating" }, Leaks{}},
		{"a container comes", 11, func(s *swarm.Snapshot) {
			s.Attachments = []swarm.Attachment{{State: swarm.TaskPreparing, Networks: []swarm.TaskNetwork{{NetworkID: "web"}}}}
		}, Leaks{}},
		{"something moves elsewhere", 11, func(s *swarm.Snapshot) {
			s.Tasks = append(s.Tasks, swarm.Task{State: swarm.TaskStarting, Networks: []swarm.TaskNetwork{{NetworkID: "other"}}})
		}, Leaks{Known: true, N: 3}},
		{"a task that failed long ago", 11, func(s *swarm.Snapshot) {
			s.Tasks = append(s.Tasks, swarm.Task{ServiceID: "s", State: swarm.TaskFailed, Desired: swarm.TaskShutdown})
		}, Leaks{Known: true, N: 3}},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			s := quiet()
			if tc.reported > 0 {
				report(s, tc.reported)
			}
			if tc.change != nil {
				tc.change(s)
			}
			n := s.Networks[0]
			assert.DeepEqual(t, LeaksOf(s, n, addr.Usage(s, n)), tc.want)
			assert.Check(t, is.Equal(AnyLeaks(s), tc.want.N > 0))
		})
	}
}

func TestConfirmedForgetsWhatHasChanged(t *testing.T) {
	first := quiet()
	report(first, 11)
	assert.Check(t, is.Equal(Lines(Confirmed(first, quiet()))[0].Leaks.N, 3))
	second := quiet()
	second.Tasks = second.Tasks[:1]
	assert.Check(t, !Lines(Confirmed(first, second))[0].Leaks.Known)
}

// TestStartFirstIsWhatTheNeedsSay compares the head-room with a search over
// the parallelism of an update, on random networks with one service.
func TestStartFirstIsWhatTheNeedsSay(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 3))
	for range 2000 {
		s := &swarm.Snapshot{Nodes: nodes(1 + r.IntN(9)), Networks: []swarm.Network{overlay("net", fmt.Sprintf("10.1.0.0/%d", 25+r.IntN(4)))}}
		n := s.Networks[0]
		var ids []string
		for _, node := range s.Nodes {
			ids = append(ids, node.ID)
		}
		at := n.Subnets[0].Gateway.Next()
		s.Services = []swarm.Service{{ID: "s", VIPs: []swarm.VIP{{NetworkID: "net", Addr: netip.PrefixFrom(at, 24)}}}}
		tasks := 1 + r.IntN(6)
		for range tasks {
			at = at.Next()
			s.Tasks = append(s.Tasks, swarm.Task{
				ServiceID: "s", NodeID: ids[r.IntN(len(ids))], State: swarm.TaskRunning,
				Networks: []swarm.TaskNetwork{{NetworkID: "net", Addrs: []netip.Prefix{netip.PrefixFrom(at, 24)}}},
			})
		}
		u := addr.Usage(s, n)
		got := StartFirst(u, s.Nodes)
		for k := 1; k <= tasks; k++ {
			d := addr.Demand{
				ServiceID: "s", Mode: swarm.Replicated, Replicas: uint64(tasks), Networks: []string{"net"}, Nodes: ids,
				Restart: true, StartFirst: true, Parallel: uint64(k),
			}
			assert.Equal(t, addr.Needs(s, d)[0].Short() == 0, k <= got, "%d at a time: free %d, %d tasks, %d of %d nodes", k, u.Free, tasks, len(u.LBNodes), len(ids))
		}
	}
}
