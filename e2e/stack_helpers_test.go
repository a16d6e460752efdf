//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// shop is the stack of these scenarios: a service with a port, one behind it on
// a network of its own, a config and a secret.
const shop = `
services:
  web:
    image: swarmnet/demo
    environment: {VERSION: "1"}
    ports: ["8088:8080"]
    networks: [default, back]
    configs: [motd]
    secrets: [key]
    depends_on: [api]
    deploy: {replicas: 2}
  api:
    image: swarmnet/demo
    networks: [back]
networks:
  back: {}
configs:
  motd: {file: ./content}
secrets:
  key: {file: ./content}
`

// loaded has the image of the stack put onto the nodes once, not for each test.
var loaded sync.Once

// stackSwarm is the usual swarm with the image of the stack on all nodes.
func stackSwarm(t *testing.T) *harness.Swarm {
	t.Helper()
	s := usual(t)
	loaded.Do(func() { s.Load(t, "swarmnet/demo") })
	return s
}

// stackFile writes a Compose file in a folder of its own.
func stackFile(t *testing.T, content string) string {
	t.Helper()
	dir := t.TempDir()
	assert.NilError(t, os.WriteFile(filepath.Join(dir, "content"), []byte("hello"), 0o600))
	file := filepath.Join(dir, "compose.yaml")
	assert.NilError(t, os.WriteFile(file, []byte("version: \"3.8\"\n"+content), 0o600))
	return file
}

// deployArgs are those of a deploy of the stack "shop".
func deployArgs(file string, more ...string) []string {
	return append(append([]string{"swarmnet", "deploy", "-c", file, "--resolve-image", "never"}, more...), "shop")
}

func deployShop(t *testing.T, s *harness.Swarm, content string, more ...string) *icmd.Result {
	t.Helper()
	return runDeploy(s, stackFile(t, content), more...)
}

// deployLimit bounds one deploy with its roll-back, each of which has the
// deploy's own --timeout.
const deployLimit = 15 * time.Minute

func runDeploy(s *harness.Swarm, file string, more ...string) *icmd.Result {
	return icmd.RunCmd(s.Command(deployArgs(file, more...)...), icmd.WithTimeout(deployLimit))
}

// countedDeploy deploys past a proxy that counts the requests to the engine.
func countedDeploy(t *testing.T, s *harness.Swarm, file string) (*icmd.Result, []string) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	socket := s.Through(t, func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.Method+" "+r.URL.Path)
		return false
	})
	got := icmd.RunCmd(s.Command(append([]string{"--host", "unix://" + socket}, deployArgs(file)...)...), icmd.WithTimeout(deployLimit))
	mu.Lock()
	defer mu.Unlock()
	return got, asked
}

// stackState is all that a swarm has of services, networks, configs and
// secrets, as far as somebody wants it: what a failed deploy must leave as it
// was.
func stackState(t *testing.T, s *harness.Swarm) map[string]string {
	t.Helper()
	ctx := context.Background()
	out := map[string]string{}
	services, err := s.API.ServiceList(ctx, swarm.ServiceListOptions{})
	assert.NilError(t, err)
	for _, sv := range services {
		raw, err := json.Marshal(sv.Spec)
		assert.NilError(t, err)
		out["service "+sv.Spec.Name] = string(raw)
	}
	networks, err := s.API.NetworkList(ctx, network.ListOptions{})
	assert.NilError(t, err)
	for _, n := range networks {
		if n.Scope == "swarm" {
			out["network "+n.Name] = n.ID
		}
	}
	configs, err := s.API.ConfigList(ctx, swarm.ConfigListOptions{})
	assert.NilError(t, err)
	for _, c := range configs {
		out["config "+c.Spec.Name] = c.ID
	}
	secrets, err := s.API.SecretList(ctx, swarm.SecretListOptions{})
	assert.NilError(t, err)
	for _, c := range secrets {
		out["secret "+c.Spec.Name] = c.ID
	}
	return out
}

// serviceVersion is the version of a service: who writes it moves it on.
func serviceVersion(t *testing.T, s *harness.Swarm, name string) uint64 {
	t.Helper()
	sv := s.Service(t, name)
	assert.Assert(t, sv != nil, "no service %s", name)
	return sv.Version.Index
}

// rounds is how often a campaign does something: few in every run, many in
// "make chaos".
func rounds(t *testing.T, variable string, few int) int {
	t.Helper()
	v := os.Getenv(variable)
	if v == "" {
		return few
	}
	n, err := strconv.Atoi(v)
	assert.NilError(t, err, "%s", variable)
	return n
}

// childrenOf returns the processes that a process has started, by whichever of
// its threads.
func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	assert.NilError(t, err)
	var out []int
	for _, list := range lists {
		raw, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, word := range strings.Fields(string(raw)) {
			n, err := strconv.Atoi(word)
			assert.NilError(t, err)
			out = append(out, n)
		}
	}
	return out
}
