package umlguest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// runNode goes to where a node lives and becomes its engine. All of it happens
// on one thread: namespaces belong to threads, and the thread that calls exec
// is the one that remains.
func runNode(args []string) error {
	if len(args) != 1 {
		return errors.New("a node is needed")
	}
	var n Node
	if err := json.Unmarshal([]byte(args[0]), &n); err != nil {
		return err
	}
	runtime.LockOSThread()
	// "0" is the writing process itself (cgroups(7)).
	if err := writeControl(n.cgroup()+"/engine/cgroup.procs", "0"); err != nil {
		return err
	}
	if err := enterNetns(n.netns()); err != nil {
		return err
	}
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_NEWUTS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Sethostname([]byte(n.Hostname)); err != nil {
		return err
	}
	err := mountAll(
		// What an engine keeps under fixed names and must not share.
		mount{"tmpfs", "/run/docker", "tmpfs", 0, "mode=700"},
		mount{"tmpfs", "/run/containerd", "tmpfs", 0, "mode=711"},
		// The network devices that /sys shows are those of the namespace it
		// was mounted in.
		mount{"sysfs", "/sys", "sysfs", 0, ""},
		mount{"cgroup2", cgroups, "cgroup2", 0, ""},
	)
	if err != nil {
		return err
	}
	dockerd, err := exec.LookPath("dockerd")
	if err != nil {
		return err
	}
	return unix.Exec(dockerd, dockerdArgs(n), []string{"PATH=" + searchPath, "HOME=" + n.dir()})
}
