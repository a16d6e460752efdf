package apply

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/rewire"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// fakeServices is a swarm whose services come up at once, except on networks
// that are bad.
type fakeServices struct {
	now map[string]swarm.Service
	bad string
	// meddle runs before a write, as another operator would.
	meddle func(f *fakeServices, id string)
	writes []string
}

func (f *fakeServices) Service(ctx context.Context, id string) (swarm.Service, error) {
	return f.now[id], ctx.Err()
}

func (f *fakeServices) WriteNetworks(ctx context.Context, sv swarm.Service, networks []swarm.Attach) ([]string, error) {
	if f.meddle != nil {
		f.meddle(f, sv.ID)
	}
	now := f.now[sv.ID]
	if now.Version != sv.Version {
		return nil, errors.New("update out of sequence")
	}
	now.Networks = networks
	now.Version++
	f.now[sv.ID] = now
	f.writes = append(f.writes, sv.ID)
	return nil, ctx.Err()
}

func (f *fakeServices) Changes(context.Context) <-chan struct{} { return nil }

func (f *fakeServices) WatchServices(_ context.Context, ids []string) ([]swarm.Service, []swarm.Task, []swarm.Node, error) {
	sv := f.now[ids[0]]
	sv.Update.State = "completed"
	t := swarm.Task{ID: "t", ServiceID: sv.ID, Slot: 1, NodeID: "n", UpToDate: true, State: swarm.TaskRunning, Desired: swarm.TaskRunning}
	if slices.ContainsFunc(sv.Networks, func(a swarm.Attach) bool { return a.Target == f.bad }) {
		sv.Update = swarm.UpdateStatus{State: "paused", Message: "update paused due to failure"}
		t.State = swarm.TaskFailed
	}
	return []swarm.Service{sv}, []swarm.Task{t}, []swarm.Node{{ID: "n", Hostname: "n", State: "ready", Availability: "active"}}, nil
}

func services() *fakeServices {
	f := &fakeServices{now: map[string]swarm.Service{}}
	for _, id := range []string{"one", "two"} {
		f.now[id] = swarm.Service{ID: id, Name: id, Version: 1, Mode: swarm.Replicated, Replicas: 1, Networks: []swarm.Attach{{Target: "old"}}}
	}
	return f
}

func attach(f *fakeServices, target string, ids ...string) []rewire.Wish {
	var out []rewire.Wish
	for _, id := range ids {
		out = append(out, rewire.Wish{Service: f.now[id], Change: rewire.Change{On: &swarm.Network{ID: target, Name: "net"}}})
	}
	return out
}

func rewiring() Rewiring {
	return Rewiring{
		Context: "east", Timeout: time.Minute, Again: "docker swarmnet attach",
		Log: func(context.Context, string, int) []string { return []string{"the last words"} },
	}
}

func targets(sv swarm.Service) []string {
	var out []string
	for _, a := range sv.Networks {
		out = append(out, a.Target)
	}
	return out
}

func codeOf(t *testing.T, err error) int {
	t.Helper()
	var p *problem.Error
	assert.Assert(t, errors.As(err, &p), "%v", err)
	return p.Code
}

func TestRewiringServices(t *testing.T) {
	f := services()
	assert.NilError(t, rewiring().Services(context.Background(), f, attach(f, "new", "one", "two"), event.Discard))
	assert.DeepEqual(t, targets(f.now["one"]), []string{"old", "new"})
	assert.DeepEqual(t, f.writes, []string{"one", "two"})

	assert.NilError(t, rewiring().Services(context.Background(), f, attach(f, "new", "one", "two"), event.Discard))
	assert.Equal(t, len(f.writes), 2, "nothing is written where nothing changes")
}

func TestRewiringUndoesAllOnFailure(t *testing.T) {
	f := services()
	f.bad = "new"
	err := rewiring().Services(context.Background(), f, attach(f, "new", "one"), event.Discard)
	assert.Equal(t, codeOf(t, err), problem.RolledBack)
	assert.Check(t, is.ErrorContains(err, "the last words"))
	assert.DeepEqual(t, targets(f.now["one"]), []string{"old"})

	f = services()
	wishes := append(attach(f, "fine", "one"), attach(f, "new", "two")...)
	f.bad = "new"
	err = rewiring().Services(context.Background(), f, wishes, event.Discard)
	assert.Equal(t, codeOf(t, err), problem.RolledBack)
	assert.Check(t, is.ErrorContains(err, `Service "one" of context "east" had been changed before, and has its old networks again.`))
	assert.DeepEqual(t, targets(f.now["one"]), []string{"old"})
	assert.DeepEqual(t, f.writes, []string{"one", "two", "two", "one"})
}

func TestRewiringSomebodyElse(t *testing.T) {
	once := func(change func(*swarm.Service)) func(*fakeServices, string) {
		return func(f *fakeServices, id string) {
			sv := f.now[id]
			change(&sv)
			sv.Version++
			f.now[id], f.meddle = sv, nil
		}
	}
	t.Run("changes another part", func(t *testing.T) {
		f := services()
		f.meddle = once(func(sv *swarm.Service) { sv.Replicas = 1; sv.Image = "web:2" })
		assert.NilError(t, rewiring().Services(context.Background(), f, attach(f, "new", "one"), event.Discard))
		assert.Equal(t, f.now["one"].Image, "web:2")
		assert.DeepEqual(t, targets(f.now["one"]), []string{"old", "new"})
	})
	t.Run("changes the networks", func(t *testing.T) {
		f := services()
		f.meddle = once(func(sv *swarm.Service) { sv.Networks = []swarm.Attach{{Target: "theirs"}} })
		err := rewiring().Services(context.Background(), f, attach(f, "new", "one"), event.Discard)
		assert.Check(t, is.ErrorContains(err, "somebody else changed the networks of service \"one\""))
		assert.DeepEqual(t, targets(f.now["one"]), []string{"theirs"})
	})
	t.Run("never stops", func(t *testing.T) {
		f := services()
		f.meddle = func(f *fakeServices, id string) { sv := f.now[id]; sv.Version++; f.now[id] = sv }
		err := rewiring().Services(context.Background(), f, attach(f, "new", "one"), event.Discard)
		assert.Check(t, is.ErrorContains(err, "all the time"))
		assert.DeepEqual(t, targets(f.now["one"]), []string{"old"})
	})
	t.Run("changes the networks before the undo", func(t *testing.T) {
		f := services()
		done := Rewired{Before: f.now["one"], Networks: []swarm.Attach{{Target: "old"}, {Target: "new"}}}
		f.now["one"] = swarm.Service{ID: "one", Name: "one", Version: 9, Networks: []swarm.Attach{{Target: "theirs"}}}
		assert.ErrorIs(t, rewiring().Undo(context.Background(), f, done, event.Discard), errNotOurs)
		assert.DeepEqual(t, targets(f.now["one"]), []string{"theirs"})
	})
	t.Run("changes the networks of one while all are undone", func(t *testing.T) {
		f := services()
		f.bad = "new"
		wishes := append(attach(f, "fine", "one"), attach(f, "new", "two")...)
		f.meddle = func(f *fakeServices, id string) {
			if sv := f.now[id]; len(f.writes) == 2 && id == "two" {
				sv.Networks = []swarm.Attach{{Target: "theirs"}}
				sv.Version++
				f.now[id] = sv
			}
		}
		err := rewiring().Services(context.Background(), f, wishes, event.Discard)
		assert.Equal(t, codeOf(t, err), problem.RollbackFailed, "not all is as it was")
		assert.Check(t, is.ErrorContains(err, "It was left as it is: somebody else has changed it since"))
		assert.DeepEqual(t, targets(f.now["one"]), []string{"old"})
		assert.DeepEqual(t, targets(f.now["two"]), []string{"theirs"})
	})
}

func TestRewiringInterrupted(t *testing.T) {
	f := services()
	ctx, cancel := context.WithCancel(context.Background())
	f.meddle = func(*fakeServices, string) { cancel() }
	err := rewiring().Services(ctx, f, attach(f, "new", "one", "two"), event.Discard)
	assert.Equal(t, codeOf(t, err), problem.Interrupted)
	assert.Check(t, is.ErrorContains(err, `not begun: service "two"`))
	assert.DeepEqual(t, f.writes, []string{"one"})
}

// TestRewireEach: what fails in one swarm is undone in those before it.
func TestRewireEach(t *testing.T) {
	east, west := services(), services()
	site := func(name string, f *fakeServices) RewireSite {
		r := rewiring()
		r.Context = name
		return RewireSite{Rewiring: r, Engine: f, Wishes: attach(f, "new", "one", "two")}
	}
	assert.NilError(t, RewireEach(context.Background(), []RewireSite{site("east", east), site("west", west)}, event.Discard))
	assert.DeepEqual(t, targets(west.now["two"]), []string{"old", "new"})

	east, west = services(), services()
	west.bad = "new"
	err := RewireEach(context.Background(), []RewireSite{site("east", east), site("west", west)}, event.Discard)
	assert.Equal(t, codeOf(t, err), problem.RolledBack)
	for _, f := range []*fakeServices{east, west} {
		for _, name := range []string{"one", "two"} {
			assert.DeepEqual(t, targets(f.now[name]), []string{"old"})
		}
	}
	assert.Check(t, is.ErrorContains(err, `Service "two" of context "east" had been changed before, and has its old networks again.`))

	east, west = services(), services()
	ctx, cancel := context.WithCancel(context.Background())
	west.meddle = func(*fakeServices, string) { cancel() }
	err = RewireEach(ctx, []RewireSite{site("east", east), site("west", west), site("north", services())}, event.Discard)
	assert.Equal(t, codeOf(t, err), problem.Interrupted)
	assert.Check(t, is.ErrorContains(err, `not begun: service "two"; nor context "north"`))
	assert.DeepEqual(t, targets(east.now["two"]), []string{"old", "new"})
}
