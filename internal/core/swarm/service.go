package swarm

import (
	"net/netip"
	"time"
)

// Service is a service of the swarm.
type Service struct {
	ID      string
	Name    string
	Version uint64
	Created time.Time
	Updated time.Time
	Labels  map[string]string
	Image   string

	Mode     Mode
	Replicas uint64 // of a replicated service, or total completions of a replicated job
	// MaxConcurrent is how many tasks of a job run side by side.
	MaxConcurrent uint64

	// Networks keeps the order of the spec: reordering restarts every task
	// (swarmkit IsTaskDirty).
	Networks     []Attach
	EndpointMode string // "vip", "dnsrr"
	// VIPs are the addresses the swarm has given the service, the one on
	// ingress included.
	VIPs []VIP
	// Ports are the published ports as allocated.
	Ports []Port
	// Chosen are those of their numbers that the swarm chose, as the spec has none.
	Chosen []uint32

	Constraints    []string
	MaxPerNode     uint64 // 0: no limit
	Platforms      []Platform
	UpdateOrder    string // "stop-first", "start-first"
	UpdateParallel uint64 // 0: all at once
	// UpdateMonitor is how long the swarm watches a new task for failure; 0
	// where the spec does not say (docker takes 5 s).
	UpdateMonitor time.Duration
	FailureAction string // "", "pause", "continue", "rollback"
	Update        UpdateStatus
	// Previous tells whether the swarm keeps the spec before the present one:
	// after a roll-back that somebody asked for, but not after one of its own
	// (seen on engines 20.10 and 26.1).
	Previous bool
	// JobIteration is the present run of a job; nil for other services.
	JobIteration   *uint64
	RestartPolicy  string // "none", "on-failure", "any"
	HasHealthcheck bool
	Sysctls        map[string]string
	// Secrets and Configs are IDs of those that the tasks are given.
	Secrets, Configs []string

	// Spec is the engine's own form of the desired state, opaque to the core.
	Spec any
}

// Mode is how the swarm places a service's tasks.
type Mode string

// The four modes of a service.
const (
	Replicated    Mode = "replicated"
	Global        Mode = "global"
	ReplicatedJob Mode = "replicated-job"
	GlobalJob     Mode = "global-job"
)

// Job tells whether tasks of the service are meant to end.
func (m Mode) Job() bool { return m == ReplicatedJob || m == GlobalJob }

// PerNode tells whether every suitable node runs one task.
func (m Mode) PerNode() bool { return m == Global || m == GlobalJob }

// Attach is a service's wish to be on a network.
type Attach struct {
	// Target is the network as the spec names it: an ID in what docker writes.
	Target     string
	Aliases    []string
	DriverOpts map[string]string
}

// VIP is a virtual address of a service on a network.
type VIP struct {
	NetworkID string
	Addr      netip.Prefix
}

// Port is a published port.
type Port struct {
	Protocol  string // "tcp", "udp", "sctp"
	Target    uint32
	Published uint32 // 0 while not allocated
	Mode      string // "ingress", "host"
}

// Platform is an operating system and architecture a service's image runs on.
type Platform struct{ OS, Arch string }

// UpdateStatus is what the swarm says of a service's last update.
type UpdateStatus struct {
	State     string // "", "updating", "paused", "completed", "rollback_started", "rollback_paused", "rollback_completed"
	Started   time.Time
	Completed time.Time
	Message   string
}

// Task is one task of a service.
type Task struct {
	ID        string
	Version   uint64
	Created   time.Time
	Updated   time.Time
	ServiceID string
	Slot      int // 0 for tasks of global services
	NodeID    string
	Image     string
	// Stack is the stack that the task's container is labelled with.
	Stack string
	// UpToDate tells whether the task was made from the service's present
	// spec. Only a look that watches services knows it (engine.Watch).
	UpToDate bool

	State       TaskState
	Desired     TaskState
	StateSince  time.Time
	Message     string
	Err         string
	ContainerID string
	ExitCode    int
	// JobIteration tells a job's runs apart; nil for other services.
	JobIteration *uint64

	// Networks are the task's addresses.
	Networks []TaskNetwork
	// Ports are ports published in host mode.
	Ports []Port
}

// TaskNetwork is a task's place on one network.
type TaskNetwork struct {
	NetworkID string
	Addrs     []netip.Prefix
	Aliases   []string
	// Predefined tells that it is a network such as "host", which the list of
	// networks leaves out (moby daemon/cluster GetNetworks).
	Predefined bool
}

// Attachment is a container made by "docker run" that is on a swarm network.
type Attachment struct {
	ID          string
	NodeID      string
	ContainerID string
	State       TaskState
	Desired     TaskState
	Created     time.Time
	Updated     time.Time
	Err         string
	Networks    []TaskNetwork
}

// TaskState is how far a task has come.
type TaskState string

// Task states, in the order a task passes through them (swarmkit api/types).
const (
	TaskNew       TaskState = "new"
	TaskAllocated TaskState = "allocated"
	TaskPending   TaskState = "pending"
	TaskAssigned  TaskState = "assigned"
	TaskAccepted  TaskState = "accepted"
	TaskPreparing TaskState = "preparing"
	TaskReady     TaskState = "ready"
	TaskStarting  TaskState = "starting"
	TaskRunning   TaskState = "running"
	TaskComplete  TaskState = "complete"
	TaskShutdown  TaskState = "shutdown"
	TaskFailed    TaskState = "failed"
	TaskRejected  TaskState = "rejected"
	TaskRemove    TaskState = "remove"
	TaskOrphaned  TaskState = "orphaned"
)

var taskOrder = map[TaskState]int{
	TaskNew: 1, TaskAllocated: 2, TaskPending: 3, TaskAssigned: 4, TaskAccepted: 5, TaskPreparing: 6,
	TaskReady: 7, TaskStarting: 8, TaskRunning: 9, TaskComplete: 10, TaskShutdown: 11, TaskFailed: 12,
	TaskRejected: 13, TaskRemove: 14, TaskOrphaned: 15,
}

// Rank orders states by how far a task has come; an unknown state ranks 0.
func (s TaskState) Rank() int { return taskOrder[s] }

// Ended tells whether a task in this state will not run again: its addresses
// are free once the swarm has noticed.
func (s TaskState) Ended() bool { return s.Rank() > TaskRunning.Rank() }

// Live tells whether a task has not ended and is not to end.
func (t Task) Live() bool { return !t.State.Ended() && !t.Desired.Ended() }
