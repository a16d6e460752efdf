package sandbox

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"go4.org/netipx"

	"github.com/swarmnet/docker-swarmnet/internal/sandbox/umlguest"
)

const (
	// umlMemory is the size of the guest's memory, its disk included. Only
	// what is used of it is taken from the machine: about 2.4 GB for three
	// engines with a few services.
	umlMemory = "6G"
	// umlMemoryNeed is what must be free on the machine, in bytes.
	umlMemoryNeed = 3 << 30
	// umlFirstUser is the first of the user ids that guest kernels run as:
	// 2^24 ids, one for each ID of a sandbox, in the range above 1879048191
	// that no distribution gives out (systemd.io/UIDS-GIDS).
	umlFirstUser = 1_900_000_000
)

// Files of the uml driver below the sandbox's folder.
const (
	umlDir     = "uml"
	umlConsole = "console"  // in umlDir: what the kernel says
	umlBootDir = "boot"     // in umlDir: the kernel's first root file system
	umlInit    = "init"     // in umlBootDir: this program
	umlStage   = "mnt"      // in umlBootDir: an empty folder
	umlRunDir  = "run"      // in umlDir: the kernel's own files
	umlLogDir  = "log"      // in umlDir: the engines' logs
	umlRun     = "instance" // in umlRunDir; also the kernel's name for itself
)

// Descriptors that the kernel process inherits. The folders are handed over
// open because the kernel runs as a user who may not walk the path to them.
const (
	umlFDTap    = 3
	umlFDDir    = 4 // umlDir
	umlFDEngine = 5 // the engine's root file system, if it is not the machine's own
)

func fdPath(fd int, rest string) string {
	return "/proc/self/fd/" + strconv.Itoa(fd) + "/" + rest
}

// umlUser is the user and group that the guest kernel of a sandbox runs as: a
// user of its own without any rights. Root in the guest, which every user of
// an engine can become, is that user on this machine: it sees what everybody
// may see and changes nothing. It also tells the sandbox's processes from all
// others, whoever still knows their PIDs. 0 when the ID is not one.
func umlUser(id string) uint32 {
	if len(id) < 6 {
		return 0
	}
	n, err := strconv.ParseUint(id[:6], 16, 24)
	if err != nil {
		return 0
	}
	return umlFirstUser + uint32(n)
}

// umlAgent is the guest's own address: the last of the subnet, far from the
// nodes' at its beginning.
func umlAgent(subnet netip.Prefix) netip.Addr {
	return netipx.PrefixLastIP(subnet).Prev()
}

// umlGuest is what the guest is told.
func umlGuest(st *State, modules string) umlguest.Config {
	root := "/"
	if st.Engine != "" {
		// The dot makes it the folder itself and not the link to its path.
		root = fdPath(umlFDEngine, ".")
	}
	return umlguest.Config{
		Switch:  netip.PrefixFrom(umlAgent(st.Subnet), st.Subnet.Bits()),
		Root:    root,
		Modules: modules,
		Logs:    fdPath(umlFDDir, umlLogDir),
	}
}

// umlKernelArgs is the command line of the guest kernel.
func umlKernelArgs(guest umlguest.Config) ([]string, error) {
	config, err := guest.Encode()
	if err != nil {
		return nil, err
	}
	args := []string{
		"mem=" + umlMemory,
		"umid=" + umlRun,
		"uml_dir=" + fdPath(umlFDDir, umlRunDir) + "/",
		// One console, which process 1 and the kernel write to.
		"quiet", "con=null", "con0=null,fd:1", "ssl=null",
		"root=/dev/root", "rootfstype=hostfs", "rootflags=" + fdPath(umlFDDir, umlBootDir), "ro",
		"init=/" + umlInit,
		// The tap is opened by us and not by the kernel, which has no right
		// to. It is no socket, so packets are read one by one (vec=0).
		fmt.Sprintf("vec0:transport=fd,fd=%d,vec=0", umlFDTap),
		umlguest.ConfigEnv + "=" + config,
		"--",
	}
	return append(args, umlguest.InitArgs()...), nil
}

// umlNode is a node as the guest's agent is told.
func umlNode(st *State, n *Node) umlguest.Node {
	return umlguest.Node{
		Name: n.Name, Hostname: n.Hostname, Address: netip.PrefixFrom(n.Address, st.Subnet.Bits()), Cut: n.Cut,
	}
}

// umlConsoleLines is how much of a kernel's console an error shows.
const umlConsoleLines = 15

// lastWords chooses the lines of a kernel's console that tell why it ended: the
// last ones, but of a panic those around its cause, which a long trace of the
// stack follows.
func lastWords(console string) []string {
	lines := strings.Split(strings.TrimRight(console, "\n"), "\n")
	first := max(0, len(lines)-umlConsoleLines)
	for i, line := range lines {
		if strings.Contains(line, "Kernel panic") {
			first = max(0, i-umlConsoleLines/3)
			break
		}
	}
	return lines[first:min(len(lines), first+umlConsoleLines)]
}

// statusUser reads the real user id from /proc/PID/status (proc(5)).
func statusUser(status string) (uint32, bool) {
	for _, line := range strings.Split(status, "\n") {
		if ids, ok := strings.CutPrefix(line, "Uid:"); ok {
			fields := strings.Fields(ids)
			if len(fields) == 0 {
				return 0, false
			}
			n, err := strconv.ParseUint(fields[0], 10, 32)
			return uint32(n), err == nil
		}
	}
	return 0, false
}
