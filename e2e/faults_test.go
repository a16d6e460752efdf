//go:build e2e

package e2e

import (
	"context"
	"slices"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/e2e/faults"
	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// TestFaults puts a part of the catalogue into a live swarm: check names each
// fault, first of all that is new, says nothing untrue besides, and is silent
// again once the fault is healed. "make score" does the same with all of it.
func TestFaults(t *testing.T) {
	all := slices.DeleteFunc(faults.Catalogue(), func(f faults.Fault) bool { return !f.CI })
	assert.Assert(t, len(all) >= 10, "%d faults", len(all))
	for _, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			r := faults.Try(t, lab, f)
			assert.Check(t, is.Equal(faults.Judge(r), ""))
			assert.Check(t, r.Healed)
		})
	}
}

// TestHealthy holds check to silence about swarms in which nothing is wrong.
func TestHealthy(t *testing.T) {
	b := faults.NewBench(t, lab, harness.Spec{Suffix: "three"})
	states := faults.HealthyStates()[:20]
	for _, state := range states {
		h := b.Healthy(context.Background(), "three nodes", state)
		assert.Check(t, is.Equal(h.Trouble, ""), state.Name)
		assert.Check(t, is.Len(h.Alarms, 0), state.Name)
	}
	b.Swarm.Clean(t)
}
