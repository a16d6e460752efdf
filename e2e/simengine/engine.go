// Package simengine is a Docker engine that is not there: the API of a manager
// over a unix socket, served out of memory in Docker's own JSON. It is for
// measuring at sizes that no machine at hand has, and for what engines newer
// than any at hand answer. It changes nothing: what would change the swarm is
// refused.
package simengine

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
)

// Options say what swarm the engine is of. The zero value is a swarm of scale 1.
type Options struct {
	// Scale is the size: 1 (also 0) is 200 nodes, 1,000 networks, 5,000
	// services and 20,000 tasks, 2 twice as many.
	Scale float64
	// Index tells swarms apart: names and addresses of nodes and all IDs depend
	// on it. Networks of all of them are cut from 10.0.0.0/8, as docker does.
	Index int
	// Latency is added before every answer.
	Latency time.Duration
	// API is the newest version that the engine speaks, "1.51" if empty. From
	// "1.52" on it reports how full networks are.
	API string
	// Leaked are addresses by network name that the engine reports as in use
	// though nobody has them (moby#37338).
	Leaked map[string]int
}

// Engine is the simulated engine. It may be asked from several goroutines.
type Engine struct {
	Info     system.Info
	Nodes    []swarm.Node
	Networks []network.Inspect
	Services []swarm.Service
	// Tasks are those of services, Attachments those of "docker run".
	Tasks       []swarm.Task
	Attachments []swarm.Task

	options Options
	api     string
	inUse   map[string]int // by network ID

	mu    sync.Mutex
	calls map[string]int
}

// Calls returns how many calls were answered since Reset, by method and path
// without version: "GET /tasks".
func (e *Engine) Calls() map[string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make(map[string]int, len(e.calls))
	for k, v := range e.calls {
		out[k] = v
	}
	return out
}

// Reset forgets the calls so far.
func (e *Engine) Reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = map[string]int{}
}

// Serve answers on a unix socket until stop is called.
func (e *Engine) Serve(socket string) (stop func() error, err error) {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("simulated engine: %w", err)
	}
	server := &http.Server{Handler: e, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	return func() error {
		err := server.Close()
		if end := <-ended; !errors.Is(end, http.ErrServerClosed) {
			err = errors.Join(err, end)
		}
		return err
	}, nil
}
