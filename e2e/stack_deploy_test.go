//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
	"gotest.tools/v3/poll"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// TestStackLife takes a stack from its first deploy to its removal.
func TestStackLife(t *testing.T) {
	s := stackSwarm(t)
	before := stackState(t, s)

	first := deployShop(t, s, shop)
	first.Assert(t, icmd.Success)
	s.WaitRunning(t, "shop_web", 2)
	s.WaitRunning(t, "shop_api", 1)
	assert.Check(t, is.Contains(s.Docker("stack", "ls", "--format", "{{.Name}} {{.Services}}").Stdout(), "shop 2"))
	assert.DeepEqual(t, strings.Fields(first.Stdout()), []string{"shop_api", "shop_web"})

	t.Log("nothing to do")
	web, api := serviceVersion(t, s, "shop_web"), serviceVersion(t, s, "shop_api")
	same, asked := countedDeploy(t, s, stackFile(t, shop))
	same.Assert(t, icmd.Success)
	// Seven for any stack, however large; a config and a secret add their lists
	// and the secret's content, which the swarm alone can compare.
	assert.Check(t, len(asked) <= 7+3, "a deploy without changes asked the engine %d times:\n%s", len(asked), strings.Join(asked, "\n"))
	assert.Equal(t, serviceVersion(t, s, "shop_web"), web)
	assert.Equal(t, serviceVersion(t, s, "shop_api"), api)

	t.Log("one service changes, the config is rotated, and there is a job and a global service")
	changed := strings.NewReplacer(`VERSION: "1"`, `VERSION: "2"`, "replicas: 2", "replicas: 1", "motd", "motd2").Replace(shop)
	changed = strings.Replace(changed, "networks:\n  back: {}\n", `  once:
    image: swarmnet/demo
    entrypoint: ["/docker-swarmnet", "sandbox", "demo", "--help"]
    networks: [back]
    deploy: {mode: replicated-job, replicas: 2}
  each:
    image: swarmnet/demo
    networks: [back]
    deploy: {mode: global}
networks:
  back: {}
`, 1)
	unasked := deployShop(t, s, changed, "--prune")
	assert.Equal(t, unasked.ExitCode, 1, "without a terminal it must not remove unasked: %s", unasked)
	assert.Check(t, is.Contains(unasked.Stderr(), "--yes"))
	assert.Equal(t, serviceVersion(t, s, "shop_web"), web)
	deployShop(t, s, changed, "--prune", "--yes").Assert(t, icmd.Success)
	s.WaitRunning(t, "shop_web", 1)
	s.WaitRunning(t, "shop_each", 3)
	assert.Equal(t, serviceVersion(t, s, "shop_api"), api, "what has not changed was written")
	state := stackState(t, s)
	assert.Check(t, state["config shop_motd2"] != "")
	assert.Check(t, is.Equal(state["config shop_motd"], ""), "pruned")

	t.Log("a network never changes")
	other := deployShop(t, s, strings.Replace(shop, "back: {}", "back: {attachable: true}", 1))
	assert.Equal(t, other.ExitCode, 1, "%s", other)
	assert.Check(t, is.Contains(other.Stderr(), "shop_back"))
	assert.DeepEqual(t, stackState(t, s), state)

	t.Log("removed, to the last address")
	s.Swarmnet("rm", "--stack", "shop").Assert(t, icmd.Success)
	assert.DeepEqual(t, stackState(t, s), before)
	none := s.Swarmnet("rm", "--stack", "shop")
	assert.Equal(t, none.ExitCode, 1, "%s", none)
	s.Swarmnet("rm", "--stack", "shop", "--force").Assert(t, icmd.Success)
}

// TestStackPlanFile: a plan that was looked at is carried out as long as
// nothing of it has moved on.
func TestStackPlanFile(t *testing.T) {
	s := stackSwarm(t)
	file := stackFile(t, shop)
	pinned := t.TempDir() + "/shop.plan"
	s.Swarmnet("plan", "-c", file, "--resolve-image", "never", "--out", pinned, "shop").Assert(t, icmd.Success)
	runDeploy(s, file, "--plan", pinned, "--detach").Assert(t, icmd.Success)
	assert.Assert(t, s.Service(t, "shop_web") != nil)
	again := runDeploy(s, file, "--plan", pinned)
	assert.Equal(t, again.ExitCode, 1, "%s", again)
	assert.Check(t, is.Contains(again.Stderr(), "shop_web"))
}

// TestStackInterrupted: Ctrl-C leaves the stack as it is, and the same command
// goes on.
func TestStackInterrupted(t *testing.T) {
	s := stackSwarm(t)
	file := stackFile(t, shop)
	p := start(t, s.Command(deployArgs(file)...), true)
	eventually(t, s, func() poll.Result {
		if s.Service(t, "shop_web") == nil {
			return poll.Continue("shop_web is not there yet")
		}
		return poll.Success()
	})
	_, err := p.tty.Write([]byte{3})
	assert.NilError(t, err)
	assert.Equal(t, p.end(t, s.Patience()), 130, p.output())
	assert.Check(t, is.Contains(p.output(), "stays as it is"))
	assert.Check(t, s.Service(t, "shop_web") != nil)
	runDeploy(s, file).Assert(t, icmd.Success)
	s.WaitRunning(t, "shop_web", 2)
}

// TestStackTwiceAtOnce: two deploys of one stack at the same moment both come
// to the state that the file asks for, or one says honestly that it did not.
func TestStackTwiceAtOnce(t *testing.T) {
	s := stackSwarm(t)
	file := stackFile(t, shop)
	results := atOnce(2, func(int) *icmd.Result { return runDeploy(s, file) })
	good := 0
	for _, r := range results {
		if r.ExitCode == 0 {
			good++
		} else {
			t.Logf("%s", r)
		}
	}
	assert.Check(t, good > 0, "neither came through")
	runDeploy(s, file).Assert(t, icmd.Success)
	s.WaitRunning(t, "shop_web", 2)
}

// TestStackWorkerLost: a node that goes away mid-deploy is no failure, since
// the swarm gives its tasks to others.
func TestStackWorkerLost(t *testing.T) {
	s := stackSwarm(t)
	p := start(t, s.Command(deployArgs(stackFile(t, shop))...), false)
	eventually(t, s, func() poll.Result {
		if s.Service(t, "shop_web") == nil || len(s.Tasks(t, "shop_web", false)) == 0 {
			return poll.Continue("shop_web has no tasks yet")
		}
		return poll.Success()
	})
	s.Fault(t, s.Nodes[2], "stop")
	code := p.end(t, 3*s.Patience())
	assert.Equal(t, code, 0, p.output())
	s.WaitRunning(t, "shop_web", 2)
}

// TestStackLeaderLost: a manager that is killed mid-deploy while it leads is no
// failure. The others elect another, and who deploys through one of them waits
// for that.
func TestStackLeaderLost(t *testing.T) {
	s := lab.Swarm(t, harness.Spec{Suffix: "managers", Managers: 3})
	s.Load(t, "swarmnet/demo")
	leads := func(asked *harness.Node) string {
		nodes, err := asked.API.NodeList(context.Background(), swarm.NodeListOptions{})
		assert.NilError(t, err)
		for _, n := range nodes {
			if n.ManagerStatus != nil && n.ManagerStatus.Leader {
				return n.Description.Hostname
			}
		}
		return ""
	}
	assert.Equal(t, leads(s.Nodes[0]), s.Nodes[0].Hostname, "the first manager of a new swarm leads it")
	other := s.Nodes[1]
	file := stackFile(t, shop)
	p := start(t, s.Command(append([]string{"-c", other.Context}, deployArgs(file)...)...), false)
	eventually(t, s, func() poll.Result {
		if s.Service(t, "shop_api") == nil {
			return poll.Continue("shop_api is not there yet")
		}
		return poll.Success()
	})
	s.Fault(t, s.Nodes[0], "stop")
	code := p.end(t, 3*s.Patience())
	assert.Equal(t, code, 0, p.output())
	assert.Check(t, leads(other) != s.Nodes[0].Hostname)
	replicas := s.Docker("-c", other.Context, "service", "ls", "--format", "{{.Name}} {{.Replicas}}").Stdout()
	assert.Check(t, is.Contains(replicas, "shop_web 2/2"))
	assert.Check(t, is.Contains(replicas, "shop_api 1/1"))
	again := icmd.RunCmd(s.Command(append([]string{"-c", other.Context}, deployArgs(file)...)...), icmd.WithTimeout(deployLimit))
	again.Assert(t, icmd.Success)
}

// TestStackAddresses: a stack that needs every address of a network comes up a
// second time after "rm --stack", so none of them was left behind.
func TestStackAddresses(t *testing.T) {
	s := stackSwarm(t)
	s.Swarmnet("create", "--subnet", "10.98.0.0/29", "tiny").Assert(t, icmd.Success)
	// Five addresses beside the gateway's: three tasks, the service's own, and
	// that of the node's load balancer.
	full := fmt.Sprintf(`
services:
  all:
    image: swarmnet/demo
    networks: [tiny]
    deploy: {replicas: 3, placement: {constraints: [node.hostname == %s]}}
networks:
  tiny: {external: true}
`, s.Nodes[1].Hostname)
	for range 2 {
		deployShop(t, s, full).Assert(t, icmd.Success)
		s.WaitRunning(t, "shop_all", 3)
		s.Swarmnet("rm", "--stack", "shop").Assert(t, icmd.Success)
	}
}

// TestStackFlags: what makes no sense together is refused before anything is
// looked at.
func TestStackFlags(t *testing.T) {
	s := usual(t)
	file := stackFile(t, shop)
	for _, args := range [][]string{
		{"-c", file, "--replicas", "2", "shop"},
		{"-c", file, "shop", "more"},
		{"--prune", "swarmnet/demo"},
		{"-c", file, "--on-failure", "explode", "shop"},
		{"-c", os.DevNull + "/nothing", "shop"},
	} {
		r := s.Swarmnet(append([]string{"deploy"}, args...)...)
		assert.Check(t, is.Equal(r.ExitCode, 125), "%v: %s", args, r)
	}
}
