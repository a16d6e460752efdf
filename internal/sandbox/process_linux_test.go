package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"gotest.tools/v3/assert"
)

const execHelperEnv = "SWARMNET_TEST_EXEC_HELPER"

// TestExecHelper is not a test of its own: it is the process of
// TestAliveThroughExec, which execs from a thread that is not its first.
func TestExecHelper(t *testing.T) {
	if os.Getenv(execHelperEnv) == "" {
		t.Skip("runs as a process of TestAliveThroughExec")
	}
	failed := make(chan error)
	for range 2 * runtime.NumCPU() {
		go func() {
			runtime.LockOSThread()
			if syscall.Gettid() != os.Getpid() {
				failed <- syscall.Exec("/bin/cat", []string{"cat"}, nil)
			}
		}()
	}
	t.Fatal(<-failed)
}

// TestAliveThroughExec: a process that becomes another program is alive all
// the time, and not any more when it has ended.
func TestAliveThroughExec(t *testing.T) {
	for range 30 {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestExecHelper$")
		cmd.Env = append(os.Environ(), execHelperEnv+"=1")
		stdin, err := cmd.StdinPipe() // cat ends with it
		assert.NilError(t, err)
		assert.NilError(t, cmd.Start())
		p, err := processOf(cmd.Process.Pid)
		assert.NilError(t, err)
		limit := time.Now().Add(time.Minute)
		for comm := ""; comm != "cat\n"; {
			assert.Assert(t, p.alive(), "taken for ended before it became cat")
			assert.Assert(t, time.Now().Before(limit), "the process does not become cat")
			now, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.PID))
			assert.NilError(t, err)
			comm = string(now)
		}
		assert.NilError(t, stdin.Close())
		for p.alive() {
			assert.Assert(t, time.Now().Before(limit), "the process does not end")
		}
		assert.NilError(t, cmd.Wait())
	}
}

func TestParseStat(t *testing.T) {
	const rest = "1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 "
	for _, tc := range []struct {
		stat  string
		ended bool
	}{
		{"7 (dockerd) S " + rest + "9 0 4711 0", false},
		{"7 (a) b (c) R " + rest + "1 0 4711 0", false},
		{"7 (dockerd) Z " + rest + "1 0 4711 0", true},
		{"7 (dockerd) Z " + rest + "2 0 4711 0", false},
		{"7 (dockerd) X " + rest + "0 0 4711 0", true},
	} {
		start, ended, err := parseStat([]byte(tc.stat))
		assert.NilError(t, err, tc.stat)
		assert.Equal(t, start, uint64(4711), tc.stat)
		assert.Equal(t, ended, tc.ended, tc.stat)
	}
	for _, stat := range []string{"", "7 (dockerd)", "7 (dockerd) S 1 2"} {
		_, _, err := parseStat([]byte(stat))
		assert.ErrorContains(t, err, "unexpected form", stat)
	}
}
