package sandbox

import (
	"errors"
	"io/fs"
)

// Status is how a sandbox is.
type Status string

// The states of a sandbox.
const (
	StatusStarting Status = "starting" // a command is bringing it up
	StatusRunning  Status = "running"  // all engines are there
	StatusDegraded Status = "degraded" // some are not
	StatusStopped  Status = "stopped"  // all were stopped by "sandbox node stop"
	StatusBroken   Status = "broken"   // the command that made it or took it down was killed
	StatusStale    Status = "stale"    // its processes are gone, after a reboot for instance
)

// The states of a node.
const (
	NodeRunning = "running"
	NodeCut     = "cut"
	NodeStopped = "stopped"
	NodeDead    = "dead"
)

// Summary is a sandbox and how it is.
type Summary struct {
	*State
	Status  Status
	Running int      // nodes whose engine is there
	States  []string // of the nodes, in their order
}

// List tells of all sandboxes.
func (s *Sandboxes) List() ([]Summary, error) {
	names, err := sandboxNames(s.root)
	if err != nil {
		return nil, err
	}
	var list []Summary
	for _, name := range names {
		sum, err := s.Get(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // taken down meanwhile
		}
		if err != nil {
			return nil, err
		}
		list = append(list, *sum)
	}
	return list, nil
}

// Get tells of one sandbox.
func (s *Sandboxes) Get(name string) (*Summary, error) {
	st, err := s.load(name)
	if err != nil {
		return nil, err
	}
	sum := &Summary{State: st, Status: s.status(st)}
	drv, err := newDriver(st.Driver, s.opts.Events)
	if err != nil {
		return nil, err
	}
	for _, n := range st.Nodes {
		sum.States = append(sum.States, nodeState(drv, st, n))
		if drv.Running(st, n) {
			sum.Running++
		}
	}
	return sum, nil
}

func nodeState(drv driver, st *State, n *Node) string {
	switch {
	case n.Stopped:
		return NodeStopped
	case !drv.Running(st, n):
		return NodeDead
	case n.Cut:
		return NodeCut
	default:
		return NodeRunning
	}
}

func (s *Sandboxes) status(st *State) Status {
	drv, err := newDriver(st.Driver, s.opts.Events)
	if err != nil || st.BootID != bootID() {
		return StatusStale
	}
	running, stopped := 0, 0
	for _, n := range st.Nodes {
		switch nodeState(drv, st, n) {
		case NodeRunning, NodeCut:
			running++
		case NodeStopped:
			stopped++
		}
	}
	switch {
	case st.Phase == PhaseStarting && st.Maker.alive():
		return StatusStarting
	case st.Phase != PhaseReady:
		return StatusBroken
	case running == len(st.Nodes):
		return StatusRunning
	case stopped == len(st.Nodes):
		return StatusStopped
	case running+stopped == 0:
		return StatusStale
	default:
		return StatusDegraded
	}
}
