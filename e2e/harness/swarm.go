package harness

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/icmd"
	"gotest.tools/v3/poll"
)

// An Endpoint is one engine, as a docker context.
type Endpoint struct {
	// Context is the name of the docker context.
	Context string
	// API is a client of the engine itself, past plugin and CLI.
	API *client.Client

	lab      *Lab
	patience time.Duration
}

// Docker runs a docker command and returns its output and exit code.
func (e *Endpoint) Docker(args ...string) *icmd.Result {
	return e.lab.run(e.Context, 4*e.patience, args...)
}

// Patience is how long to wait for something that should happen at once or
// within seconds; more where the driver is slow.
func (e *Endpoint) Patience() time.Duration { return e.patience }

// Swarmnet runs "docker swarmnet" with the arguments.
func (e *Endpoint) Swarmnet(args ...string) *icmd.Result {
	return e.Docker(append([]string{"swarmnet"}, args...)...)
}

// Command is a docker command to be started by the test itself.
func (e *Endpoint) Command(args ...string) icmd.Cmd {
	return e.lab.Command(e.Context, args...)
}

// A Node is one machine of a swarm. Its name is that of its context.
type Node struct {
	Endpoint
	Name     string
	Hostname string
	Address  string
	Manager  bool
}

// A Swarm is a sandbox. Commands of the embedded Endpoint go to its first
// manager.
type Swarm struct {
	Endpoint
	Name   string
	Driver string
	Nodes  []*Node
	// Took is how long it took to come up; next to nothing for a kept one.
	Took time.Duration

	asNew string // what Fresh saw at first
}

// Drivers of a sandbox.
const (
	Namespaces = "namespaces"
	UML        = "uml"
)

// Spec says which sandbox a test wants. Equal specs are the same sandbox.
type Spec struct {
	Suffix   string // tells sandboxes of a lab apart; empty for the usual one
	Name     string // the whole name; only in a lab apart
	Short    bool   // nodes call themselves n1, n2, …
	Driver   string // default Namespaces
	Nodes    int    // default 3
	Managers int    // default 1
	Engine   string // as E2E_ENGINE, which is the default
}

// Swarm returns the sandbox of that spec for a test, clean: brought up by the
// first test that asks, without services, and with no networks but Docker's
// own. After the test it is cleaned again; if the test failed, the state of
// the swarm is written down before.
func (l *Lab) Swarm(t *testing.T, spec Spec) *Swarm {
	t.Helper()
	s, err := l.up(t, spec)
	assert.NilError(t, err)
	s.Clean(t)
	t.Cleanup(func() {
		if t.Failed() {
			s.Dump(t)
		}
		s.Clean(t)
	})
	return s
}

func (l *Lab) up(t *testing.T, spec Spec) (*Swarm, error) {
	if spec.Driver == "" {
		spec.Driver = Namespaces
	}
	if spec.Nodes == 0 {
		spec.Nodes = 3
	}
	if spec.Managers == 0 {
		spec.Managers = 1
	}
	name := cmp.Or(spec.Name, strings.Join(nonEmpty(l.prefix, l.label, spec.Suffix), "-"))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.swarms[name] == nil {
		s, err := l.makeSandbox(t, name, spec)
		l.swarms[name] = &upOnce{s, err}
	}
	return l.swarms[name].swarm, l.swarms[name].err
}

func (l *Lab) makeSandbox(t *testing.T, name string, spec Spec) (*Swarm, error) {
	started := time.Now()
	if !l.keep || l.run(name, time.Minute, "node", "ls").ExitCode != 0 {
		// What an earlier run left behind, if anything.
		l.run("", 5*time.Minute, "swarmnet", "sandbox", "down", name)
		args := []string{
			"swarmnet", "sandbox", "up", name, "--driver", spec.Driver,
			"--nodes", fmt.Sprint(spec.Nodes), "--managers", fmt.Sprint(spec.Managers),
		}
		if spec.Short {
			args = append(args, "--short-hostnames")
		}
		engine := l.engine
		if spec.Engine != "" {
			var err error
			if engine, err = engineRoot(l.Root, spec.Engine); err != nil {
				return nil, err
			}
		}
		if engine != "" {
			args = append(args, "--engine", engine)
		}
		if r := l.run("", 10*time.Minute, args...); r.ExitCode != 0 {
			return nil, fmt.Errorf("sandbox up: %s", r)
		}
	}
	s := &Swarm{Name: name, Driver: spec.Driver}
	var err error
	if s.Endpoint, err = l.endpoint(name, spec.Driver); err != nil {
		return nil, err
	}
	for i := 1; i <= spec.Nodes; i++ {
		n := &Node{Name: fmt.Sprintf("%s-n%d", name, i), Manager: i <= spec.Managers}
		if n.Endpoint, err = l.endpoint(n.Name, spec.Driver); err != nil {
			return nil, err
		}
		info, err := n.API.Info(context.Background())
		if err != nil {
			return nil, fmt.Errorf("node %s: %w", n.Name, err)
		}
		n.Hostname, n.Address = info.Name, info.Swarm.NodeAddr
		s.Nodes = append(s.Nodes, n)
	}
	version := s.Docker("version", "--format", "{{.Server.Version}}").Stdout()
	s.Took = time.Since(started).Round(time.Millisecond)
	t.Logf("sandbox %s: %d nodes, engine %s, %s", name, spec.Nodes, strings.TrimSpace(version), s.Took)
	return s, nil
}

func (l *Lab) endpoint(dockerContext, driver string) (Endpoint, error) {
	r := l.run("", time.Minute, "context", "inspect", dockerContext, "--format", "{{.Endpoints.docker.Host}}")
	if r.ExitCode != 0 {
		return Endpoint{}, fmt.Errorf("context %q: %s", dockerContext, r)
	}
	api, err := client.NewClientWithOpts(client.WithHost(strings.TrimSpace(r.Stdout())), client.WithAPIVersionNegotiation())
	if err != nil {
		return Endpoint{}, err
	}
	patience := time.Minute
	if driver == UML {
		// Where the machine is itself a guest, a process takes seconds to start.
		patience = 15 * time.Minute
	}
	return Endpoint{Context: dockerContext, API: api, lab: l, patience: patience}, nil
}

// Fault puts "stop" or "cut" into force on a node until the end of the test.
// The node's state is back to ready before the next test begins.
func (s *Swarm) Fault(t *testing.T, n *Node, fault string) {
	t.Helper()
	mend := map[string]string{"stop": "start", "cut": "heal"}[fault]
	assert.Assert(t, mend != "", "unknown fault %q", fault)
	s.Swarmnet("sandbox", "node", fault, n.Name).Assert(t, icmd.Success)
	t.Cleanup(func() {
		s.Swarmnet("sandbox", "node", mend, n.Name).Assert(t, icmd.Success)
		s.WaitNode(t, n, swarm.NodeStateReady)
	})
}

// WaitNode waits until the swarm sees a node in that state.
func (s *Swarm) WaitNode(t *testing.T, n *Node, want swarm.NodeState) {
	t.Helper()
	s.wait(t, func(ctx context.Context) poll.Result {
		got, _, err := s.API.NodeInspectWithRaw(ctx, s.NodeID(t, n))
		if err != nil {
			return poll.Continue("%v", err)
		}
		if got.Status.State != want {
			return poll.Continue("node %s is %s", n.Name, got.Status.State)
		}
		return poll.Success()
	})
}

// NodeID returns the swarm's ID of a node.
func (s *Swarm) NodeID(t *testing.T, n *Node) string {
	t.Helper()
	nodes, err := s.API.NodeList(context.Background(), swarm.NodeListOptions{})
	assert.NilError(t, err)
	for _, node := range nodes {
		if node.Description.Hostname == n.Hostname {
			return node.ID
		}
	}
	t.Fatalf("no node %q in the swarm", n.Name)
	return ""
}

// Load puts an image made by a script of hack (image-postgres, image-webapp),
// or one the sandbox knows by name, onto every node.
func (s *Swarm) Load(t *testing.T, image string) {
	t.Helper()
	script := filepath.Join(s.lab.Root, "hack", image)
	if _, err := os.Stat(script); err == nil {
		out, err := exec.Command(script).Output()
		assert.NilError(t, err, "%s", script)
		image = strings.TrimSpace(string(out))
	}
	s.Swarmnet("sandbox", "load", image, s.Name).Assert(t, icmd.Success)
}

func nonEmpty(words ...string) []string {
	var out []string
	for _, w := range words {
		if w != "" {
			out = append(out, w)
		}
	}
	return out
}
