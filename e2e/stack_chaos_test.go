//go:build e2e

package e2e

import (
	"fmt"
	"math/rand"
	"strings"
	"syscall"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// A stackFault makes a deploy of the stack fail.
type stackFault struct {
	name string
	// change makes the file that cannot come up.
	change func(file string) string
	// code is the exit code.
	code int
	// says stands in the error.
	says []string
}

// api gives the service "api" an option more.
func api(option string) func(string) string {
	return func(file string) string {
		return strings.Replace(file, "  api:\n    image: swarmnet/demo\n", "  api:\n    image: swarmnet/demo\n    "+option+"\n", 1)
	}
}

// apiOn puts it on other networks, with what deploy says besides.
func apiOn(networks, deploy string) func(string) string {
	return func(file string) string {
		return strings.Replace(file, "    networks: [back]\n", "    networks: ["+networks+"]\n    deploy: "+deploy+"\n", 1)
	}
}

func apiImage(file string) string {
	return strings.Replace(file, "  api:\n    image: swarmnet/demo\n", "  api:\n    image: nobody/nothing:1\n", 1)
}

// stackFaults are those that show when the tasks start.
func stackFaults() []stackFault {
	lost := apiOn("back", "{update_config: {failure_action: rollback, monitor: 5s}}")
	return []stackFault{
		{"crash loop", api(`command: ["bogus"]`), 4, []string{"shop_api.1 on ", "exit code", "accepts no arguments"}},
		{"image missing", apiImage, 4, []string{"shop_api.1 on ", "nobody/nothing"}},
		{"unhealthy", api(`healthcheck: {test: ["CMD", "/nothing"], interval: 1s, retries: 1}`), 4, []string{"shop_api.1 on "}},
		{"program missing", api(`entrypoint: ["/nothing"]`), 4, []string{"shop_api.1 on ", "/nothing"}},
		{"ends at once", api(`entrypoint: ["/docker-swarmnet", "sandbox", "demo", "--help"]`), 4, []string{"shop_api.1 on "}},
		{"rolled back by the swarm", func(f string) string { return api(`entrypoint: ["/nothing"]`)(lost(f)) }, 4, []string{"shop_api"}},
		{"too late", api(`healthcheck: {test: ["CMD", "/nothing"], interval: 1h, start_period: 1h}`), 4, []string{"was not up within 20s", "shop_api"}},
	}
}

// stackObstacles are those that a plan knows of.
func stackObstacles() []stackFault {
	return []stackFault{
		{"no node", apiOn("back", "{placement: {constraints: [node.labels.nowhere == 1]}}"), 1, []string{"node.labels.nowhere"}},
		{"port taken", api(`ports: ["8099:8080"]`), 1, []string{"8099", "holder"}},
		{"too many for the network", apiOn("tiny", "{replicas: 20}"), 1, []string{"tiny", "short"}},
		{"network missing", func(f string) string {
			return apiOn("back, nowhere", "{}")(strings.Replace(f, "  tiny: {external: true}\n", "  tiny: {external: true}\n  nowhere: {external: true}\n", 1))
		}, 1, []string{"nowhere"}},
		{"network changed", func(f string) string { return strings.Replace(f, "back: {}", "back: {internal: true}", 1) }, 1, []string{"shop_back"}},
	}
}

// TestStackFaults: a deploy that cannot come up never ends 0, and leaves
// everything as it was before, whether the stack is new or runs already.
// STACK_FAULTS is the number of rounds.
func TestStackFaults(t *testing.T) {
	s := stackSwarm(t)
	s.Swarmnet("create", "--subnet", "10.99.0.0/28", "tiny").Assert(t, icmd.Success)
	s.Docker("service", "create", "--name", "holder", "--no-resolve-image", "--detach", "-p", "8099:8080", "swarmnet/demo").Assert(t, icmd.Success)
	good := strings.Replace(shop, "  back: {}\n", "  back: {}\n  tiny: {external: true}\n", 1)
	deployShop(t, s, good).Assert(t, icmd.Success)
	for _, f := range stackObstacles() {
		t.Run(f.name, func(t *testing.T) { faultRound(t, s, good, f) })
	}
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	faults := stackFaults()
	order := rand.New(rand.NewSource(seed)).Perm(len(faults)) //nolint:gosec // a test
	for i := range rounds(t, "STACK_FAULTS", 2) {
		f, fresh := faults[order[i%len(faults)]], i%2 == 1
		t.Run(fmt.Sprintf("%d %s fresh=%v", i, f.name, fresh), func(t *testing.T) {
			if fresh {
				s.Swarmnet("rm", "--stack", "shop", "--force").Assert(t, icmd.Success)
			} else {
				deployShop(t, s, good).Assert(t, icmd.Success)
			}
			faultRound(t, s, good, f)
		})
	}
}

// faultRound deploys a stack with a fault over whatever is there.
func faultRound(t *testing.T, s *harness.Swarm, good string, f stackFault) {
	t.Helper()
	before := stackState(t, s)
	bad := strings.Replace(f.change(good), `VERSION: "1"`, `VERSION: "2"`, 1)
	limit := "5m"
	if f.name == "too late" {
		limit = "20s"
	}
	got := deployShop(t, s, bad, "--timeout", limit)
	assert.Check(t, is.Equal(got.ExitCode, f.code), "%s", got)
	assert.Check(t, got.ExitCode != 0, "a false success")
	for _, words := range f.says {
		assert.Check(t, is.Contains(got.Stderr(), words))
	}
	assert.DeepEqual(t, stackState(t, s), before)
}

// TestStackKilled: killed at whatever moment, the same command completes the
// work. STACK_KILLS is the number of rounds.
func TestStackKilled(t *testing.T) {
	s := stackSwarm(t)
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewSource(seed)) //nolint:gosec // a test
	for i := range rounds(t, "STACK_KILLS", 1) {
		s.Swarmnet("rm", "--stack", "shop", "--force").Assert(t, icmd.Success)
		file := stackFile(t, strings.Replace(shop, `VERSION: "1"`, fmt.Sprintf(`VERSION: "%d"`, i), 1))
		p := start(t, s.Command(deployArgs(file)...), false)
		after := time.Duration(r.Intn(4000)) * time.Millisecond
		select {
		case <-p.done:
		case <-time.After(after): // the moment of the kill is what is tried here
		}
		killTree(t, p)
		got := runDeploy(s, file)
		assert.Equal(t, got.ExitCode, 0, "killed after %s: %s\n%s", after, p.output(), got)
		for name, n := range map[string]int{"shop_web": 2, "shop_api": 1} {
			tasks := s.WaitRunning(t, name, n)
			assert.Check(t, is.Len(tasks, n))
		}
	}
}

// killTree kills docker and the plugin it has started.
func killTree(t *testing.T, p *started) {
	t.Helper()
	for _, pid := range append(childrenOf(t, p.cmd.Process.Pid), p.cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	p.end(t, time.Minute)
}
