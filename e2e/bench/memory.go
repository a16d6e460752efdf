package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// memoryOf is the word with which this program runs itself to measure another.
const memoryOf = "memory-of"

// memory runs a docker command and returns the most memory that it, or the
// plugin as its child, has held, in bytes. Linux counts for a process what its
// parent held when it was started, and this one holds a simulated swarm: so a
// small process of its own starts the command.
func (b bench) memory(args ...string) (int64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	measured := b.command(args...)
	cmd := exec.Command(self, append([]string{memoryOf}, measured.Args...)...)
	cmd.Env = measured.Env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	var kib int64
	_, err = fmt.Sscan(string(out), &kib)
	return kib << 10, err
}

// printMemory runs a command and prints what memory it has held, in KiB.
func printMemory(command []string) error {
	cmd := exec.Command(command[0], command[1:]...) //nolint:gosec // what this program asks of itself
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	_, err := fmt.Println(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	return err
}
