package sandbox

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"time"
)

const (
	callTimeout = 5 * time.Second
	// maxCallBody bounds what of a called URL's answer is passed on, in bytes.
	maxCallBody = 64 << 10
)

// DemoAnswer is what the demo server tells about itself.
type DemoAnswer struct {
	Hostname  string   `json:"hostname"`
	Addresses []string `json:"addresses"`
}

// CallAnswer is what the demo server tells about a URL it was asked to call.
type CallAnswer struct {
	URL    string `json:"url"`
	Status int    `json:"status,omitempty"`
	Body   string `json:"body,omitempty"`
	Error  string `json:"error,omitempty"`
}

// DemoHandler is the HTTP server in the image swarmnet/demo: "/" tells hostname
// and addresses, "/call?url=URL" calls another server from here and tells what
// it answered, "/healthz" answers ok.
func DemoHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, whoAmI())
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /call", func(w http.ResponseWriter, r *http.Request) {
		result := call(r)
		status := http.StatusOK
		if result.Error != "" {
			status = http.StatusBadGateway
		}
		answer(w, status, result)
	})
	return mux
}

// EndingHeader is of the answers of a server that was told to end, and goes on
// for a while: for how long already, as a duration.
const EndingHeader = "Swarmnet-Ending"

// TellEnding lets a handler's answers say how long ago ctx ended.
func TellEnding(ctx context.Context, h http.Handler) http.Handler {
	var ended atomic.Pointer[time.Time]
	context.AfterFunc(ctx, func() {
		now := time.Now()
		ended.Store(&now)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at := ended.Load(); at != nil {
			w.Header().Set(EndingHeader, time.Since(*at).Round(time.Millisecond).String())
		}
		h.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func whoAmI() DemoAnswer {
	me := DemoAnswer{Addresses: []string{}}
	me.Hostname, _ = os.Hostname()
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() {
			me.Addresses = append(me.Addresses, a.String())
		}
	}
	return me
}

// call makes one request on a connection of its own, so that every call
// resolves the name and chooses an address anew.
func call(r *http.Request) CallAnswer {
	result := CallAnswer{URL: r.URL.Query().Get("url")}
	target, err := url.Parse(result.URL)
	if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
		result.Error = "give the URL to call as ?url=http://HOST:PORT/PATH"
		return result
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, target.String(), nil)
	if err != nil {
		result.Error = err.Error()
		return result
	}
	client := http.Client{Timeout: callTimeout, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		result.Error = err.Error()
		return result
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxCallBody))
	result.Status, result.Body = resp.StatusCode, string(body)
	if err != nil {
		result.Error = err.Error()
	}
	return result
}
