package harness

import (
	"maps"
	"path/filepath"
	"testing"
	"time"

	"gotest.tools/v3/assert"
)

// Bare is Swarm for a test that cleans up by itself: the sandbox of that spec
// as it stands.
func (l *Lab) Bare(t *testing.T, spec Spec) *Swarm {
	t.Helper()
	s, err := l.up(t, spec)
	if err != nil {
		// The next test may have more luck, on a loaded machine for one.
		l.mu.Lock()
		maps.DeleteFunc(l.swarms, func(_ string, up *upOnce) bool { return up.swarm == nil })
		l.mu.Unlock()
	}
	assert.NilError(t, err)
	return s
}

// Discard takes a sandbox down that a test could not mend. Who asks for it next
// gets a new one.
func (l *Lab) Discard(t *testing.T, s *Swarm) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.run("", 5*time.Minute, "swarmnet", "sandbox", "down", s.Name); r.ExitCode != 0 {
		t.Errorf("sandbox down: %s", r)
	}
	delete(l.swarms, s.Name)
}

// Dir is the folder that the files of the sandbox are in.
func (s *Swarm) Dir() string {
	return filepath.Join(env("DOCKER_SWARMNET_SANDBOX_ROOT", "/var/lib/docker-swarmnet/sandbox"), s.Name)
}
