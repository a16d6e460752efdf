package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// newNetns makes a network namespace and keeps it by a bind mount on path, as
// "ip netns" does below /run/netns; here below the sandbox's folder, so that
// nothing is left of it elsewhere.
func newNetns(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_ = f.Close()
	return onOwnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("make a network namespace: %w", err)
		}
		if err := unix.Mount("/proc/thread-self/ns/net", path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("keep the network namespace at %s: %w", path, err)
		}
		return nil
	})
}

// inNetns runs do in the network namespace kept at path; processes that it
// starts are in it too. An empty path means this process's own.
func inNetns(path string, do func() error) error {
	if path == "" {
		return do()
	}
	return onOwnThread(func() error {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return &os.PathError{Op: "open", Path: path, Err: err}
		}
		defer unix.Close(fd)
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter the network namespace %s: %w", path, err)
		}
		return do()
	})
}

// onOwnThread runs do on a thread that ends with it, since a thread that has
// changed its namespace is of no use to others.
func onOwnThread(do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		done <- do()
	}()
	return <-done
}

// ip runs commands of ip(8) in the network namespace kept at netns. A word of
// a command must not hold blanks; ours are addresses, names and clean paths.
func ip(ctx context.Context, netns string, commands ...string) error {
	program, err := findProgram("/", "ip")
	if err != nil {
		return err
	}
	return inNetns(netns, func() error {
		cmd := exec.CommandContext(ctx, program, "-batch", "-")
		cmd.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
		out, err := cmd.CombinedOutput()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("ip (%s): %w: %s", strings.Join(commands, "; "), err, strings.TrimSpace(string(out)))
		}
		return nil
	})
}

// nsID identifies a namespace by its file: device and inode of nsfs.
type nsID struct{ dev, ino uint64 }

func namespaceOf(path string) (nsID, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return nsID{}, err
	}
	return nsID{uint64(st.Dev), st.Ino}, nil
}

// unmountAll takes off every mount at and below dir, the latest first.
func unmountAll(dir string) error {
	mounts, err := mountsBelow(dir)
	if err != nil {
		return err
	}
	var errs []error
	for i := len(mounts) - 1; i >= 0; i-- {
		if err := unix.Unmount(mounts[i].point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EINVAL) {
			errs = append(errs, &os.PathError{Op: "unmount", Path: mounts[i].point, Err: err})
		}
	}
	return errors.Join(errs...)
}
