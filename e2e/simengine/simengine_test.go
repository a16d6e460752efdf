package simengine_test

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/e2e/simengine"
	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
)

func serve(t *testing.T, o simengine.Options) (*simengine.Engine, *client.Client) {
	t.Helper()
	e := simengine.New(o)
	socket := filepath.Join(t.TempDir(), "s")
	stop, err := e.Serve(socket)
	assert.NilError(t, err)
	t.Cleanup(func() { assert.NilError(t, stop()) })
	api, err := client.NewClientWithOpts(client.WithHost("unix://"+socket), client.WithAPIVersionNegotiation())
	assert.NilError(t, err)
	t.Cleanup(func() { _ = api.Close() })
	return e, api
}

func TestSizes(t *testing.T) {
	e := simengine.New(simengine.Options{})
	assert.Check(t, is.Len(e.Nodes, 200))
	assert.Check(t, is.Len(e.Networks, 1000))
	assert.Check(t, is.Len(e.Services, 5000))
	assert.Check(t, is.Len(e.Tasks, 20000))
	half := simengine.New(simengine.Options{Scale: .5})
	assert.Check(t, is.Len(half.Nodes, 100))
	assert.Check(t, is.Len(half.Tasks, 10000))
}

// TestLookIsCoherent holds that our own accounting of the made-up swarm comes
// to what its engine reports, network by network.
func TestLookIsCoherent(t *testing.T) {
	ctx := context.Background()
	e, api := serve(t, simengine.Options{Scale: .1, API: "1.52"})
	s, err := engine.New("sim", api).Look(ctx)
	assert.NilError(t, err)
	assert.Check(t, is.Len(s.Unread, 0))
	assert.Check(t, is.Equal(len(s.Attachments), 2))
	calls := 0
	for _, n := range e.Calls() {
		calls += n
	}
	assert.Check(t, calls <= 6, "%v", e.Calls())
	newest, err := client.NewClientWithOpts(client.WithHost(api.DaemonHost()), client.WithVersion("1.52"))
	assert.NilError(t, err)
	defer newest.Close()
	book := addr.BookOf(s)
	for _, n := range s.Networks {
		u := book.Usage(n)
		_, raw, err := newest.NetworkInspectWithRaw(ctx, n.ID, network.InspectOptions{})
		assert.NilError(t, err)
		reported := string(raw[strings.LastIndex(string(raw), `"Status"`):])
		want := `"IPsInUse":` + strconv.Itoa(u.InUse.Total()) + `,"DynamicIPsAvailable":` + strconv.Itoa(u.Free) + `}`
		assert.Check(t, is.Contains(reported, want), n.Name)
		assert.Check(t, is.Equal(u.Waiting, 0), n.Name)
	}
}

func TestOlderEngineKnowsNoNewVersion(t *testing.T) {
	_, api := serve(t, simengine.Options{Scale: .01})
	newest, err := client.NewClientWithOpts(client.WithHost(api.DaemonHost()), client.WithVersion("1.52"))
	assert.NilError(t, err)
	defer newest.Close()
	_, err = newest.NetworkList(context.Background(), network.ListOptions{})
	assert.Check(t, is.ErrorContains(err, "client version 1.52 is too new"))
}

func TestLatencyAndRefusal(t *testing.T) {
	const latency = 30 * time.Millisecond
	_, api := serve(t, simengine.Options{Scale: .01, Latency: latency})
	begin := time.Now()
	_, err := api.Ping(context.Background())
	assert.NilError(t, err)
	assert.Check(t, time.Since(begin) >= latency)
	err = api.NetworkRemove(context.Background(), "ingress")
	assert.Check(t, is.ErrorContains(err, "changes nothing"))
	_, _, err = api.ServiceInspectWithRaw(context.Background(), "nobody", swarm.ServiceInspectOptions{})
	assert.Check(t, cerrdefs.IsNotFound(err), "%v", err)
}
