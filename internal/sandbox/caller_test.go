package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	gopoll "gotest.tools/v3/poll"
)

// TestCallerCounts lets a caller end after some answers, of which every third
// is an error.
func TestCallerCounts(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch n := asked.Add(1); {
		case n == 1:
			w.WriteHeader(http.StatusServiceUnavailable) // not ready yet
		case n%3 == 0:
			w.WriteHeader(http.StatusInternalServerError)
		case n > 30:
			stop()
		}
	}))
	defer server.Close()
	c := Caller{URL: server.URL, Rate: 1000, Folder: t.TempDir()}
	assert.NilError(t, c.Run(ctx))

	host, err := os.Hostname()
	assert.NilError(t, err)
	b, err := os.ReadFile(filepath.Join(c.Folder, host+".json"))
	assert.NilError(t, err)
	var r CallReport
	assert.NilError(t, json.Unmarshal(b, &r))
	assert.Equal(t, int64(r.New.Sent+r.Kept.Sent+r.Unready+1), asked.Load(), "each request is counted once: %+v", r)
	assert.Assert(t, r.Unready >= 1)
	assert.Equal(t, int64(r.New.Failed+r.Kept.Failed+r.Unready-1), asked.Load()/3)
	assert.Assert(t, len(r.New.Errors) > 0)
}

// TestCallerTellsOfLateServers: those that go on for long after they were told
// to end, and were asked all the same.
func TestCallerTellsOfLateServers(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) > 5 {
			w.Header().Set(EndingHeader, "3s")
		}
		if asked.Load() > 30 {
			stop()
		}
	}))
	defer server.Close()
	c := Caller{URL: server.URL, Rate: 1000, Folder: t.TempDir()}
	assert.NilError(t, c.Run(ctx))
	late := c.report.New.Late + c.report.Kept.Late
	assert.Equal(t, int64(late), asked.Load()-5)
	assert.Assert(t, strings.HasSuffix(c.report.New.Latest[server.Listener.Addr().String()], "ending for 3s"), "%v", c.report.New.Latest)
}

// TestTellEnding: an answer says for how long the server has been ending, and
// nothing of it before.
func TestTellEnding(t *testing.T) {
	ctx, end := context.WithCancel(context.Background())
	h := TellEnding(ctx, http.NotFoundHandler())
	ending := func() string {
		r := httptest.NewRecorder()
		h.ServeHTTP(r, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody))
		return r.Header().Get(EndingHeader)
	}
	assert.Equal(t, ending(), "")
	end()
	gopoll.WaitOn(t, func(gopoll.LogT) gopoll.Result {
		if d, err := time.ParseDuration(ending()); err != nil || d < 0 {
			return gopoll.Continue("the server does not say that it ends")
		}
		return gopoll.Success()
	})
}

func TestCallerRefusesNonsense(t *testing.T) {
	for _, c := range []*Caller{{URL: "http://server", Rate: 0}, {URL: "://", Rate: 1}, {URL: "/path", Rate: 1}} {
		assert.Assert(t, c.Run(context.Background()) != nil, "%q", c.URL)
	}
}
