package explain

import (
	"net/netip"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/check"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func now() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

// swarmOf is a swarm of two nodes with a service "web" of one task on "front",
// and "db" on "back".
func swarmOf() *swarm.Snapshot {
	hour := now().Add(-time.Hour)
	overlay := func(id, name, subnet string) swarm.Network {
		return swarm.Network{
			ID: id, Name: name, Scope: "swarm", Driver: "overlay", Created: hour, Options: map[string]string{swarm.OptVNI: "4097"},
			Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix(subnet)}},
		}
	}
	service := func(name, network, vip string) swarm.Service {
		return swarm.Service{
			ID: name, Name: name, Created: hour, Updated: hour, Mode: swarm.Replicated, Replicas: 1, EndpointMode: "vip", HasHealthcheck: true,
			Networks: []swarm.Attach{{Target: network}}, VIPs: []swarm.VIP{{NetworkID: network, Addr: netip.MustParsePrefix(vip)}},
		}
	}
	node := func(id string) swarm.Node {
		return swarm.Node{ID: id, Hostname: id, Role: "worker", State: "ready", Availability: "active"}
	}
	return &swarm.Snapshot{
		Context: "prod", Taken: now(), Cluster: swarm.Cluster{State: swarm.StateActive, Manager: true},
		Nodes:    []swarm.Node{node("n1"), node("n2")},
		Networks: []swarm.Network{overlay("net1", "front", "10.0.1.0/24"), overlay("net2", "back", "10.0.2.0/24")},
		Services: []swarm.Service{service("web", "net1", "10.0.1.2/24"), service("db", "net2", "10.0.2.2/24")},
		Tasks: []swarm.Task{{
			ID: "t1", ServiceID: "web", Slot: 1, NodeID: "n1", State: swarm.TaskRunning, Desired: swarm.TaskRunning, Created: hour, StateSince: hour, Updated: hour,
			Networks: []swarm.TaskNetwork{{NetworkID: "net1", Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.1.5/24")}}},
		}},
	}
}

func TestWalkNamesTheFirstBrokenStep(t *testing.T) {
	failed := func(state swarm.TaskState, err string) func(*swarm.Snapshot) {
		return func(s *swarm.Snapshot) {
			t := s.Tasks[0]
			s.Tasks = nil
			for i := range 3 {
				t.ID, t.State, t.Desired, t.Err = string(rune('a'+i)), state, swarm.TaskShutdown, err
				t.Created, t.StateSince = now().Add(-time.Minute), now().Add(-time.Duration(50-i)*time.Second)
				s.Tasks = append(s.Tasks, t)
			}
		}
	}
	waiting := func(state swarm.TaskState, err string) func(*swarm.Snapshot) {
		return func(s *swarm.Snapshot) {
			t := &s.Tasks[0]
			t.State, t.Err, t.NodeID, t.Created, t.StateSince, t.Networks = state, err, "", now().Add(-time.Minute), now().Add(-time.Minute), nil
		}
	}
	for _, tc := range []struct {
		doc    string
		change func(*swarm.Snapshot)
		from   bool
		gossip map[string][]string
		want   string // the broken step, "" for none
	}{
		{"all well", func(*swarm.Snapshot) {}, false, nil, ""},
		{"no replicas", func(s *swarm.Snapshot) { s.Services[0].Replicas = 0 }, false, nil, stepExists},
		{"no network in common", func(*swarm.Snapshot) {}, true, nil, stepNetwork},
		{"a network in common", func(s *swarm.Snapshot) { s.Services[1].Networks[0].Target = "net1" }, true, nil, ""},
		{"a network not made", func(s *swarm.Snapshot) { s.Networks[0].Driver = "" }, false, nil, stepNetwork},
		{"no virtual address", func(s *swarm.Snapshot) { s.Services[0].VIPs = nil }, false, nil, stepAddresses},
		{"no address", waiting(swarm.TaskNew, ""), false, nil, stepAddresses},
		{"no address left, just now", func(s *swarm.Snapshot) {
			waiting(swarm.TaskNew, "")(s)
			s.Tasks[0].Created = now().Add(-time.Second)
			s.Networks[0].Subnets[0].Prefix = netip.MustParsePrefix("10.0.1.0/30")
		}, false, nil, stepAddresses},
		{"no node", waiting(swarm.TaskPending, "no suitable node (insufficient resources on 2 nodes)"), false, nil, stepPlaced},
		{"rejected", failed(swarm.TaskRejected, "Pool overlaps with other one"), false, nil, stepRunning},
		{"no image", failed(swarm.TaskRejected, "No such image: web:1"), false, nil, stepRunning},
		{"failing", failed(swarm.TaskFailed, "task: non-zero exit (1)"), false, nil, stepRunning},
		{"unhealthy", failed(swarm.TaskFailed, "dockerexec: unhealthy container"), false, nil, stepHealthy},
		{"ended in good order, and has a health check", func(s *swarm.Snapshot) {
			s.Services[0].HasHealthcheck = true
			failed(swarm.TaskComplete, "")(s)
		}, false, nil, stepRunning},
		{"a shared name", func(s *swarm.Snapshot) {
			s.Services[1].Networks[0] = swarm.Attach{Target: "net1", Aliases: []string{"web"}}
		}, false, nil, stepName},
		{"known by gossip", func(*swarm.Snapshot) {}, false, map[string][]string{"web": {"10.0.1.5"}}, ""},
		{"lost by gossip", func(*swarm.Snapshot) {}, false, map[string][]string{"web": {"10.0.1.9"}}, stepGossip},
		{"too young for gossip", func(s *swarm.Snapshot) { s.Tasks[0].StateSince = now().Add(-20 * time.Second) }, false, map[string][]string{}, ""},
		{"no routing mesh", func(s *swarm.Snapshot) { s.Services[0].Ports = []swarm.Port{{Published: 80, Mode: "ingress"}} }, false, nil, stepPorts},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			s := swarmOf()
			tc.change(s)
			in := Input{Input: check.Input{Snapshots: []*swarm.Snapshot{s}, Kernels: map[string]check.Kernel{"prod": {IPVS: true}}}, Service: s.Services[0]}
			if tc.from {
				in.From = &s.Services[1]
			}
			if tc.gossip != nil {
				in.Gossip = map[string]Gossip{"net1": {Addrs: tc.gossip}}
			}
			steps := Walk(in)
			last := steps[len(steps)-1]
			if tc.want == "" {
				assert.Check(t, last.Status != Broken, "%+v", last)
				assert.Check(t, is.Len(steps, 10))
				return
			}
			assert.Check(t, is.Equal(last.Status, Broken), "%+v", steps)
			assert.Check(t, is.Equal(last.Name, tc.want), "%+v", last)
			assert.Check(t, last.Cause != "" && last.Fix != "" && last.Evidence != "", "%+v", last)
		})
	}
}

func TestWalkKnowsAKernelWithoutIPVS(t *testing.T) {
	for _, tc := range []struct {
		doc     string
		kernels map[string]check.Kernel
		want    Status
	}{
		{"has it", map[string]check.Kernel{"prod": {IPVS: true}}, OK},
		{"lacks it", map[string]check.Kernel{"prod": {}}, Broken},
		{"elsewhere", nil, Unknown},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			s := swarmOf()
			steps := Walk(Input{Input: check.Input{Snapshots: []*swarm.Snapshot{s}, Kernels: tc.kernels}, Service: s.Services[0]})
			assert.Check(t, is.Equal(steps[len(steps)-1].Name, stepKernel))
			assert.Check(t, is.Equal(steps[len(steps)-1].Status, tc.want))
		})
	}
}
