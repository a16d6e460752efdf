package wait

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/converge"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// replay answers look after look; the last answer stays.
type replay struct {
	answers []answer
	asked   [][]string
}

type answer struct {
	services []swarm.Service
	tasks    []swarm.Task
	err      error
}

func (r *replay) WatchServices(_ context.Context, ids []string) ([]swarm.Service, []swarm.Task, []swarm.Node, error) {
	a := r.answers[min(len(r.asked), len(r.answers)-1)]
	r.asked = append(r.asked, slices.Clone(ids))
	return a.services, a.tasks, []swarm.Node{{ID: "n1", Hostname: "h1", State: "ready", Availability: "active"}}, a.err
}

// Changes is a stream that ends at once, as it does when the engine restarts.
func (*replay) Changes(context.Context) <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func service(id string) swarm.Service {
	return swarm.Service{ID: id, Name: "name-" + id, Mode: swarm.Replicated, Replicas: 1, UpdateMonitor: time.Nanosecond}
}

func job(id string) swarm.Service {
	run := uint64(1)
	return swarm.Service{ID: id, Name: "name-" + id, Mode: swarm.ReplicatedJob, Replicas: 1, JobIteration: &run}
}

func task(service string, state swarm.TaskState, n int) swarm.Task {
	run := uint64(1)
	desired := swarm.TaskRunning
	if state == swarm.TaskFailed {
		desired = swarm.TaskShutdown
	}
	return swarm.Task{
		ID: fmt.Sprintf("%s-%d", service, n), ServiceID: service, Slot: 1, NodeID: "n1", State: state, Desired: desired,
		UpToDate: true, JobIteration: &run, Created: time.Now().Add(time.Duration(n) * time.Millisecond),
	}
}

func TestServices(t *testing.T) {
	both := []swarm.Service{service("a"), service("b")}
	running := []swarm.Task{task("a", swarm.TaskRunning, 1), task("b", swarm.TaskRunning, 1)}
	half := []swarm.Task{task("a", swarm.TaskRunning, 1), task("b", swarm.TaskPreparing, 1)}
	crashed := []swarm.Task{
		task("a", swarm.TaskRunning, 1), task("b", swarm.TaskFailed, 1), task("b", swarm.TaskFailed, 2), task("b", swarm.TaskFailed, 3), task("b", swarm.TaskReady, 4),
	}
	for _, tc := range []struct {
		doc     string
		answers []answer
		want    map[string]converge.State
		cause   string // of b
	}{
		{"all up", []answer{{services: both, tasks: half}, {services: both, tasks: running}}, map[string]converge.State{"a": converge.Up, "b": converge.Up}, ""},
		{"one fails", []answer{{services: both, tasks: half}, {services: both, tasks: crashed}}, map[string]converge.State{"a": converge.Up, "b": converge.Failed}, converge.CauseCrashLoop},
		{"one is removed", []answer{{services: both, tasks: half}, {services: both[:1], tasks: running[:1]}}, map[string]converge.State{"a": converge.Up, "b": converge.Failed}, converge.CauseRemoved},
		{"one was up and is not", []answer{
			{services: both, tasks: half},
			{services: both, tasks: []swarm.Task{task("a", swarm.TaskStarting, 2), task("b", swarm.TaskRunning, 1)}},
			{services: both, tasks: running},
		}, map[string]converge.State{"a": converge.Up, "b": converge.Up}, ""},
		{"an answer that fails is asked again", []answer{{err: errors.New("no leader")}, {services: both, tasks: running}}, map[string]converge.State{"a": converge.Up, "b": converge.Up}, ""},
		{"a job has completed", []answer{
			{services: []swarm.Service{service("a"), job("b")}, tasks: running},
			{services: []swarm.Service{service("a"), job("b")}, tasks: []swarm.Task{running[0], task("b", swarm.TaskComplete, 1)}},
		}, map[string]converge.State{"a": converge.Up, "b": converge.Up}, ""},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			r := &replay{answers: tc.answers}
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			got, err := Services(ctx, r, []string{"a", "b"}, event.Discard)
			assert.NilError(t, err)
			for id, state := range tc.want {
				assert.Check(t, is.Equal(got[id].State, state), "%s: %+v", id, got[id])
				assert.Check(t, is.Equal(got[id].Service, "name-"+id))
			}
			assert.Check(t, is.Equal(got["b"].Cause, tc.cause))
			for _, ids := range r.asked {
				assert.DeepEqual(t, ids, []string{"a", "b"})
			}
			assert.Check(t, len(r.asked) <= len(tc.answers)+2, "%d looks", len(r.asked))
		})
	}
}

func TestServicesKeepsItsDeadline(t *testing.T) {
	r := &replay{answers: []answer{{services: []swarm.Service{service("a")}, tasks: []swarm.Task{task("a", swarm.TaskPreparing, 1)}}}}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	v, err := Service(ctx, r, "a", event.Discard)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, v.Reason, "0 of 1 tasks")
}

func TestServicesOfNone(t *testing.T) {
	got, err := Services(context.Background(), &replay{}, nil, event.Discard)
	assert.NilError(t, err)
	assert.Check(t, is.Len(got, 0))
}

// TestSilence: an election may take longer than an engine may be away.
func TestSilence(t *testing.T) {
	leaderless := errors.New("rpc error: code = Unknown desc = The swarm does not have a leader.")
	assert.Assert(t, Silence(leaderless) > Silence(errors.New("connection refused")))
}
