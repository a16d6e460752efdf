// Package swarm is the model that every decision is taken on: what one look at
// a swarm through one docker context has seen. It is pure: it knows neither
// Docker's API types nor a clock.
package swarm

import (
	"net/netip"
	"time"
)

// Snapshot is one look at a swarm. It holds everything a command needs, so
// that deciding takes no further API call.
type Snapshot struct {
	// Context is the docker context the look went through.
	Context string
	// Taken is when the look was finished, by the local clock.
	Taken time.Time

	Engine   Engine
	Cluster  Cluster
	Nodes    []Node
	Networks []Network
	Services []Service
	// Tasks are the tasks of services, ended ones included.
	Tasks []Task
	// Attachments are "docker run" containers on swarm networks. Docker shows
	// them only in the task list with runtime=attachment.
	Attachments []Attachment

	// Unread names what the engine did not answer, and why. What stands here
	// is unknown; it must not be read as absent.
	Unread []Unread
}

// Unread is a part of the swarm that could not be read.
type Unread struct {
	What string // "nodes", "networks", "services", "tasks"
	Err  error
}

// Engine is the engine that answered.
type Engine struct {
	Name          string // host name
	Version       string
	APIVersion    string // negotiated between client and engine
	OS            string // "linux", "windows"
	KernelVersion string
	// FirewallBackend is "iptables", "nftables" or "" where the engine does
	// not tell (before 29.0).
	FirewallBackend string
	// Clock is the time of the look by the engine's own clock, which the times
	// of objects of the swarm are of; zero where it does not tell.
	Clock time.Time
}

// NodeState is an engine's own place in a swarm, from GET /info.
type NodeState string

// The states an engine can be in (moby api/types/swarm LocalNodeState).
const (
	StateInactive NodeState = "inactive"
	StatePending  NodeState = "pending"
	StateActive   NodeState = "active"
	StateError    NodeState = "error"
	StateLocked   NodeState = "locked"
)

// Cluster is the swarm as the engine that answered knows it.
type Cluster struct {
	ID       string
	State    NodeState // of the engine that answered
	Manager  bool      // whether the engine that answered is a manager
	NodeID   string    // its node ID
	NodeAddr string    // its address in the swarm
	Error    string    // why the engine is not active, if it says
	Created  time.Time

	// DefaultAddrPool is what new networks are cut from; SubnetSize is the
	// prefix length of a cut. Default 10.0.0.0/8 and 24 (moby ipamutils).
	DefaultAddrPool []netip.Prefix
	SubnetSize      int
	// DataPathPort is the UDP port of VXLAN; 4789 unless chosen at init.
	DataPathPort int
	// Managers are the addresses (host:port) of the managers this engine knows.
	Managers []string
}

// Node is a machine of the swarm.
type Node struct {
	ID            string
	Version       uint64
	Hostname      string
	Role          string // "manager", "worker"
	Availability  string // "active", "pause", "drain"
	State         string // "ready", "down", "unknown", "disconnected"
	Message       string
	Addr          string
	EngineVersion string
	OS, Arch      string
	Leader        bool
	Reachability  string // of a manager: "reachable", "unreachable"
	ManagerAddr   string // host:port
	Labels        map[string]string
	EngineLabels  map[string]string
	NanoCPUs      int64
	MemoryBytes   int64
	// Plugins are "type/name", such as "Network/overlay", "Log/json-file".
	Plugins []string
}

// Ready tells whether the node takes and runs tasks as far as its state goes.
func (n Node) Ready() bool { return n.State == "ready" }

// Network is a network, of the swarm or local to the engine that answered.
type Network struct {
	ID      string
	Name    string
	Version uint64 // 0 where the engine's list does not carry it
	Created time.Time
	Scope   string // "swarm", "local", "global"
	// Driver is empty while the swarm has not allocated the network.
	Driver     string
	Ingress    bool
	Attachable bool
	Internal   bool
	IPv6       bool
	ConfigOnly bool
	ConfigFrom string
	IPAMDriver string
	IPAMOpts   map[string]string
	Subnets    []Subnet
	Options    map[string]string
	Labels     map[string]string
	// Peers are the nodes' data addresses in the gossip of this network, and
	// are known only where the engine itself has a task on it.
	Peers []Peer
}

// Subnet is one block of a network.
type Subnet struct {
	Prefix  netip.Prefix
	Gateway netip.Addr   // invalid where the network has none
	IPRange netip.Prefix // invalid where the whole subnet is handed out
	// Aux are addresses kept from being handed out, by name.
	Aux map[string]netip.Addr
	// Reported is what the engine itself counts; nil where it was not asked or
	// does not count (before API 1.52).
	Reported *Reported
}

// Reported is an engine's own count of a subnet's addresses, at most
// math.MaxUint64 each (moby api/types/network SubnetStatus).
type Reported struct {
	// InUse are all that cannot be given out, network and broadcast address
	// among them; Available those of the range that can.
	InUse, Available uint64
}

// Peer is a node as the gossip of one network knows it.
type Peer struct{ Name, IP string }

// Overlay tells whether this is an overlay network of the swarm. A network
// that the swarm has not allocated yet has no driver but is of swarm scope.
func (n Network) Overlay() bool {
	return n.Scope == "swarm" && (n.Driver == "overlay" || n.Driver == "") && !n.ConfigOnly
}

// Allocated tells whether the swarm has given the network all that it needs to
// carry a task: a driver, a subnet and a VXLAN number (moby#37921).
func (n Network) Allocated() bool {
	return n.Driver != "" && len(n.Subnets) > 0 && n.Options[OptVNI] != ""
}

// Encrypted tells whether the network's traffic is encrypted: the engine looks
// only whether the option is there, so "encrypted=false" encrypts too
// (moby libnetwork/drivers/overlay/ov_network.go).
func (n Network) Encrypted() bool {
	_, short := n.Options[OptEncrypted]
	return short
}

// The driver options of an overlay network.
const (
	OptVNI       = "com.docker.network.driver.overlay.vxlanid_list"
	OptEncrypted = "encrypted"
	OptMTU       = "com.docker.network.driver.mtu"
)
