//go:build e2e

// Package e2e runs docker swarmnet on real swarms. See harness for the rules
// and the environment; "make e2e" and "make e2e-mesh" run it.
package e2e

import (
	"os"
	"testing"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// lab is opened once, by TestMain.
var lab *harness.Lab

func TestMain(m *testing.M) {
	os.Exit(harness.Main(m, func(l *harness.Lab) { lab = l }))
}

// usual is the sandbox of most tests: three nodes, the first a manager.
func usual(t *testing.T) *harness.Swarm {
	t.Helper()
	return lab.Swarm(t, harness.Spec{})
}
