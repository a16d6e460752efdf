package converge

import (
	"fmt"
	"math/rand"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func start() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

func at(s int) Options { return Options{Now: start().Add(time.Duration(s) * time.Second)} }

func web(replicas uint64) swarm.Service {
	return swarm.Service{ID: "web", Name: "web", Mode: swarm.Replicated, Replicas: replicas}
}

func nodes() []swarm.Node {
	return []swarm.Node{{ID: "n1", Hostname: "h1", State: "ready", Availability: "active"}, {ID: "n2", Hostname: "h2", State: "ready", Availability: "active"}}
}

func task(slot, n int, state swarm.TaskState) swarm.Task {
	desired := swarm.TaskRunning
	if state.Ended() {
		desired = swarm.TaskShutdown
	}
	return swarm.Task{ID: fmt.Sprintf("t%d.%d", slot, n), ServiceID: "web", Slot: slot, NodeID: "n1", State: state, Desired: desired, UpToDate: true, Created: start().Add(time.Duration(n) * time.Millisecond)}
}

func TestStep(t *testing.T) {
	failed := func(state swarm.TaskState, n int, err string) swarm.Task {
		out := task(1, n, state)
		out.Err, out.ExitCode = err, 3
		return out
	}
	with := func(change func(*swarm.Service)) swarm.Service {
		sv := web(1)
		change(&sv)
		return sv
	}
	old := task(1, 0, swarm.TaskRunning)
	old.UpToDate = false
	pending := task(1, 1, swarm.TaskPending)
	pending.NodeID, pending.Err = "", "no suitable node (scheduling constraints not satisfied on 2 nodes)"
	for _, tc := range []struct {
		doc   string
		sv    swarm.Service
		tasks []swarm.Task
		after int // seconds between the first and the second look
		state State
		cause string
	}{
		{"an update back to a spec that had tasks before", web(1), []swarm.Task{old, task(1, -1, swarm.TaskShutdown)}, 30, Waiting, CauseStarting},
		{"runs, under watch", web(1), []swarm.Task{task(1, 1, swarm.TaskRunning)}, 4, Waiting, CauseVerifying},
		{"runs through the watch", web(1), []swarm.Task{task(1, 1, swarm.TaskRunning)}, 5, Up, ""},
		{"a longer watch", with(func(s *swarm.Service) { s.UpdateMonitor = time.Minute }), []swarm.Task{task(1, 1, swarm.TaskRunning)}, 30, Waiting, CauseVerifying},
		{"one of two", web(2), []swarm.Task{task(1, 1, swarm.TaskRunning), task(2, 1, swarm.TaskPreparing)}, 60, Waiting, CauseStarting},
		{"only the task of the old spec", web(1), []swarm.Task{old}, 60, Waiting, CauseStarting},
		{"update still under way", with(func(s *swarm.Service) { s.Update.State = "updating" }), []swarm.Task{task(1, 1, swarm.TaskRunning)}, 60, Waiting, CauseStarting},
		{"no replicas", web(0), nil, 0, Up, ""},
		{"no replicas, one still stopping", web(0), []swarm.Task{task(1, 1, swarm.TaskRunning)}, 60, Waiting, CauseStarting},
		{"one failure is no loop", web(1), []swarm.Task{failed(swarm.TaskFailed, 1, "exit 3"), task(1, 2, swarm.TaskReady)}, 60, Waiting, CauseStarting},
		{"runs after two failures, under watch", web(1), []swarm.Task{failed(swarm.TaskFailed, 1, ""), failed(swarm.TaskFailed, 2, ""), task(1, 3, swarm.TaskRunning)}, 14, Waiting, CauseVerifying},
		{"runs after two failures", web(1), []swarm.Task{failed(swarm.TaskFailed, 1, ""), failed(swarm.TaskFailed, 2, ""), task(1, 3, swarm.TaskRunning)}, 15, Up, ""},
		{"crash loop", web(1), []swarm.Task{failed(swarm.TaskFailed, 1, ""), failed(swarm.TaskFailed, 2, ""), failed(swarm.TaskFailed, 3, ""), task(1, 4, swarm.TaskReady)}, 1, Failed, CauseCrashLoop},
		{"ends by itself again and again", web(1), []swarm.Task{failed(swarm.TaskComplete, 1, ""), failed(swarm.TaskComplete, 2, ""), failed(swarm.TaskComplete, 3, ""), task(1, 4, swarm.TaskReady)}, 1, Failed, CauseCrashLoop},
		{"image missing", web(1), []swarm.Task{failed(swarm.TaskRejected, 1, "No such image: x"), failed(swarm.TaskRejected, 2, "No such image: x"), task(1, 3, swarm.TaskReady)}, 1, Failed, CauseImage},
		{"rejected once", web(1), []swarm.Task{failed(swarm.TaskRejected, 1, "network not found"), task(1, 2, swarm.TaskReady)}, 30, Waiting, CauseStarting},
		{"unhealthy", web(1), []swarm.Task{failed(swarm.TaskFailed, 1, "task: non-zero exit (137): dockerexec: unhealthy container"), failed(swarm.TaskFailed, 2, "dockerexec: unhealthy container"), task(1, 3, swarm.TaskStarting)}, 1, Failed, CauseUnhealthy},
		{"not restarted", web(1), []swarm.Task{failed(swarm.TaskFailed, 1, "")}, 3, Failed, CauseExited},
		{"not restarted yet", web(1), []swarm.Task{failed(swarm.TaskFailed, 1, "")}, 1, Waiting, CauseStarting},
		{"shut down by the swarm, replaced in its turn", web(1), []swarm.Task{failed(swarm.TaskShutdown, 1, "")}, 60, Waiting, CauseStarting},
		{"ended before the update that goes back to it", with(func(s *swarm.Service) { s.Update.State = "updating" }), []swarm.Task{failed(swarm.TaskFailed, 1, "")}, 60, Waiting, CauseStarting},
		{"no node", web(1), []swarm.Task{pending}, 10, Failed, CauseNoNode},
		{"no node for a moment", web(1), []swarm.Task{pending}, 9, Waiting, CauseStarting},
		{"no address", web(1), []swarm.Task{task(1, 1, swarm.TaskNew)}, 10, Failed, CauseAddresses},
		{"paused", with(func(s *swarm.Service) { s.Update.State = "paused" }), []swarm.Task{task(1, 1, swarm.TaskRunning)}, 0, Failed, CausePaused},
		{"rolled back by the swarm", with(func(s *swarm.Service) { s.Update.State = "rollback_completed" }), []swarm.Task{task(1, 1, swarm.TaskRunning)}, 0, Failed, CauseRolledBack},
		{"global without tasks", with(func(s *swarm.Service) { s.Mode = swarm.Global }), nil, 10, Failed, CauseNoNode},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			var w Watch
			w.Step(tc.sv, tc.tasks, nodes(), at(0))
			v := w.Step(tc.sv, tc.tasks, nodes(), at(tc.after))
			assert.Equal(t, v.State, tc.state, "%+v", v)
			assert.Equal(t, v.Cause, tc.cause)
		})
	}
}

func TestStepStartsTheWatchAnew(t *testing.T) {
	var w Watch
	w.Step(web(1), []swarm.Task{task(1, 1, swarm.TaskRunning)}, nodes(), at(0))
	w.Step(web(1), []swarm.Task{task(1, 1, swarm.TaskFailed), task(1, 2, swarm.TaskReady)}, nodes(), at(4))
	running := []swarm.Task{task(1, 1, swarm.TaskFailed), task(1, 2, swarm.TaskRunning)}
	assert.Equal(t, w.Step(web(1), running, nodes(), at(6)).State, Waiting)
	assert.Equal(t, w.Step(web(1), running, nodes(), at(15)).State, Waiting)
	assert.Equal(t, w.Step(web(1), running, nodes(), at(16)).State, Up)
}

// Up never while a slot does not run, and the order of tasks means nothing.
func TestStepProperties(t *testing.T) {
	seed := time.Now().UnixNano()
	r := rand.New(rand.NewSource(seed)) //nolint:gosec // a test
	states := []swarm.TaskState{swarm.TaskNew, swarm.TaskPending, swarm.TaskPreparing, swarm.TaskStarting, swarm.TaskRunning, swarm.TaskRunning, swarm.TaskRunning, swarm.TaskFailed, swarm.TaskRejected, swarm.TaskShutdown, swarm.TaskComplete}
	for i := range 2000 {
		replicas := 1 + r.Intn(3)
		var tasks []swarm.Task
		running := map[int]bool{}
		for n := range r.Intn(8) {
			tk := task(1+r.Intn(replicas), n, states[r.Intn(len(states))])
			running[tk.Slot] = running[tk.Slot] || tk.State == swarm.TaskRunning
			tasks = append(tasks, tk)
		}
		shuffled := append([]swarm.Task(nil), tasks...)
		r.Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
		var w, x Watch
		w.Step(web(uint64(replicas)), tasks, nodes(), at(0))
		x.Step(web(uint64(replicas)), shuffled, nodes(), at(0))
		v, u := w.Step(web(uint64(replicas)), tasks, nodes(), at(20)), x.Step(web(uint64(replicas)), shuffled, nodes(), at(20))
		assert.Assert(t, is.DeepEqual(v, u), "seed %d, run %d", seed, i)
		assert.Assert(t, v.State != Up || len(running) >= replicas && v.Running >= replicas, "seed %d, run %d", seed, i)
	}
}

func TestSteady(t *testing.T) {
	since := func(s int) []swarm.Task {
		tk := task(1, 1, swarm.TaskRunning)
		tk.StateSince = at(s).Now
		return []swarm.Task{tk}
	}
	assert.Check(t, Steady(web(1), since(0), nodes(), at(5).Now))
	assert.Check(t, !Steady(web(1), since(1), nodes(), at(5).Now), "under watch")
	assert.Check(t, !Steady(web(2), since(0), nodes(), at(5).Now), "one is missing")
	assert.Check(t, Steady(web(0), nil, nodes(), at(5).Now))
	paused := web(1)
	paused.Update.State = "paused"
	assert.Check(t, !Steady(paused, since(0), nodes(), at(5).Now))
}

// TestUnseen: what lasted only while nobody could be asked, and for a while
// afterwards, is no failure.
func TestUnseen(t *testing.T) {
	pending := task(1, 1, swarm.TaskPending)
	pending.NodeID = ""
	var w Watch
	step := func(second int) State {
		return w.Step(web(1), []swarm.Task{pending}, nodes(), at(second)).State
	}
	assert.Equal(t, step(0), Waiting)
	w.Unseen(at(30).Now)
	assert.Equal(t, step(30), Waiting)
	assert.Equal(t, step(49), Waiting)
	assert.Equal(t, step(50), Failed, "twice the patience after it was seen again")
}
