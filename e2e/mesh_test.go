//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	"gotest.tools/v3/icmd"
	"gotest.tools/v3/poll"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
	"github.com/swarmnet/docker-swarmnet/internal/sandbox"
)

// slowest is how long the guest kernel's sandbox may take to come up where its
// scenarios are to end in time: it takes 20 s on a machine of its own and a
// minute on one that is a guest itself. Then heartbeats and health checks are
// late too, and what fails is the machine.
const slowest = 2 * time.Minute

// mesh is a sandbox of three nodes inside a User Mode Linux kernel, which can
// do what many a machine's own kernel cannot: IPVS and IPsec.
//
// A minute before the test binary's time is over it takes the sandbox down, so
// that a test that hangs fails and leaves no kernel running.
func mesh(t *testing.T) *harness.Swarm {
	t.Helper()
	s := lab.Swarm(t, harness.Spec{Suffix: "mesh", Driver: harness.UML})
	if s.Took > slowest {
		t.Skipf("this machine is too slow for a guest kernel: sandbox %s took %s to come up, more than %s", s.Name, s.Took, slowest)
	}
	if deadline, ok := t.Deadline(); ok {
		late := time.AfterFunc(time.Until(deadline)-time.Minute, func() {
			t.Errorf("time is nearly over, so sandbox %s goes", s.Name)
			s.Swarmnet("sandbox", "down", s.Name)
		})
		t.Cleanup(func() { late.Stop() })
	}
	return s
}

// TestMeshSeed is TestSeedVIP on that kernel.
func TestMeshSeed(t *testing.T) { seedVIP(t, mesh(t)) }

// TestMeshEncrypted: a service on an encrypted network has a task on each
// node, and each of them, calling it by name, reaches them all in turn.
func TestMeshEncrypted(t *testing.T) {
	s := mesh(t)
	s.Load(t, "swarmnet/demo")
	s.Swarmnet("create", "--encrypted", "safe").Assert(t, icmd.Success)
	// The port of each node leads to its own task: it tells who calls.
	s.Swarmnet("deploy", "--name", "web", "--network", "safe", "--no-resolve-image", "--mode", "global", "--timeout", max(s.Patience(), 5*time.Minute).String(),
		"-p", "published=80,target=8080,mode=host", "swarmnet/demo").Assert(t, icmd.Success)
	assert.Equal(t, len(s.Tasks(t, "web", false)), len(s.Nodes))

	for _, n := range s.Nodes {
		answered := map[string]int{}
		eventually(t, s, func() poll.Result {
			hostname, err := callThrough(n, "http://web:8080/")
			if err != nil {
				return poll.Continue("through %s: %v", n.Name, err)
			}
			answered[hostname]++
			if len(answered) < len(s.Nodes) {
				return poll.Continue("through %s only these answered: %v", n.Name, answered)
			}
			return poll.Success()
		})
	}
}

// callThrough has the demo server at port 80 of a node call another one and
// returns the hostname of that.
func callThrough(n *harness.Node, other string) (hostname string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.Address+"/call?url="+url.QueryEscape(other), nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	var called sandbox.CallAnswer
	if err := json.NewDecoder(resp.Body).Decode(&called); err != nil {
		return "", fmt.Errorf("%s: %w", resp.Status, err)
	}
	if called.Error != "" {
		return "", errors.New(called.Error)
	}
	var answer sandbox.DemoAnswer
	err = json.Unmarshal([]byte(called.Body), &answer)
	return answer.Hostname, err
}
