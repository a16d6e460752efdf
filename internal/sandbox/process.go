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
	start, state, err := readStat(p.PID)
	return err == nil && start == p.Start && state != 'Z' && state != 'X'
}

func readStat(pid int) (start uint64, state byte, err error) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, err
	}
	return parseStat(data)
}

// parseStat reads the fields after the command's name, which may itself hold
// blanks and brackets and ends at the last bracket.
func parseStat(data []byte) (start uint64, state byte, err error) {
	_, rest, ok := bytes.Cut(data[bytes.LastIndexByte(data, ')')+1:], []byte(" "))
	fields := strings.Fields(string(rest))
	if !ok || len(fields) < 20 {
		return 0, 0, fmt.Errorf("unexpected form of /proc/PID/stat: %q", data)
	}
	start, err = strconv.ParseUint(fields[19], 10, 64)
	return start, fields[0][0], err
}

// bootID tells this boot of the machine from every other; empty where there is none.
func bootID() string {
	data, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(data))
}
