package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync/atomic"
)

// tap stands before an engine and counts what it is asked.
type tap struct {
	server *httptest.Server
	asked  atomic.Int64
}

// openTap stands before the engine that listens on a unix socket.
func openTap(socket string) *tap {
	t := &tap{}
	pass := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "engine" },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}},
	}
	t.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.asked.Add(1)
		pass.ServeHTTP(w, r)
	}))
	return t
}

// host is where clients find it, as docker's --host takes it.
func (t *tap) host() string { return "tcp://" + t.server.Listener.Addr().String() }
