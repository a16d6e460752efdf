package commands

import (
	"errors"
	"strings"
	"testing"

	"github.com/docker/cli/cli/command"
	"github.com/docker/docker/api/types/swarm"
	"github.com/spf13/cobra"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

func TestContextsRowPerFailure(t *testing.T) {
	out, _, err := run(t, newFakeEngine(), "ls", "--contexts", "default,nowhere")
	assert.Check(t, is.Equal(exitCodeOf(err), problem.Failed))
	assert.Check(t, is.Equal(err.Error(), ""), "the reason stands in the table, once")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	assert.Assert(t, is.Len(lines, 3))
	assert.Check(t, strings.HasPrefix(lines[0], "CONTEXT "), lines[0])
	assert.Check(t, strings.HasPrefix(lines[1], "default "), lines[1])
	assert.Check(t, strings.HasPrefix(lines[2], "nowhere "), lines[2])
	assert.Check(t, is.Contains(lines[2], `there is no docker context "nowhere"`))
}

func TestContextsWithoutFailureHaveNoErrorColumn(t *testing.T) {
	out, _, err := run(t, newFakeEngine(), "ls", "--contexts", "default")
	assert.NilError(t, err)
	assert.Check(t, strings.HasPrefix(out, "CONTEXT "), out)
	assert.Check(t, !strings.Contains(out, "ERROR"), out)
}

func TestContextsInTheUsersOwnForm(t *testing.T) {
	for _, args := range [][]string{{"-q"}, {"--format", "{{.Name}}"}} {
		out, _, err := run(t, newFakeEngine(), append([]string{"ls", "--contexts", "default,nowhere"}, args...)...)
		assert.Check(t, is.ErrorContains(err, `nowhere: there is no docker context "nowhere"`))
		assert.Check(t, is.Equal(exitCodeOf(err), problem.Failed))
		assert.Check(t, is.Len(strings.Fields(out), 1), out)
	}
}

func TestContextsJSON(t *testing.T) {
	f := newFakeEngine()
	f.info.Swarm = swarm.Info{LocalNodeState: swarm.LocalNodeStateInactive}
	out, _, err := run(t, f, "ls", "--contexts", "default", "--format", "json")
	assert.Check(t, is.Equal(exitCodeOf(err), problem.Failed))
	assert.Check(t, is.Equal(out, `{"Context":"default","Error":"the engine of context \"default\" is not in a swarm"}`+"\n"))
}

func TestContextsNetworkMissingInOne(t *testing.T) {
	out, _, err := run(t, newFakeEngine(), "ps", "--contexts", "default", "docknet")
	assert.Check(t, is.Equal(exitCodeOf(err), problem.Failed))
	header, row, _ := strings.Cut(strings.TrimSpace(out), "\n")
	assert.Check(t, is.DeepEqual(strings.Fields(header), strings.Fields("CONTEXT NAME KIND ADDRESS NODE STATE DNS NAMES ERROR")))
	assert.Check(t, is.Contains(row, `network "docknet" not found in context "default"`))
}

func TestContextsUsage(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"ls", "--contexts", ""}, "names no context"},
		{[]string{"ports", "--as", "ufw", "--contexts", "default,other"}, "the rules of one swarm"},
	} {
		_, _, err := run(t, newFakeEngine(), tc.args...)
		assert.Check(t, is.ErrorContains(err, tc.want))
		assert.Check(t, is.Equal(exitCodeOf(err), problem.Usage))
	}
}

func TestReasonIsOneCleanLine(t *testing.T) {
	err := problem.New("cannot\n  reach\x1b[31m it").WithNext("docker ps")
	assert.Check(t, is.Equal(strings.Count(reason(err), "\n"), 0))
	assert.Check(t, !strings.Contains(reason(err), "\x1b"))
	assert.Check(t, !strings.Contains(reason(err), "docker ps"))
	assert.Check(t, is.Equal(reason(errors.New("plain")), "plain"))
}

// TestContextsKeptInTheConfiguration holds the order: the flag, then a context
// or engine that the call names, then docker's config.json.
func TestContextsKeptInTheConfiguration(t *testing.T) {
	for _, tc := range []struct {
		doc  string
		env  map[string]string
		flag string
		want []string
	}{
		{"kept", nil, "", []string{"east", "west"}},
		{"flag wins", nil, "north", []string{"north"}},
		{"DOCKER_CONTEXT wins", map[string]string{"DOCKER_CONTEXT": "x"}, "", nil},
		{"DOCKER_HOST wins", map[string]string{"DOCKER_HOST": "unix:///x"}, "", nil},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			for _, v := range []string{"DOCKER_CONTEXT", "DOCKER_HOST"} {
				t.Setenv(v, tc.env[v])
			}
			dockerCLI, err := command.NewDockerCli()
			assert.NilError(t, err)
			dockerCLI.ConfigFile().Plugins = map[string]map[string]string{"swarmnet": {"contexts": "east, west,east"}}
			var o contextsOption
			cmd := &cobra.Command{}
			o.install(cmd, dockerCLI)
			if tc.flag != "" {
				assert.NilError(t, cmd.Flags().Set("contexts", tc.flag))
			}
			got, err := o.chosen(cmd, dockerCLI)
			assert.NilError(t, err)
			assert.DeepEqual(t, got, tc.want)
		})
	}
}
