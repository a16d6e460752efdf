package ports

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/golden"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func threeNodes() *swarm.Snapshot {
	return &swarm.Snapshot{
		Cluster: swarm.Cluster{DataPathPort: 4789},
		Nodes: []swarm.Node{
			{ID: "3", Hostname: "n3", Role: "worker", Addr: "10.77.0.13"},
			{ID: "1", Hostname: "n1", Role: "manager", Addr: "10.77.0.11", ManagerAddr: "10.77.0.11:2377"},
			{ID: "2", Hostname: "n2", Role: "worker", Addr: "10.77.0.12"},
		},
		Networks: []swarm.Network{
			{ID: "i", Name: "ingress", Scope: "swarm", Driver: "overlay", Ingress: true},
			{ID: "s", Name: "secret", Scope: "swarm", Driver: "overlay", Options: map[string]string{"encrypted": ""}},
			{ID: "l", Name: "local", Scope: "local", Driver: "bridge", Options: map[string]string{"encrypted": ""}},
		},
		Services: []swarm.Service{
			{ID: "w", Name: "web", Ports: []swarm.Port{{Protocol: "tcp", Target: 80, Published: 8080, Mode: "ingress"}}},
			{ID: "d", Name: "dns", Ports: []swarm.Port{{Protocol: "udp", Target: 53, Published: 53, Mode: "host"}}},
			{ID: "x", Name: "any", Ports: []swarm.Port{{Protocol: "tcp", Target: 9000, Mode: "host"}}},
			{ID: "p", Name: "pending", Ports: []swarm.Port{{Protocol: "tcp", Target: 1, Mode: "ingress"}}},
		},
		Tasks: []swarm.Task{
			{ID: "t1", ServiceID: "d", NodeID: "2", State: swarm.TaskRunning},
			{ID: "t2", ServiceID: "d", NodeID: "3", State: swarm.TaskFailed},
			{ID: "t3", ServiceID: "x", NodeID: "3", State: swarm.TaskRunning, Ports: []swarm.Port{{Protocol: "tcp", Target: 9000, Published: 32768, Mode: "host"}}},
		},
	}
}

// lines writes rules one a line, for comparing.
func lines(rules []Rule) []string {
	var out []string
	for _, r := range rules {
		var to []string
		for _, h := range r.To.Hosts {
			to = append(to, h.Name)
		}
		out = append(out, fmt.Sprintf("%s from %s to %s [%s]: %s", r, r.From.Name, r.To.Name, strings.Join(to, " "), r.Purpose))
	}
	return out
}

func TestOf(t *testing.T) {
	n := Of(threeNodes(), false)
	assert.DeepEqual(t, lines(n.Rules), []string{
		"2377/tcp from all nodes to managers [n1]: joining and managing the swarm",
		"7946/tcp from all nodes to all nodes [n1 n2 n3]: gossip of nodes, names and addresses",
		"7946/udp from all nodes to all nodes [n1 n2 n3]: gossip of nodes, names and addresses",
		"4789/udp from all nodes to all nodes [n1 n2 n3]: overlay traffic (VXLAN)",
		"esp from all nodes to all nodes [n1 n2 n3]: encrypted overlay traffic (IP protocol 50): secret",
	})
	assert.DeepEqual(t, lines(n.Published), []string{
		"53/udp from anywhere to nodes with a task [n2]: service dns, host mode",
		"8080/tcp from anywhere to all nodes [n1 n2 n3]: service web, routing mesh",
		"32768/tcp from anywhere to nodes with a task [n3]: service any, host mode",
	})
	assert.Check(t, is.Len(n.Unknown, 0))
}

func TestOfEncryption(t *testing.T) {
	s := threeNodes()
	s.Networks = nil
	assert.Check(t, is.Len(Of(s, false).Rules, 4))
	with := Of(s, true).Rules
	assert.Equal(t, with[len(with)-1].String(), "esp")
}

func TestOfChosenPorts(t *testing.T) {
	s := threeNodes()
	s.Cluster.DataPathPort = 5789
	s.Nodes[0].Role, s.Nodes[0].ManagerAddr = "manager", "10.77.0.13:2378"
	got := lines(Of(s, false).Rules)
	assert.Equal(t, got[0], "2377/tcp from all nodes to managers [n1]: joining and managing the swarm")
	assert.Equal(t, got[1], "2378/tcp from all nodes to managers [n3]: joining and managing the swarm")
	assert.Check(t, is.Contains(got, "5789/udp from all nodes to all nodes [n1 n2 n3]: overlay traffic (VXLAN)"))
}

func TestAddressOf(t *testing.T) {
	for _, tc := range []struct {
		doc  string
		node swarm.Node
		want string
	}{
		{"plain", swarm.Node{Addr: "192.0.2.1"}, "192.0.2.1"},
		{"manager that tells 0.0.0.0 of itself", swarm.Node{Addr: "0.0.0.0", ManagerAddr: "192.0.2.1:2377"}, "192.0.2.1"},
		{"manager on loopback", swarm.Node{Addr: "127.0.0.1", ManagerAddr: "[2001:db8::1]:2377"}, "2001:db8::1"},
		{"IPv4 in IPv6", swarm.Node{Addr: "::ffff:192.0.2.1"}, "192.0.2.1"},
		{"worker that tells nothing", swarm.Node{}, "invalid IP"},
		{"manager that tells nothing", swarm.Node{Addr: "0.0.0.0", ManagerAddr: "0.0.0.0:2377"}, "invalid IP"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			got, ok := AddressOf(tc.node)
			assert.Equal(t, got.String(), tc.want)
			assert.Equal(t, ok, tc.want != "invalid IP")
		})
	}
}

func TestScript(t *testing.T) {
	s := threeNodes()
	s.Nodes = append(s.Nodes, swarm.Node{ID: "4", Hostname: "n4'; rm -rf /", Role: "worker", Addr: "2001:db8::4"}, swarm.Node{ID: "5", Hostname: "n5"})
	for _, firewall := range Firewalls() {
		t.Run(firewall, func(t *testing.T) {
			script, err := Script(firewall, Of(s, false))
			assert.NilError(t, err)
			golden.Assert(t, script, firewall+".golden")
		})
	}
}

func TestScriptAllManagers(t *testing.T) {
	s := threeNodes()
	s.Nodes = s.Nodes[1:2]
	script, err := Script("nftables", Of(s, false))
	assert.NilError(t, err)
	assert.Check(t, is.Contains(script, "# On every manager (n1):"))
	assert.Check(t, !strings.Contains(script, "worker"))
}

func TestScriptUnknownFirewall(t *testing.T) {
	_, err := Script("pf", Needs{})
	var p *problem.Error
	assert.Assert(t, errors.As(err, &p))
	assert.Equal(t, p.Msg, `no rules for a firewall named "pf"`)
	assert.Equal(t, p.Code, problem.Usage)
}
