//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// TestStackAlike: on a live swarm, too, a stack is field by field what docker
// stack deploy makes of its file. All files are compared by
// TestStackAlikeThroughout, and by a unit test on a swarm that only records.
func TestStackAlike(t *testing.T) {
	stacksAlike(t, "networks-map", "configs", "ports-long", "deploy-update", "healthcheck")
}

// TestStackAlikeThroughout compares every file of the folder stacks.
func TestStackAlikeThroughout(t *testing.T) {
	all, err := filepath.Glob(filepath.Join(lab.Root, "e2e", "stacks", "*.yaml"))
	assert.NilError(t, err)
	var names []string
	for _, f := range all {
		if name := strings.TrimSuffix(filepath.Base(f), ".yaml"); !strings.HasSuffix(name, ".override") {
			names = append(names, name)
		}
	}
	assert.Assert(t, len(names) >= 40, "%d stacks", len(names))
	stacksAlike(t, names...)
}

func stacksAlike(t *testing.T, names ...string) {
	t.Helper()
	s := stackSwarm(t)
	for _, n := range []string{"st-outer", "st-outer-2"} {
		s.Docker("network", "create", "--driver", "overlay", "--attachable", n).Assert(t, icmd.Success)
	}
	content := filepath.Join(t.TempDir(), "content")
	assert.NilError(t, os.WriteFile(content, []byte("hello"), 0o600))
	s.Docker("secret", "create", "st-outer-secret", content).Assert(t, icmd.Success)
	s.Docker("config", "create", "st-outer-config", content).Assert(t, icmd.Success)
	dir := stacksWithoutTasks(t)
	compared := 0
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if stackAlike(t, s, dir, name) {
				compared++
			}
		})
	}
	t.Logf("%d of %d stacks are the same on the swarm, the others are refused by it, whoever deploys them", compared, len(names))
	assert.Check(t, compared > len(names)*3/4)
}

// stacksWithoutTasks copies the stacks, with an image that no node has: specs are
// compared here, and containers would only take time.
func stacksWithoutTasks(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	assert.NilError(t, os.CopyFS(dir, os.DirFS(filepath.Join(lab.Root, "e2e", "stacks"))))
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	assert.NilError(t, err)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		assert.NilError(t, err)
		assert.NilError(t, os.WriteFile(f, bytes.ReplaceAll(raw, []byte("swarmnet/demo"), []byte("swarmnet/nobody")), 0o600))
	}
	return dir
}

// stackAlike deploys a stack with docker, then with the plugin, and tells
// whether the swarm has taken it.
func stackAlike(t *testing.T, s *harness.Swarm, dir, name string) (taken bool) {
	t.Helper()
	args := []string{"--detach", "--resolve-image", "never", "-c", filepath.Join(dir, name+".yaml")}
	if override := filepath.Join(dir, name+".override.yaml"); exists(override) {
		args = append(args, "-c", override)
	}
	deploy := func(command ...string) (map[string]any, *icmd.Result) {
		cmd := s.Command(append(append(command, args...), "st")...)
		cmd.Env = append(cmd.Env, "FROM_SHELL=from the shell", "HOME=/home/somebody")
		r := icmd.RunCmd(cmd, icmd.WithTimeout(deployLimit))
		made := stackSpecs(t, s)
		s.Swarmnet("rm", "--stack", "st", "--force").Assert(t, icmd.Success)
		return made, r
	}
	theirs, r := deploy("stack", "deploy")
	ours, own := deploy("swarmnet", "deploy")
	if r.ExitCode != 0 {
		assert.Check(t, own.ExitCode != 0, "docker is refused, we are not: %s\n%s", r, own)
		t.Logf("refused: %s", strings.TrimSpace(r.Stderr()))
		return false
	}
	own.Assert(t, icmd.Success)
	assert.Assert(t, len(theirs) > 0)
	assert.Check(t, is.DeepEqual(ours, theirs))
	return true
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// stackSpecs is what the swarm has of the stack "st", with names in the place of
// IDs, and without the addresses that the swarm chooses.
func stackSpecs(t *testing.T, s *harness.Swarm) map[string]any {
	t.Helper()
	ctx := context.Background()
	out, names := map[string]any{}, []string{}
	add := func(kind, name string, spec any) {
		if strings.HasPrefix(name, "st_") {
			out[kind+" "+name] = spec
		}
	}
	var networks []network.Summary
	allocated := func(n network.Summary) bool { return n.Driver != "" } // docker does not wait for that
	for range 50 {
		var err error
		networks, err = s.API.NetworkList(ctx, network.ListOptions{})
		assert.NilError(t, err)
		if !slices.ContainsFunc(networks, func(n network.Summary) bool { return !allocated(n) }) {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	chosen := netip.MustParsePrefix("10.0.0.0/12") // the beginning of the default pool
	for _, n := range networks {
		names = append(names, n.ID, "network:"+n.Name)
		delete(n.Options, "com.docker.network.driver.overlay.vxlanid_list")
		n.IPAM.Config = slices.DeleteFunc(n.IPAM.Config, func(c network.IPAMConfig) bool {
			p, err := netip.ParsePrefix(c.Subnet)
			return err == nil && chosen.Overlaps(p)
		})
		add("network", n.Name, []any{n.Driver, n.Options, n.Labels, n.IPAM, n.Internal, n.Attachable, n.EnableIPv6})
	}
	secrets, err := s.API.SecretList(ctx, swarm.SecretListOptions{})
	assert.NilError(t, err)
	for _, x := range secrets {
		names = append(names, x.ID, "secret:"+x.Spec.Name)
		add("secret", x.Spec.Name, x.Spec)
	}
	configs, err := s.API.ConfigList(ctx, swarm.ConfigListOptions{})
	assert.NilError(t, err)
	for _, x := range configs {
		names = append(names, x.ID, "config:"+x.Spec.Name)
		add("config", x.Spec.Name, x.Spec)
	}
	services, err := s.API.ServiceList(ctx, swarm.ServiceListOptions{})
	assert.NilError(t, err)
	for _, x := range services {
		if c := x.Spec.TaskTemplate.ContainerSpec; c != nil { // docker sends them in a random order
			slices.SortFunc(c.Secrets, func(a, b *swarm.SecretReference) int { return strings.Compare(words(a), words(b)) })
			slices.SortFunc(c.Configs, func(a, b *swarm.ConfigReference) int { return strings.Compare(words(a), words(b)) })
		}
		add("service", x.Spec.Name, x.Spec)
	}
	raw, err := json.Marshal(out)
	assert.NilError(t, err)
	var plain map[string]any
	assert.NilError(t, json.Unmarshal([]byte(strings.NewReplacer(names...).Replace(string(raw))), &plain))
	return plain
}

// words are a reference without its ID, which is another each time.
func words[T swarm.SecretReference | swarm.ConfigReference](r *T) string {
	switch r := any(r).(type) {
	case *swarm.SecretReference:
		return fmt.Sprint(r.SecretName, r.File)
	case *swarm.ConfigReference:
		return fmt.Sprint(r.ConfigName, r.File, r.Runtime)
	}
	return ""
}
