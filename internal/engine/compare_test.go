package engine

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// base are flags whose service every test compares with.
func base() []string {
	return []string{"--no-resolve-image", "--name", "web", "--network", "docknet", "--secret", "pw", "--config", "cf", "-e", "A=1", "-e", "B=2", "--mount", "type=bind,src=/a,dst=/b"}
}

// kept returns a service as the swarm would hold it: through JSON, with what
// the engine fills in.
func kept(t *testing.T, r *ServiceRequest) model.Service {
	t.Helper()
	raw, err := json.Marshal(r.spec)
	assert.NilError(t, err)
	var spec swarm.ServiceSpec
	assert.NilError(t, json.Unmarshal(raw, &spec))
	spec.TaskTemplate.Runtime = swarm.RuntimeContainer
	spec.TaskTemplate.ForceUpdate = 7
	c := spec.TaskTemplate.ContainerSpec
	c.Isolation = "default"
	c.Healthcheck = nil
	for i := range c.Mounts {
		if c.Mounts[i].BindOptions == nil {
			c.Mounts[i].BindOptions = &mount.BindOptions{Propagation: mount.PropagationRPrivate}
		}
	}
	one := uint64(1)
	if spec.Mode.Replicated != nil && spec.Mode.Replicated.Replicas == nil {
		spec.Mode.Replicated.Replicas = &one
	}
	spec.EndpointSpec.Mode = swarm.ResolutionModeVIP
	sv := specOf(spec)
	sv.ID, sv.Version = "sid", 9
	return sv
}

func against(t *testing.T, flags ...string) ([]deploy.Change, *ServiceRequest, model.Service) {
	t.Helper()
	was, err := record(t, swarmAPI{}, append(base(), "app:1")...)
	assert.NilError(t, err)
	existing := kept(t, was)
	want, err := record(t, swarmAPI{}, append(base(), flags...)...)
	assert.NilError(t, err)
	changes, err := want.Against(existing, []model.Network{{ID: "netid", Name: "docknet", Scope: "swarm"}})
	assert.NilError(t, err)
	return changes, want, existing
}

func TestAgainst(t *testing.T) {
	for _, tc := range []struct {
		doc      string
		flags    []string
		want     string
		restarts bool
	}{
		{"the same", []string{"app:1"}, "", false},
		{"defaults said aloud", []string{
			"--replicas", "1", "--restart-condition", "any", "--restart-delay", "5s", "--stop-grace-period", "10s",
			"--update-parallelism", "1", "--update-order", "stop-first", "--rollback-monitor", "5s", "--endpoint-mode", "vip", "app:1",
		}, "", false},
		{"image", []string{"app:2"}, "image app:1 → app:2", true},
		{"replicas", []string{"--replicas", "3", "app:1"}, "replicas 1 → 3", false},
		{"no replicas", []string{"--replicas", "0", "app:1"}, "replicas 1 → 0", false},
		{"environment is not shown", []string{"-e", "B=3", "app:1"}, "env B", true},
		{"labels", []string{"-l", "x=y", "app:1"}, "label x none → y", false},
		{"arguments", []string{"app:1", "serve"}, "args", true},
		{"entrypoint", []string{"--entrypoint", "/x", "app:1"}, "entrypoint", true},
		{"constraint", []string{"--constraint", "node.role==worker", "app:1"}, "constraint none → node.role==worker", false},
		{"port", []string{"-p", "80:80", "app:1"}, "publish none → 80:80/tcp", true},
		{"no grace", []string{"--stop-grace-period", "0s", "app:1"}, "stop-grace-period", true},
		{"restart at once", []string{"--restart-delay", "0s", "app:1"}, "restart-delay 5s → 0s", true},
		{"all at once", []string{"--update-parallelism", "0", "app:1"}, "update-parallelism 1 → none", false},
		{"limit", []string{"--limit-cpu", ".5", "app:1"}, "limit-cpu none → 0.5", true},
		{"memory", []string{"--limit-memory", "64m", "--reserve-memory", "1g", "app:1"}, "limit-memory none → 64MiB, reserve-memory none → 1GiB", true},
		{"another network", []string{"--network", "name=docknet,alias=db", "app:1"}, "network none → docknet as db", true},
		{"port of the host", []string{"-p", "mode=host,published=8080,target=80,protocol=udp", "app:1"}, "publish none → 8080:80/udp (host)", true},
		{"container label", []string{"--container-label", "x=y", "app:1"}, "container-label x none → y", true},
		{"update", []string{"--update-delay", "3s", "--update-order", "start-first", "app:1"}, "update-delay none → 3s, update-order stop-first → start-first", false},
		{"log driver", []string{"--log-driver", "none", "app:1"}, "log-driver", true},
		{"health", []string{"--no-healthcheck", "app:1"}, "health", true},
		{"mode", []string{"--mode", "global", "app:1"}, "mode replicated → global, replicas 1 → 0", false},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			changes, want, existing := against(t, tc.flags...)
			assert.Check(t, is.Equal(deploy.Words(changes), tc.want))
			assert.Check(t, is.Equal(deploy.Restarts(changes), tc.restarts))
			assert.Check(t, is.Equal(want.spec.TaskTemplate.ForceUpdate, uint64(7)), "a forced update stays counted")
			if !tc.restarts && tc.doc != "constraint" {
				assert.DeepEqual(t, want.spec.TaskTemplate, existing.Spec.(swarm.ServiceSpec).TaskTemplate)
			}
		})
	}
}

func TestAgainstKeepsTheOrderOfWhatIsThere(t *testing.T) {
	r, err := record(t, swarmAPI{}, append(base(), "app:1")...)
	assert.NilError(t, err)
	existing := kept(t, r)
	spec := existing.Spec.(swarm.ServiceSpec)
	spec.TaskTemplate.Networks = []swarm.NetworkAttachmentConfig{{Target: "z"}, {Target: "docknet"}}
	slices.Reverse(spec.TaskTemplate.ContainerSpec.Env)
	existing.Spec = spec
	r.spec.TaskTemplate.Networks = []swarm.NetworkAttachmentConfig{{Target: "netid"}, {Target: "z"}}
	r.spec.Labels = map[string]string{"a": "b"}
	changes, err := r.Against(existing, []model.Network{{ID: "netid", Name: "docknet", Scope: "swarm"}})
	assert.NilError(t, err)
	assert.Equal(t, deploy.Words(changes), "label a none → b")
	assert.DeepEqual(t, r.spec.TaskTemplate, spec.TaskTemplate)
}

func TestAgainstKeepsTheDigestWhenTheRegistryIsAway(t *testing.T) {
	pinned := "app:1@" + string(digestOf("x"))
	for _, tc := range []struct{ doc, image, want string }{
		{"same tag", "app:1", ""},
		{"other tag", "app:2", "image " + pinned + " → app:2, platform linux/amd64 → none"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			api := swarmAPI{distribution: answer("")}
			flags := []string{"--name", "web", "--network", "docknet"}
			r, err := record(t, api, append(flags, "app:1")...)
			assert.NilError(t, err)
			r.spec.TaskTemplate.ContainerSpec.Image = pinned
			r.spec.TaskTemplate.Placement.Platforms = []swarm.Platform{{OS: "linux", Architecture: "amd64"}}
			existing := kept(t, r)

			want, err := record(t, api, append(flags, tc.image)...)
			assert.NilError(t, err)
			_, err = New("test", api).ResolveImage(context.Background(), want)
			assert.NilError(t, err)
			changes, err := want.Against(existing, nil)
			assert.NilError(t, err)
			assert.Check(t, is.Equal(deploy.Words(changes), tc.want))
		})
	}
}
