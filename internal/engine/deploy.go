package engine

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/swarm"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// CreateService creates the service as it was asked for and returns its ID and
// the engine's warnings. The image must have been resolved before.
func (e *Engine) CreateService(ctx context.Context, r *ServiceRequest) (id string, warnings []string, err error) {
	resp, err := e.api.ServiceCreate(ctx, r.spec, swarm.ServiceCreateOptions{EncodedRegistryAuth: r.auth})
	if err != nil {
		return "", nil, e.Explain(err)
	}
	return resp.ID, resp.Warnings, nil
}

// UpdateService writes the request over a service that was read at before's
// version, after Against. When somebody has written it in between, the error
// satisfies IsOutOfSequence.
func (e *Engine) UpdateService(ctx context.Context, before model.Service, r *ServiceRequest) (warnings []string, err error) {
	resp, err := e.api.ServiceUpdate(ctx, before.ID, swarm.Version{Index: before.Version}, r.spec, swarm.ServiceUpdateOptions{EncodedRegistryAuth: r.auth})
	if err != nil {
		return nil, e.Explain(err)
	}
	return resp.Warnings, nil
}

// SameSpec tells whether two readings of a service have the same desired
// state, whatever else has changed about it.
func SameSpec(a, b model.Service) (bool, error) {
	x, ok := a.Spec.(swarm.ServiceSpec)
	y, ok2 := b.Spec.(swarm.ServiceSpec)
	if !ok || !ok2 {
		return false, fmt.Errorf("service %q: its spec is not one of this engine's", a.Name)
	}
	return same(x, y), nil
}
