package commands

import (
	"context"
	"fmt"

	"github.com/docker/cli/cli/command"

	"github.com/swarmnet/docker-swarmnet/internal/apply"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/stackfile"
)

func runRmStack(ctx context.Context, dockerCLI command.Cli, o rmOptions) error {
	e, err := openCurrent(dockerCLI)
	if err != nil {
		return err
	}
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, context.DeadlineExceeded)
	defer cancel()
	found, err := removeStack(ctx, e, o, sink)
	if err != nil || !found {
		return err
	}
	done() // what is printed now must not land among progress
	_, _ = fmt.Fprintln(dockerCLI.Out(), o.stack)
	return nil
}

// removeStack removes the stack from one swarm; found is false where there is
// none and none is no error.
func removeStack(ctx context.Context, e *engine.Engine, o rmOptions, sink event.Sink) (found bool, err error) {
	request := engine.NewStackRequest(&stackfile.Stack{Name: o.stack})
	observed, err := e.LookStack(ctx, request, true)
	if err != nil {
		return false, err
	}
	if err := engine.RequireWhole(observed.Snapshot); err != nil {
		return false, err
	}
	found, err = apply.RemoveStack(ctx, e, observed, request, sink)
	if err == nil && !found && !o.force {
		err = problem.New("there is no stack %q in context %q", text.Clean(o.stack), e.Context()).
			WithNext("Run 'docker -c %s stack ls' to see the stacks.", e.Context())
	}
	return found, err
}
