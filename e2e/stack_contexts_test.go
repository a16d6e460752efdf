//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// TestStackInSeveralSwarms: a stack goes to all swarms or to none. The second
// swarm lacks the image at first, which only its tasks find out.
func TestStackInSeveralSwarms(t *testing.T) {
	east := stackSwarm(t)
	west := lab.Swarm(t, harness.Spec{Suffix: "alone", Nodes: 1})
	both := []string{"--contexts", east.Context + "," + west.Context}
	icmd.RunCmd(west.Command("rmi", "--force", "swarmnet/demo")) // of another scenario
	deploy := func(content string, more ...string) *icmd.Result {
		return deployShop(t, east, content, append(both, more...)...)
	}
	plan := func(content string) *icmd.Result {
		args := append([]string{"swarmnet", "plan", "-c", stackFile(t, content), "--resolve-image", "never", "--exit-code"}, both...)
		return icmd.RunCmd(east.Command(append(args, "shop")...))
	}
	eastBefore, westBefore := stackState(t, east), stackState(t, west)

	for _, wave := range []string{"1", "all"} {
		r := deploy(shop, "--wave", wave, "--timeout", "2m")
		r.Assert(t, icmd.Expected{ExitCode: 4, Err: `context "` + west.Context + `" did not come up`})
		assert.Check(t, is.Contains(r.Stderr(), `context "`+east.Context+`": it was up there. The stack is as it was before.`), "wave %s", wave)
		assert.Check(t, is.Equal(r.Stdout(), ""))
		assert.DeepEqual(t, stackState(t, east), eastBefore)
		assert.DeepEqual(t, stackState(t, west), westBefore)
	}

	west.Load(t, "swarmnet/demo")
	first := plan(shop)
	assert.Equal(t, first.ExitCode, 2, "%s", first)
	for _, s := range []*harness.Swarm{east, west} {
		assert.Check(t, is.Contains(first.Stdout(), `Stack "shop" on context "`+s.Context+`"`))
	}
	r := deploy(shop)
	r.Assert(t, icmd.Success)
	assert.DeepEqual(t, strings.Fields(r.Stdout()), []string{"shop_api", "shop_web"})
	east.WaitRunning(t, "shop_web", 2)
	west.WaitRunning(t, "shop_web", 2)
	none := plan(shop)
	assert.Equal(t, none.ExitCode, 0, "%s", none)

	// What is known beforehand keeps all of them from being touched.
	refused := deploy(strings.Replace(shop, "replicas: 2", "replicas: 2, placement: {constraints: [node.hostname == "+east.Nodes[1].Hostname+"]}", 1))
	refused.Assert(t, icmd.Expected{ExitCode: 1, Err: `on the swarm of context "` + west.Context + `", and nothing was changed`})
	assert.Equal(t, plan(shop).ExitCode, 0)
	for _, s := range []*harness.Swarm{east, west} {
		s.Swarmnet("rm", "--stack", "shop").Assert(t, icmd.Success)
	}
}
