package apply

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/ledger"
	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// swarmInMemory keeps networks as a swarm does: it answers a creation at once,
// and never allocates one whose subnet overlaps another's.
type swarmInMemory struct {
	name string
	skew time.Duration // of its clock
	// refuse is the error of every creation, stuck keeps it from allocating.
	refuse, refuseRemoval error
	stuck                 bool

	mu       sync.Mutex
	last     int
	networks []swarm.Network
}

func (f *swarmInMemory) Look(ctx context.Context) (*swarm.Snapshot, error) {
	list, err := f.Networks(ctx)
	return &swarm.Snapshot{Context: f.name, Networks: list, Cluster: swarm.Cluster{ID: f.name, State: swarm.StateActive, Manager: true}}, err
}

func (f *swarmInMemory) Networks(ctx context.Context) ([]swarm.Network, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]swarm.Network(nil), f.networks...), ctx.Err()
}

func (f *swarmInMemory) CreateNetwork(_ context.Context, spec swarm.NetworkSpec) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return "", f.refuse
	}
	f.last++
	n := swarm.Network{ID: fmt.Sprint(f.name, "-", f.last), Name: spec.Name, Scope: "swarm", Created: time.Now().Add(f.skew), Options: map[string]string{}}
	free := !f.stuck
	for _, o := range f.networks {
		if o.Name == spec.Name {
			return "", errors.New("name conflicts with an existing object")
		}
		free = free && (len(o.Subnets) == 0 || !o.Subnets[0].Prefix.Overlaps(spec.Subnets[0].Prefix))
	}
	if free {
		n.Driver, n.Subnets, n.Options[swarm.OptVNI] = "overlay", spec.Subnets, strconv.Itoa(4096+f.last)
	}
	f.networks = append(f.networks, n)
	return n.ID, nil
}

func (f *swarmInMemory) RemoveNetwork(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuseRemoval != nil {
		return f.refuseRemoval
	}
	for i, n := range f.networks {
		if n.ID == id {
			f.networks = append(f.networks[:i], f.networks[i+1:]...)
			return nil
		}
	}
	return nil
}

func sites(t *testing.T, swarms ...*swarmInMemory) []Site {
	t.Helper()
	var out []Site
	for _, s := range swarms {
		look, err := s.Look(context.Background())
		assert.NilError(t, err)
		out = append(out, Site{s, look})
	}
	return out
}

func wishOf(name string) netspec.Wish { return netspec.Wish{Spec: swarm.NetworkSpec{Name: name}} }

func TestCreateEach(t *testing.T) {
	east, west := &swarmInMemory{name: "east"}, &swarmInMemory{name: "west"}
	made, err := CreateEach(context.Background(), sites(t, east, west), wishOf("docknet"), false, event.Discard)
	assert.NilError(t, err)
	assert.Assert(t, is.Len(made, 2))
	assert.Check(t, is.Equal(made[0].ID, "east-1"))
	assert.Check(t, !made[0].Subnets[0].Prefix.Overlaps(made[1].Subnets[0].Prefix))

	again, err := CreateEach(context.Background(), sites(t, east, west), wishOf("docknet"), false, event.Discard)
	assert.NilError(t, err)
	assert.DeepEqual(t, []string{again[0].ID, again[1].ID}, []string{made[0].ID, made[1].ID})

	same, err := CreateEach(context.Background(), sites(t, east, west), wishOf("same"), true, event.Discard)
	assert.NilError(t, err)
	assert.Check(t, is.Equal(same[0].Subnets[0].Prefix, same[1].Subnets[0].Prefix))
}

// TestCreateEachIsAllOrNothing: one that fails takes the others with it, and
// what was there before stays.
func TestCreateEachIsAllOrNothing(t *testing.T) {
	for _, tc := range []struct {
		doc    string
		change func(east, west *swarmInMemory)
		stop   bool
		code   int
		left   int // networks of east
	}{
		{"refused", func(_, west *swarmInMemory) { west.refuse = errors.New("no quorum") }, false, problem.RolledBack, 1},
		{"never allocated", func(_, west *swarmInMemory) { west.stuck = true }, false, problem.RolledBack, 1},
		{"interrupted", func(_, west *swarmInMemory) { west.stuck = true }, true, problem.Interrupted, 1},
		{"and cannot be undone", func(east, west *swarmInMemory) {
			west.refuse, east.refuseRemoval = errors.New("no quorum"), errors.New("gone fishing")
		}, false, problem.RollbackFailed, 2},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			east, west := &swarmInMemory{name: "east"}, &swarmInMemory{name: "west"}
			_, err := east.CreateNetwork(context.Background(), swarm.NetworkSpec{Name: "before", Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix("10.0.0.0/24")}}})
			assert.NilError(t, err)
			tc.change(east, west)
			ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
			defer cancel()
			if tc.stop {
				ctx, cancel = context.WithCancel(context.Background())
				sink := event.Func(func(e event.Event) {
					if e.State == "allocating" {
						cancel()
					}
				})
				_, err = CreateEach(ctx, sites(t, east, west), wishOf("docknet"), false, sink)
			} else {
				_, err = CreateEach(ctx, sites(t, east, west), wishOf("docknet"), false, event.Discard)
			}
			var p *problem.Error
			assert.Assert(t, errors.As(err, &p), "%v", err)
			assert.Check(t, is.Equal(p.Code, tc.code), "%v", err)
			assert.Check(t, is.Len(east.networks, tc.left))
			if tc.code != problem.RollbackFailed {
				assert.Check(t, is.Len(west.networks, 0))
			}
		})
	}
}

// TestCreateEachAtOnce: several operators create networks in the same swarms,
// whose clocks differ, and somebody creates some past us.
func TestCreateEachAtOnce(t *testing.T) {
	const rounds, operators = 8, 4
	r := rand.New(rand.NewPCG(4, 4))
	for round := range rounds {
		var swarms []*swarmInMemory
		for i := range 3 {
			swarms = append(swarms, &swarmInMemory{name: fmt.Sprint("swarm", i), skew: time.Duration(r.IntN(2000)-1000) * time.Millisecond})
		}
		failed := make([]error, operators)
		var all sync.WaitGroup
		start := sites(t, swarms...)
		for o := range operators {
			mine := append([]Site(nil), start...)
			r.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
			all.Add(1)
			go func() {
				defer all.Done()
				_, failed[o] = CreateEach(context.Background(), mine, wishOf(fmt.Sprint("net", o)), o == 0, event.Discard)
			}()
		}
		all.Wait()
		assert.NilError(t, errors.Join(failed...))
		var after []*swarm.Snapshot
		for _, s := range sites(t, swarms...) {
			assert.Assert(t, is.Len(s.Look.Networks, operators))
			after = append(after, s.Look)
		}
		for _, o := range ledger.Overlaps(after) {
			assert.Assert(t, o.A.Network == "net0" && o.B.Network == "net0", "round %d: %s of %s overlaps %s of %s", round, o.A.Network, o.A.Context, o.B.Network, o.B.Context)
		}
	}
}

// TestCreateEachMovesForWhoDoesNot: a network that docker itself has created is
// younger than ours, and will not move.
func TestCreateEachMovesForWhoDoesNot(t *testing.T) {
	east, west := &swarmInMemory{name: "east"}, &swarmInMemory{name: "west", skew: time.Hour}
	taken := false
	sink := event.Func(func(e event.Event) {
		if e.State == "created" && e.Object == "network docknet of east" && !taken {
			taken = true
			_, err := west.CreateNetwork(context.Background(), swarm.NetworkSpec{Name: "plain", Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix(e.Detail)}}})
			assert.Check(t, err)
		}
	})
	made, err := CreateEach(context.Background(), sites(t, east, west), wishOf("docknet"), false, sink)
	assert.NilError(t, err)
	assert.Check(t, taken)
	plain := netip.MustParsePrefix("10.0.0.0/24")
	for _, n := range made {
		assert.Check(t, !n.Subnets[0].Prefix.Overlaps(plain), n.Subnets[0].Prefix.String())
	}
}

// forgetful lists its own networks only, a few times, as an engine does that
// cannot ask its swarm.
type forgetful struct {
	*swarmInMemory
	times int
}

func (f *forgetful) Networks(ctx context.Context) ([]swarm.Network, error) {
	if f.times > 0 {
		f.times--
		return nil, nil
	}
	return f.swarmInMemory.Networks(ctx)
}

// TestCreateBelievesNoHalfList: a network that is not in one list was not
// removed by somebody.
func TestCreateBelievesNoHalfList(t *testing.T) {
	f := &forgetful{&swarmInMemory{name: "east"}, 1}
	s, err := f.Look(context.Background())
	assert.NilError(t, err)
	n, err := CreateNetwork(context.Background(), f, s, wishOf("docknet"), event.Discard)
	assert.NilError(t, err)
	assert.Assert(t, n.Allocated())
	assert.Equal(t, f.times, 0)
}
