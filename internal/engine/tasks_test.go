package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
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
	assert.Check(t, is.DeepEqual(listed.Services, streamed.Services, cmpopts.EquateComparable(netip.Prefix{})))
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
		"no list": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"message":"from somewhere between"}`)
		}, "cannot unmarshal object"},
		"of another type": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `[{"ID":"a","Slot":"one"}]`)
		}, "cannot unmarshal string"},
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

// TestTaskReadAsListed: a task read from the stream is what the client module
// makes of the same text, with all that a task may have and with nothing.
func TestTaskReadAsListed(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 891, time.UTC)
	full := swarm.Task{
		ID: "id", Meta: swarm.Meta{Version: swarm.Version{Index: 1 << 60}, CreatedAt: at, UpdatedAt: at.Add(time.Hour)},
		ServiceID: "sv", Slot: 12, NodeID: "n1", DesiredState: swarm.TaskStateShutdown, JobIteration: &swarm.Version{Index: 3},
		Annotations: swarm.Annotations{Name: "a \"name\"", Labels: map[string]string{"ID": "not this"}},
		Spec: swarm.TaskSpec{
			Runtime: swarm.RuntimeNetworkAttachment, NetworkAttachmentSpec: &swarm.NetworkAttachmentSpec{ContainerID: "c1"},
			ContainerSpec: &swarm.ContainerSpec{Image: "web:1", Env: []string{"A=1"}, Labels: map[string]string{"Image": "x", "com.docker.stack.namespace": "shop \u00e9"}},
		},
		Status: swarm.TaskStatus{
			Timestamp: at, State: swarm.TaskStateFailed, Message: "started", Err: "line\n\"two\"",
			ContainerStatus: &swarm.ContainerStatus{ContainerID: "c2", PID: 17, ExitCode: -1},
			PortStatus:      swarm.PortStatus{Ports: []swarm.PortConfig{{Protocol: "tcp", TargetPort: 80, PublishedPort: 8080, PublishMode: "host"}}},
		},
		NetworksAttachments: []swarm.NetworkAttachment{
			{Network: swarm.Network{ID: "net", Spec: swarm.NetworkSpec{Annotations: swarm.Annotations{Labels: map[string]string{"a": "b", predefined: "true"}}}}, Addresses: []string{"10.0.0.3/24", "fd00::3/64"}},
			{},
		},
	}
	bare := full
	bare.Spec.ContainerSpec, bare.Spec.NetworkAttachmentSpec, bare.Status.ContainerStatus = nil, nil, nil
	bare.NetworksAttachments, bare.JobIteration = nil, nil
	for _, task := range []swarm.Task{{}, full, bare} {
		text, err := json.Marshal(task)
		assert.NilError(t, err)
		var whole swarm.Task
		assert.NilError(t, json.Unmarshal(text, &whole))
		var got listedTask
		assert.NilError(t, got.read(newInput(bytes.NewReader(text))))
		assert.Check(t, is.DeepEqual(taskOf(&got), taskOf(listed(&whole)), cmpopts.EquateComparable(netip.Prefix{})))
		assert.Check(t, is.DeepEqual(attachmentOf(&got), attachmentOf(listed(&whole)), cmpopts.EquateComparable(netip.Prefix{})))
		// Cut off anywhere, it is an error.
		for n := range text {
			var half listedTask
			assert.Check(t, half.read(newInput(bytes.NewReader(text[:n]))) != nil, "%d bytes", n)
		}
	}
}
