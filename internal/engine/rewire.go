package engine

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/swarm"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// WriteNetworks makes networks, in this order, the networks of a service that
// was read at sv's version, and leaves all else of its spec as it is. It
// returns the engine's warnings. When somebody has written the service in
// between, the error satisfies IsOutOfSequence.
//
// The list moves to the task's spec where an old client had put it beside it,
// as docker's own update does (docker/cli service update): the swarm refuses to
// change it in the old place.
func (e *Engine) WriteNetworks(ctx context.Context, sv model.Service, networks []model.Attach) (warnings []string, err error) {
	spec, ok := sv.Spec.(swarm.ServiceSpec)
	if !ok {
		return nil, fmt.Errorf("service %q: its spec is not one of this engine's", sv.Name)
	}
	spec.TaskTemplate.Networks = convert(networks, func(a model.Attach) swarm.NetworkAttachmentConfig {
		return swarm.NetworkAttachmentConfig{Target: a.Target, Aliases: a.Aliases, DriverOpts: a.DriverOpts}
	})
	spec.Networks = nil //nolint:staticcheck // emptied where an old client has written it
	resp, err := e.api.ServiceUpdate(ctx, sv.ID, swarm.Version{Index: sv.Version}, spec, swarm.ServiceUpdateOptions{})
	if err != nil {
		return nil, e.Explain(err)
	}
	return resp.Warnings, nil
}
