//go:build e2e

package e2e

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// published is a swarm with a service that publishes ports in the mesh, in an
// order that is not that of their numbers, one of which the swarm chooses.
func published(t *testing.T) (s *harness.Swarm, ports []swarm.PortConfig) {
	t.Helper()
	s = usual(t)
	s.Load(t, demoImage)
	ok(t, s, "create", "--subnet", "10.91.0.0/24", "docknet")
	service(t, s, "web", 2, "--replicas", "2", "--publish", "8443:8080", "--publish", "8080:8080", "--publish", "8081")
	return s, s.Service(t, "web").Endpoint.Ports
}

// meshIs holds that there is one ingress network, that the service has the ports
// it had, in their order, and that nothing is left over. It returns the subnet.
func meshIs(t *testing.T, s *harness.Swarm, ports []swarm.PortConfig) (subnet string) {
	t.Helper()
	s.WaitRunning(t, "web", 2)
	web := s.Service(t, "web")
	assert.DeepEqual(t, web.Endpoint.Ports, ports)
	assert.Equal(t, len(web.Spec.Labels), 0, "%v", web.Spec.Labels)
	out := strings.Fields(ok(t, s, "ingress", "--format", "{{.Subnet}}"))
	assert.Assert(t, is.Len(out, 1))
	return out[0]
}

// TestIngressRecreate: what cannot be is refused before anything changes, and
// what is asked for comes true with all ports.
func TestIngressRecreate(t *testing.T) {
	s, ports := published(t)
	id := s.Network(t, "ingress").ID
	version := s.Service(t, "web").Version
	for _, c := range []struct{ subnet, err string }{
		{"10.91.0.0/25", `overlaps network "docknet"`},
		{"10.92.0.0/29", "ingress needs 6 addresses"},
	} {
		s.Swarmnet("ingress", "recreate", "--yes", "--subnet", c.subnet).Assert(t, icmd.Expected{ExitCode: 1, Err: c.err})
	}
	s.Swarmnet("ingress", "recreate", "--mtu", "1400").Assert(t, icmd.Expected{ExitCode: 1, Err: "no terminal to ask on"})
	s.Swarmnet("ingress", "recreate", "--undo", "--yes").Assert(t, icmd.Expected{ExitCode: 1, Err: "nothing is under way"})
	assert.Check(t, is.Contains(ok(t, s, "ingress", "recreate", "--mtu", "1400", "--dry-run", "--format", "json"), `"Changes":["mtu: none → 1400"]`))
	assert.Equal(t, s.Network(t, "ingress").ID, id)
	assert.Equal(t, s.Service(t, "web").Version, version, "nothing was written")

	r := rewire(s, "ingress", "recreate", "--yes", "--subnet", "10.93.0.0/24", "--mtu", "1400")
	r.Assert(t, icmd.Success)
	assert.Check(t, is.Contains(r.Stderr(), "of web was chosen by the swarm"))
	assert.Equal(t, meshIs(t, s, ports), "10.93.0.0/24")
	assert.Equal(t, s.Network(t, "ingress").Options["com.docker.network.driver.mtu"], "1400")
}

// TestIngressUndoes: a service whose new tasks no node can start ends it with 4,
// and ingress is what it was, with all ports.
func TestIngressUndoes(t *testing.T) {
	s := usual(t)
	s.Load(t, demoImage)
	gone, lose := fleetingImage(t, s)
	s.Docker("service", "create", "--detach", "--no-resolve-image", "--name", "web", "--replicas", "2", "--update-order", "start-first",
		"--publish", "8443:8080", "--publish", "8080:8080", gone).Assert(t, icmd.Success)
	s.WaitRunning(t, "web", 2)
	was := ok(t, s, "ingress", "--format", "{{.Subnet}}")
	ports := s.Service(t, "web").Endpoint.Ports
	lose()

	r := rewire(s, "ingress", "recreate", "--yes", "--subnet", "10.94.0.0/24", "--timeout", "1m")
	r.Assert(t, icmd.Expected{ExitCode: 4})
	assert.Check(t, is.Contains(r.Stderr(), gone), "it says what was wrong")
	assert.Equal(t, meshIs(t, s, ports)+"\n", was)
}

// TestIngressKilled kills it at a random moment, then goes on or goes back.
// MIGRATE_KILLS is how often.
func TestIngressKilled(t *testing.T) {
	kills := count(t, "MIGRATE_KILLS", 2)
	seed := uint64(count(t, "MIGRATE_SEED", int(time.Now().Unix()%100000))) //nolint:gosec // a number to repeat a run by
	t.Logf("MIGRATE_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // reproducible on purpose
	s, ports := published(t)
	was := strings.TrimSpace(ok(t, s, "ingress", "--format", "{{.Subnet}}"))
	for round := range kills {
		goal := "10." + strconv.Itoa(100+round) + ".0.0/16"
		after := time.Duration(r.Int64N(int64(30 * time.Second)))
		killed(t, s.Command("swarmnet", "ingress", "recreate", "--yes", "--subnet", goal), after)
		way := []string{"--resume", "--undo"}[r.IntN(2)]
		res := rewire(s, "ingress", "recreate", way, "--yes")
		// Killed before it had begun, or after it was over, there is nothing under way.
		over := res.ExitCode == 1 && assert.Check(t, is.Contains(res.Combined(), "nothing is under way"))
		assert.Assert(t, over || res.ExitCode == 0, "%s", res)
		now := meshIs(t, s, ports)
		t.Logf("round %d: killed after %s, %s: %s", round, after.Round(time.Millisecond), way, now)
		switch {
		case over:
			assert.Check(t, now == was || now == goal)
		case way == "--resume":
			assert.Equal(t, now, goal)
		default:
			assert.Equal(t, now, was)
		}
		was = now
	}
}
