package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	"gotest.tools/v3/assert"
)

func TestOneCPU(t *testing.T) {
	var all unix.CPUSet
	for _, cpu := range []int{0, 3, 64, 700} {
		all.Set(cpu)
	}
	for number, want := range map[uint32]int{0: 0, 1: 3, 2: 64, 3: 700, 4: 0, 1_900_000_003: 700} {
		one := oneCPU(&all, number)
		assert.Equal(t, one.Count(), 1, "%d", number)
		assert.Assert(t, one.IsSet(want), "%d", number)
	}
}

// A command gets one CPU, and the thread that started it keeps all it had.
func TestStartOnOneCPU(t *testing.T) {
	var before, after unix.CPUSet
	assert.NilError(t, unix.SchedGetaffinity(0, &before))
	var out strings.Builder
	cmd := exec.Command("grep", "Cpus_allowed_list", "/proc/self/status")
	cmd.Stdout = &out
	assert.NilError(t, startOnOneCPU(cmd, 1))
	assert.NilError(t, cmd.Wait())
	_, list, _ := strings.Cut(strings.TrimSpace(out.String()), "\t")
	assert.Assert(t, list != "" && !strings.ContainsAny(list, ",-"), "%q", list)

	assert.NilError(t, unix.SchedGetaffinity(0, &after))
	assert.Equal(t, before, after)
}

// The kernel runs as a user who owns nothing but what it writes.
func TestUMLDirIsOpenToItsUserUnderAnyUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	dir := filepath.Join(t.TempDir(), umlDir)
	assert.NilError(t, makeUMLDir(dir, uint32(os.Getuid())))
	for _, name := range []string{"", umlBootDir, umlBootDir + "/" + umlStage, umlBootDir + "/" + umlInit, umlRunDir, umlLogDir} {
		info, err := os.Stat(filepath.Join(dir, name))
		assert.NilError(t, err)
		assert.Equal(t, info.Mode().Perm(), os.FileMode(0o755), "%q", name)
	}
}
