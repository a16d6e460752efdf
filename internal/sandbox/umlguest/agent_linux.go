package umlguest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// agent does to the nodes what the machine outside asks for, one request at a
// time. It asks for no password: see dockerdArgs.
type agent struct {
	mu    sync.Mutex
	nodes map[string]*machine
}

// runAgent serves until the kernel ends.
func runAgent() error {
	cfg, err := configFromEnv()
	if err != nil {
		return err
	}
	l, err := listenIn(switchNS, netip.AddrPortFrom(cfg.Switch.Addr(), AgentPort))
	if err != nil {
		return err
	}
	a := &agent{nodes: map[string]*machine{}}
	srv := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 10 * time.Second}
	return srv.Serve(l)
}

// listenIn listens in another network namespace: a socket stays in the one it
// was made in.
func listenIn(netns string, at netip.AddrPort) (net.Listener, error) {
	var l net.Listener
	err := inNetns(netns, func() (err error) {
		//nolint:noctx // listening on an address takes no time that a context could cut short
		l, err = net.Listen("tcp", net.JoinHostPort(at.Addr().String(), strconv.Itoa(int(at.Port()))))
		return err
	})
	return l, err
}

// inNetns does something in another network namespace. Only the thread that
// does it has to go there; it never comes back, and Go ends it with its
// goroutine.
func inNetns(netns string, do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := enterNetns(netnsDir + "/" + netns)
		if err == nil {
			err = do()
		}
		done <- err
	}()
	return <-done
}

// enterNetns moves the calling thread into a network namespace.
func enterNetns(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	err = unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
	_ = f.Close()
	if err != nil {
		return fmt.Errorf("enter network namespace %s: %w", file, err)
	}
	return nil
}

func (a *agent) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("PUT /nodes/{name}", a.put)
	mux.HandleFunc("GET /nodes/{name}", a.one(func(m *machine) (any, error) { return Status{Running: m.running()}, nil }))
	mux.HandleFunc("POST /nodes/{name}/"+actionStop, a.one(func(m *machine) (any, error) { return nil, m.stop() }))
	mux.HandleFunc("POST /nodes/{name}/"+actionCut, a.one(func(m *machine) (any, error) { return nil, m.plug(false) }))
	mux.HandleFunc("POST /nodes/{name}/"+actionHeal, a.one(func(m *machine) (any, error) { return nil, m.plug(true) }))
	return mux
}

// put makes a node or starts a stopped one again.
func (a *agent) put(w http.ResponseWriter, r *http.Request) {
	var n Node
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&n); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if n.Name != r.PathValue("name") || n.Name == switchNS || !n.Address.Addr().Is4() {
		http.Error(w, fmt.Sprintf("node %q at %s cannot be made", n.Name, n.Address), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if old := a.nodes[n.Name]; old != nil {
		// Whatever is left of it: an engine that has ended by itself leaves
		// its network and its containers.
		if err := old.stop(); err != nil {
			reply(w, nil, err)
			return
		}
	}
	m := &machine{node: n}
	a.nodes[n.Name] = m
	reply(w, nil, m.start())
}

// one handles a request about a node that exists.
func (a *agent) one(do func(*machine) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		m := a.nodes[r.PathValue("name")]
		if m == nil {
			http.Error(w, fmt.Sprintf("no node %q", r.PathValue("name")), http.StatusNotFound)
			return
		}
		out, err := do(m)
		reply(w, out, err)
	}
}

func reply(w http.ResponseWriter, out any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if out == nil {
		return
	}
	if err := json.NewEncoder(w).Encode(out); err != nil && !errors.Is(err, net.ErrClosed) {
		fmt.Fprintln(os.Stderr, "swarmnet:", err)
	}
}
