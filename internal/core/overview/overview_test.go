package overview

import (
	"net/netip"
	"strings"
	"testing"

	"gotest.tools/v3/assert"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func fixture() *swarm.Snapshot {
	subnet := func(p string) []swarm.Subnet { return []swarm.Subnet{{Prefix: netip.MustParsePrefix(p)}} }
	vip := func(net, a string) swarm.VIP { return swarm.VIP{NetworkID: net, Addr: netip.MustParsePrefix(a)} }
	return &swarm.Snapshot{
		Nodes: []swarm.Node{{ID: "n1"}, {ID: "n2"}},
		Networks: []swarm.Network{
			{ID: "ing", Name: "ingress", Scope: "swarm", Driver: "overlay", Ingress: true, Subnets: subnet("10.0.0.0/24")},
			{ID: "net", Name: "docknet", Scope: "swarm", Driver: "overlay", Subnets: subnet("10.0.1.0/24"), Labels: map[string]string{"team": "web"}},
			{ID: "idle", Name: "idle", Scope: "swarm", Driver: "overlay", Subnets: subnet("10.0.2.0/24")},
			{ID: "gw", Name: "docker_gwbridge", Scope: "local", Driver: "bridge"},
		},
		Services: []swarm.Service{{
			ID: "s", Name: "web", Networks: []swarm.Attach{{Target: "net"}}, Ports: []swarm.Port{{Mode: "ingress", Published: 80}},
			VIPs: []swarm.VIP{vip("net", "10.0.1.2/24"), vip("ing", "10.0.0.5/24")},
		}},
		Tasks: []swarm.Task{
			{ID: "t", ServiceID: "s", NodeID: "n1", State: swarm.TaskRunning, Networks: []swarm.TaskNetwork{{NetworkID: "net", Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.1.3/24")}}}},
			{ID: "old", ServiceID: "s", NodeID: "n1", State: swarm.TaskShutdown, Networks: []swarm.TaskNetwork{{NetworkID: "net", Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.1.4/24")}}}},
		},
		Attachments: []swarm.Attachment{{ID: "a", NodeID: "n2", State: swarm.TaskRunning, Networks: []swarm.TaskNetwork{{NetworkID: "net", Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.1.9/24")}}}}},
	}
}

func names(list []Network) string {
	var out []string
	for _, n := range list {
		out = append(out, n.Name)
	}
	return strings.Join(out, " ")
}

func TestNetworksCounts(t *testing.T) {
	list := Networks(fixture(), false, Filter{})
	assert.Equal(t, names(list), "ingress docknet idle")
	docknet := list[1]
	assert.Equal(t, docknet.Services, 1)
	assert.Equal(t, docknet.Tasks, 1, "an ended task holds no address")
	assert.Equal(t, docknet.Containers, 1)
	// network, broadcast, gateway, virtual, task, container, two load balancers
	assert.Equal(t, docknet.Used, 8)
	assert.Equal(t, docknet.Free, 248)
	assert.Equal(t, list[0].Services, 1, "a service that publishes is on ingress")
}

func TestNetworksFilter(t *testing.T) {
	yes, no := true, false
	for _, tc := range []struct {
		doc  string
		f    Filter
		want string
	}{
		{"part of a name", Filter{Names: []string{"dock"}}, "docknet docker_gwbridge"},
		{"either name", Filter{Names: []string{"idle", "ingress"}}, "ingress idle"},
		{"ID", Filter{IDs: []string{"ne"}}, "docknet"},
		{"label key", Filter{Labels: []string{"team"}}, "docknet"},
		{"label value", Filter{Labels: []string{"team=db"}}, ""},
		{"driver", Filter{Drivers: []string{"bridge"}}, "docker_gwbridge"},
		{"scope", Filter{Scopes: []string{"local"}}, "docker_gwbridge"},
		{"dangling", Filter{Dangling: &yes}, "idle"},
		{"not dangling", Filter{Dangling: &no}, "ingress docknet docker_gwbridge"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			assert.Equal(t, names(Networks(fixture(), true, tc.f)), tc.want)
		})
	}
}
