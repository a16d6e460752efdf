//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/network"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

func TestCreateAgain(t *testing.T) {
	s := usual(t)
	first := s.Swarmnet("create", "--attachable", "--label", "team=web", "docknet")
	first.Assert(t, icmd.Success)
	n := s.Network(t, "docknet")
	assert.Assert(t, n != nil)
	assert.Equal(t, n.Scope, "swarm")
	assert.Equal(t, n.Driver, "overlay")
	assert.Assert(t, n.Attachable)
	assert.Equal(t, n.Labels["team"], "web")
	assert.Equal(t, strings.TrimSpace(first.Stdout()), n.ID)

	second := s.Swarmnet("create", "--attachable", "--label", "team=web", "docknet")
	second.Assert(t, icmd.Expected{ExitCode: 0, Err: "unchanged"})
	assert.Equal(t, second.Stdout(), first.Stdout())

	other := s.Swarmnet("create", "--internal", "docknet")
	other.Assert(t, icmd.Expected{ExitCode: 1, Err: "internal"})
	assert.Equal(t, s.Network(t, "docknet").ID, n.ID)
	assert.Assert(t, !s.Network(t, "docknet").Internal)
}

func TestCreateOnWorker(t *testing.T) {
	s := usual(t)
	r := s.Nodes[1].Swarmnet("create", "docknet")
	assert.Assert(t, s.Network(t, "docknet") == nil)
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: "manager"})
	assert.Check(t, is.Contains(r.Stderr(), s.Nodes[1].Context), "the error names the context")
	assert.Equal(t, r.Stdout(), "")
}

func TestCreateWithoutSwarm(t *testing.T) {
	s := lab.Swarm(t, harness.Spec{Suffix: "alone", Nodes: 1})
	s.Docker("swarm", "leave", "--force").Assert(t, icmd.Success)
	t.Cleanup(func() {
		// For the clean-up of the sandbox, should the test end early.
		s.Docker("swarm", "init", "--advertise-addr", s.Nodes[0].Address)
	})
	r := s.Swarmnet("create", "docknet")
	assert.Assert(t, s.Network(t, "docknet") == nil)
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: "swarm init"})

	s.Swarmnet("create", "--init", "docknet").Assert(t, icmd.Success)
	n := s.Network(t, "docknet")
	assert.Assert(t, n != nil)
	assert.Equal(t, n.Scope, "swarm")
}

// TestCreateSameNameAtOnce: swarmkit takes one of them, the others find it.
func TestCreateSameNameAtOnce(t *testing.T) {
	s := usual(t)
	results := atOnce(3, func(int) *icmd.Result { return s.Swarmnet("create", "docknet") })

	n := s.Network(t, "docknet") // fails if the name is ambiguous
	assert.Assert(t, n != nil)
	for _, r := range results {
		r.Assert(t, icmd.Success)
		assert.Equal(t, strings.TrimSpace(r.Stdout()), n.ID)
	}
}

// TestCreateManyAtOnce: subnets chosen at the same time must not overlap.
func TestCreateManyAtOnce(t *testing.T) {
	s := usual(t)
	for _, r := range atOnce(4, func(i int) *icmd.Result { return s.Swarmnet("create", fmt.Sprint("net", i)) }) {
		r.Assert(t, icmd.Success)
	}
	networks, err := s.API.NetworkList(context.Background(), network.ListOptions{})
	assert.NilError(t, err)
	var subnets []netip.Prefix
	for _, n := range networks {
		for _, c := range n.IPAM.Config {
			p := netip.MustParsePrefix(c.Subnet)
			for _, other := range subnets {
				assert.Check(t, !p.Overlaps(other), "%s: %s overlaps %s", n.Name, p, other)
			}
			subnets = append(subnets, p)
		}
	}
}

func TestCreateOverlap(t *testing.T) {
	s := usual(t)
	s.Swarmnet("create", "--subnet", "10.77.4.0/24", "first").Assert(t, icmd.Success)

	r := s.Swarmnet("create", "--subnet", "10.77.0.0/16", "second")
	assert.Assert(t, s.Network(t, "second") == nil)
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: `"first"`})
	assert.Check(t, is.Contains(r.Stderr(), "10.77.4.0/24"))

	// A network over the nodes' own addresses cuts them off from each other.
	nodes := netip.PrefixFrom(netip.MustParseAddr(s.Nodes[0].Address), 24).Masked().String()
	r = s.Swarmnet("create", "--subnet", nodes, "second")
	assert.Assert(t, s.Network(t, "second") == nil)
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: s.Nodes[0].Address})
}

// TestSubnetExhausted: a /29 has five addresses to give, docker's own
// gateway taken off. What cannot fit is refused before anything is made.
func TestSubnetExhausted(t *testing.T) {
	s := usual(t)
	s.Load(t, "image-webapp")
	s.Swarmnet("create", "--subnet", "10.78.0.0/29", "tiny").Assert(t, icmd.Success)

	deploy := func(replicas string) *icmd.Result {
		return s.Swarmnet("deploy", "--name", "web", "--network", "tiny", "--no-resolve-image",
			"--replicas", replicas, "drupal")
	}
	r := deploy("10")
	assert.Assert(t, s.Service(t, "web") == nil)
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: `"tiny"`})
	assert.Check(t, is.Contains(r.Stderr(), "address"))

	deploy("1").Assert(t, icmd.Success)
	running(t, s, "web")
}

// TestRemoveWaitsForTasks: docker itself refuses until the last task's
// container has ended; the plugin waits for it.
func TestRemoveWaitsForTasks(t *testing.T) {
	s := usual(t)
	s.Load(t, "image-webapp")
	s.Swarmnet("create", "--attachable", "docknet").Assert(t, icmd.Success)
	s.Swarmnet("deploy", "--name", "web", "--network", "docknet", "--no-resolve-image",
		"--replicas", "2", "drupal").Assert(t, icmd.Success)
	worker := s.Nodes[2]
	worker.Docker("run", "-d", "--name", "guest", "--network", "docknet", "drupal").Assert(t, icmd.Success)

	ps := s.Swarmnet("ps", "docknet")
	ps.Assert(t, icmd.Success)
	assert.Check(t, is.Contains(ps.Stdout(), worker.Name))
	refused := s.Swarmnet("rm", "docknet")
	assert.Assert(t, s.Network(t, "docknet") != nil)
	refused.Assert(t, icmd.Expected{ExitCode: 1, Err: "web"})
	assert.Check(t, is.Contains(refused.Stderr(), worker.Name), "the container's node is named")

	worker.Docker("rm", "-f", "guest").Assert(t, icmd.Success)
	s.Docker("service", "rm", "web").Assert(t, icmd.Success)
	s.Swarmnet("rm", "docknet").Assert(t, icmd.Success)
	assert.Assert(t, s.Network(t, "docknet") == nil)
}
