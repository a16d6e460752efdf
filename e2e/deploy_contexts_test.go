//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// TestDeployInSeveralSwarms: a service goes to all swarms or to none. The
// swarms know its network, secret and config by other IDs.
func TestDeployInSeveralSwarms(t *testing.T) {
	east := usual(t)
	west := lab.Swarm(t, harness.Spec{Suffix: "other", Nodes: 1, Engine: lab.OtherEngine()})
	swarms := []*harness.Swarm{east, west}
	contexts := east.Context + "," + west.Context
	deploy := func(args ...string) *icmd.Result {
		return east.Swarmnet(append([]string{
			"deploy", "--contexts", contexts, "--name", "web", "--network", "docknet", "--no-resolve-image", "--update-monitor", "1s", "--stop-grace-period", "1s",
		}, args...)...)
	}
	east.Load(t, "swarmnet/demo")
	icmd.RunCmd(west.Command("rmi", "--force", demoImage)) // of another scenario
	east.Swarmnet("create", "--contexts", contexts, "docknet").Assert(t, icmd.Success)

	refused := deploy("--secret", "key", demoImage)
	refused.Assert(t, icmd.Expected{ExitCode: 1, Err: "nothing was changed"})
	for _, s := range swarms {
		assert.Check(t, is.Contains(refused.Stderr(), `on the swarm of context "`+s.Context+`", and nothing was changed`))
		assert.Check(t, s.Service(t, "web") == nil)
		for _, kind := range []string{"secret", "config"} {
			icmd.RunCmd(s.Command(kind, "create", "key", "-"), icmd.WithStdin(strings.NewReader("a"))).Assert(t, icmd.Success)
		}
	}

	// The second swarm lacks the image, which only its tasks find out.
	for _, wave := range []string{"1", "all"} {
		r := deploy("--wave", wave, demoImage)
		r.Assert(t, icmd.Expected{ExitCode: 4, Err: `context "` + west.Context + `" did not come up`})
		assert.Check(t, is.Contains(r.Stderr(), `context "`+east.Context+`": it was up there. It was removed again.`))
		assert.Check(t, is.Equal(r.Stdout(), ""))
		for _, s := range swarms {
			assert.Check(t, s.Service(t, "web") == nil, s.Context)
		}
	}

	west.Load(t, "swarmnet/demo")
	args := []string{"--secret", "key", "--config", "key", demoImage}
	r := deploy(args...)
	r.Assert(t, icmd.Success)
	lines := strings.Split(strings.TrimSpace(r.Stdout()), "\n")
	assert.Assert(t, is.Len(lines, 3))
	assert.Check(t, is.DeepEqual(strings.Fields(lines[0]), []string{"CONTEXT", "ID"}))
	up := map[*harness.Swarm]*swarm.Service{}
	for i, s := range swarms {
		sv := s.Service(t, "web")
		assert.Check(t, is.DeepEqual(strings.Fields(lines[i+1]), []string{s.Context, sv.ID}))
		assert.Check(t, is.Equal(sv.Spec.TaskTemplate.Networks[0].Target, s.Network(t, "docknet").ID))
		s.WaitRunning(t, "web", 1)
		up[s] = sv
	}
	again := deploy(args...)
	again.Assert(t, icmd.Success)
	assert.Check(t, is.Equal(again.Stdout(), r.Stdout()))
	assert.Check(t, is.Contains(again.Stderr(), "unchanged"))

	// An update that fails in one is taken back in the other.
	for _, n := range east.Nodes {
		n.Docker("tag", demoImage, "swarmnet/east:1").Assert(t, icmd.Success)
	}
	bad := deploy("--secret", "key", "--config", "key", "--replicas", "2", "swarmnet/east:1")
	bad.Assert(t, icmd.Expected{ExitCode: 4, Err: `context "` + east.Context + `": it was up there. It was restored to what it was.`})
	for _, s := range swarms {
		sv := s.Service(t, "web")
		assert.Check(t, is.DeepEqual(sv.Spec, up[s].Spec))
		assert.Check(t, sv.Version.Index > up[s].Version.Index, "%s was changed and changed back", s.Context)
		s.WaitRunning(t, "web", 1)
		s.Swarmnet("rm", "docknet")
	}
}
