//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// mesh is a sandbox of three nodes inside a User Mode Linux kernel, which can
// do what many a machine's own kernel cannot: IPVS and IPsec.
//
// A minute before the test binary's time is over it takes the sandbox down, so
// that a test that hangs fails and leaves no kernel running.
func mesh(t *testing.T) *harness.Swarm {
	t.Helper()
	s := lab.Swarm(t, harness.Spec{Suffix: "mesh", Driver: harness.UML})
	if deadline, ok := t.Deadline(); ok {
		late := time.AfterFunc(time.Until(deadline)-time.Minute, func() {
			t.Errorf("time is nearly over, so sandbox %s goes", s.Name)
			s.Swarmnet("sandbox", "down", s.Name)
		})
		t.Cleanup(func() { late.Stop() })
	}
	return s
}

// TestMeshSeed is TestSeedVIP on that kernel.
func TestMeshSeed(t *testing.T) { seedVIP(t, mesh(t)) }
