package commands

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/cli/cli/command"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
)

// runbookOutput runs the command and returns its stdout.
func runbookOutput(t *testing.T, args ...string) (string, error) {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	var out strings.Builder
	dockerCLI, err := command.NewDockerCli(command.WithOutputStream(&out))
	assert.NilError(t, err)
	cmd := newRunbookCommand(dockerCLI)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(context.Background())
	return out.String(), err
}

func TestRunbookLists(t *testing.T) {
	out, err := runbookOutput(t)
	assert.NilError(t, err)
	assert.Check(t, is.Contains(out, "The first network"))
	assert.Check(t, !strings.Contains(out, "README"))

	out, err = runbookOutput(t, "-q")
	assert.NilError(t, err)
	assert.Check(t, is.Contains(strings.Split(out, "\n"), "first-network"))

	out, err = runbookOutput(t, "--format", "json")
	assert.NilError(t, err)
	var row struct{ Name, Title string }
	assert.NilError(t, json.Unmarshal([]byte(strings.SplitN(out, "\n", 2)[0]), &row))
	assert.Check(t, row.Name != "" && row.Title != "")
}

// Every page has a heading of its own, and no two have one code or name.
func TestRunbooksAreNamed(t *testing.T) {
	pages, err := allRunbooks()
	assert.NilError(t, err)
	seen := map[string]bool{}
	for _, p := range pages {
		assert.Check(t, p.Title != "", "%s has no heading", p.Name)
		for _, word := range []string{p.Code, p.Name} {
			assert.Check(t, word == "" || !seen[word], "%q twice", word)
			seen[word] = true
		}
	}
}

func TestRunbookShows(t *testing.T) {
	out, err := runbookOutput(t, "removing-a-network")
	assert.NilError(t, err)
	assert.Check(t, strings.HasPrefix(out, "# Removing a network safely\n"))
	assert.Check(t, !strings.Contains(out, "<!-- run"))

	_, err = runbookOutput(t, "removing-a-netwok")
	assert.ErrorContains(t, err, "'docker swarmnet runbook removing-a-network'")
}

func TestRunbookCompletes(t *testing.T) {
	words, _ := completeRunbooks(nil, nil, "")
	assert.Check(t, is.Contains(words, "first-network\tThe first network"))
	words, _ = completeRunbooks(nil, []string{"first-network"}, "")
	assert.Check(t, is.Len(words, 0))
}

func TestPager(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"less", "most"} {
		assert.NilError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o755))
	}
	t.Setenv("PATH", dir)
	for _, tc := range []struct {
		variable string
		want     []string
	}{
		{"", []string{filepath.Join(dir, "less"), "-R"}},
		{"most -s", []string{filepath.Join(dir, "most"), "-s"}},
		{"absent", nil},
		{"less; rm -rf $HOME", nil},
		{"less $(id)", []string{filepath.Join(dir, "less"), "$(id)"}},
	} {
		assert.DeepEqual(t, pager(tc.variable), tc.want)
	}
	t.Setenv("PATH", t.TempDir())
	assert.Check(t, is.Len(pager(""), 0))
}
