package engine

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/swarm"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// WriteLabels makes labels the labels of a service that was read at sv's
// version. It restarts no task: the labels of a service are not those of its
// containers (swarmkit IsTaskDirty). When somebody has written the service in
// between, the error satisfies IsOutOfSequence.
func (e *Engine) WriteLabels(ctx context.Context, sv model.Service, labels map[string]string) error {
	spec, ok := sv.Spec.(swarm.ServiceSpec)
	if !ok {
		return fmt.Errorf("service %q: its spec is not one of this engine's", sv.Name)
	}
	spec.Labels = labels
	_, err := e.api.ServiceUpdate(ctx, sv.ID, swarm.Version{Index: sv.Version}, spec, swarm.ServiceUpdateOptions{})
	return e.Explain(err)
}
