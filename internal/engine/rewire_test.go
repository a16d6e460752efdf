package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// updates remembers the update it is asked for.
type updates struct {
	client.APIClient
	version uint64
	spec    swarm.ServiceSpec
	err     error
}

func (u *updates) ServiceUpdate(_ context.Context, _ string, version swarm.Version, spec swarm.ServiceSpec, _ swarm.ServiceUpdateOptions) (swarm.ServiceUpdateResponse, error) {
	u.version, u.spec = version.Index, spec
	return swarm.ServiceUpdateResponse{Warnings: []string{"w"}}, u.err
}

func TestWriteNetworksTouchesNothingElse(t *testing.T) {
	full := func() swarm.ServiceSpec {
		return swarm.ServiceSpec{
			Annotations:  swarm.Annotations{Name: "web", Labels: map[string]string{"a": "b"}},
			EndpointSpec: &swarm.EndpointSpec{Ports: []swarm.PortConfig{{TargetPort: 80, PublishedPort: 8080}}},
			TaskTemplate: swarm.TaskSpec{
				ContainerSpec: &swarm.ContainerSpec{Image: "web:1", Env: []string{"A=1"}}, ForceUpdate: 7,
				Networks: []swarm.NetworkAttachmentConfig{{Target: "one", Aliases: []string{"w"}, DriverOpts: map[string]string{"o": "1"}}},
			},
		}
	}
	want := []swarm.NetworkAttachmentConfig{
		{Target: "one", Aliases: []string{"w"}, DriverOpts: map[string]string{"o": "1"}},
		{Target: "two", Aliases: []string{"x"}},
	}
	old := full()
	old.Networks, old.TaskTemplate.Networks = old.TaskTemplate.Networks, nil //nolint:staticcheck // the form of old clients
	for doc, spec := range map[string]swarm.ServiceSpec{"present form": full(), "form of old clients": old} {
		t.Run(doc, func(t *testing.T) {
			api := &updates{}
			sv := serviceOf(swarm.Service{ID: "s", Meta: swarm.Meta{Version: swarm.Version{Index: 42}}, Spec: spec})
			warnings, err := New("east", api).WriteNetworks(context.Background(), sv, append(sv.Networks, model.Attach{Target: "two", Aliases: []string{"x"}}))
			assert.NilError(t, err)
			assert.DeepEqual(t, warnings, []string{"w"})
			assert.Check(t, is.Equal(api.version, uint64(42)), "the version that was read")
			expected := full()
			expected.TaskTemplate.Networks = want
			assert.DeepEqual(t, api.spec, expected)
			assert.Check(t, is.Len(sv.Networks, 1), "the reading stays as it was")
		})
	}
}

func TestWriteNetworksOutOfSequence(t *testing.T) {
	api := &updates{err: errors.New("rpc error: code = Unknown desc = update out of sequence")}
	_, err := New("east", api).WriteNetworks(context.Background(), model.Service{Spec: swarm.ServiceSpec{}}, nil)
	assert.Check(t, IsOutOfSequence(err))
	_, err = New("east", api).WriteNetworks(context.Background(), model.Service{Name: "web"}, nil)
	assert.Check(t, is.ErrorContains(err, `service "web"`), "a service that no engine has read")
}
