package commands

import (
	"context"
	"fmt"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/flags"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
)

// openCurrent returns the engine of the context that Docker chose: -c, -H,
// DOCKER_CONTEXT, DOCKER_HOST or "docker context use".
func openCurrent(dockerCLI command.Cli) (*engine.Engine, error) {
	return openContext(dockerCLI, dockerCLI.CurrentContext())
}

// openContext returns the engine of a docker context.
func openContext(dockerCLI command.Cli, name string) (*engine.Engine, error) {
	// Client ends the process when it is asked for a context that does not
	// exist, so look first.
	if _, err := dockerCLI.ContextStore().GetMetadata(name); err != nil {
		if cerrdefs.IsNotFound(err) {
			err = fmt.Errorf("there is no docker context %q", name)
		}
		return nil, problem.New("%w", err).WithNext("Run 'docker context ls' to see the contexts there are.")
	}
	if name == dockerCLI.CurrentContext() {
		return engine.New(name, dockerCLI.Client()).Negotiated(), nil
	}
	api, err := command.NewAPIClientFromFlags(&flags.ClientOptions{Context: name}, dockerCLI.ConfigFile())
	if err != nil {
		return nil, problem.New("context %q: %w", name, err).WithNext("Run 'docker context inspect %s' to see where it points.", name)
	}
	return engine.New(name, api), nil
}

// lookAsManager opens the current context and takes a snapshot, which must
// come from a manager and be complete.
func lookAsManager(ctx context.Context, dockerCLI command.Cli) (*engine.Engine, *swarm.Snapshot, error) {
	e, err := openCurrent(dockerCLI)
	if err != nil {
		return nil, nil, err
	}
	s, err := engine.LookWhole(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	return e, s, nil
}
