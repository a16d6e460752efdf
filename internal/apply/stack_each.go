package apply

import (
	"context"
	"errors"

	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// StackSite is a swarm that a stack is to be deployed on.
type StackSite struct {
	StackDeployment
	Engine StackDeployer
}

// DeployStackEach deploys a stack on several swarms in waves: on the first of
// them side by side and, when it is up there, on the rest side by side; a wave
// of 0 is all at once. Each wave has the deployment's time. When the stack does
// not come up in one of them, all that were changed before are put back. What
// the plans remove goes last, when the stack is up everywhere. The plans must
// have no Err.
func DeployStackEach(ctx context.Context, sites []StackSite, wave int, sink event.Sink) error {
	runs := make([]*stackRun, 0, len(sites))
	for _, s := range sites {
		runs = append(runs, newStackRun(s.Engine, s.StackDeployment, event.In(s.Plan.Context, sink)))
	}
	if err := inWaves(ctx, runs, wave); err != nil {
		return err
	}
	failed := sideBySide(runs, func(_ int, r *stackRun) error {
		limited, cancel := context.WithTimeout(ctx, r.Timeout)
		defer cancel()
		return r.prune(limited)
	})
	if errors.Join(failed...) == nil {
		return nil
	}
	return gathered(failed)
}

func (r *stackRun) site() string  { return r.Plan.Context }
func (r *stackRun) touched() bool { return len(r.done) > 0 }
func (r *stackRun) stands() bool  { return len(r.done) > 0 && !r.back }
func (r *stackRun) leaves() bool  { return r.Leave }

// deploy does all but the removals within the deployment's time.
func (r *stackRun) deploy(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	return r.deployWithin(ctx, limited)
}

// revert brings a stack that is up back to what it was before.
func (r *stackRun) revert(ctx context.Context) (string, error) {
	back := r.rollBack(ctx, "because it failed elsewhere")
	return back.how(), errors.Join(back.errs...)
}
