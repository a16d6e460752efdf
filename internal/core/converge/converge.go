// Package converge decides whether a service is up: whether every task that
// the swarm should run is running, made from the present spec, and has been so
// for as long as docker would watch it. It is a fold over looks at the swarm
// and reads no clock of its own.
//
// What counts as running follows docker/cli, cli/command/service/progress, so
// that both commands call the same service converged. What counts as failed is
// ours: docker waits for ever.
package converge

import (
	"slices"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// State is what is known of a service.
type State int

// The states of a service.
const (
	Waiting State = iota // neither up nor beyond hope
	Up
	Failed // will not come up unless somebody changes something
)

// The causes of a verdict, for programs; the reason is for people.
const (
	CauseCrashLoop  = "crash-loop"       // tasks start and fail again and again
	CauseRejected   = "rejected"         // nodes refuse the task before its container runs
	CauseImage      = "image"            // a node cannot get the image
	CauseNoNode     = "no-suitable-node" // the scheduler finds no node
	CauseUnhealthy  = "unhealthy"        // the health check fails
	CauseExited     = "exited"           // a task ended and the swarm will not restart it
	CauseAddresses  = "addresses"        // the swarm does not allocate the task's addresses
	CausePaused     = "paused"           // the swarm paused the update
	CauseRolledBack = "rolled-back"      // the swarm rolled the update back
	CauseRemoved    = "removed"          // the service is gone
	CauseNodeDown   = "node-down"        // a task's node is down, the swarm moves it
	CauseStarting   = "starting"         // tasks are on their way
	CauseVerifying  = "verifying"        // all run, watched for failures
)

// Limits of patience. A wait that cannot succeed looks like a hang, and one
// that gives up too soon undoes what would have worked.
const (
	// DefaultMonitor is how long running tasks are watched where the spec does
	// not say (docker/cli service/progress: 5 s; swarmkit's default is longer,
	// but docker has returned by then).
	DefaultMonitor = 5 * time.Second
	// CrashLimit is how often the tasks of one slot may fail. Once or twice is
	// an application that starts before its database; docker users count on
	// the restart. With the default restart delay of 5 s three failures take
	// some 10 s. The engine keeps 5 ended tasks a slot (swarmkit
	// TaskHistoryRetentionLimit).
	CrashLimit = 3
	// RejectLimit is how often a node may refuse a task of one slot before its
	// container runs: it does not depend on other services, but a single one
	// may be a registry that did not answer or a network that had not reached
	// the node. Unhealthy tasks have it too: the check has its own retries.
	RejectLimit = 2
	// Patience is how long a task may have no node or no addresses: twice the
	// heartbeat of a node (swarmkit dispatcher: 5 s), so that a node which
	// missed one is back.
	Patience = 10 * time.Second
	// Grace is how long a slot may have ended tasks only. The swarm makes the
	// next task in the same transaction (swarmkit restart.Supervisor), so this
	// only covers two lists that were read one after the other.
	Grace = 2 * time.Second
	// History is how far apart failures of one slot may be to be one loop.
	History = 10 * time.Minute
)

// TaskReport is what to know of one task.
type TaskReport struct {
	ID   string
	Name string // "web.1", or "web@node" of a service with a task per node
	Node string // host name; empty while the task has no node
	// State and Desired are where the task is and where the swarm wants it.
	State, Desired swarm.TaskState
	// Detail is the error, else the message of the swarm; not cleaned.
	Detail   string
	ExitCode int
	Since    time.Time // by the clock of the node
	UpToDate bool
}

// Verdict is what one look says of a service.
type Verdict struct {
	Service string // name
	State   State
	// Reason is one sentence: why it is not up, or why it failed. It holds
	// text of the swarm, not cleaned.
	Reason string
	Cause  string // one of the Cause constants; empty when up
	// Running counts the tasks that run (of a job: that completed), out of
	// Wanted.
	Running, Wanted int
	// Tasks holds one task for each slot or node, in order.
	Tasks []TaskReport
	// Failures holds the last failed task of each slot that had one, in order:
	// whose log to read.
	Failures []TaskReport
	// StableSince is since when all tasks run, by Options.Now; zero when not.
	StableSince time.Time
	// DueAt is when the verdict may change by time alone; zero when never.
	DueAt time.Time
}

// Options is what a verdict depends on beside the swarm.
type Options struct {
	// Now is the time of the look, by the local clock.
	Now time.Time
	// Monitor is how long all tasks must run where the service's spec does not
	// say; 0 stands for DefaultMonitor.
	Monitor time.Duration
}

// Of judges a service by one look alone. It knows no past: all tasks may run
// and still be under watch.
func Of(sv swarm.Service, tasks []swarm.Task, nodes []swarm.Node, o Options) Verdict {
	var w Watch
	return w.Step(sv, tasks, nodes, o)
}

// Steady tells by one look, at now, that a service is up and that its tasks
// have been running for as long as they would be watched. Their clocks are the
// nodes' own.
func Steady(sv swarm.Service, tasks []swarm.Task, nodes []swarm.Node, now time.Time) bool {
	v := Of(sv, tasks, nodes, Options{Now: now})
	if v.State == Waiting && v.Cause == CauseVerifying {
		return !slices.ContainsFunc(v.Tasks, func(t TaskReport) bool { return now.Sub(t.Since) < monitorOf(sv, Options{}) })
	}
	return v.State == Up
}

// Gone is the verdict on a service that the swarm does not list.
func Gone(name string) Verdict {
	return Verdict{Service: name, State: Failed, Cause: CauseRemoved, Reason: "the service was removed while waiting for it"}
}
