package harness

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/poll"
)

// wait polls until the check succeeds, as long as the driver deserves.
func (e *Endpoint) wait(t *testing.T, check func(context.Context) poll.Result) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), e.patience)
	defer cancel()
	poll.WaitOn(t, func(poll.LogT) poll.Result { return check(ctx) },
		poll.WithTimeout(e.patience), poll.WithDelay(100*time.Millisecond))
}

// Tasks returns the tasks of a service that the swarm wants to run, or every
// task of it with desired state included when all is true.
func (s *Swarm) Tasks(t *testing.T, service string, all bool) []swarm.Task {
	t.Helper()
	f := filters.NewArgs(filters.Arg("service", service))
	if !all {
		f.Add("desired-state", "running")
	}
	tasks, err := s.API.TaskList(context.Background(), swarm.TaskListOptions{Filters: f})
	assert.NilError(t, err)
	return tasks
}

// WaitRunning waits until n tasks of a service run, and returns them.
func (s *Swarm) WaitRunning(t *testing.T, service string, n int) []swarm.Task {
	t.Helper()
	var running []swarm.Task
	s.wait(t, func(context.Context) poll.Result {
		running = nil
		for _, task := range s.Tasks(t, service, false) {
			if task.Status.State == swarm.TaskStateRunning {
				running = append(running, task)
			}
		}
		if len(running) != n {
			return poll.Continue("service %s: %d of %d tasks run", service, len(running), n)
		}
		return poll.Success()
	})
	return running
}

// Network returns a network of the swarm, or nil when there is none.
func (e *Endpoint) Network(t *testing.T, name string) *network.Inspect {
	t.Helper()
	n, err := e.API.NetworkInspect(context.Background(), name, network.InspectOptions{})
	if errdefs.IsNotFound(err) {
		return nil
	}
	assert.NilError(t, err)
	return &n
}

// Service returns a service, or nil when there is none.
func (s *Swarm) Service(t *testing.T, name string) *swarm.Service {
	t.Helper()
	svc, _, err := s.API.ServiceInspectWithRaw(context.Background(), name, swarm.ServiceInspectOptions{})
	if errdefs.IsNotFound(err) {
		return nil
	}
	assert.NilError(t, err)
	return &svc
}

// AddressOn returns a task's address on a network; invalid when it has none.
func AddressOn(task swarm.Task, networkID string) netip.Addr {
	for _, a := range task.NetworksAttachments {
		if a.Network.ID == networkID && len(a.Addresses) > 0 {
			if p, err := netip.ParsePrefix(a.Addresses[0]); err == nil {
				return p.Addr()
			}
		}
	}
	return netip.Addr{}
}

// NodeOf returns the node that a task is on.
func (s *Swarm) NodeOf(t *testing.T, task swarm.Task) *Node {
	t.Helper()
	for _, n := range s.Nodes {
		if s.NodeID(t, n) == task.NodeID {
			return n
		}
	}
	t.Fatalf("task %s is on no node of sandbox %s", task.ID, s.Name)
	return nil
}
