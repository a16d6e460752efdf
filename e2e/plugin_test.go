//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
)

func TestDockerKnowsThePlugin(t *testing.T) {
	s := usual(t)
	assert.Check(t, is.Contains(s.Docker("--help").Stdout(), "swarmnet*"))
	for _, args := range [][]string{{"swarmnet", "--help"}, {"help", "swarmnet"}} {
		r := s.Docker(args...)
		r.Assert(t, icmd.Success)
		assert.Check(t, is.Contains(r.Stdout(), "inspect"), "%v", args)
	}
	for _, verb := range []string{"addresses", "inspect", "ls", "ports", "ps", "rm", "sandbox", "version"} {
		r := s.Swarmnet(verb, "--help")
		r.Assert(t, icmd.Success)
		assert.Check(t, is.Contains(r.Stdout(), "Examples:"), verb)
	}
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
	r := s.Docker("__complete", "swarmnet", "inspect", "dock")
	r.Assert(t, icmd.Success)
	assert.Check(t, is.Contains(strings.Fields(r.Stdout()), "docknet"))
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
