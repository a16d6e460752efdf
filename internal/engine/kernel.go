package engine

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// IPVS tells whether the kernel that the engine runs on can balance traffic to
// virtual addresses. Only the kernel of this machine can be looked at, so known
// is false unless the engine listens on a socket here and runs on this very
// kernel: the engine of a virtual machine may have its socket here too.
func (e *Engine) IPVS(s *model.Snapshot) (has, known bool) {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil || !strings.HasPrefix(e.api.DaemonHost(), "unix://") {
		return false, false
	}
	if here := strings.TrimSpace(string(release)); here != s.Engine.KernelVersion {
		return false, false
	}
	return ipvs("/", strings.TrimSpace(string(release)))
}

// ipvs looks for IPVS under a root: in the running kernel, else among the
// modules that it would load when the engine asks for them.
func ipvs(root, release string) (has, known bool) {
	if _, err := os.Stat(filepath.Join(root, "proc/net/ip_vs")); err == nil {
		return true, true
	}
	// A kernel without loadable modules has no such file.
	if _, err := os.Stat(filepath.Join(root, "proc/modules")); errors.Is(err, fs.ErrNotExist) {
		return false, true
	}
	list, err := os.Open(filepath.Join(root, "lib/modules", release, "modules.dep"))
	if err != nil {
		return false, false
	}
	defer list.Close()
	for lines := bufio.NewScanner(list); lines.Scan(); {
		module, _, _ := strings.Cut(lines.Text(), ":")
		if name, _, _ := strings.Cut(filepath.Base(module), "."); name == "ip_vs" {
			return true, true
		}
	}
	return false, true
}
