//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

func TestDockerKnowsThePlugin(t *testing.T) {
	s := usual(t)
	assert.Check(t, is.Contains(s.Docker("--help").Stdout(), "swarmnet*"))
	for _, args := range [][]string{{"swarmnet", "--help"}, {"help", "swarmnet"}} {
		r := s.Docker(args...)
		r.Assert(t, icmd.Success)
		assert.Check(t, is.Contains(r.Stdout(), "inspect"), "%v", args)
	}
	verbs := completed(t, s)
	assert.Assert(t, len(verbs) >= 18, "%v", verbs)
	for _, verb := range verbs {
		r := s.Swarmnet(verb, "--help")
		r.Assert(t, icmd.Success)
		assert.Check(t, is.Contains(r.Stdout(), "Examples:"), verb)
	}
}

// completed is what the shell is offered for the last of the words after
// "docker swarmnet".
func completed(t *testing.T, s *harness.Swarm, words ...string) []string {
	t.Helper()
	if len(words) == 0 {
		words = []string{""}
	}
	r := s.Docker(append([]string{"__complete", "swarmnet"}, words...)...)
	r.Assert(t, icmd.Success)
	var offered []string
	for _, line := range strings.Split(strings.TrimSpace(r.Stdout()), "\n") {
		if word, _, _ := strings.Cut(line, "\t"); !strings.HasPrefix(word, ":") {
			offered = append(offered, word)
		}
	}
	return offered
}

func TestWrongUsage(t *testing.T) {
	s := usual(t)
	for _, args := range [][]string{{"ls", "--bogus"}, {"ls", "word"}, {"ps"}, {"bogus"}} {
		r := s.Swarmnet(args...)
		assert.Check(t, is.Equal(r.ExitCode, 125), "%v", args)
		assert.Check(t, is.Equal(r.Stdout(), ""), "%v", args)
		assert.Check(t, r.Stderr() != "", "%v", args)
	}
}

// TestWaysToChooseAnEngine: -c, DOCKER_CONTEXT, DOCKER_HOST, and without docker.
func TestWaysToChooseAnEngine(t *testing.T) {
	s := usual(t)
	want := "ingress\n"
	list := []string{"ls", "--format", "{{.Name}}"}
	assert.Equal(t, ok(t, s, list...), want) // DOCKER_CONTEXT

	aimed := func(c icmd.Cmd, env ...string) icmd.Cmd {
		var kept []string
		for _, v := range c.Env {
			if !strings.HasPrefix(v, "DOCKER_CONTEXT=") {
				kept = append(kept, v)
			}
		}
		c.Env = append(kept, env...)
		return c
	}
	flag := aimed(s.Command(append([]string{"-c", s.Context, "swarmnet"}, list...)...))
	host := aimed(s.Command(append([]string{"swarmnet"}, list...)...), "DOCKER_HOST="+s.API.DaemonHost())
	alone := aimed(s.Command(append([]string{"-c", s.Context}, list...)...))
	alone.Command[0] = filepath.Join(lab.Config, "cli-plugins", "docker-swarmnet")
	for doc, c := range map[string]icmd.Cmd{"-c": flag, "DOCKER_HOST": host, "standalone": alone} {
		r := icmd.RunCmd(c, icmd.WithTimeout(s.Patience()))
		assert.Check(t, is.Equal(r.ExitCode, 0), "%s: %s", doc, r)
		assert.Check(t, is.Equal(r.Stdout(), want), doc)
	}
	r := s.Docker("-c", "no-such-context", "swarmnet", "ls")
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: "no-such-context"})
}

func TestComplete(t *testing.T) {
	s := docknet(t)
	s.Load(t, "swarmnet/demo")
	s.Swarmnet("deploy", "--name", "web", "--network", "docknet", "--no-resolve-image", "swarmnet/demo").Assert(t, icmd.Success)
	file := filepath.Join(t.TempDir(), "stack.yaml")
	assert.NilError(t, os.WriteFile(file, []byte("version: '3.8'\nservices: {front: {image: swarmnet/demo}}\n"), 0o600))
	s.Swarmnet("deploy", "-c", file, "--resolve-image", "never", "shop").Assert(t, icmd.Success)
	for _, tc := range []struct {
		want  string
		words []string
	}{
		{"docknet", []string{"inspect", "dock"}},
		{"docknet", []string{"deploy", "--network", ""}},
		{"docknet", []string{"attach", ""}},
		{"web", []string{"attach", "docknet", ""}},
		{"shop_front", []string{"explain", ""}},
		{"web", []string{"explain", "shop_front", "--from", ""}},
		{"shop", []string{"rm", "--stack", ""}},
		{s.Context, []string{"ls", "--contexts", ""}},
		{"first-network", []string{"runbook", ""}},
	} {
		assert.Check(t, is.Contains(completed(t, s, tc.words...), tc.want), "%v", tc.words)
	}
}

// TestCompleteWithoutAnEngine: a TAB says nothing and is over soon, where
// nobody answers and where somebody never ends to.
func TestCompleteWithoutAnEngine(t *testing.T) {
	s := usual(t)
	for doc, request := range map[string]string{"no answer": "GET /", "none after the ping": "GET /networks"} {
		t.Run(doc, func(t *testing.T) {
			gate := s.Gate(t, func(got string) bool {
				return strings.HasPrefix(got, request) || strings.HasPrefix(got, "HEAD") && request == "GET /"
			})
			begin := time.Now()
			r := icmd.RunCmd(gate.Command(s.Command("__complete", "swarmnet", "inspect", "")), icmd.WithTimeout(s.Patience()))
			assert.Check(t, gate.Closed())
			r.Assert(t, icmd.Success)
			assert.Check(t, is.Equal(r.Stdout(), ":4\n"))
			t.Logf("over after %s", time.Since(begin).Round(10*time.Millisecond))
		})
	}
}

// TestRunbookOnATerminal: through the program of PAGER, which no shell takes
// apart; plainly where there is none.
func TestRunbookOnATerminal(t *testing.T) {
	s := usual(t)
	program := filepath.Join(t.TempDir(), "pager")
	assert.NilError(t, os.WriteFile(program, []byte("#!/bin/sh\necho \"paged by $1\"\ntest -t 1 && cat\n"), 0o755))
	for pager, want := range map[string]string{program + " $(id)": "paged by $(id)", "/no/such/pager": "# The first network"} {
		c := s.Command("swarmnet", "runbook", "first-network")
		c.Env = append(c.Env, "PAGER="+pager)
		p := start(t, c, true)
		assert.Equal(t, p.end(t, s.Patience()), 0)
		assert.Check(t, is.Contains(p.output(), want))
		assert.Check(t, is.Contains(p.output(), "The command returns when the swarm has allocated it."))
	}
	r := s.Swarmnet("runbook", "first-network")
	r.Assert(t, icmd.Success)
	assert.Check(t, strings.HasPrefix(r.Stdout(), "# The first network\n"))
}
