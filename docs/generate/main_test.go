package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/golden"
)

func example() *cobra.Command {
	run := func(*cobra.Command, []string) {}
	top := &cobra.Command{Use: "swarmnet", Short: "Networks"}
	create := &cobra.Command{
		Use:     "create [OPTIONS] NETWORK",
		Aliases: []string{"new"},
		Short:   "Create a network",
		Long:    "Creates a network.\n\nAnd waits.",
		Example: "  # The first one\n  docker swarmnet create docknet\n\n  docker swarmnet create \\\n      --mtu 1400 docknet",
		Run:     run,
	}
	flags := create.Flags()
	flags.StringP("label", "l", "", "Set a `KEY=VALUE` a|b")
	flags.Int("mtu", 1500, "Bytes of the underlay")
	flags.Bool("attachable", false, "For docker run")
	flags.Lookup("attachable").Annotations = map[string][]string{"version": {"1.25"}}
	flags.Bool("old", false, "")
	flags.Lookup("old").Deprecated = "use another"
	flags.Bool("secret", false, "")
	flags.Lookup("secret").Hidden = true

	sandbox := &cobra.Command{Use: "sandbox", Short: "Real swarms"}
	sandbox.PersistentFlags().String("state", "", "Directory of `DIR`")
	sandbox.AddCommand(&cobra.Command{Use: "up [NAME]", Short: "Start one", Run: run})
	hidden := &cobra.Command{Use: "serve", Hidden: true, Run: run}
	top.AddCommand(create, sandbox, hidden)
	(&cobra.Command{Use: "docker"}).AddCommand(top)
	return top
}

func TestPages(t *testing.T) {
	got := pages(example())
	names := []string{"README.md", "create.md", "sandbox.md", "sandbox_up.md"}
	assert.Check(t, is.Len(got, len(names)))
	for _, name := range names {
		golden.Assert(t, string(got[name]), name)
	}
}

func TestRunWritesThenChecks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "reference")
	assert.NilError(t, run(dir, false))
	assert.NilError(t, run(dir, true))
	for _, name := range []string{"README.md", "version.md"} {
		_, err := os.Stat(filepath.Join(dir, name))
		assert.Check(t, err)
	}

	assert.NilError(t, os.WriteFile(filepath.Join(dir, "gone.md"), nil, 0o644))
	assert.NilError(t, os.WriteFile(filepath.Join(dir, "version.md"), []byte("edited"), 0o644))
	assert.Check(t, is.ErrorContains(run(dir, true), `["gone.md" "version.md"]`))

	assert.NilError(t, run(dir, false))
	assert.NilError(t, run(dir, true))
}
