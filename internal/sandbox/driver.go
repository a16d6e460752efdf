package sandbox

import (
	"context"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// Names of the drivers.
const (
	// DriverNamespaces runs each node as a dockerd in namespaces of this
	// machine's own kernel: fast, and able to do what that kernel can.
	DriverNamespaces = "namespaces"
	// DriverUML runs all nodes inside one User Mode Linux kernel, which has
	// the IPVS that many small kernels lack: slow, the whole data plane.
	DriverUML = "uml"
)

// Fault is what "sandbox node" does to one node.
type Fault string

// The faults, and what ends them.
const (
	FaultStop  Fault = "stop"  // kill the engine and all it runs, as a power cut would
	FaultStart Fault = "start" // start the engine of a stopped node again
	FaultCut   Fault = "cut"   // take the node's cable out
	FaultHeal  Fault = "heal"  // put it back, default route included
)

// driver makes the machines of a sandbox. It knows nothing of swarms, contexts
// or locks: the caller joins the engines, waits for them to answer, and holds
// the sandbox's lock during every call.
//
// A driver calls State.Save as soon as something exists that Down must know of,
// so that Down can clean up after a process that was killed between two steps.
type driver interface {
	// Check says what this machine lacks, as a problem with the command that
	// mends it. It is called before anything is made and changes nothing.
	Check(ctx context.Context, st *State) error
	// Up makes the network and starts the engine of every node of st, whose
	// names and addresses are set. It fills in Host, Log and processes. It
	// need not wait for the engines to answer. After an error or a cancelled
	// ctx the caller calls Down.
	Up(ctx context.Context, st *State) error
	// Fault does f to one node and returns when it has happened; after
	// FaultStart the engine need not answer yet.
	Fault(ctx context.Context, st *State, n *Node, f Fault) error
	// Running tells whether the node's engine process is there.
	Running(st *State, n *Node) bool
	// Down ends every process of the sandbox and removes its namespaces,
	// mounts, links and cgroups, whatever of them exists, also half made or
	// from before a reboot. The caller removes st.Dir and the contexts
	// afterwards. It looks again at the end and returns what remains, each
	// as "process 123 (dockerd)", "mount /x", "link y".
	Down(ctx context.Context, st *State) (left []string, err error)
}

// A reporter is a driver whose nodes can all end for a reason that is not in
// the log of an engine.
type reporter interface {
	// Ended is that reason as an error; nil when there is none.
	Ended(st *State) error
}

// newDriver returns the driver of that name, which tells sink what it does.
func newDriver(name string, sink event.Sink) (driver, error) {
	switch name {
	case DriverNamespaces:
		return newNamespaces(sink)
	case DriverUML:
		return newUML(sink)
	default:
		return nil, problem.New("there is no sandbox driver %q", name).
			WithNext("the drivers are: %s, %s", DriverNamespaces, DriverUML).WithCode(problem.Usage)
	}
}
