package commands

import (
	"encoding/json"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

func TestVersion(t *testing.T) {
	t.Setenv("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND", "")
	out, errs, err := run(t, newFakeEngine(), "version")
	assert.NilError(t, err)
	assert.Equal(t, errs, "")
	for _, want := range []string{"Plugin:\n Version:       dev\n", "Docker CLI:\n Version:       none", "Engine:\n Version:       20.10.24\n API version:   1.41\n"} {
		assert.Check(t, is.Contains(out, want))
	}
}

func TestVersionFormats(t *testing.T) {
	out, _, err := run(t, newFakeEngine(), "version", "--format", "{{.Engine.APIVersion}} {{.CLI.Context}}")
	assert.NilError(t, err)
	assert.Equal(t, out, "1.41 default\n")

	out, _, err = run(t, newFakeEngine(), "version", "--format", "json")
	assert.NilError(t, err)
	var v versions
	assert.NilError(t, json.Unmarshal([]byte(out), &v))
	assert.Equal(t, v.Engine.Version, "20.10.24")

	_, _, err = run(t, newFakeEngine(), "version", "--format", "{{.Engine")
	assert.Check(t, is.ErrorContains(err, "the template of --format cannot be read"))
	assert.Check(t, is.Equal(exitCodeOf(err), problem.Usage))
}

func TestVersionWithoutEngine(t *testing.T) {
	f := newFakeEngine()
	f.down = errDown
	out, _, err := run(t, f, "version")
	assert.Check(t, is.Contains(out, "Plugin:\n Version:       dev\n"))
	assert.Check(t, is.ErrorContains(err, `cannot reach the engine of context "default"`))
}
