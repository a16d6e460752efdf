package umlguest

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Called tells whether this process was started as a part of the guest.
func Called(args []string) bool {
	if len(args) < 3 || args[1] != verbGroup {
		return false
	}
	switch args[2] {
	case verbInit, verbAgent, verbNode:
		return os.Getenv(ConfigEnv) != ""
	}
	return false
}

// Main runs that part and returns the exit code of the process. Errors go to
// standard error: the kernel's console, or the engine's log.
func Main(args []string) int {
	var err error
	switch args[2] {
	case verbInit:
		// Process 1 of a kernel never returns: the kernel would call that a
		// panic. Its last words are on the console, outside.
		if os.Getpid() != 1 {
			err = fmt.Errorf("only the kernel starts this")
			break
		}
		err = runInit()
		fmt.Fprintln(os.Stderr, "swarmnet:", err)
		_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	case verbAgent:
		err = runAgent()
	case verbNode:
		err = runNode(args[3:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "swarmnet:", err)
		return 1
	}
	return 0
}

func configFromEnv() (Config, error) { return DecodeConfig(os.Getenv(ConfigEnv)) }
