package engine

import (
	"context"
	"errors"
	"io"
	"testing"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/service"
	"github.com/docker/cli/cli/flags"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
)

// swarmAPI is a swarm with one network, one secret and one config. Any call
// that would change it panics: the embedded client is nil.
type swarmAPI struct {
	client.APIClient
	distribution func(image string) (registry.DistributionInspect, error)
}

func (swarmAPI) ClientVersion() string { return "1.51" }

func (swarmAPI) Ping(context.Context) (types.Ping, error) { return types.Ping{APIVersion: "1.51"}, nil }

func (swarmAPI) NegotiateAPIVersionPing(types.Ping) {}

func (swarmAPI) NetworkInspect(_ context.Context, ref string, _ network.InspectOptions) (network.Inspect, error) {
	if ref == "docknet" || ref == "netid" {
		return network.Inspect{ID: "netid", Name: "docknet", Driver: "overlay", Scope: "swarm"}, nil
	}
	return network.Inspect{}, cerrdefs.ErrNotFound
}

func (swarmAPI) NetworkList(context.Context, network.ListOptions) ([]network.Summary, error) {
	return []network.Summary{
		{ID: "hidden", Name: "unallocated", Scope: "swarm"},
		{ID: "br", Name: "docker_gwbridge", Scope: "local"},
	}, nil
}

func (swarmAPI) SecretList(context.Context, swarm.SecretListOptions) ([]swarm.Secret, error) {
	return []swarm.Secret{{ID: "sid", Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: "pw"}}}}, nil
}

func (swarmAPI) ConfigList(context.Context, swarm.ConfigListOptions) ([]swarm.Config, error) {
	return []swarm.Config{{ID: "cid", Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: "cf"}}}}, nil
}

func (a swarmAPI) DistributionInspect(_ context.Context, image, _ string) (registry.DistributionInspect, error) {
	return a.distribution(image)
}

// record runs docker's own command with the given arguments.
func record(t *testing.T, api client.APIClient, args ...string) (*ServiceRequest, error) {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	return New("test", api).RecordService(func(rec APIClient) error {
		dockerCLI, err := command.NewDockerCli(command.WithAPIClient(rec), command.WithCombinedStreams(io.Discard))
		assert.NilError(t, err)
		assert.NilError(t, dockerCLI.Initialize(flags.NewClientOptions()))
		cmd := service.NewServiceCommand(dockerCLI) //nolint:staticcheck // the one way to its flags (docs/adr/0001)
		cmd.SetArgs(append([]string{"create"}, args...))
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		return cmd.ExecuteContext(context.Background())
	})
}

func TestRecordServiceTakesWhatDockerWouldCreate(t *testing.T) {
	r, err := record(t, swarmAPI{}, "--name", "web", "--network", "name=docknet,alias=www", "--secret", "pw", "--config", "cf",
		"--replicas", "3", "-p", "80:8080", "-e", "A=b", "app", "serve")
	assert.NilError(t, err)
	assert.Check(t, is.Len(r.Missing, 0))
	assert.DeepEqual(t, r.Networks, []deploy.NetworkRef{{Ref: "docknet", ID: "netid", Name: "docknet", Driver: "overlay"}})
	assert.Check(t, is.Equal(r.spec.TaskTemplate.ContainerSpec.Secrets[0].SecretID, "sid"))
	assert.Check(t, is.Equal(r.spec.TaskTemplate.ContainerSpec.Configs[0].ConfigID, "cid"))
	assert.Check(t, r.queryRegistry)
	sv := r.Service()
	assert.Check(t, is.Equal(sv.Replicas, uint64(3)))
	assert.Check(t, is.Equal(sv.Networks[0].Target, "netid"))
	assert.Check(t, is.Equal(sv.Ports[0].Published, uint32(80)))
}

func TestRecordServiceFindsAllThatIsMissing(t *testing.T) {
	r, err := record(t, swarmAPI{}, "--network", "nope", "--network", "docker_gwbridge", "--network", "unallocated",
		"--secret", "nosecret", "--config", "noconfig", "app")
	assert.NilError(t, err)
	assert.DeepEqual(t, r.Missing, []deploy.Missing{
		{Kind: "network", Name: "nope"}, {Kind: "network", Name: "docker_gwbridge"}, {Kind: "secret", Name: "nosecret"}, {Kind: "config", Name: "noconfig"},
	})
	assert.Check(t, is.Len(r.Networks, 1), "found in the list, where an engine hides it by name")
}

func TestRecordServicePassesDockersOwnErrors(t *testing.T) {
	_, err := record(t, swarmAPI{}, "--mode", "global", "--replicas", "2", "app")
	assert.Check(t, is.ErrorContains(err, "replicas can only be used with replicated"))
}

func digestOf(s string) digest.Digest { return digest.FromString(s) }

func answer(content string, platforms ...ocispec.Platform) func(string) (registry.DistributionInspect, error) {
	return func(string) (registry.DistributionInspect, error) {
		if content == "" {
			return registry.DistributionInspect{}, errors.New("no registry")
		}
		var d registry.DistributionInspect
		d.Descriptor.Digest = digestOf(content)
		d.Platforms = platforms
		return d, nil
	}
}

func TestResolveImage(t *testing.T) {
	for _, tc := range []struct {
		doc, image, digest, want string
		args                     []string
		warned                   bool
	}{
		{doc: "pinned", image: "app", digest: "a", want: "app:latest@" + string(digestOf("a"))},
		{doc: "registry does not answer", image: "app:1", want: "app:1", warned: true},
		{doc: "not to be asked", image: "app", want: "app:latest", args: []string{"--no-resolve-image"}},
		{doc: "has a digest already", image: "app@" + string(digestOf("b")), digest: "a", want: "app@" + string(digestOf("b"))},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			api := swarmAPI{distribution: answer(tc.digest, ocispec.Platform{OS: "linux", Architecture: "arm"})}
			r, err := record(t, api, append(tc.args, "--network", "docknet", tc.image)...)
			assert.NilError(t, err)
			warning, err := New("test", api).ResolveImage(context.Background(), r)
			assert.NilError(t, err)
			assert.Check(t, is.Equal(r.Service().Image, tc.want))
			assert.Check(t, is.Equal(warning != "", tc.warned))
			if tc.digest != "" {
				assert.DeepEqual(t, r.spec.TaskTemplate.Placement.Platforms, []swarm.Platform{{OS: "linux"}})
			}
		})
	}
}
