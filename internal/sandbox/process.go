package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Process names a process beyond doubt: a PID alone may have been given to
// another process since.
type Process struct {
	PID int `json:",omitempty"`
	// Start is when the process began, in clock ticks since boot (field 22 of
	// /proc/PID/stat, see proc(5)); an exec does not change it.
	Start uint64 `json:",omitempty"`
}

// processOf records a running process.
func processOf(pid int) (Process, error) {
	start, _, err := readStat(pid)
	return Process{PID: pid, Start: start}, err
}

// alive tells whether this very process is still there. One that has ended
// but was not waited for is not.
func (p Process) alive() bool {
	if p.PID <= 0 {
		return false
	}
	start, ended, err := readStat(p.PID)
	return err == nil && start == p.Start && !ended
}

func readStat(pid int) (start uint64, ended bool, err error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false, err
	}
	return parseStat(data)
}

// parseStat reads the fields after the command's name, which may itself hold
// blanks and brackets and ends at the last bracket.
//
// A process whose first thread is a zombie has ended only when no other thread
// is left: while another thread execs (node-init becomes dockerd), the first
// one is a zombie until the other takes its place (de_thread in the kernel's
// fs/exec.c).
func parseStat(data []byte) (start uint64, ended bool, err error) {
	_, rest, ok := bytes.Cut(data[bytes.LastIndexByte(data, ')')+1:], []byte(" "))
	fields := strings.Fields(string(rest))
	if !ok || len(fields) < 20 {
		return 0, false, fmt.Errorf("unexpected form of /proc/PID/stat: %q", data)
	}
	// The state is field 3 of proc(5), num_threads field 20, starttime field 22.
	state, threads := fields[0][0], fields[17]
	start, err = strconv.ParseUint(fields[19], 10, 64)
	ended = state == 'X' || state == 'Z' && (threads == "0" || threads == "1")
	return start, ended, err
}

// bootID tells this boot of the machine from every other; empty where there is none.
func bootID() string {
	data, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(data))
}
