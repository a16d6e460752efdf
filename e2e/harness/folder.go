package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
)

// nodeDir is where a node of a sandbox finds its own folder (internal/sandbox).
const nodeDir = "/run/sandbox"

// A Folder is one on every node, to be mounted into tasks.
type Folder struct {
	// Path is where every node has it.
	Path string
	// Here are the same folders as this machine sees them, one for each node.
	Here []string
}

// Folder makes a folder on every node, whatever its root file system.
func (s *Swarm) Folder(t *testing.T) Folder {
	t.Helper()
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:, `, r) {
			return '-'
		}
		return r
	}, t.Name())
	f := Folder{Path: filepath.Join(nodeDir, name)}
	for _, n := range s.Nodes {
		here := filepath.Join(filepath.Dir(strings.TrimPrefix(n.API.DaemonHost(), "unix://")), name)
		assert.NilError(t, os.Mkdir(here, 0o755)) //nolint:gosec // the task's user reads it
		t.Cleanup(func() { _ = os.RemoveAll(here) })
		f.Here = append(f.Here, here)
	}
	return f
}

// Remove removes the folder from all nodes.
func (f Folder) Remove(t *testing.T) {
	t.Helper()
	for _, here := range f.Here {
		assert.NilError(t, os.RemoveAll(here))
	}
}

// Write writes a program on all nodes.
func (f Folder) Write(t *testing.T, name string, content []byte) {
	t.Helper()
	for _, here := range f.Here {
		assert.NilError(t, os.WriteFile(filepath.Join(here, name), content, 0o755)) //nolint:gosec // it is run
	}
}

// Rename gives a file on all nodes another name.
func (f Folder) Rename(t *testing.T, from, to string) {
	t.Helper()
	for _, here := range f.Here {
		assert.NilError(t, os.Rename(filepath.Join(here, from), filepath.Join(here, to)))
	}
}

// Files returns the files of all nodes that match a pattern.
func (f Folder) Files(t *testing.T, pattern string) []string {
	t.Helper()
	var all []string
	for _, here := range f.Here {
		files, err := filepath.Glob(filepath.Join(here, pattern))
		assert.NilError(t, err)
		all = append(all, files...)
	}
	return all
}
