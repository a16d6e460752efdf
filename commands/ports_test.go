package commands

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/golden"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

func TestPortsTable(t *testing.T) {
	f := newFakeEngine()
	f.nodes = append(f.nodes, swarm.Node{ID: "id-n4", Description: swarm.NodeDescription{Hostname: "n4"}, Status: swarm.NodeStatus{Addr: "10.77.0.14"}})
	f.networks = append(f.networks, network.Summary{ID: "id-secret", Name: "secret", Scope: "swarm", Driver: "overlay", Options: map[string]string{"encrypted": ""}})
	f.services = []swarm.Service{{
		ID:       "id-web",
		Spec:     swarm.ServiceSpec{Annotations: swarm.Annotations{Name: "web"}},
		Endpoint: swarm.Endpoint{Ports: []swarm.PortConfig{{Protocol: "tcp", TargetPort: 80, PublishedPort: 8080, PublishMode: "ingress"}}},
	}}
	out, errs, err := run(t, f, "ports", "--published")
	assert.NilError(t, err)
	assert.Equal(t, errs, "")
	golden.Assert(t, out, "ports.golden")
}

func TestPortsJSON(t *testing.T) {
	out, _, err := run(t, newFakeEngine(), "ports", "--format", "json")
	assert.NilError(t, err)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	assert.Check(t, is.Len(lines, 4))
	var row struct {
		Port          int
		Protocol      string
		ToAddresses   []string
		FromAddresses []string
		Nodes         []string
	}
	assert.NilError(t, json.Unmarshal([]byte(lines[0]), &row))
	assert.Equal(t, fmt.Sprint(row), "{2377 tcp [10.77.0.11] [10.77.0.11 10.77.0.12 10.77.0.13] [n1]}")
}

func TestPortsWarnsOfUnknownAddresses(t *testing.T) {
	f := newFakeEngine()
	f.nodes[1].Status.Addr = ""
	_, errs, err := run(t, f, "ports")
	assert.NilError(t, err)
	assert.Equal(t, errs, "warning: the swarm does not tell the address of node \"n2\"; it is not in this list\n")
}

func TestPortsAsRules(t *testing.T) {
	out, _, err := run(t, newFakeEngine(), "ports", "--as", "ufw", "--encrypted")
	assert.NilError(t, err)
	assert.Check(t, is.Contains(out, "ufw allow proto udp from 10.77.0.12 to any port 4789 comment 'swarm 4789/udp from n2'\n"))
	assert.Check(t, is.Contains(out, "ufw allow proto esp from 10.77.0.13 comment"))
}

func TestPortsErrors(t *testing.T) {
	for _, tc := range []struct {
		doc  string
		args []string
		want string
		code int
	}{
		{"unknown firewall", []string{"--as", "pf"}, `no rules for a firewall named "pf"`, problem.Usage},
		{"rules have no format", []string{"--as", "ufw", "--format", "json"}, "exclude each other", problem.Usage},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			_, _, err := run(t, newFakeEngine(), append([]string{"ports"}, tc.args...)...)
			assert.Check(t, is.ErrorContains(err, tc.want))
			assert.Check(t, is.Equal(exitCodeOf(err), tc.code))
		})
	}
}
