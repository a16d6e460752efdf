package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// nodeSpec is what the first process of a node is told.
type nodeSpec struct {
	Hostname string
	Address  string
	// Dir is the node's folder, Sandboxes the folder of all sandboxes.
	Dir, Sandboxes string
	// Root is the root file system that the engine runs in; empty for the machine's own.
	Root         string
	CgroupParent string
}

// nodeDir is where a node finds its folder: short, because sockets lie below
// it and their paths are limited to 108 bytes (unix(7)).
const nodeDir = "/run/sandbox"

// RunNode turns this process into the engine of a node. The process is already
// in the node's namespaces; here the mounts are made, then it becomes dockerd.
// What the engine writes outside its folder (keys below /etc, /opt/containerd)
// goes into memory, so that it never reaches the machine or the engine root.
// It returns only after an error.
func RunNode(jsonSpec string) error {
	var spec nodeSpec
	if err := json.Unmarshal([]byte(jsonSpec), &spec); err != nil {
		return err
	}
	if err := spec.run(); err != nil {
		return fmt.Errorf("node %s: %w", spec.Hostname, err)
	}
	return nil
}

func (s nodeSpec) run() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := s.forgetNamespaces(); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(s.Hostname)); err != nil {
		return fmt.Errorf("set the hostname: %w", err)
	}
	// Held open, since the tmpfs that comes over /run may hide the path.
	dir, err := unix.Open(s.Dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: s.Dir, Err: err}
	}
	if s.Root == "" {
		err = s.useMachine(dir)
	} else {
		err = s.useRoot(dir)
	}
	if err != nil {
		return err
	}
	if err := s.nameService(); err != nil {
		return err
	}
	dockerd, err := findProgram("/", "dockerd")
	if err != nil {
		return err
	}
	return unix.Exec(dockerd, append([]string{"dockerd"}, s.engineFlags()...), os.Environ())
}

// forgetNamespaces takes off this node's copies of the mounts that keep
// network namespaces: through a copy, a namespace of another sandbox would
// live on after that sandbox was taken down.
func (s nodeSpec) forgetNamespaces() error {
	mounts, err := mountsBelow(s.Sandboxes)
	if err != nil {
		return err
	}
	for _, m := range mounts {
		if m.fstype != "nsfs" {
			continue
		}
		if err := unix.Unmount(m.point, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
			return &os.PathError{Op: "unmount", Path: m.point, Err: err}
		}
	}
	return nil
}

// useMachine prepares the machine's own root file system: an empty /run, in
// which the engine finds neither the socket nor the containerd of an engine of
// the machine, and copies on write of what it would change.
func (s nodeSpec) useMachine(dir int) error {
	if err := mountRun("/run", dir); err != nil {
		return err
	}
	for _, changed := range []string{"/etc", "/opt"} {
		if _, err := os.Stat(changed); errors.Is(err, os.ErrNotExist) {
			continue
		}
		scratch := filepath.Join("/run/changes", changed)
		if err := overlay(changed, scratch, changed); err != nil {
			return err
		}
	}
	return nil
}

// useRoot makes another root file system this process's own: with the
// machine's devices and control groups, and what it writes kept in memory.
func (s nodeSpec) useRoot(dir int) error {
	scratch := filepath.Join(s.Dir, "root")
	if err := os.MkdirAll(scratch, 0o700); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", scratch, "tmpfs", 0, "mode=0755"); err != nil {
		return &os.PathError{Op: "mount tmpfs on", Path: scratch, Err: err}
	}
	root := filepath.Join(scratch, "merged")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	if err := overlay(s.Root, filepath.Join(scratch, "changes"), root); err != nil {
		return err
	}
	for _, shared := range []string{"/dev", "/sys"} {
		target := filepath.Join(root, shared)
		if err := unix.Mount(shared, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return &os.PathError{Op: "bind " + shared + " on", Path: target, Err: err}
		}
	}
	if err := unix.Mount("proc", filepath.Join(root, "proc"), "proc", 0, ""); err != nil {
		return fmt.Errorf("mount proc: %w", err)
	}
	if err := mountRun(filepath.Join(root, "run"), dir); err != nil {
		return err
	}
	// A chroot would not do: "docker import" remounts / and "docker exec"
	// would land in the machine's root. Both roots on one mount point, the
	// old one on top, is the way without a folder for it (pivot_root(2)).
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root to %s: %w", root, err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old root: %w", err)
	}
	return os.Chdir("/")
}

// mountRun makes a fresh /run with the node's folder in it.
func mountRun(run string, dir int) error {
	if err := unix.Mount("tmpfs", run, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return &os.PathError{Op: "mount tmpfs on", Path: run, Err: err}
	}
	target := filepath.Join(run, filepath.Base(nodeDir))
	for _, d := range []string{target, filepath.Join(run, "lock"), filepath.Join(run, "docker")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	source := fmt.Sprintf("/proc/self/fd/%d", dir)
	if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
		return &os.PathError{Op: "bind the node's folder on", Path: target, Err: err}
	}
	return nil
}

// overlay mounts lower on target with changes going below scratch.
func overlay(lower, scratch, target string) error {
	upper, work := filepath.Join(scratch, "upper"), filepath.Join(scratch, "work")
	for _, d := range []string{upper, work} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work)
	if err := unix.Mount("overlay", target, "overlay", 0, options); err != nil {
		return &os.PathError{Op: "mount an overlay on", Path: target, Err: err}
	}
	return nil
}

// nameService gives the node name resolution that fails at once: without a
// registry in reach each task would otherwise wait 10 s for a time-out before
// it falls back to the image that is there.
func (s nodeSpec) nameService() error {
	for name, content := range map[string]string{
		"/etc/resolv.conf": "nameserver 127.0.0.1\n",
		"/etc/hosts":       fmt.Sprintf("127.0.0.1 localhost\n::1 localhost ip6-localhost\n%s %s\n", s.Address, s.Hostname),
		"/etc/hostname":    s.Hostname + "\n",
	} {
		// resolv.conf is often a symbolic link into the /run that is now hidden.
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(nodeDir, "daemon.json"), []byte("{}\n"), 0o600)
}

// engineFlags are dockerd's. Nothing is taken from the machine's own
// /etc/docker/daemon.json, and systemd, which is out of sight, is not asked
// for cgroups.
func (s nodeSpec) engineFlags() []string {
	return []string{
		"--config-file=" + nodeDir + "/daemon.json",
		"--data-root=" + nodeDir + "/data",
		"--exec-root=/run/docker",
		"--pidfile=/run/docker.pid",
		"--host=unix://" + strings.Join([]string{nodeDir, socketFile}, "/"),
		"--exec-opt=native.cgroupdriver=cgroupfs",
		"--cgroup-parent=" + s.CgroupParent,
	}
}
