package umlguest

import (
	"fmt"
	"path"
)

// Paths inside the guest.
const (
	// bootRoot is where the kernel's first root file system ends up: the
	// folder with this binary, and in its folder mnt all that process 1 had
	// to mount before there was a root to live in.
	bootRoot = "/.swarmnet"
	// self is this binary there. /proc/self/exe would do for the first step
	// only: it follows the mount namespace.
	self = bootRoot + "/init"
	// stage is the folder of the first root that memory is mounted on.
	stage = "/mnt"
	// nodesDir holds the folders of the nodes. It is memory of its own: the
	// engine's overlay2 cannot have its layers on an overlay.
	nodesDir = "/var/lib/swarmnet-nodes"
	runDir   = "/run/swarmnet"
	logsDir  = runDir + "/log"
	binDir   = runDir + "/bin"
	netnsDir = "/run/netns"
	cgroups  = "/sys/fs/cgroup"
	// switchNS is the network namespace with the nodes' bridge. The dot keeps
	// it apart from every hostname.
	switchNS = "switch."
	bridge   = "br0"
	// cable is the kernel's own network device: the way to the machine outside.
	cable = "vec0"
)

// searchPath is the PATH of everything in the guest. binDir comes first
// because Debian's UML kernels have no nft tables for IP, so that "iptables"
// must be the legacy one, whatever the root file system's choice is.
const searchPath = binDir + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func (n Node) dir() string    { return path.Join(nodesDir, n.Name) }
func (n Node) cgroup() string { return path.Join(cgroups, "node-"+n.Name) }
func (n Node) netns() string  { return path.Join(netnsDir, n.Name) }

// LogName is the name of the engine's log in Config.Logs.
func (n Node) LogName() string { return n.Name + ".log" }

// port is the name of the node's cable at the switch: a link's name has 15
// characters at most, so it is made from the address.
func (n Node) port() string {
	b := n.Address.Addr().As4()
	return fmt.Sprintf("port%02x%02x", b[2], b[3])
}

// EnginePort is the port of the engines' API.
const EnginePort = 2375

// dockerdArgs is the engine's command line.
//
// The API is open to whoever reaches the node's address: the network of the
// nodes is the guest's switch and one tap to this machine, which forwards
// nothing to it. The guest kernel runs as a user without any rights, so that
// even root inside is nobody outside.
func dockerdArgs(n Node) []string {
	return []string{
		"dockerd",
		// An empty file instead of /etc/docker/daemon.json, which belongs to
		// the machine's own engine.
		"--config-file", path.Join(n.dir(), "daemon.json"),
		"--data-root", path.Join(n.dir(), "data"),
		"--exec-root", path.Join(n.dir(), "exec"),
		"--pidfile", path.Join(n.dir(), "dockerd.pid"),
		"--host", fmt.Sprintf("tcp://%s:%d", n.Address.Addr(), EnginePort),
		// Said in so many words, or the engine waits and warns.
		"--tls=false",
		"--cgroup-parent", "/" + path.Join(path.Base(n.cgroup()), "containers"),
	}
}
