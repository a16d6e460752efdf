package apply

import (
	"context"

	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// ServiceSite is a swarm that a service is to be deployed on.
type ServiceSite struct {
	ServiceDeployment
	Engine ServiceDeployer
}

// DeployServiceEach deploys a service on several swarms in waves, as
// DeployStackEach does a stack, and returns its IDs in the order of the sites.
func DeployServiceEach(ctx context.Context, sites []ServiceSite, wave int, sink event.Sink) ([]string, error) {
	runs := make([]*serviceRun, 0, len(sites))
	for _, s := range sites {
		runs = append(runs, &serviceRun{ServiceDeployment: s.ServiceDeployment, e: s.Engine, sink: event.In(s.Context, sink)})
	}
	if err := inWaves(ctx, runs, wave); err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(runs))
	for _, r := range runs {
		ids = append(ids, r.made.ID)
	}
	return ids, nil
}

func (r *serviceRun) site() string  { return r.Context }
func (r *serviceRun) touched() bool { return r.made.ID != "" && !r.Unchanged }
func (r *serviceRun) stands() bool  { return r.touched() && !r.back }
func (r *serviceRun) leaves() bool  { return r.Leave }

// revert brings a service that is up back to what it was before.
func (r *serviceRun) revert(ctx context.Context) (string, error) {
	limited, cancel := context.WithTimeout(ctx, restoreTime)
	defer cancel()
	how, err := r.undo(limited, r.e, r.made, r.sink)
	r.back = err == nil
	return how, err
}
