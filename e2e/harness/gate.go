package harness

import (
	"context"
	"errors"
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
	g := &Gate{closed: make(chan struct{})}
	ended := make(chan struct{})
	var mu sync.Mutex
	g.socket = s.Through(t, func(_ http.ResponseWriter, r *http.Request) bool {
		path := r.URL.Path
		if rest, versioned := strings.CutPrefix(path, "/v"); versioned {
			_, rest, _ = strings.Cut(rest, "/")
			path = "/" + rest
		}
		if g.passes(&mu, closes, r.Method+" "+path) {
			return false
		}
		select {
		case <-r.Context().Done():
		case <-ended:
		}
		return true
	})
	t.Cleanup(func() { close(ended) })
	return g
}

// Through is a socket that leads to the swarm's manager. Each request is first
// given to before, which tells whether it has answered it.
func (s *Swarm) Through(t *testing.T, before func(http.ResponseWriter, *http.Request) (answered bool)) (socket string) {
	t.Helper()
	dial := s.API.Dialer()
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "engine" },
		Transport:     &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }},
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !before(w, r) {
			proxy.ServeHTTP(w, r)
		}
	})}
	socket = filepath.Join(t.TempDir(), "s")
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", socket)
	assert.NilError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		assert.Check(t, errors.Is(<-ended, http.ErrServerClosed))
	})
	return socket
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
