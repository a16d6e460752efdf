package engine

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/docker/docker/client"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/e2e/simengine"
)

// TestTasksComeInAsTheClientReadsThem: what is taken from the stream is what
// the client's own list holds, at the same number of calls.
func TestTasksComeInAsTheClientReadsThem(t *testing.T) {
	sim, e, streamed := simulated(t, simengine.Options{Scale: .05})
	assert.Assert(t, len(streamed.Tasks) > 0 && len(streamed.Attachments) > 0)
	assert.Check(t, is.DeepEqual(sim.Calls(), map[string]int{
		"HEAD /_ping": 1, "GET /info": 1, "GET /networks": 1, "GET /nodes": 1, "GET /services": 1, "GET /tasks": 1,
	}))
	listed, err := New("sim", struct{ client.APIClient }{e.API()}).Look(context.Background())
	assert.NilError(t, err)
	assert.Check(t, is.DeepEqual(listed.Tasks, streamed.Tasks, cmpopts.EquateComparable(netip.Prefix{})))
	assert.Check(t, is.DeepEqual(listed.Attachments, streamed.Attachments, cmpopts.EquateComparable(netip.Prefix{})))
}

// TestTasksThatDoNotCome: where the stream is refused or breaks off, the
// client's own words say why, and no half of a list is taken for the whole.
func TestTasksThatDoNotCome(t *testing.T) {
	for doc, tc := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"message":"This node is not a swarm manager."}`)
		}, "This node is not a swarm manager."},
		"broken off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `[{"ID":"a"},{"ID":`)
		}, "unexpected EOF"},
	} {
		t.Run(doc, func(t *testing.T) {
			srv := httptest.NewServer(tc.answer)
			defer srv.Close()
			api, err := client.NewClientWithOpts(client.WithHost("tcp://"+strings.TrimPrefix(srv.URL, "http://")), client.WithVersion("1.51"))
			assert.NilError(t, err)
			tasks, attachments, err := New("x", api).tasks(context.Background())
			assert.ErrorContains(t, err, tc.want)
			assert.Check(t, is.Len(tasks, 0))
			assert.Check(t, is.Len(attachments, 0))
		})
	}
}

// TestTasksOverTLS: the stream takes the client's own way to the engine.
func TestTasksOverTLS(t *testing.T) {
	asked := 0
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		assert.Check(t, is.Equal(r.URL.Path, "/v1.51/tasks"))
		_, _ = io.WriteString(w, `[{"ID":"a"}]`)
	}))
	defer srv.Close()
	api, err := client.NewClientWithOpts(client.WithHTTPClient(srv.Client()), client.WithHost("tcp://"+srv.Listener.Addr().(*net.TCPAddr).String()), client.WithVersion("1.51"))
	assert.NilError(t, err)
	tasks, _, err := New("x", api).tasks(context.Background())
	assert.NilError(t, err)
	assert.Check(t, is.Len(tasks, 1))
	assert.Check(t, is.Equal(asked, 1))
}
