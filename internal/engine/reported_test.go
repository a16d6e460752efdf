package engine

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/docker/docker/client"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/e2e/simengine"
	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// simulated looks at a simulated engine through the client's own negotiation.
func simulated(t *testing.T, o simengine.Options, with ...client.Opt) (*simengine.Engine, *Engine, *model.Snapshot) {
	t.Helper()
	sim := simengine.New(o)
	socket := filepath.Join(t.TempDir(), "s")
	stop, err := sim.Serve(socket)
	assert.NilError(t, err)
	t.Cleanup(func() { assert.NilError(t, stop()) })
	api, err := client.NewClientWithOpts(append([]client.Opt{client.WithHost("unix://" + socket), client.WithAPIVersionNegotiation()}, with...)...)
	assert.NilError(t, err)
	e := New("sim", api)
	t.Cleanup(func() { _ = e.Close() })
	s, err := e.Look(context.Background())
	assert.NilError(t, err)
	return sim, e, s
}

func overlayIDs(s *model.Snapshot) []string {
	var ids []string
	for _, n := range s.Networks {
		ids = append(ids, n.ID)
	}
	return ids
}

func TestReadReported(t *testing.T) {
	sim, e, s := simulated(t, simengine.Options{Scale: .02, API: "1.52", Leaked: map[string]int{"proxy": 7}})
	sim.Reset()
	ids := append(overlayIDs(s), "a-network-that-is-gone")
	known, err := e.ReadReported(context.Background(), s, ids)
	assert.NilError(t, err)
	assert.Assert(t, known)
	calls := 0
	for _, n := range sim.Calls() {
		calls += n
	}
	assert.Check(t, is.Equal(calls, len(s.Networks)+1), "one call a network, and the question for the version")
	book := addr.BookOf(s)
	for _, n := range s.Networks {
		r := n.Subnets[0].Reported
		assert.Assert(t, r != nil, n.Name)
		lost := 0
		if n.Name == "proxy" {
			lost = 7
		}
		u := book.Usage(n)
		assert.Check(t, is.Equal(int(r.InUse)-u.InUse.Total(), lost), n.Name)
		assert.Check(t, is.Equal(u.Free-int(r.Available), lost), n.Name)
	}
}

func TestReadReportedOfAnEngineThatDoesNotCount(t *testing.T) {
	for _, tc := range []struct {
		doc, api string
		with     []client.Opt
		calls    int
	}{
		{"as old as Debian 12", "1.41", nil, 0},
		{"as new as the client module", "1.51", nil, 1},
		{"a version that the user has chosen", "1.52", []client.Opt{client.WithVersion("1.44")}, 0},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			sim, e, s := simulated(t, simengine.Options{Scale: .01, API: tc.api}, tc.with...)
			sim.Reset()
			known, err := e.ReadReported(context.Background(), s, overlayIDs(s))
			assert.NilError(t, err)
			assert.Check(t, !known)
			assert.Check(t, is.Equal(len(sim.Calls()), tc.calls))
			assert.Check(t, s.Networks[0].Subnets[0].Reported == nil)
		})
	}
}

func TestReadReportedOfAnEngineThatWentAway(t *testing.T) {
	sim := simengine.New(simengine.Options{Scale: .01, API: "1.52"})
	socket := filepath.Join(t.TempDir(), "s")
	stop, err := sim.Serve(socket)
	assert.NilError(t, err)
	api, err := client.NewClientWithOpts(client.WithHost("unix://"+socket), client.WithAPIVersionNegotiation())
	assert.NilError(t, err)
	e := New("sim", api)
	s, err := e.Look(context.Background())
	assert.NilError(t, err)
	assert.NilError(t, stop())
	_, err = e.ReadReported(context.Background(), s, overlayIDs(s))
	assert.Check(t, is.ErrorContains(err, `cannot reach the engine of context "sim"`))
}
