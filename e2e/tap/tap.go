// Package tap stands between a client and an engine and writes down what is
// asked.
package tap

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"sync"
)

// Tap passes requests on to an engine.
type Tap struct {
	server *httptest.Server
	mu     sync.Mutex
	asked  []string
}

// Open stands before the engine that listens on a unix socket.
func Open(socket string) *Tap {
	t := &Tap{}
	pass := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "engine" },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}},
	}
	t.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.mu.Lock()
		t.asked = append(t.asked, r.Method+" "+r.URL.Path)
		t.mu.Unlock()
		pass.ServeHTTP(w, r)
	}))
	return t
}

// Host is where clients find it, as docker's --host takes it.
func (t *Tap) Host() string { return "tcp://" + t.server.Listener.Addr().String() }

// Asked returns method and path of each request so far, and forgets them.
func (t *Tap) Asked() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	asked := slices.Clone(t.asked)
	t.asked = nil
	return asked
}

// Close stops it.
func (t *Tap) Close() { t.server.Close() }
