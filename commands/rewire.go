package commands

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/apply"
	"github.com/swarmnet/docker-swarmnet/internal/core/rewire"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
)

// rewireOptions are what attach and detach have in common.
type rewireOptions struct {
	network  string
	services []string
	detach   bool
	timeout  time.Duration
	contexts contextsOption
	dryRunOption
	confirmOption
	progressOptions
}

func (o *rewireOptions) install(cmd *cobra.Command, dockerCLI command.Cli) {
	f := cmd.Flags()
	f.BoolVarP(&o.detach, "detach", "d", false, "Do not wait until the services are up")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "How long to wait for each service")
	o.contexts.install(cmd, dockerCLI)
	o.dryRunOption.install(cmd, "Show what would happen, and change nothing", ": one object for each context")
	o.confirmOption.install(cmd)
	o.progressOptions.install(cmd)
}

// run looks, says what the change does, asks, and carries it out. wish makes
// the change of the network that was named.
func (o *rewireOptions) run(ctx context.Context, cmd *cobra.Command, dockerCLI command.Cli, wish func(swarm.Network) rewire.Change) error {
	if err := hold(o.rules()...); err != nil {
		return err
	}
	names, err := o.contexts.chosen(cmd, dockerCLI)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return o.runInEach(ctx, cmd, dockerCLI, names, wish)
	}
	e, s, err := lookAsManager(ctx, dockerCLI)
	if err != nil {
		return err
	}
	wishes, plan, err := o.decide(s, wish)
	if err != nil {
		return err
	}
	if o.dryRun {
		return showRewiring(dockerCLI.Out(), plan, o.format)
	}
	if err := agree(ctx, dockerCLI, o.confirmOption, plan); err != nil {
		return err
	}
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	r := rewiring(e, cmd, o.timeout)
	r.Detach = o.detach
	if err := r.Services(ctx, e, wishes, sink); err != nil {
		return err
	}
	done() // what is printed now must not land among progress
	for _, w := range wishes {
		_, _ = fmt.Fprintln(dockerCLI.Out(), text.Clean(w.Service.Name))
	}
	return nil
}

// decide returns what is asked for in a swarm, and what it does there.
func (o *rewireOptions) decide(s *swarm.Snapshot, wish func(swarm.Network) rewire.Change) ([]rewire.Wish, rewire.Plan, error) {
	n, err := anyNetwork(s, o.network)
	if err != nil {
		return nil, rewire.Plan{}, err
	}
	wishes, err := rewire.Wishes(s, o.services, wish(n))
	if err != nil {
		return nil, rewire.Plan{}, err
	}
	plan, err := rewire.Decide(s, wishes)
	return wishes, plan, err
}

// agree shows a plan and asks when it restarts tasks.
func agree(ctx context.Context, dockerCLI command.Cli, o confirmOption, plan rewire.Plan) error {
	services, restarts := plan.Changes()
	if services == 0 {
		return nil
	}
	_, _ = fmt.Fprint(dockerCLI.Err(), plan)
	if restarts == 0 {
		return nil
	}
	return o.ask(ctx, dockerCLI, fmt.Sprintf("This restarts %s of %s in context %q. Continue?",
		text.Count(restarts, "task"), text.Count(services, "service"), plan.Context))
}

// rewiring is how changes of networks are carried out by a command.
func rewiring(e *engine.Engine, cmd *cobra.Command, timeout time.Duration) apply.Rewiring {
	return apply.Rewiring{Context: e.Context(), Timeout: timeout, Again: "docker swarmnet " + cmd.Name(), Log: e.TaskLog}
}

// completeNetworkThenServices completes a network first, then services.
func completeNetworkThenServices(dockerCLI command.Cli) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return completeNetworks(dockerCLI, 1)(cmd, args, word)
		}
		return completeServices(dockerCLI, 0)(cmd, args[1:], word)
	}
}
