package commands

import (
	"testing"

	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/service"
	"github.com/spf13/pflag"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// A flag of docker's that deploy lacks, or shadows with another meaning, would
// be a flag that means something else here.
func TestDeployHasDockersFlags(t *testing.T) {
	dockerCLI, err := command.NewDockerCli()
	assert.NilError(t, err)
	create, _, err := service.NewServiceCommand(dockerCLI).Find([]string{"create"}) //nolint:staticcheck // see deploy_flags.go
	assert.NilError(t, err)
	deploy := newDeployCommand(dockerCLI)
	seen := 0
	create.Flags().VisitAll(func(f *pflag.Flag) {
		seen++
		own := deploy.Flags().Lookup(f.Name)
		assert.Assert(t, own != nil, f.Name)
		assert.Check(t, is.Equal(own.Usage, f.Usage))
		assert.Check(t, is.Equal(own.Shorthand, f.Shorthand))
		assert.Check(t, is.Equal(own.Value.Type(), f.Value.Type()))
		assert.Check(t, is.Equal(own.DefValue, f.DefValue))
	})
	assert.Assert(t, seen > 60, "docker service create has some 70 flags, found %d", seen)
}

func TestDeployRefuses(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"--name", "web", "image"}, "--network is missing", problem.Usage},
		{[]string{"--network", "docknet", "image"}, "--name is missing", problem.Usage},
		{[]string{"--network", "docknet", "--name", "web"}, "requires at least 1 argument", problem.Usage},
		{[]string{"--network", "docknet", "--name", "web", "--on-failure", "panic", "image"}, `--on-failure "panic"`, problem.Usage},
		{[]string{"--network", "docknet", "--name", "web", "--prune", "image"}, "--prune is for a stack", problem.Usage},
		{[]string{"--network", "docknet", "--name", "web", "--wave", "most", "image"}, `--wave "most"`, problem.Usage},
		{[]string{"--network", "docknet", "--name", "web", "--wave", "2", "image"}, "no contexts were named", problem.Usage},
		{[]string{"--network", "docknet", "--name", "web", "--contexts", "default,nowhere", "image"}, "nothing was changed: not every context answered: nowhere", problem.Failed},
	} {
		// The fake has no ServiceCreate: a creation would panic.
		out, _, err := run(t, newFakeEngine(), append([]string{"deploy"}, tc.args...)...)
		assert.Check(t, is.ErrorContains(err, tc.want))
		assert.Equal(t, out, "")
		assert.Equal(t, exitCodeOf(err), tc.code)
	}
}

func TestDeployStackRefuses(t *testing.T) {
	dir := planDir(t)
	for _, tc := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"--wave", "0"}, `--wave "0"`, problem.Usage},
		{[]string{"--wave", "most"}, `--wave "most"`, problem.Usage},
		{[]string{"--wave", "2"}, "no contexts were named", problem.Usage},
		{[]string{"--contexts", ""}, "names no context", problem.Usage},
		{[]string{"--contexts", "default", "--plan", "f"}, "the plan of one swarm", problem.Usage},
		{[]string{"--contexts", "default,nowhere"}, `nothing was changed: not every context answered: nowhere`, problem.Failed},
	} {
		// The fake has no ServiceCreate: a creation would panic.
		out, _, err := run(t, newFakeEngine(), append(append([]string{"deploy", "-c", dir.Join("compose.yaml"), "--resolve-image", "never"}, tc.args...), "web")...)
		assert.Check(t, is.ErrorContains(err, tc.want))
		assert.Equal(t, out, "")
		assert.Equal(t, exitCodeOf(err), tc.code)
	}
}
