package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"
	"gotest.tools/v3/assert"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// rolledBack is a service that the swarm has rolled back, after which it has no
// previous spec any more, or one that it has not.
type rolledBack struct {
	client.APIClient
	previous *swarm.ServiceSpec
	wrote    swarm.ServiceSpec
}

func (r *rolledBack) ServiceInspectWithRaw(context.Context, string, swarm.ServiceInspectOptions) (swarm.Service, []byte, error) {
	return swarm.Service{PreviousSpec: r.previous}, nil, nil
}

// ServiceUpdate refuses as the engine does (moby daemon/cluster/services.go).
func (r *rolledBack) ServiceUpdate(_ context.Context, _ string, _ swarm.Version, spec swarm.ServiceSpec, o swarm.ServiceUpdateOptions) (swarm.ServiceUpdateResponse, error) {
	if o.RegistryAuthFrom == swarm.RegistryAuthFromPreviousSpec && r.previous == nil {
		return swarm.ServiceUpdateResponse{}, errors.New("service does not have a previous spec")
	}
	r.wrote = spec
	return swarm.ServiceUpdateResponse{}, nil
}

func TestRestoreServiceAlsoAfterTheSwarmsOwnRollBack(t *testing.T) {
	for _, previous := range []*swarm.ServiceSpec{nil, {}} {
		api := &rolledBack{previous: previous}
		spec := swarm.ServiceSpec{Annotations: swarm.Annotations{Name: "web"}}
		assert.NilError(t, New("test", api).RestoreService(context.Background(), model.Service{ID: "sid", Name: "web", Spec: spec}))
		assert.DeepEqual(t, api.wrote, spec)
	}
}
