package apply

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/migrate"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// movingSwarm is a swarm of fakeServices, on network "old" named docknet, that
// makes and removes networks at once. A service whose update is bad keeps its
// task where it was.
type movingSwarm struct {
	*fakeServices
	mu       sync.Mutex // services are written side by side
	networks []swarm.Network
	where    map[string][]swarm.Attach // of the one task of each service
	made     int
	// before runs before each look.
	before func()
	// away is how many of the next looks find nobody.
	away int
}

func newMovingSwarm() *movingSwarm {
	f := &movingSwarm{fakeServices: services(), where: map[string][]swarm.Attach{}, networks: []swarm.Network{{
		ID: "old", Name: "docknet", Scope: "swarm", Driver: "overlay", Options: map[string]string{swarm.OptVNI: "4097"},
		Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix("10.0.1.0/24")}},
	}}}
	for id := range f.now {
		f.where[id] = f.now[id].Networks
	}
	return f
}

func (f *movingSwarm) Look(ctx context.Context) (*swarm.Snapshot, error) {
	if f.before != nil {
		f.before()
	}
	if f.away > 0 {
		f.away--
		return nil, errors.New("rpc error: The swarm does not have a leader")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &swarm.Snapshot{Context: "east", Cluster: swarm.Cluster{State: swarm.StateActive, Manager: true}, Networks: slices.Clone(f.networks), Nodes: []swarm.Node{{ID: "n", Hostname: "n", State: "ready", Availability: "active"}}}
	for _, id := range []string{"one", "two"} {
		sv := f.now[id]
		s.Services = append(s.Services, sv)
		t := swarm.Task{ID: "t-" + id, ServiceID: id, Slot: 1, NodeID: "n", State: swarm.TaskRunning, Desired: swarm.TaskRunning}
		for _, a := range f.where[id] {
			t.Networks = append(t.Networks, swarm.TaskNetwork{NetworkID: a.Target, Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.1.9/24")}})
		}
		s.Tasks = append(s.Tasks, t)
	}
	return s, ctx.Err()
}

func (f *movingSwarm) WriteNetworks(ctx context.Context, sv swarm.Service, networks []swarm.Attach) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	warnings, err := f.fakeServices.WriteNetworks(ctx, sv, networks)
	if err == nil && !slices.ContainsFunc(networks, func(a swarm.Attach) bool { return a.Target == f.bad }) {
		f.where[sv.ID] = networks
	}
	return warnings, err
}

func (f *movingSwarm) Service(ctx context.Context, id string) (swarm.Service, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fakeServices.Service(ctx, id)
}

func (f *movingSwarm) WatchServices(ctx context.Context, ids []string) ([]swarm.Service, []swarm.Task, []swarm.Node, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fakeServices.WatchServices(ctx, ids)
}

func (f *movingSwarm) WriteLabels(_ context.Context, sv swarm.Service, labels map[string]string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now[sv.ID]
	now.Labels = labels
	now.Version++
	f.now[sv.ID] = now
	return nil
}

func (f *movingSwarm) Networks(context.Context) ([]swarm.Network, error) { return f.networks, nil }

func (f *movingSwarm) CreateNetwork(_ context.Context, spec swarm.NetworkSpec) (string, error) {
	f.made++
	n := swarm.Network{
		ID: fmt.Sprint("made", f.made), Name: spec.Name, Scope: "swarm", Driver: "overlay", Subnets: spec.Subnets, Labels: spec.Labels,
		Options: map[string]string{swarm.OptVNI: fmt.Sprint(5000 + f.made)},
	}
	for k, v := range spec.Options {
		n.Options[k] = v
	}
	f.networks = append(f.networks, n)
	return n.ID, nil
}

func (f *movingSwarm) RemoveNetwork(_ context.Context, id string) error {
	f.networks = slices.DeleteFunc(f.networks, func(n swarm.Network) bool { return n.ID == id })
	return nil
}

func (f *movingSwarm) migrate(t *testing.T, ctx context.Context, w migrate.Wish, m Migration) error {
	t.Helper()
	before, away := f.before, f.away
	f.before, f.away = nil, 0
	s, err := f.Look(ctx)
	assert.NilError(t, err)
	f.before, f.away = before, away
	w.MTU = 1400
	p, err := migrate.New(s, f.networks[0], w)
	assert.NilError(t, err)
	m.Context, m.Timeout, m.Log = "east", time.Minute, func(context.Context, string, int) []string { return nil }
	_, err = m.Begin(ctx, f, s, p, event.Discard)
	return err
}

// only holds that there is one network, that all are on it, and no label left.
func (f *movingSwarm) only(t *testing.T, name, mtu string) {
	t.Helper()
	assert.Assert(t, is.Len(f.networks, 1))
	n := f.networks[0]
	assert.Equal(t, n.Name, name)
	assert.Equal(t, n.Options[swarm.OptMTU], mtu)
	assert.Equal(t, len(n.Labels), 0)
	for id, sv := range f.now {
		assert.DeepEqual(t, f.where[id], []swarm.Attach{{Target: n.ID}})
		assert.Equal(t, len(sv.Labels), 0)
	}
}

func TestMigrate(t *testing.T) {
	for _, rename := range []string{"", "docks"} {
		f := newMovingSwarm()
		f.away = 2
		name := "docknet"
		if rename != "" {
			name = rename
		}
		first := true
		f.before = func() { // another operator removes an environment variable
			if sv := f.now["two"]; first {
				sv.Version++
				f.now["two"], first = sv, false
			}
		}
		assert.NilError(t, f.migrate(t, context.Background(), migrate.Wish{Rename: rename}, Migration{Parallel: 2}))
		f.only(t, name, "1400")
	}
}

func TestMigrateUndoesWhenAServiceDoesNotComeUp(t *testing.T) {
	for _, bad := range []string{"made1", "made2"} { // the twin, the new network
		f := newMovingSwarm()
		f.bad = bad
		err := f.migrate(t, context.Background(), migrate.Wish{}, Migration{})
		assert.Equal(t, codeOf(t, err), problem.RolledBack, "%v", err)
		assert.ErrorContains(t, err, "did not come up: the swarm paused the update")
		f.only(t, "docknet", "")
	}
}

func TestMigrateStops(t *testing.T) {
	f := newMovingSwarm()
	f.bad = "made1"
	err := f.migrate(t, context.Background(), migrate.Wish{}, Migration{Stop: true})
	assert.ErrorContains(t, err, "migrate --undo docknet")
	assert.Assert(t, is.Len(f.networks, 2))
}

func TestMigrateEndedByItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	f := newMovingSwarm()
	looks := 0
	f.before = func() {
		if looks++; looks == 3 {
			cancel()
		}
	}
	err := f.migrate(t, ctx, migrate.Wish{}, Migration{})
	assert.Equal(t, codeOf(t, err), problem.Interrupted)
	assert.ErrorContains(t, err, "docker -c east swarmnet migrate --resume docknet")

	f.before = nil
	s, err := f.Look(context.Background())
	assert.NilError(t, err)
	job, ok := migrate.Find(s, "docknet")
	assert.Assert(t, ok)
	m := Migration{Context: "east", Timeout: time.Minute}
	expired, stop := context.WithTimeout(context.Background(), 0)
	defer stop()
	_, err = m.Go(expired, f, migrate.Course{Job: job}, event.Discard)
	assert.Equal(t, codeOf(t, err), problem.TimedOut)
	_, err = m.Go(context.Background(), f, migrate.Course{Job: job, Back: true}, event.Discard)
	assert.NilError(t, err)
	f.only(t, "docknet", "")
}

func TestMigrateUndoNamesWhatIsNotUp(t *testing.T) {
	f := newMovingSwarm()
	f.bad = "made1"
	assert.ErrorContains(t, f.migrate(t, context.Background(), migrate.Wish{}, Migration{Stop: true}), "--on-failure")
	s, err := f.Look(context.Background())
	assert.NilError(t, err)
	job, _ := migrate.Find(s, "docknet")
	f.bad = "old" // and now its tasks do not come up there either
	_, err = Migration{Context: "east", Timeout: time.Minute, Log: func(context.Context, string, int) []string { return nil }}.
		Go(context.Background(), f, migrate.Course{Job: job, Back: true}, event.Discard)
	assert.Equal(t, codeOf(t, err), problem.RollbackFailed, "%v", err)
	assert.ErrorContains(t, err, `service "two"`)
}
