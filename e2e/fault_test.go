//go:build e2e

package e2e

import (
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
	"gotest.tools/v3/poll"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// slowDeploy makes three tasks, one on each node, that take ten seconds from
// their start to be healthy.
func slowDeploy(s *harness.Swarm) []string {
	return []string{
		"swarmnet", "deploy", "--name", "db", "--network", "docknet", "--no-resolve-image", "--replicas", "3",
		"-e", "POSTGRES_PASSWORD=x", "--health-interval", "10s", "postgres",
	}
}

// starting tells that the service has a task in state starting on the node.
func starting(t *testing.T, s *harness.Swarm, n *harness.Node) poll.Result {
	t.Helper()
	if s.Service(t, "db") == nil {
		return poll.Continue("service db is not there yet")
	}
	id := s.NodeID(t, n)
	for _, task := range s.Tasks(t, "db", false) {
		if task.NodeID == id && task.Status.State == swarm.TaskStateStarting {
			return poll.Success()
		}
	}
	return poll.Continue("no task is starting on %s", n.Name)
}

// TestWorkerStoppedMidDeploy: the swarm gives the lost node's task to another
// one; the deploy follows it there and ends well.
func TestWorkerStoppedMidDeploy(t *testing.T) {
	s := usual(t)
	s.Load(t, "image-postgres")
	s.Swarmnet("create", "docknet").Assert(t, icmd.Success)
	p := start(t, s.Command(slowDeploy(s)...), false)
	lost := s.Nodes[2]
	eventually(t, s, func() poll.Result { return starting(t, s, lost) })
	s.Fault(t, lost, "stop")

	code := p.end(t, 2*s.Patience())
	for _, task := range s.WaitRunning(t, "db", 3) {
		assert.Check(t, task.NodeID != s.NodeID(t, lost))
	}
	assert.Equal(t, code, 0, p.output())
}

// TestEngineKilledWhileWaiting: the engine that a deploy talks to goes away.
// It ends with an error that names the context, and the same command later
// finishes the work.
func TestEngineKilledWhileWaiting(t *testing.T) {
	s := usual(t)
	s.Load(t, "image-postgres")
	s.Swarmnet("create", "docknet").Assert(t, icmd.Success)
	t.Run("killed", func(t *testing.T) {
		p := start(t, s.Command(slowDeploy(s)...), false)
		eventually(t, s, func() poll.Result { return starting(t, s, s.Nodes[1]) })
		s.Fault(t, s.Nodes[0], "stop")
		code := p.end(t, s.Patience())
		assert.Equal(t, code, 1, p.output())
		assert.Check(t, is.Contains(p.output(), s.Context))
	})
	s.Docker(slowDeploy(s)...).Assert(t, icmd.Success)
	s.WaitRunning(t, "db", 3)
}
