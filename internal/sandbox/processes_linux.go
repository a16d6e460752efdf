package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// killLimit is how long killed processes may take to go. One that waits for a
// disk cannot be ended at all before the disk answers.
const killLimit = 10 * time.Second

// owned describes the processes of a sandbox or of one node. They are found by
// what the kernel says of them, never by the name of a program: an engine, its
// containerd and their shims are in the node's network namespace, containers
// are in its cgroup.
type owned struct {
	namespaces map[nsID]bool
	// cgroup is the part of a cgroup path that only these processes have.
	cgroup string
	// user is a user id that only these processes have; 0 for none.
	user uint32
	// known are processes on record, for those that are in neither yet.
	known []Process
}

// processes lists them.
func (o owned) processes() ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []Process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() || !o.has(pid) {
			continue
		}
		if p, err := processOf(pid); err == nil && p.alive() {
			found = append(found, p)
		}
	}
	for _, p := range o.known {
		if p.alive() && !contains(found, p) {
			found = append(found, p)
		}
	}
	return found, nil
}

func (o owned) has(pid int) bool {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	if ns, err := namespaceOf(filepath.Join(dir, "ns/net")); err == nil && o.namespaces[ns] {
		return true
	}
	if o.user != 0 {
		status, err := os.ReadFile(filepath.Join(dir, "status"))
		if user, ok := statusUser(string(status)); err == nil && ok && user == o.user {
			return true
		}
	}
	groups, err := os.ReadFile(filepath.Join(dir, "cgroup"))
	return err == nil && o.cgroup != "" && strings.Contains(string(groups)+"\n", o.cgroup)
}

// kill ends them all and returns when none is left. It looks again after each
// round, since a process may start another between the look and the kill.
func (o owned) kill(ctx context.Context, thaw func()) error {
	deadline := time.Now().Add(killLimit)
	for round := 0; ; round++ {
		left, err := o.processes()
		if err != nil {
			return err
		}
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("still there after %v: %s", killLimit, strings.Join(describe(left), ", "))
		}
		if err := killEach(left); err != nil {
			return err
		}
		if round > 2 {
			// A paused container is frozen and dies only when thawed.
			thaw()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// killEach kills through a pidfd, which cannot hit another process that has
// been given the same PID between the look and the kill.
func killEach(list []Process) error {
	for _, p := range list {
		fd, err := unix.PidfdOpen(p.PID, 0)
		if errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return os.NewSyscallError("pidfd_open", err)
		}
		if p.alive() {
			err = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		}
		_ = unix.Close(fd)
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return os.NewSyscallError("pidfd_send_signal", err)
		}
	}
	return nil
}

func contains(list []Process, p Process) bool {
	for _, q := range list {
		if q == p {
			return true
		}
	}
	return false
}

// describe names processes for a message.
func describe(list []Process) []string {
	var out []string
	for _, p := range list {
		name, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.PID), "comm"))
		out = append(out, fmt.Sprintf("process %d (%s)", p.PID, strings.TrimSpace(string(name))))
	}
	return out
}
