package commands

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// newTestRoot returns the tree as docker shows it, under the command "docker".
func newTestRoot(t *testing.T) (root *cobra.Command, stderr *bytes.Buffer) {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	stderr = &bytes.Buffer{}
	dockerCLI, err := command.NewDockerCli(command.WithCombinedStreams(stderr))
	assert.NilError(t, err)
	root = NewRoot(dockerCLI)
	docker := &cobra.Command{Use: "docker", SilenceErrors: true, SilenceUsage: true}
	docker.SetOut(stderr)
	docker.SetErr(stderr)
	docker.AddCommand(root)
	return root, stderr
}

// each calls f for every command under root that a user is told of.
func each(t *testing.T, root *cobra.Command, f func(t *testing.T, cmd *cobra.Command)) {
	t.Helper()
	for _, cmd := range root.Commands() {
		if cmd.Hidden || cmd.Name() == "help" {
			continue
		}
		t.Run(cmd.Name(), func(t *testing.T) {
			f(t, cmd)
			each(t, cmd, f)
		})
	}
}

func exitCodeOf(err error) int {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Code
	}
	return -1
}

func TestRootWithoutArgumentsShowsHelp(t *testing.T) {
	root, out := newTestRoot(t)
	root.Root().SetArgs([]string{"swarmnet"})
	assert.NilError(t, root.Root().Execute())
	assert.Check(t, is.Contains(out.String(), "version"))
}

// A command with subcommands says of an unknown one that it is unknown;
// cobra's default is the help text and exit code 0.
func TestUnknownCommand(t *testing.T) {
	root, _ := newTestRoot(t)
	check := func(t *testing.T, cmd *cobra.Command) {
		if !cmd.HasSubCommands() {
			return
		}
		words := append(strings.Fields(cmd.CommandPath())[1:], "bogus")
		root.Root().SetArgs(words)
		err := root.Root().Execute()
		assert.Check(t, is.ErrorContains(err, "unknown command: "+cmd.CommandPath()+" bogus"))
		assert.Check(t, is.Equal(exitCodeOf(err), problem.Usage))
	}
	check(t, root)
	each(t, root, check)
}

func TestWrongArgumentsAreUsageErrors(t *testing.T) {
	root, _ := newTestRoot(t)
	many := slices.Repeat([]string{"x"}, 50)
	each(t, root, func(t *testing.T, cmd *cobra.Command) {
		assert.Assert(t, cmd.Args != nil, "which arguments does it take?")
		for _, args := range [][]string{nil, {"x"}, many} {
			if err := cmd.Args(cmd, args); err != nil {
				assert.Check(t, is.Equal(exitCodeOf(err), problem.Usage), "%d arguments: %v", len(args), err)
			}
		}
	})
}

func TestEveryCommandIsExplained(t *testing.T) {
	root, _ := newTestRoot(t)
	assert.Check(t, root.Short != "" && root.Long != "")
	each(t, root, func(t *testing.T, cmd *cobra.Command) {
		assert.Check(t, cmd.Short != "", "no short description")
		assert.Check(t, !strings.HasSuffix(cmd.Short, "."), "a short description has no full stop, as in docker")
		if cmd.HasSubCommands() {
			return
		}
		assert.Check(t, is.Contains(cmd.Example, cmd.CommandPath()), "no example")
	})
}

// TAB after a command offers what it takes, not the files of the directory.
func TestEveryCommandCompletes(t *testing.T) {
	root, _ := newTestRoot(t)
	each(t, root, func(t *testing.T, cmd *cobra.Command) {
		if cmd.HasSubCommands() {
			return
		}
		assert.Check(t, cmd.ValidArgsFunction != nil || len(cmd.ValidArgs) > 0,
			"no completion of arguments: set ValidArgsFunction, cobra.NoFileCompletions if there is nothing to offer")
	})
}

func TestEveryFlagIsExplained(t *testing.T) {
	root, _ := newTestRoot(t)
	each(t, root, func(t *testing.T, cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			assert.Check(t, f.Hidden || f.Usage != "", "--%s", f.Name)
		})
	})
}

// A flag with the name of a global one would silently take its place after
// the plugin's name. "deploy" has those of "docker service create".
func TestFlagsDoNotShadowGlobalOnes(t *testing.T) {
	root, _ := newTestRoot(t)
	global := []string{"config", "context", "debug", "host", "log-level", "tls", "tlscacert", "tlscert", "tlskey", "tlsverify"}
	each(t, root, func(t *testing.T, cmd *cobra.Command) {
		if cmd.Name() == "deploy" {
			return
		}
		for _, name := range global {
			assert.Check(t, cmd.Flags().Lookup(name) == nil, "--%s is a flag of docker", name)
		}
	})
}
