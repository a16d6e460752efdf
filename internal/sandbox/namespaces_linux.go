package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// Files of the namespaces driver below the folders of sandbox and node.
const (
	switchFile = "switch"         // network namespace of the switch
	netFile    = "net"            // network namespace of a node
	socketFile = "docker.sock"    // where a node's engine answers
	logFile    = "engine.log"     // what it writes
	selfPath   = "/proc/self/exe" // this program, also when its file was replaced
)

// namespaces is the driver whose nodes are engines in namespaces of the
// machine's own kernel: one network namespace with a bridge is the switch, and
// each node has a network, UTS and mount namespace and a cable to the switch.
// The switch has a namespace of its own because on a bridge in the machine's
// namespace br_netfilter sends frames through the machine's FORWARD chain,
// which a docker engine there sets to DROP.
type namespaces struct{ sink event.Sink }

func newNamespaces(sink event.Sink) (driver, error) { return &namespaces{sink: sink}, nil }

// Check implements driver.
func (*namespaces) Check(_ context.Context, st *State) error {
	root := "/"
	if st.Engine != "" {
		root = st.Engine
		if strings.ContainsAny(root, `:,\`) {
			return problem.New(`the path of the engine root %q must not hold ":", "," or "\", which mean something to overlay mounts`, root).
				WithCode(problem.Usage)
		}
	}
	for _, want := range []struct{ root, program string }{{root, "dockerd"}, {root, "iptables"}, {"/", "ip"}} {
		if _, err := findProgram(want.root, want.program); err != nil {
			return err
		}
	}
	return nil
}

// Up implements driver.
func (d *namespaces) Up(ctx context.Context, st *State) error {
	st.HostLink = "swn-" + st.ID
	for _, n := range st.Nodes {
		n.Host = "unix://" + filepath.Join(n.Dir, socketFile)
		n.Log = filepath.Join(n.Dir, logFile)
	}
	if err := st.Save(); err != nil {
		return err
	}
	if err := makeSwitch(ctx, st); err != nil {
		return err
	}
	var group errgroup.Group
	for i, n := range st.Nodes {
		group.Go(func() error {
			if err := plugIn(ctx, st, n, i); err != nil {
				return fmt.Errorf("node %s: %w", n.Name, err)
			}
			return d.start(ctx, st, n)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return st.Save()
}

// makeSwitch makes the bridge in its namespace and the cable from there to
// this machine, which has the subnet's first address.
func makeSwitch(ctx context.Context, st *State) error {
	sw := filepath.Join(st.Dir, switchFile)
	if err := newNetns(sw); err != nil {
		return err
	}
	if err := ip(ctx, sw,
		"link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
		"link set br0 up"); err != nil {
		return err
	}
	if err := ip(ctx, "", fmt.Sprintf("link add %s type veth peer name host netns %s", st.HostLink, sw)); err != nil {
		return err
	}
	if err := ip(ctx, sw, "link set host master br0 up"); err != nil {
		return err
	}
	return ip(ctx, "",
		fmt.Sprintf("addr add %s/%d dev %s", st.Gateway(), st.Subnet.Bits(), st.HostLink),
		fmt.Sprintf("link set %s up", st.HostLink))
}

// port is the switch's end of a node's cable.
func port(i int) string { return fmt.Sprintf("port%d", i+1) }

// plugIn makes the namespace of a node and its cable.
func plugIn(ctx context.Context, st *State, n *Node, i int) error {
	sw, net := filepath.Join(st.Dir, switchFile), filepath.Join(n.Dir, netFile)
	if err := newNetns(net); err != nil {
		return err
	}
	if err := ip(ctx, sw,
		fmt.Sprintf("link add %s type veth peer name eth0 netns %s", port(i), net),
		fmt.Sprintf("link set %s master br0 up", port(i))); err != nil {
		return err
	}
	return ip(ctx, net,
		"link set lo up",
		fmt.Sprintf("addr add %s/%d dev eth0", n.Address, st.Subnet.Bits()),
		"link set eth0 up",
		fmt.Sprintf("route add default via %s", st.Gateway()))
}

// start starts a node's engine in a session of its own, so that it neither
// ends nor gets a Ctrl-C with the command that started it.
func (d *namespaces) start(ctx context.Context, st *State, n *Node) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.sink.On(event.Event{Object: "node " + n.Name, Kind: event.Working, State: "starting", Detail: n.Address.String()})
	spec, err := json.Marshal(nodeSpec{
		Hostname: n.Hostname, Address: n.Address.String(), Dir: n.Dir, Sandboxes: filepath.Dir(st.Dir),
		Root: st.Engine, CgroupParent: cgroupOf(st) + "/" + n.Name,
	})
	if err != nil {
		return err
	}
	log, err := os.OpenFile(n.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(selfPath, "sandbox", "node-init", string(spec))
	cmd.Args[0] = "docker-swarmnet"
	cmd.Env = []string{"PATH=" + strings.Join(programDirs(), ":"), "HOME=/root"}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWUTS}
	if err := inNetns(filepath.Join(n.Dir, netFile), cmd.Start); err != nil {
		return fmt.Errorf("start the engine of node %s: %w", n.Name, err)
	}
	// Nobody waits for an engine that outlives this command; while it lives,
	// somebody must, or a dead engine stays as a zombie.
	go func() { _ = cmd.Wait() }()
	n.Engine, err = processOf(cmd.Process.Pid)
	return err
}

// Fault implements driver.
func (d *namespaces) Fault(ctx context.Context, st *State, n *Node, f Fault) error {
	switch f {
	case FaultStop:
		owned, err := ownedBy(st, n)
		if err != nil {
			return err
		}
		return owned.kill(ctx, func() { thawCgroups(st) })
	case FaultStart:
		if err := os.Remove(filepath.Join(n.Dir, socketFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return d.start(ctx, st, n)
	case FaultCut:
		return ip(ctx, filepath.Join(st.Dir, switchFile), fmt.Sprintf("link set %s down", port(index(st, n))))
	case FaultHeal:
		if err := ip(ctx, filepath.Join(st.Dir, switchFile), fmt.Sprintf("link set %s up", port(index(st, n)))); err != nil {
			return err
		}
		// The node's own end may have been taken down too, and its default
		// route with it.
		return ip(ctx, filepath.Join(n.Dir, netFile), "link set eth0 up",
			fmt.Sprintf("route replace default via %s", st.Gateway()))
	default:
		return fmt.Errorf("no fault %q", f)
	}
}

func index(st *State, n *Node) int {
	for i := range st.Nodes {
		if st.Nodes[i] == n {
			return i
		}
	}
	return -1
}

// ownedBy describes the processes of a node.
func ownedBy(st *State, n *Node) (owned, error) {
	ns, err := namespaceOf(filepath.Join(n.Dir, netFile))
	if err != nil {
		return owned{}, err
	}
	return owned{
		namespaces: map[nsID]bool{ns: true},
		cgroup:     cgroupOf(st) + "/" + n.Name + "/",
		known:      []Process{n.Engine},
	}, nil
}

// ownedBySandbox describes the processes of a whole sandbox. Namespaces that
// were never made, or went with a reboot, own nothing.
func ownedBySandbox(st *State) owned {
	o := owned{namespaces: map[nsID]bool{}}
	if st.ID != "" {
		o.cgroup = cgroupOf(st) + "/"
	}
	if st.BootID == bootID() {
		o.known = append(o.known, st.Processes...)
	}
	files := []string{filepath.Join(st.Dir, switchFile)}
	for _, n := range st.Nodes {
		files = append(files, filepath.Join(n.Dir, netFile))
		if st.BootID == bootID() {
			o.known = append(o.known, n.Engine)
		}
	}
	own, _ := namespaceOf("/proc/self/ns/net")
	for _, f := range files {
		// A file without the mount (from before a reboot) is a plain file,
		// whose device and inode are those of no namespace.
		if ns, err := namespaceOf(f); err == nil && ns != own {
			o.namespaces[ns] = true
		}
	}
	return o
}

// Running implements driver.
func (*namespaces) Running(st *State, n *Node) bool {
	return st.BootID == bootID() && n.Engine.alive()
}

// Down implements driver.
func (d *namespaces) Down(ctx context.Context, st *State) (left []string, err error) {
	processes := ownedBySandbox(st)
	errKill := processes.kill(ctx, func() { thawCgroups(st) })
	removeCgroups(st)
	errLink := d.removeLink(ctx, st)
	errMount := unmountAll(st.Dir)
	return remains(st, processes), errors.Join(errKill, errLink, errMount)
}

// removeLink removes the cable to this machine. The others go with their
// namespaces.
func (*namespaces) removeLink(ctx context.Context, st *State) error {
	if !linkExists(st.HostLink) {
		return nil
	}
	return ip(ctx, "", "link del "+st.HostLink)
}

func linkExists(name string) bool {
	if name == "" {
		return false
	}
	_, err := os.Stat(filepath.Join("/sys/class/net", name))
	return err == nil
}

// remains looks for what Down was to remove.
func remains(st *State, processes owned) []string {
	list, err := processes.processes()
	left := describe(list)
	if err != nil {
		left = append(left, "processes, perhaps: "+err.Error())
	}
	mounts, err := mountsBelow(st.Dir)
	if err != nil {
		left = append(left, "mounts, perhaps: "+err.Error())
	}
	for _, m := range mounts {
		left = append(left, "mount "+m.point)
	}
	if linkExists(st.HostLink) {
		left = append(left, "link "+st.HostLink)
	}
	for _, dir := range cgroupDirs(st) {
		left = append(left, "cgroup "+dir)
	}
	return left
}
