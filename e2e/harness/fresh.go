package harness

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
)

// Fresh is Swarm for what a test cannot be trusted to mend: where more has
// changed than Clean mends (nodes drained, labelled, cut or gone, another
// ingress network), the sandbox is taken down after the test, and the next one
// gets a new one. Other sandboxes and contexts of the lab go as well. setUp is
// called with each new sandbox.
func (l *Lab) Fresh(t *testing.T, spec Spec, setUp func(*Swarm)) *Swarm {
	t.Helper()
	s, err := l.up(t, spec)
	if err != nil { // the next test tries again
		l.mu.Lock()
		delete(l.swarms, spec.Name)
		l.mu.Unlock()
	}
	assert.NilError(t, err)
	if s.asNew == "" {
		s.Clean(t)
		setUp(s)
		s.asNew = s.fingerprint()
	}
	t.Cleanup(func() {
		if t.Failed() {
			s.Dump(t)
		}
		l.sweep(s.Name)
		if s.fingerprint() == s.asNew {
			s.Clean(t)
			return
		}
		s.Swarmnet("sandbox", "down", s.Name)
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.swarms, s.Name)
	})
	return s
}

// sweep takes down all sandboxes but one, and removes all contexts but its.
func (l *Lab) sweep(keep string) {
	for _, name := range strings.Fields(l.run("", 0, "swarmnet", "sandbox", "ls", "-q").Stdout()) {
		if name != keep {
			l.run("", 0, "swarmnet", "sandbox", "down", name)
		}
	}
	l.run("", 0, "context", "use", "default")
	for _, name := range strings.Fields(l.run("", 0, "context", "ls", "-q").Stdout()) {
		if name != "default" && name != keep && !strings.HasPrefix(name, keep+"-n") {
			l.run("", 0, "context", "rm", "-f", name)
		}
	}
}

// fingerprint is equal for equal nodes and ingress networks, and empty when
// the swarm does not answer.
func (s *Swarm) fingerprint() string {
	ctx := context.Background()
	nodes, err := s.API.NodeList(ctx, swarm.NodeListOptions{})
	if err != nil {
		return ""
	}
	var seen []string
	for _, n := range nodes {
		seen = append(seen, fmt.Sprint(n.ID, n.Spec, n.Status.State, n.Status.Addr))
	}
	slices.Sort(seen)
	faults := s.Swarmnet("sandbox", "node", "ls", s.Name).Stdout()
	ingress := s.Docker("network", "ls", "--no-trunc", "--filter", "name=ingress").Stdout()
	return strings.Join(append(seen, faults, ingress), "\n")
}
