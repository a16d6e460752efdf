package commands

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/fs"
	"gotest.tools/v3/golden"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

const planCompose = `
services:
  api:
    image: app:${TAG:-1}
    environment: {PASSWORD: tr0ub4dor}
    networks: [front]
    secrets: [pw]
    configs: [cf]
    deploy: {replicas: 3}
networks:
  front:
    driver_opts: {com.docker.network.driver.mtu: "${MTU:-1400}"}
secrets:
  pw: {file: pw.txt}
configs:
  cf: {file: cf.txt}
`

func planDir(t *testing.T) *fs.Dir {
	return fs.NewDir(t, "plan", fs.WithFile("compose.yaml", planCompose), fs.WithFile("pw.txt", "hunter2"), fs.WithFile("cf.txt", "letmein"))
}

// deployed is the swarm of newFakeEngine with the stack of planCompose on it.
func deployed() *fakeEngine {
	f := newFakeEngine()
	labels := map[string]string{"com.docker.stack.namespace": "web"}
	f.networks = append(f.networks, network.Summary{
		ID: "id-front", Name: "web_front", Scope: "swarm", Driver: "overlay", Labels: labels,
		IPAM:    network.IPAM{Driver: "default", Config: []network.IPAMConfig{{Subnet: "10.0.1.0/24", Gateway: "10.0.1.1"}}},
		Options: map[string]string{"com.docker.network.driver.overlay.vxlanid_list": "4097", "com.docker.network.driver.mtu": "1400"},
	})
	f.secrets = []swarm.Secret{{ID: "id-pw", Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: "web_pw", Labels: labels}}}}
	f.configs = []swarm.Config{{ID: "id-cf", Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: "web_cf", Labels: labels}, Data: []byte("letmein")}}}
	three := uint64(3)
	f.services = []swarm.Service{{
		ID: "id-api", Meta: swarm.Meta{Version: swarm.Version{Index: 9}},
		Spec: swarm.ServiceSpec{
			Annotations: swarm.Annotations{Name: "web_api", Labels: map[string]string{"com.docker.stack.namespace": "web", "com.docker.stack.image": "app:1"}},
			Mode:        swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &three}},
			TaskTemplate: swarm.TaskSpec{
				ContainerSpec: &swarm.ContainerSpec{
					Image: "app:1", Env: []string{"PASSWORD=tr0ub4dor"}, Labels: labels,
					Secrets: []*swarm.SecretReference{{SecretID: "id-pw", SecretName: "web_pw", File: &swarm.SecretReferenceFileTarget{Name: "pw", UID: "0", GID: "0", Mode: 0o444}}},
					Configs: []*swarm.ConfigReference{{ConfigID: "id-cf", ConfigName: "web_cf", File: &swarm.ConfigReferenceFileTarget{Name: "cf", UID: "0", GID: "0", Mode: 0o444}}},
				},
				Networks: []swarm.NetworkAttachmentConfig{{Target: "id-front", Aliases: []string{"api"}}},
			},
		},
	}}
	return f
}

func planArgs(dir *fs.Dir, more ...string) []string {
	return append([]string{"plan", "-c", dir.Join("compose.yaml"), "--resolve-image", "never"}, more...)
}

func TestPlan(t *testing.T) {
	for _, tc := range []struct {
		name   string
		engine *fakeEngine
		env    map[string]string
		code   int // of --exit-code; -1: none
	}{
		{"new", newFakeEngine(), nil, problem.Findings},
		{"unchanged", deployed(), nil, -1},
		{"image", deployed(), map[string]string{"TAG": "2"}, problem.Findings},
		{"network-option", deployed(), map[string]string{"MTU": "1300"}, problem.Failed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for k, v := range tc.env {
				t.Setenv(k, v)
			}
			dir := planDir(t)
			for _, format := range []string{"", "table", "json"} {
				out, errs, err := run(t, tc.engine, planArgs(dir, "--exit-code", "--format", format, "web")...)
				code := exitCodeOf(err)
				if code == 0 {
					code = problem.Failed
				}
				assert.Check(t, is.Equal(code, tc.code))
				golden.Assert(t, out, "plan-"+tc.name+"-"+map[string]string{"": "text", "table": "table", "json": "json"}[format]+".golden")
				for _, secret := range []string{"tr0ub4dor", "hunter2", "letmein"} {
					assert.Check(t, !strings.Contains(out+errs, secret))
				}
			}
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	dir := planDir(t)
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"plan", "web"}, "no Compose file was named"},
		{[]string{"plan", "-c", dir.Join("nope.yaml"), "web"}, "no such file"},
		{planArgs(dir, "--resolve-image", "sometimes", "web"), `--resolve-image "sometimes"`},
		{planArgs(dir, "web", "two"), "requires at most 1 argument"},
		{planArgs(dir, ""), "name of the stack is empty"},
		{planArgs(dir, `""`), "invalid stack name"},
	} {
		out, _, err := run(t, newFakeEngine(), tc.args...)
		assert.Check(t, is.ErrorContains(err, tc.want))
		assert.Check(t, is.Equal(out, ""))
		assert.Check(t, is.Equal(exitCodeOf(err), problem.Usage), tc.want)
	}
}

// A plan in a file pins what it was made on, is for its owner alone, and tells
// nothing of what is in the stack.
func TestPlanOut(t *testing.T) {
	dir := planDir(t)
	path := filepath.Join(t.TempDir(), "web.plan")
	t.Setenv("TAG", "2")
	_, _, err := run(t, deployed(), planArgs(dir, "--out", path, "web")...)
	assert.NilError(t, err)
	info, err := os.Stat(path)
	assert.NilError(t, err)
	assert.Equal(t, info.Mode().Perm(), planFileMode)
	raw, err := os.ReadFile(path)
	assert.NilError(t, err)
	for _, secret := range []string{"tr0ub4dor", "hunter2", "letmein"} {
		assert.Check(t, !strings.Contains(string(raw), secret))
	}
	var f plan.File
	assert.NilError(t, json.Unmarshal(raw, &f))
	assert.Equal(t, f.Cluster, "id-cluster")
	assert.Assert(t, is.Len(f.Pins, 4))
	for _, p := range f.Pins {
		assert.Check(t, p.Digest != "" && p.ID != "", p.Name)
	}
	assert.Equal(t, f.Pins[3].Version, uint64(9))

	// A plan that cannot be carried out is not written.
	t.Setenv("MTU", "1300")
	never := filepath.Join(t.TempDir(), "never.plan")
	_, _, err = run(t, deployed(), planArgs(dir, "--out", never, "web")...)
	assert.Check(t, is.ErrorContains(err, "cannot be deployed"))
	_, err = os.Stat(never)
	assert.Check(t, os.IsNotExist(err))
}

func TestPlanInSeveralContexts(t *testing.T) {
	dir := planDir(t)
	defer dir.Remove()
	out, _, err := run(t, deployed(), planArgs(dir, "--contexts", "default", "--exit-code", "web")...)
	assert.NilError(t, err)
	assert.Check(t, is.Contains(out, `Stack "web" on context "default"`))

	out, stderr, err := run(t, newFakeEngine(), planArgs(dir, "--contexts", "default,nowhere", "--exit-code", "web")...)
	assert.Check(t, is.Equal(exitCodeOf(err), problem.Failed), "a context without an answer weighs more than changes")
	assert.Check(t, is.Contains(out, `Stack "web" on context "default"`))
	assert.Check(t, is.Contains(stderr, `there is no docker context "nowhere"`))

	out, _, err = run(t, newFakeEngine(), planArgs(dir, "--contexts", "default,nowhere", "--format", "json", "web")...)
	assert.Check(t, is.Equal(exitCodeOf(err), problem.Failed))
	assert.Check(t, is.Contains(out, `"Context":"nowhere","Error"`))

	_, _, err = run(t, newFakeEngine(), planArgs(dir, "--contexts", "default", "--exit-code", "web")...)
	assert.Check(t, is.Equal(exitCodeOf(err), problem.Findings))

	_, _, err = run(t, newFakeEngine(), planArgs(dir, "--contexts", "default", "--out", "p", "web")...)
	assert.Check(t, is.Equal(exitCodeOf(err), problem.Usage))
}
