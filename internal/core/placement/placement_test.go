package placement

import (
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func node() swarm.Node {
	return swarm.Node{
		ID: "n1id", Hostname: "db1", Role: "worker", Availability: "active", State: "ready", Addr: "192.168.5.7",
		OS: "linux", Arch: "x86_64", Labels: map[string]string{"zone": "East"}, EngineLabels: map[string]string{"disk": "ssd"},
	}
}

func TestConstraintMatch(t *testing.T) {
	for _, tc := range []struct {
		expr string
		want bool
	}{
		{"node.id==N1ID", true},
		{"node.hostname == DB1", true},
		{"node.hostname!=db1", false},
		{"node.role==worker", true},
		{"node.role!=manager", true},
		{"NODE.ROLE==manager", false},
		{"node.ip==192.168.5.7", true},
		{"node.ip==192.168.5.0/24", true},
		{"node.ip!=192.168.5.0/24", false},
		{"node.ip!=nonsense", false},
		{"node.platform.os==linux", true},
		{"node.platform.arch==x86_64", true},
		{"node.platform.arch==amd64", false},
		{"node.labels.zone==east", true},
		{"node.labels.Zone==east", false},
		{"node.labels.rack!=r1", true},
		{"node.labels.rack==r1", false},
		{"engine.labels.disk==ssd", true},
		{"node.colour==red", false},
		{"node.colour!=red", false},
	} {
		t.Run(tc.expr, func(t *testing.T) {
			c, err := ParseConstraint(tc.expr)
			assert.NilError(t, err)
			assert.Equal(t, c.Match(node()), tc.want)
		})
	}
}

func TestParseConstraintRefusesWhatTheSwarmRefuses(t *testing.T) {
	for _, expr := range []string{"node.role", "node.role=worker", "==x", "n==x", "node.role==", "node.role==a,b", "node.role==a==b"} {
		t.Run(expr, func(t *testing.T) {
			_, err := ParseConstraint(expr)
			assert.Check(t, is.ErrorContains(err, "constraint"))
		})
	}
}

func TestNodesSaysWhyNot(t *testing.T) {
	with := func(change func(*swarm.Node)) swarm.Node { n := node(); change(&n); return n }
	for _, tc := range []struct {
		doc     string
		node    swarm.Node
		service swarm.Service
		want    string
	}{
		{"down", with(func(n *swarm.Node) { n.State = "down" }), swarm.Service{}, "is down"},
		{"drained", with(func(n *swarm.Node) { n.Availability = "drain" }), swarm.Service{}, "has availability drain"},
		{"constraint", node(), swarm.Service{Constraints: []string{"node.role == manager"}}, `does not meet "node.role == manager"`},
		{
			"platform", node(),
			swarm.Service{Platforms: []swarm.Platform{{OS: "linux", Arch: "arm64"}, {OS: "windows", Arch: "amd64"}}},
			"is linux/amd64, and the image is made for linux/arm64, windows/amd64",
		},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			suitable, refused, err := Nodes([]swarm.Node{tc.node}, tc.service)
			assert.NilError(t, err)
			assert.Check(t, is.Len(suitable, 0))
			assert.Assert(t, is.Len(refused, 1))
			assert.Equal(t, refused[0].Reason, tc.want)
		})
	}
	suitable, _, err := Nodes([]swarm.Node{node()}, swarm.Service{Platforms: []swarm.Platform{{OS: "linux", Arch: "amd64"}}})
	assert.NilError(t, err)
	assert.Check(t, is.Len(suitable, 1), "x86_64 is amd64")
}
