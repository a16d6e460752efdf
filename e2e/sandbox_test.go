//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
	"gotest.tools/v3/poll"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// extra is the name of a sandbox that a test makes beside the usual one.
func extra(s *harness.Swarm, suffix string) string { return s.Name + "-" + suffix }

// sandboxUp makes one and takes it down at the end of the test.
func sandboxUp(t *testing.T, s *harness.Swarm, name string, args ...string) *icmd.Result {
	t.Helper()
	t.Cleanup(func() { s.Swarmnet("sandbox", "down", name) })
	return s.Swarmnet(append([]string{"sandbox", "up", name}, args...)...)
}

// traces is all that a sandbox of that name might leave on this machine.
func traces(t *testing.T, s *harness.Swarm, name string) map[string]string {
	t.Helper()
	out := map[string]string{}
	lines := func(what string, all []byte, of string) {
		var found []string
		for _, l := range strings.Split(string(all), "\n") {
			if strings.Contains(l, of) {
				found = append(found, l)
			}
		}
		slices.Sort(found)
		out[what] = strings.Join(found, "\n")
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	assert.NilError(t, err)
	lines("mounts", mounts, name)
	lines("contexts", []byte(s.Docker("context", "ls", "--format", "{{.Name}}").Stdout()), name)
	for what, args := range map[string][]string{
		"links": {"ip", "-o", "link"}, "namespaces": {"ip", "netns"}, "rules": {"iptables-save"}, "routes": {"ip", "route"},
	} {
		all, err := exec.Command(args[0], args[1:]...).Output()
		assert.NilError(t, err, "%v", args)
		// Names of links and namespaces need not hold the sandbox's: count all.
		out[what] = fmt.Sprint(strings.Count(string(all), "\n"))
	}
	for _, dir := range []string{"/var/lib/docker-swarmnet/sandbox", "/run/netns"} {
		entries, err := os.ReadDir(dir)
		assert.Assert(t, err == nil || os.IsNotExist(err), "%v", err)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		lines(dir, []byte(strings.Join(names, "\n")), name)
	}
	engines := processes(t, func(_ int, cmdline string) bool { return ofSandbox(cmdline, name) })
	out["engines"] = fmt.Sprint(len(engines))
	// Nothing in its command line tells one engine's containerd from another's.
	out["containerds"] = fmt.Sprint(len(processes(t, func(_ int, cmdline string) bool {
		return strings.HasPrefix(cmdline, "containerd --config /run/docker/containerd/")
	})))
	return out
}

// ofSandbox recognises an engine by its --cgroup-parent, /docker-swarmnet-ID/NODE.
func ofSandbox(cmdline, name string) bool {
	return strings.HasPrefix(cmdline, "dockerd ") && strings.Contains(cmdline, "/"+name+"-n")
}

// processes lists those whose command line the test asks for.
func processes(t *testing.T, wanted func(parent int, cmdline string) bool) []int {
	t.Helper()
	var found []int
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	assert.NilError(t, err)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended meanwhile
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(f), "status"))
		if err != nil {
			continue
		}
		_, parent, _ := strings.Cut(string(status), "\nPPid:\t")
		parent, _, _ = strings.Cut(parent, "\n")
		ppid, err := strconv.Atoi(parent)
		assert.NilError(t, err)
		if !wanted(ppid, strings.ReplaceAll(string(raw), "\x00", " ")) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		assert.NilError(t, err)
		found = append(found, pid)
	}
	return found
}

func TestSandboxComesAndGoes(t *testing.T) {
	s := usual(t)
	name := extra(s, "twin")
	before := traces(t, s, name)
	sandboxUp(t, s, name, "--nodes", "3", "--managers", "3").Assert(t, icmd.Success)
	during := traces(t, s, name)
	assert.Check(t, during["engines"] == "3" && during["contexts"] != "" && during["links"] != before["links"], "the listing must see a sandbox: %v", during)

	id := func(context string) string {
		return strings.TrimSpace(s.Docker("-c", context, "info", "--format", "{{.Swarm.Cluster.ID}}").Stdout())
	}
	first := id(name)
	assert.Check(t, first != "" && first != id(s.Context), "each sandbox is a swarm of its own")
	assert.Check(t, is.Equal(strings.Count(s.Docker("-c", name+"-n2", "node", "ls", "--format", "{{.ManagerStatus}}").Stdout(), "Reachable"), 2))
	listed := s.Swarmnet("sandbox", "ls", "--format", "{{.Name}} {{.Status}} {{.Running}}/{{.Nodes}} {{.Managers}}").Stdout()
	assert.Check(t, is.Contains(listed, name+" running 3/3 3"))

	again := s.Swarmnet("sandbox", "up", name, "--nodes", "3", "--managers", "3")
	assert.Check(t, is.Contains(again.Combined(), name))
	assert.Check(t, is.Equal(id(name), first), "up again leaves it alone")

	s.Swarmnet("sandbox", "down", name).Assert(t, icmd.Success)
	assert.DeepEqual(t, traces(t, s, name), before)
	assert.Check(t, id(s.Context) != "", "the other sandbox goes on")
	assert.Check(t, s.Swarmnet("sandbox", "down", name).ExitCode != 0, "there is none of that name any more")
}

// TestSandboxUpThatFails leaves nothing, whatever ended it.
func TestSandboxUpThatFails(t *testing.T) {
	s := usual(t)
	name := extra(s, "half")
	before := traces(t, s, name)
	t.Run("an engine root without an engine", func(t *testing.T) {
		r := sandboxUp(t, s, name, "--engine", t.TempDir())
		assert.Check(t, is.Equal(r.ExitCode, 1))
		assert.Check(t, is.Contains(r.Stderr(), "engine"))
		assert.DeepEqual(t, traces(t, s, name), before)
	})
	for i, in := range interruptions() {
		t.Run(in.doc, func(t *testing.T) {
			t.Cleanup(func() { s.Swarmnet("sandbox", "down", name) })
			p := start(t, s.Command("swarmnet", "sandbox", "up", name), in.terminal)
			moment := []string{"starting", "answers", "ready"}[i]
			eventually(t, s, func() poll.Result {
				if !strings.Contains(p.output(), moment) {
					return poll.Continue("no node %s: %s", moment, p.output())
				}
				return poll.Success()
			})
			assert.NilError(t, in.send(p))
			assert.Equal(t, p.end(t, s.Patience()), 130, p.output())
			assert.DeepEqual(t, traces(t, s, name), before)
		})
	}
}

// TestSandboxKilled: after a crash of all its engines a sandbox is stale, and
// can be taken down.
func TestSandboxKilled(t *testing.T) {
	s := usual(t)
	name := extra(s, "killed")
	before := traces(t, s, name)
	sandboxUp(t, s, name, "--nodes", "2").Assert(t, icmd.Success)
	engines := processes(t, func(_ int, cmdline string) bool { return ofSandbox(cmdline, name) })
	assert.Equal(t, len(engines), 2)
	for _, pid := range append(engines, processes(t, func(parent int, _ string) bool { return slices.Contains(engines, parent) })...) {
		assert.NilError(t, ignoreEnded(syscall.Kill(pid, syscall.SIGKILL)))
	}
	eventually(t, s, func() poll.Result {
		if out := s.Swarmnet("sandbox", "ls", "--format", "{{.Name}} {{.Running}}/{{.Nodes}}").Stdout(); !strings.Contains(out, name+" 0/2") {
			return poll.Continue("%s", out)
		}
		return poll.Success()
	})
	s.Swarmnet("sandbox", "down", name).Assert(t, icmd.Success)
	assert.DeepEqual(t, traces(t, s, name), before)
}

func ignoreEnded(err error) error {
	if err == syscall.ESRCH { //nolint:errorlint // a bare number of the kernel
		return nil
	}
	return err
}

// TestSandboxFaults: what the swarm sees of a node that is stopped or cut off.
func TestSandboxFaults(t *testing.T) {
	s := usual(t)
	worker := s.Nodes[2]
	for _, fault := range [][2]string{{"stop", "start"}, {"cut", "heal"}} {
		s.Swarmnet("sandbox", "node", fault[0], worker.Name).Assert(t, icmd.Success)
		s.WaitNode(t, worker, "down")
		s.Swarmnet("sandbox", "node", fault[1], worker.Name).Assert(t, icmd.Success)
		s.WaitNode(t, worker, "ready")
	}
}

func TestSandboxBadInput(t *testing.T) {
	s := usual(t)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"up", "Bad_Name"}, 125, "Bad_Name"},
		{[]string{"up", extra(s, "x"), "--nodes", "0"}, 125, "nodes"},
		{[]string{"up", extra(s, "x"), "--nodes", "2", "--managers", "3"}, 125, "managers"},
		{[]string{"up", extra(s, "x"), "--driver", "vm"}, 125, "vm"},
		{[]string{"down", "nosuch"}, 1, "nosuch"},
		{[]string{"load", "nosuch-image", s.Name}, 1, "nosuch-image"},
		{[]string{"node", "stop", "nosuch"}, 1, "nosuch"},
	} {
		r := s.Swarmnet(append([]string{"sandbox"}, c.args...)...)
		assert.Check(t, is.Equal(r.ExitCode, c.code), "%s", r)
		assert.Check(t, is.Contains(r.Stderr(), c.says))
	}
	assert.Check(t, !strings.Contains(s.Swarmnet("sandbox", "ls").Stdout(), extra(s, "x")))
}
