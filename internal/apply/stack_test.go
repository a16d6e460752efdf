package apply

import (
	"context"
	"testing"

	"gotest.tools/v3/assert"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// A service that another deploy has created since the look has no ID in the
// plan. It must be waited for, and no engine be asked about an empty ID, which
// it calls ambiguous: there is no engine here to ask.
func TestSteadyNeedsTheLook(t *testing.T) {
	r := &stackRun{StackDeployment: StackDeployment{Observed: &plan.Observed{Snapshot: &swarm.Snapshot{}}}, sink: event.Discard}
	steady, err := r.steady(context.Background(), []plan.Step{
		{Resource: plan.Resource{Kind: plan.Service, Name: "shop_api"}, Action: plan.Create},
		{Resource: plan.Resource{Kind: plan.Service, Name: "shop_web"}, Action: plan.Create},
	})
	assert.NilError(t, err)
	assert.Check(t, !steady)
}
