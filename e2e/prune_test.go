//go:build e2e

package e2e

import (
	"slices"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
)

// TestPrune: only what nobody uses goes, after it was asked for.
func TestPrune(t *testing.T) {
	s := docknet(t)
	worker := s.Nodes[2]
	service(t, s, "asleep", 0, "--replicas", "0")
	ok(t, s, "create", "--label", "keep=yes", "kept")
	ok(t, s, "create", "unused")
	ok(t, s, "create", "--attachable", "held")
	worker.Docker("run", "-d", "--name", "guest", "--network", "held", demoImage).Assert(t, icmd.Success)
	all := []string{"docknet", "kept", "unused", "held"}
	left := func(names ...string) {
		t.Helper()
		for _, name := range all {
			assert.Equal(t, s.Network(t, name) != nil, slices.Contains(names, name), name)
		}
	}

	r := s.Swarmnet("prune")
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: "no terminal to ask on"})
	assert.Check(t, is.Contains(r.Stderr(), `network "unused"`), "it lists first what it asks about")
	assert.Equal(t, ok(t, s, "prune", "--dry-run"), "kept\nunused\n")
	s.Swarmnet("prune", "--yes", "--filter", "until=24h").Assert(t, icmd.Expected{ExitCode: 0, Err: "is unused"})
	s.Swarmnet("prune", "--yes", "--filter", "colour=red").Assert(t, icmd.Expected{ExitCode: 125, Err: "colour"})
	left(all...)

	r = s.Swarmnet("prune", "--yes", "--filter", "label!=keep")
	r.Assert(t, icmd.Success)
	assert.Equal(t, r.Stdout(), "unused\n")
	guest := worker.Docker("ps", "--quiet", "--filter", "name=guest").Stdout()
	for _, want := range []string{`network "held" is held by`, worker.Hostname, guest[:12]} {
		assert.Check(t, is.Contains(r.Stderr(), want))
	}
	left("docknet", "kept", "held")

	worker.Docker("rm", "--force", "guest").Assert(t, icmd.Success)
	assert.Equal(t, ok(t, s, "prune", "--force", "--filter", "label!=keep"), "held\n")
	assert.Equal(t, ok(t, s, "prune", "--yes", "--filter", "label=keep=yes"), "kept\n")
	left("docknet")
}
