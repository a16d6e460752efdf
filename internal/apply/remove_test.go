package apply

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/members"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// fakeSwarm answers each look with the next snapshot, the last one for ever.
type fakeSwarm struct {
	looks   []*swarm.Snapshot
	removed []string
	refuse  []error
}

func (f *fakeSwarm) Look(ctx context.Context) (*swarm.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := f.looks[0]
	if s.Cluster.State == "" {
		s.Cluster = swarm.Cluster{State: swarm.StateActive, Manager: true}
	}
	if len(f.looks) > 1 {
		f.looks = f.looks[1:]
	}
	return s, nil
}

func (f *fakeSwarm) RemoveNetwork(_ context.Context, id string) error {
	f.removed = append(f.removed, id)
	if len(f.refuse) > 0 {
		err := f.refuse[0]
		f.refuse = f.refuse[1:]
		return err
	}
	return nil
}

func docknet() swarm.Network {
	return swarm.Network{ID: "net", Name: "docknet", Scope: "swarm", Driver: "overlay"}
}

func withNetwork() *swarm.Snapshot {
	return &swarm.Snapshot{Context: "east", Networks: []swarm.Network{docknet()}}
}

func withEndingTask() *swarm.Snapshot {
	s := withNetwork()
	s.Tasks = []swarm.Task{{
		ID: "t", ServiceID: "gone", Slot: 1, NodeID: "n1", State: swarm.TaskRunning, Desired: swarm.TaskRemove,
		Networks: []swarm.TaskNetwork{{NetworkID: "net"}},
	}}
	return s
}

func TestRemoveNetworkWaitsForEndingTasks(t *testing.T) {
	f := &fakeSwarm{looks: []*swarm.Snapshot{withEndingTask(), withEndingTask(), withNetwork(), {Context: "east"}}}
	var said []event.Event
	err := RemoveNetwork(context.Background(), f, docknet(), event.Func(func(e event.Event) { said = append(said, e) }))
	assert.NilError(t, err)
	assert.DeepEqual(t, f.removed, []string{"net"})
	assert.Check(t, is.Contains(said[0].Detail, "task gone.1"))
	assert.Equal(t, said[len(said)-1].State, "removed")
}

// TestRemoveNetworkBelievesNoHalfLook: what could not be read is not gone, nor
// is what an engine cannot find for a moment.
func TestRemoveNetworkBelievesNoHalfLook(t *testing.T) {
	half := func(what, msg string) *swarm.Snapshot {
		return &swarm.Snapshot{Context: "east", Unread: []swarm.Unread{{What: what, Err: errors.New(msg)}}}
	}
	f := &fakeSwarm{
		looks:  []*swarm.Snapshot{half("networks", "network net not found"), withNetwork(), withNetwork(), {Context: "east"}},
		refuse: []error{errors.New("Error response from daemon: network net not found")},
	}
	assert.NilError(t, RemoveNetwork(context.Background(), f, docknet(), event.Discard))
	assert.DeepEqual(t, f.removed, []string{"net", "net"})

	// Missed once, by an engine that could not ask its swarm, or that no longer
	// manages it.
	for _, lacking := range []*swarm.Snapshot{{Context: "east"}, {Context: "east", Cluster: swarm.Cluster{State: swarm.StatePending}}} {
		f = &fakeSwarm{looks: []*swarm.Snapshot{lacking, withNetwork(), {Context: "east"}}}
		assert.NilError(t, RemoveNetwork(context.Background(), f, docknet(), event.Discard))
		assert.DeepEqual(t, f.removed, []string{"net"})
	}

	// What the engine refused is told at the deadline.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	f = &fakeSwarm{looks: []*swarm.Snapshot{withNetwork()}, refuse: slices.Repeat([]error{errors.New("network net not found")}, 9)}
	err := RemoveNetwork(ctx, f, docknet(), event.Discard)
	assert.Check(t, is.ErrorContains(err, "the engine said: network net not found"))

	for _, what := range []string{"networks", "tasks"} {
		f = &fakeSwarm{looks: []*swarm.Snapshot{half(what, "no leader")}}
		err := RemoveNetwork(context.Background(), f, docknet(), event.Discard)
		assert.Check(t, is.ErrorContains(err, "could not read the "+what+` of the swarm of context "east": no leader`))
		assert.Equal(t, len(f.removed), 0)
	}
}

func TestRemoveNetworkTriesAgainWhenTheSwarmSaysInUse(t *testing.T) {
	f := &fakeSwarm{
		looks:  []*swarm.Snapshot{withNetwork(), withNetwork(), {Context: "east"}},
		refuse: []error{errors.New("rpc error: code = FailedPrecondition desc = network net is in use by task t")},
	}
	assert.NilError(t, RemoveNetwork(context.Background(), f, docknet(), event.Discard))
	assert.Equal(t, len(f.removed), 2)
}

func TestRemoveNetworkRefusesWhileHeld(t *testing.T) {
	s := withNetwork()
	s.Services = []swarm.Service{{ID: "s", Name: "web", Networks: []swarm.Attach{{Target: "net"}}}}
	f := &fakeSwarm{looks: []*swarm.Snapshot{s}}
	err := RemoveNetwork(context.Background(), f, docknet(), event.Discard)
	assert.Check(t, is.ErrorContains(err, `network "docknet" of context "east" is in use: service "web"`))
	assert.Check(t, is.ErrorContains(err, "docker swarmnet detach docknet web"))
	assert.Equal(t, len(f.removed), 0)
}

func TestRemoveNetworkKeepsItsDeadline(t *testing.T) {
	f := &fakeSwarm{looks: []*swarm.Snapshot{withEndingTask()}}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err := RemoveNetwork(ctx, f, docknet(), event.Discard)
	var p *problem.Error
	assert.Assert(t, errors.As(err, &p))
	assert.Equal(t, p.Code, problem.TimedOut)
	assert.Check(t, is.Contains(p.Msg, "task gone.1"))
	assert.Equal(t, len(f.removed), 0)
}

func TestRemoveNetworkInterrupted(t *testing.T) {
	f := &fakeSwarm{looks: []*swarm.Snapshot{withEndingTask()}}
	ctx, cancel := context.WithCancel(context.Background())
	err := RemoveNetwork(ctx, f, docknet(), event.Func(func(event.Event) { cancel() }))
	var p *problem.Error
	assert.Assert(t, errors.As(err, &p))
	assert.Equal(t, p.Code, problem.Interrupted)
	assert.Check(t, is.Contains(p.Next, "docker swarmnet rm docknet"))
}

// TestRemoveAgainBelievesNoEngineAlone: "not found" is what one says that cannot
// ask its swarm.
func TestRemoveAgainBelievesNoEngineAlone(t *testing.T) {
	f := &fakeSwarm{looks: []*swarm.Snapshot{{Context: "east"}}, refuse: []error{cerrdefs.ErrNotFound}}
	assert.NilError(t, removeAgain(context.Background(), f, "net", "docknet", "east"))

	// It is there after all, and goes.
	f = &fakeSwarm{looks: []*swarm.Snapshot{withNetwork(), {Context: "east"}}, refuse: []error{cerrdefs.ErrNotFound}}
	assert.NilError(t, removeAgain(context.Background(), f, "net", "docknet", "east"))
	assert.DeepEqual(t, f.removed, []string{"net", "net"})

	taken := withNetwork()
	taken.Services = []swarm.Service{{ID: "w", Name: "web", Networks: []swarm.Attach{{Target: "net"}}}}
	f = &fakeSwarm{looks: []*swarm.Snapshot{taken}, refuse: []error{cerrdefs.ErrNotFound}}
	err := removeAgain(context.Background(), f, "net", "docknet", "east")
	assert.ErrorContains(t, err, "could neither be allocated nor removed again")
	assert.Equal(t, problem.CodeOf(err), problem.RollbackFailed)
}

// TestHeldTellsAWayOnce: of several holders that one command frees.
func TestHeldTellsAWayOnce(t *testing.T) {
	lost := members.Holder{Who: "task a", Free: "docker node rm --force n3"}
	err := held("east", docknet(), []members.Holder{lost, {Who: "task b", Free: lost.Free}})
	assert.Equal(t, strings.Count(err.Error(), lost.Free), 1)
	assert.Check(t, is.Contains(err.Error(), "task b"))
}
