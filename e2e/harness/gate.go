package harness

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	"gotest.tools/v3/icmd"
)

// A Gate is a way to a swarm's manager that lets no more requests through once
// one of a certain kind has come.
type Gate struct {
	socket string
	closed chan struct{}
}

// Gate opens one. closes is asked about each request as "METHOD PATH", without
// the version of the API, one after another.
func (s *Swarm) Gate(t *testing.T, closes func(request string) bool) *Gate {
	t.Helper()
	g := &Gate{socket: filepath.Join(t.TempDir(), "gate.sock"), closed: make(chan struct{})}
	dial := s.API.Dialer()
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "engine" },
		Transport:     &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }},
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	ended := make(chan struct{})
	var mu sync.Mutex
	srv := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path := r.URL.Path
			if rest, versioned := strings.CutPrefix(path, "/v"); versioned {
				_, rest, _ = strings.Cut(rest, "/")
				path = "/" + rest
			}
			if !g.passes(&mu, closes, r.Method+" "+path) {
				select {
				case <-r.Context().Done():
				case <-ended:
				}
				return
			}
			proxy.ServeHTTP(w, r)
		}),
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", g.socket)
	assert.NilError(t, err)
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() {
		close(ended)
		_ = srv.Close()
	})
	return g
}

func (g *Gate) passes(mu *sync.Mutex, closes func(string) bool, request string) bool {
	mu.Lock()
	defer mu.Unlock()
	if g.Closed() {
		return false
	}
	if closes(request) {
		close(g.closed)
		return false
	}
	return true
}

// Closed tells whether a request is being held.
func (g *Gate) Closed() bool {
	select {
	case <-g.closed:
		return true
	default:
		return false
	}
}

// Command sends a docker command through the gate.
func (g *Gate) Command(c icmd.Cmd) icmd.Cmd {
	env := []string{"DOCKER_HOST=unix://" + g.socket}
	for _, v := range c.Env {
		if !strings.HasPrefix(v, "DOCKER_CONTEXT=") {
			env = append(env, v)
		}
	}
	c.Env = env
	return c
}
