package harness

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// logTail is how many lines of each engine's log go into a dump.
const logTail = 60

// Dump writes what the swarm looks like to bin/e2e-failures, a file per test,
// and names the file in the test's log.
func (s *Swarm) Dump(t *testing.T) {
	t.Helper()
	var out strings.Builder
	section := func(title string, e *Endpoint, args ...string) {
		out.WriteString("\n== " + title + ": docker " + strings.Join(args, " ") + "\n")
		r := e.Docker(args...)
		out.WriteString(r.Stdout() + r.Stderr())
	}
	section(s.Name, &s.Endpoint, "node", "ls")
	section(s.Name, &s.Endpoint, "service", "ls")
	for _, svc := range strings.Fields(s.Docker("service", "ls", "-q").Stdout()) {
		section(s.Name, &s.Endpoint, "service", "ps", "--no-trunc", svc)
		section(s.Name, &s.Endpoint, "service", "inspect", svc)
		section(s.Name, &s.Endpoint, "service", "logs", "--tail", "20", "--raw", svc)
	}
	for _, n := range s.Nodes {
		section(n.Name, &n.Endpoint, "network", "ls")
		section(n.Name, &n.Endpoint, "ps", "-a")
		out.WriteString("\n== " + n.Name + ": engine log\n" + tail(s.engineLog(n.Name)))
	}
	dir := filepath.Join(s.lab.Root, "bin", "e2e-failures")
	file := filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "_")+".txt")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Logf("no dump: %v", err)
		return
	}
	if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
		t.Logf("no dump: %v", err)
		return
	}
	t.Logf("state of the swarm: %s", file)
}

// engineLog returns the path of a node's engine log, from the sandbox's state
// file; empty when it is unknown.
func (s *Swarm) engineLog(node string) string {
	root := cmp.Or(s.lab.boxes, env(sandboxRootEnv, "/var/lib/docker-swarmnet/sandbox"))
	data, err := os.ReadFile(filepath.Join(root, s.Name, "state.json"))
	if err != nil {
		return ""
	}
	var state struct {
		Nodes []struct{ Name, Log string }
	}
	if err := json.Unmarshal(data, &state); err != nil {
		return ""
	}
	for _, n := range state.Nodes {
		if n.Name == node {
			return n.Log
		}
	}
	return ""
}

func tail(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error() + "\n"
	}
	lines := strings.SplitAfter(string(data), "\n")
	return strings.Join(lines[max(0, len(lines)-logTail):], "")
}
