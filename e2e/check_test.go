//go:build e2e

package e2e

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
	"gotest.tools/v3/poll"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// formats are those that check writes.
func formats() []string { return []string{"table", "json", "junit", "{{.Code}}"} }

// TestCheck holds the exit codes of check, which are the same in every format,
// and what chooses among its findings: on a swarm with one error (a network
// over the node's own addresses) and one warning (a misspelt option).
func TestCheck(t *testing.T) {
	s := usual(t)
	worker := s.Nodes[1]
	gone := s.Context + "-gone"
	s.Docker("context", "create", gone, "--docker", "host=unix:///var/run/nobody.sock").Assert(t, icmd.Success)
	t.Cleanup(func() { s.Docker("context", "rm", gone).Assert(t, icmd.Success) })
	exits := func(want int, context string, args ...string) {
		t.Helper()
		for _, format := range formats() {
			cmd := append([]string{"-c", context, "swarmnet", "check", "--format", format}, args...)
			r := s.Docker(cmd...)
			assert.Check(t, is.Equal(r.ExitCode, want), "%v: %s", cmd, r)
		}
	}
	exits(0, s.Context)
	exits(1, worker.Context)

	addr := strings.TrimSpace(s.Docker("node", "inspect", "self", "--format", "{{.Status.Addr}}").Stdout())
	s.Docker("network", "create", "-d", "overlay", "--subnet", addr[:strings.LastIndex(addr, ".")]+".0/24", "wrong").Assert(t, icmd.Success)
	s.Docker("network", "create", "-d", "overlay", "--opt", "com.docker.network.mtu=1400", "app").Assert(t, icmd.Success)
	exits(2, s.Context)

	for _, tc := range []struct {
		want int
		args string
	}{
		{0, "--only SN302"},
		{2, "--only SN302 --fail-on warning"},
		{2, "--only addresses"},
		{2, "--only overlap-with-node"},
		{2, "--only SN104 --fail-on note"},
		{0, "--fail-on never"},
		{0, "--ignore SN206"},
		{0, "--ignore SN206=wr*"},
		{2, "--ignore SN206=other"},
		{0, "app"},
		{2, "app --fail-on warning"},
		{2, "wrong"},
		{1, "absent"},
		{125, "--fail-on sometimes"},
		{125, "--only SN999"},
		// A context that does not answer comes first, and the findings are shown all the same.
		{1, "--contexts " + s.Context + "," + gone},
		// A worker leads to the same swarm, which is judged once.
		{2, "--contexts " + s.Context + "," + worker.Context},
	} {
		r := s.Swarmnet(append([]string{"check"}, strings.Fields(tc.args)...)...)
		assert.Check(t, is.Equal(r.ExitCode, tc.want), "%s: %s", tc.args, r)
		if strings.HasPrefix(tc.args, "--contexts") {
			assert.Check(t, is.Contains(r.Stdout(), "SN206"), tc.args)
		}
		if tc.want == 125 || tc.args == "absent" {
			assert.Check(t, is.Equal(r.Stdout(), ""), tc.args)
		}
	}
	t.Run("json", func(t *testing.T) { checkJSON(t, s) })
	t.Run("junit", func(t *testing.T) { checkJUnit(t, s) })
	t.Run("list", func(t *testing.T) {
		lines := strings.Fields(ok(t, s, "check", "--list", "--format", "{{.Code}}"))
		assert.Check(t, len(lines) >= 40, "%d codes", len(lines))
		assert.Check(t, slices.IsSorted(lines))
	})
	t.Run("ignored by config", func(t *testing.T) {
		for ignore, want := range map[string]int{"SN104, SN206=wrong": 0, "SN206=other": 2, "SN999": 125} {
			cmd := s.Command("swarmnet", "check")
			cmd.Env = append(cmd.Env, "DOCKER_CONFIG="+configWith(t, ignore))
			r := icmd.RunCmd(cmd)
			assert.Check(t, is.Equal(r.ExitCode, want), "%s: %s", ignore, r)
		}
	})
	s.Docker("network", "rm", "wrong").Assert(t, icmd.Success)
	exits(0, s.Context)
}

// checkJSON: an object a line, the worst first, each with what a script needs.
func checkJSON(t *testing.T, s *harness.Swarm) {
	t.Helper()
	r := s.Swarmnet("check", "--format", "json")
	var first map[string]any
	for i, line := range strings.Split(strings.TrimSpace(r.Stdout()), "\n") {
		var f map[string]any
		assert.NilError(t, json.Unmarshal([]byte(line), &f), line)
		if i == 0 {
			first = f
		}
	}
	for key, want := range map[string]string{"Code": "SN206", "Severity": "error", "Object": "wrong", "ObjectKind": "network", "Context": s.Context} {
		assert.Check(t, is.Equal(fmt.Sprint(first[key]), want), "%v", first)
	}
}

// checkJUnit: what a CI server reads has the error as a failure.
func checkJUnit(t *testing.T, s *harness.Swarm) {
	t.Helper()
	r := s.Swarmnet("check", "--format", "junit")
	var report struct {
		Suites []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
		} `xml:"testsuite"`
	}
	assert.NilError(t, xml.Unmarshal([]byte(r.Stdout()), &report), r.Stdout())
	tests, failures := 0, 0
	for _, suite := range report.Suites {
		tests, failures = tests+suite.Tests, failures+suite.Failures
	}
	assert.Check(t, tests >= 40, "%d tests", tests)
	assert.Check(t, failures >= 1, "%s", r.Stdout())
}

// configWith is a folder of docker's configuration as the lab's, with ignores.
func configWith(t *testing.T, ignore string) string {
	t.Helper()
	dir := t.TempDir()
	for _, part := range []string{"contexts", "cli-plugins"} {
		assert.NilError(t, os.Symlink(filepath.Join(lab.Config, part), filepath.Join(dir, part)))
	}
	config, err := json.Marshal(map[string]any{"plugins": map[string]any{"swarmnet": map[string]string{"ignore": ignore}}})
	assert.NilError(t, err)
	assert.NilError(t, os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600))
	return dir
}

// explained is what explain's JSON says.
type explained struct {
	Steps []struct{ Step, Status, Evidence, Code string }
	Cause string
	Fix   string
	Log   []string
}

// step returns what is said of a step, "" of one that was not reached.
func (e explained) step(name string) (status, evidence string) {
	for _, s := range e.Steps {
		if s.Step == name {
			return s.Status, s.Evidence
		}
	}
	return "", ""
}

// explain asks for a service and holds that text and JSON end with one code.
func explain(t *testing.T, s *harness.Swarm, args ...string) (e explained, exit int) {
	t.Helper()
	r := s.Swarmnet(append([]string{"explain", "--format", "json"}, args...)...)
	assert.Check(t, r.ExitCode == 0 || r.ExitCode == 2, "%s", r)
	assert.NilError(t, json.Unmarshal([]byte(r.Stdout()), &e), "%s", r)
	assert.Check(t, is.Equal(r.ExitCode == 2, e.Cause != ""), "%s", r)
	return e, r.ExitCode
}

// TestExplain walks to each kind of cause on a live swarm. The services have
// no virtual address, which a kernel without IPVS would be the end of.
func TestExplain(t *testing.T) {
	s := docknet(t)
	onManager := "node.hostname==" + s.Nodes[0].Hostname
	service(t, s, "web", 1, "--endpoint-mode", "dnsrr", "--constraint", onManager, "--publish", "mode=host,published=8088,target=8080")
	s.Docker("network", "create", "-d", "overlay", "--subnet", "10.90.2.0/24", "other").Assert(t, icmd.Success)
	create := func(name string, args ...string) {
		t.Helper()
		s.Docker(append([]string{"service", "create", "-d", "--no-resolve-image", "--endpoint-mode", "dnsrr", "--restart-delay", "500ms", "--name", name}, args...)...).Assert(t, icmd.Success)
	}
	create("lonely", "--network", "other", demoImage)
	create("nowhere", "--network", "other", "--constraint", "node.hostname==nowhere", demoImage)
	create("failing", "--network", "other", demoImage, "--no-such-flag")
	for _, name := range []string{"one_db", "two_db"} {
		create(name, "--network", "name=other,alias=db", demoImage)
	}

	s.Swarmnet("explain", "absent").Assert(t, icmd.Expected{ExitCode: 1, Err: `service "absent" not found`})
	s.Swarmnet("explain", "web", "--format", "yaml").Assert(t, icmd.Expected{ExitCode: 125})
	e, _ := explain(t, s, "web", "--from", "lonely")
	status, evidence := e.step("network")
	assert.Check(t, is.Equal(status, "broken"))
	assert.Check(t, is.Contains(evidence, "docknet"))
	assert.Check(t, is.Contains(e.Fix, "docker swarmnet attach docknet lonely"))

	for _, tc := range []struct{ service, step, evidence string }{
		{"nowhere", "placed", "nowhere"},
		{"failing", "running", "exit code"},
		{"one_db", "name", "db"},
	} {
		eventually(t, s, func() poll.Result {
			if e, _ = explain(t, s, tc.service); e.Cause == "" {
				return poll.Continue("%s: nothing is broken yet: %v", tc.service, e.Steps)
			}
			return poll.Success()
		})
		status, evidence = e.step(tc.step)
		assert.Check(t, is.Equal(status, "broken"), "%s: %v", tc.service, e.Steps)
		assert.Check(t, is.Contains(evidence, tc.evidence), tc.service)
		if tc.service == "failing" {
			assert.Check(t, is.Contains(strings.Join(e.Log, "\n"), "no-such-flag"), "the task's last words")
		}
	}
	explainsGossip(t, s)
}

// explainsGossip: the manager, which runs a task of web, knows its address by
// gossip, and nothing is broken with web.
func explainsGossip(t *testing.T, s *harness.Swarm) {
	t.Helper()
	eventually(t, s, func() poll.Result {
		e, exit := explain(t, s, "web")
		if status, evidence := e.step("gossip"); exit != 0 || status != "ok" {
			return poll.Continue("exit %d, gossip %s: %s", exit, status, evidence)
		}
		_, ports := e.step("ports")
		assert.Check(t, is.Contains(ports, "8088→8080/tcp (host)"))
		return poll.Success()
	})
	s.Swarmnet("explain", "web").Assert(t, icmd.Expected{ExitCode: 0, Out: "Nothing is broken that the manager can see."})
}
