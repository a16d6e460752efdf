package umlguest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

type mount struct {
	source, target, fstype string
	flags                  uintptr
	data                   string
}

// mountAll makes each target and mounts on it, in order.
func mountAll(mounts ...mount) error {
	for _, m := range mounts {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.source, m.target, m.fstype, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s (%s) on %s: %w", m.source, m.fstype, m.target, err)
		}
	}
	return nil
}

// enterRoot leaves the small folder that the kernel was started from for the
// whole root file system: the machine's, read-only, with a layer in memory
// over it that takes all that is written.
func enterRoot(cfg Config) error {
	err := mountAll(
		mount{"tmpfs", stage, "tmpfs", 0, "size=95%,mode=755"},
		mount{"modules", stage + "/modules", "hostfs", unix.MS_RDONLY, cfg.Modules},
		mount{"root", stage + "/lower", "hostfs", unix.MS_RDONLY, cfg.Root},
	)
	if err != nil {
		return err
	}
	tree, err := readModules(stage + "/modules")
	if err != nil {
		return err
	}
	if err := loadModule(stage+"/modules", tree, "overlay"); err != nil {
		return err
	}
	for _, d := range []string{"/upper", "/work"} {
		if err := os.MkdirAll(stage+d, 0o755); err != nil {
			return err
		}
	}
	root := stage + "/root"
	err = mountAll(mount{"overlay", root, "overlay", 0, fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", stage)})
	if err != nil {
		return err
	}
	old := root + bootRoot
	if err := os.MkdirAll(old, 0o700); err != nil {
		return err
	}
	if err := unix.PivotRoot(root, old); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	return unix.Chdir("/")
}

// mountSystem mounts what every Linux system has, the nodes' memory, and the
// folder outside that takes the engines' logs.
func mountSystem(cfg Config) error {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return err
	}
	release := unix.ByteSliceToString(uts.Release[:])
	err := mountAll(
		mount{"proc", "/proc", "proc", 0, ""},
		mount{"sysfs", "/sys", "sysfs", 0, ""},
		mount{"devtmpfs", "/dev", "devtmpfs", 0, ""},
		mount{"devpts", "/dev/pts", "devpts", 0, "mode=600,ptmxmode=666"},
		mount{"tmpfs", "/dev/shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, ""},
		mount{"mqueue", "/dev/mqueue", "mqueue", 0, ""},
		mount{"tmpfs", "/run", "tmpfs", 0, "mode=755"},
		mount{"tmpfs", "/tmp", "tmpfs", 0, "mode=1777"},
		mount{"cgroup2", cgroups, "cgroup2", 0, ""},
		mount{"tmpfs", nodesDir, "tmpfs", 0, "size=95%,mode=711"},
		mount{"logs", logsDir, "hostfs", 0, cfg.Logs},
		// For a modprobe, where the root file system has one.
		mount{bootRoot + stage + "/modules", "/lib/modules/" + release, "", unix.MS_BIND, ""},
	)
	if err != nil {
		return err
	}
	return os.MkdirAll(binDir, 0o755)
}

// setUpCgroups moves the processes that there are into a group of their own,
// because a group with processes cannot hand controllers to its children
// ("no internal processes", cgroups(7)), and hands down all controllers.
func setUpCgroups(Config) error {
	if err := os.MkdirAll(cgroups+"/init", 0o755); err != nil {
		return err
	}
	procs, err := os.ReadFile(cgroups + "/cgroup.procs")
	if err != nil {
		return err
	}
	for _, pid := range strings.Fields(string(procs)) {
		// Some threads of the kernel cannot be moved, and need not be.
		_ = writeControl(cgroups+"/init/cgroup.procs", pid)
	}
	return delegate(cgroups)
}

// delegate hands all controllers of a group to its children. One that cannot
// be (the packaged 6.1 kernel's cpu) is left out.
func delegate(group string) error {
	list, err := os.ReadFile(group + "/cgroup.controllers")
	if err != nil {
		return err
	}
	for _, c := range strings.Fields(string(list)) {
		_ = writeControl(group+"/cgroup.subtree_control", "+"+c)
	}
	return nil
}

// writeControl writes to a file of the kernel, which is never created.
func writeControl(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// loadModules loads what the data plane needs and says on the console what
// this kernel does not have; without it some kind of network may not work.
func loadModules(Config) error {
	dir := bootRoot + stage + "/modules"
	tree, err := readModules(dir)
	if err != nil {
		return err
	}
	for _, name := range moduleNames() {
		if err := loadModule(dir, tree, name); err != nil {
			fmt.Fprintln(os.Stderr, "swarmnet:", err)
		}
	}
	return nil
}

func readModules(dir string) (moduleTree, error) {
	f, err := os.Open(filepath.Join(dir, "modules.dep"))
	if err != nil {
		return nil, err
	}
	tree, err := parseModulesDep(f)
	return tree, errors.Join(err, f.Close())
}

// loadModule loads a module and those it needs. One that has no file counts
// as a part of the kernel.
func loadModule(dir string, tree moduleTree, name string) error {
	for _, file := range tree.files(name) {
		ko, err := os.Open(filepath.Join(dir, file))
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(ko.Fd()), "", 0)
		_ = ko.Close()
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("kernel module %q: %w", name, err)
		}
	}
	return nil
}
