//go:build e2e

package e2e

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
	"gotest.tools/v3/poll"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// bookLine is a subnet in the JSON of "addresses".
type bookLine struct {
	Kind, Context, Network, Subnet                                string
	Usable, VIPs, Tasks, Containers, LoadBalancers, Free, Waiting int
	Fits                                                          *int
	NearFull                                                      bool
}

// book reads the line of one network.
func book(t *testing.T, s *harness.Swarm, network string) bookLine {
	t.Helper()
	r := s.Swarmnet("addresses", "--format", "json")
	r.Assert(t, icmd.Success)
	for _, line := range strings.Split(strings.TrimSpace(r.Stdout()), "\n") {
		var l bookLine
		assert.NilError(t, json.Unmarshal([]byte(line), &l), line)
		if l.Kind == "subnet" && l.Network == network {
			return l
		}
	}
	t.Fatalf("no network %q in\n%s", network, r.Stdout())
	return bookLine{}
}

// TestForecastIsExact fills a /28 until the swarm cannot place a task, which
// must be the one after those that were forecast.
func TestForecastIsExact(t *testing.T) {
	s := usual(t)
	s.Load(t, "swarmnet/demo")
	s.Swarmnet("create", "--subnet", "10.79.0.0/28", "--attachable", "tiny").Assert(t, icmd.Success)
	// Somebody else is on it already, on one node.
	s.Nodes[1].Docker("run", "-d", "--name", "guest", "--network", "tiny", "swarmnet/demo").Assert(t, icmd.Success)

	before := book(t, s, "tiny")
	assert.Assert(t, before.Fits != nil)
	forecast := *before.Fits
	// 13 usable: the guest and its node's load balancer, the service's own
	// address, load balancers of two more nodes.
	assert.Check(t, is.Equal(before.Usable, 13))
	assert.Check(t, is.Equal(forecast, 8))

	s.Docker("service", "create", "--detach", "--no-resolve-image", "--name", "fill", "--network", "tiny", "--replicas", "3", "swarmnet/demo").Assert(t, icmd.Success)
	s.WaitRunning(t, "fill", 3)
	for _, n := range []int{forecast - 1, forecast} {
		s.Docker("service", "scale", "--detach", "fill="+strconv.Itoa(n)).Assert(t, icmd.Success)
		s.WaitRunning(t, "fill", n)
		l := book(t, s, "tiny")
		assert.Check(t, is.Equal(l.Free, forecast-n))
		assert.Check(t, is.Equal(l.VIPs+l.Tasks+l.Containers+l.LoadBalancers+l.Free, l.Usable))
		assert.Check(t, l.NearFull)
		assert.Check(t, is.Equal(l.Waiting, 0))
	}
	s.Docker("service", "scale", "--detach", "fill="+strconv.Itoa(forecast+1)).Assert(t, icmd.Success)
	eventually(t, s, func() poll.Result {
		if l := book(t, s, "tiny"); l.Waiting != 1 || l.Free != 0 || l.Fits != nil {
			return poll.Continue("%+v", l)
		}
		return poll.Success()
	})
	s.WaitRunning(t, "fill", forecast)
	var left []string
	for _, task := range s.Tasks(t, "fill", false) {
		if task.Status.State == swarm.TaskStateNew {
			left = append(left, task.ID)
		}
	}
	assert.Check(t, is.Len(left, 1), "one task stays in New")
	r := s.Swarmnet("addresses")
	assert.Check(t, is.Contains(r.Stdout(), "1 waiting for an address"))
}
