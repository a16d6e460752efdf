package members

import (
	"net/netip"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func on(net, addr string) []swarm.TaskNetwork {
	return []swarm.TaskNetwork{{NetworkID: net, Addrs: []netip.Prefix{netip.MustParsePrefix(addr)}}}
}

func fixture() *swarm.Snapshot {
	return &swarm.Snapshot{
		Context:  "east",
		Nodes:    []swarm.Node{{ID: "n1", Hostname: "one", State: "ready"}, {ID: "n2", Hostname: "two", State: "down"}},
		Networks: []swarm.Network{{ID: "net", Name: "docknet", Scope: "swarm", Driver: "overlay"}, {ID: "ing", Name: "ingress", Scope: "swarm", Driver: "overlay", Ingress: true}},
		Services: []swarm.Service{
			{
				ID: "s2", Name: "web", Mode: swarm.Replicated, Replicas: 2, EndpointMode: "vip",
				Networks: []swarm.Attach{{Target: "net", Aliases: []string{"www"}}},
				VIPs:     []swarm.VIP{{NetworkID: "net", Addr: netip.MustParsePrefix("10.0.1.2/24")}},
			},
			{ID: "s1", Name: "db", Mode: swarm.Global, EndpointMode: "dnsrr", Networks: []swarm.Attach{{Target: "net"}}},
			{ID: "s3", Name: "elsewhere", Mode: swarm.Replicated, Replicas: 1},
		},
		Tasks: []swarm.Task{
			{ID: "t10", ServiceID: "s2", Slot: 10, NodeID: "n1", State: swarm.TaskRunning, Desired: swarm.TaskRunning, Networks: on("net", "10.0.1.10/24")},
			{ID: "t2", ServiceID: "s2", Slot: 2, NodeID: "n1", State: swarm.TaskRunning, Desired: swarm.TaskRunning, Networks: on("net", "10.0.1.5/24")},
			{ID: "t2old", ServiceID: "s2", Slot: 2, NodeID: "n1", State: swarm.TaskFailed, Desired: swarm.TaskShutdown, Networks: on("net", "10.0.1.4/24")},
			{ID: "tg", ServiceID: "s1", NodeID: "n1", State: swarm.TaskStarting, Desired: swarm.TaskRunning, Networks: on("net", "10.0.1.6/24")},
			{ID: "tx", ServiceID: "gone", Slot: 1, NodeID: "n1", State: swarm.TaskRunning, Desired: swarm.TaskRemove, Networks: on("net", "10.0.1.7/24")},
			{ID: "te", ServiceID: "s3", Slot: 1, NodeID: "n1", State: swarm.TaskRunning, Desired: swarm.TaskRunning, Networks: on("other", "10.0.2.7/24")},
		},
		Attachments: []swarm.Attachment{{ID: "a1", ContainerID: "0123456789abcdef", NodeID: "n2", State: swarm.TaskRunning, Desired: swarm.TaskRunning, Networks: on("net", "10.0.1.8/24")}},
	}
}

func lines(ms []Member) string {
	var out []string
	for _, m := range ms {
		out = append(out, string(m.Kind)+" "+m.Name)
	}
	return strings.Join(out, "\n")
}

func TestOf(t *testing.T) {
	s := fixture()
	got := Of(s, s.Networks[0], false)
	assert.Equal(t, lines(got), strings.TrimSpace(`
service db
task db.one
service web
task web.2
task web.10
task gone.1
container 0123456789ab`))

	web := got[2]
	assert.DeepEqual(t, web.Names, []string{"www"})
	assert.Equal(t, web.Addrs[0].String(), "10.0.1.2/24")
	assert.Check(t, is.Equal(web.Running, 2))
	assert.Check(t, is.Equal(web.Wanted, 2))
	assert.Check(t, is.Equal(got[0].Wanted, 1), "a global service wants the tasks it has")
	assert.Equal(t, got[6].Node, "two")
}

func TestOfAllShowsEndedTasks(t *testing.T) {
	s := fixture()
	got := Of(s, s.Networks[0], true)
	var ended int
	for _, m := range got {
		if m.Ended() {
			ended++
			assert.Equal(t, m.ID, "t2old")
		}
	}
	assert.Equal(t, ended, 1)
}

func TestRemovalOf(t *testing.T) {
	s := fixture()
	r := RemovalOf(s, s.Networks[0])
	var who []string
	for _, h := range r.Holders {
		who = append(who, h.Who)
	}
	assert.DeepEqual(t, who, []string{`service "db"`, `service "web"`, "container 0123456789ab on node two, which is down"})
	assert.Equal(t, r.Holders[2].Free, "bring node two back, or: docker node rm --force two")
	assert.Equal(t, lines(r.Leaving), "task gone.1")
}

func TestRemovalOfFreeNetwork(t *testing.T) {
	s := fixture()
	s.Services, s.Tasks, s.Attachments = nil, nil, nil
	r := RemovalOf(s, s.Networks[0])
	assert.Equal(t, len(r.Holders), 0)
	assert.Equal(t, len(r.Leaving), 0)
}

func TestRemovalOfIngressNamesPublishers(t *testing.T) {
	s := fixture()
	s.Services[2].Ports = []swarm.Port{{Protocol: "tcp", Target: 80, Published: 80, Mode: "ingress"}}
	r := RemovalOf(s, s.Networks[1])
	assert.Equal(t, len(r.Holders), 1)
	assert.Equal(t, r.Holders[0].Who, `service "elsewhere" publishes ports through it`)
}
