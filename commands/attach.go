package commands

import (
	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/opts"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/rewire"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func newAttachCommand(dockerCLI command.Cli) *cobra.Command {
	var o rewireOptions
	var aliases []string
	driverOpts := *opts.NewMapOpts(nil, nil)
	cmd := &cobra.Command{
		Use:   "attach [OPTIONS] NETWORK SERVICE [SERVICE...]",
		Short: "Put services that run on a network, and prove them up there",
		Long: `Put services on one more network. The swarm replaces their tasks for it, in the order and
at the pace of each service's update policy. What that means is shown first: tasks that
restart, names in the DNS and others who answer to them, addresses needed and free.

Services change one after another, each waited for until its new tasks run. When one does
not come up, all get their old networks back, and the exit code is 4. The other networks
of a service keep their order and options. A service that is on the network already is left
alone; --alias then adds names it lacks.

With --contexts one swarm after the other is changed; when one fails, those before it get
their old networks back too.`,
		Example: `  # A service onto one more network, found there as "api" too
  docker swarmnet attach --alias api backend web

  # See first what that would restart
  docker swarmnet attach --dry-run backend web worker

  # In two swarms
  docker swarmnet attach --contexts east,west backend web

  # In a script
  docker swarmnet attach --yes --timeout 2m backend web`,
		Args: cli.RequiresMinArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.network, o.services = args[0], args[1:]
			return o.run(cmd.Context(), cmd, dockerCLI, func(n swarm.Network) rewire.Change {
				return rewire.Change{On: &n, Aliases: aliases, DriverOpts: driverOpts.GetAll()}
			})
		},
		ValidArgsFunction: completeNetworkThenServices(dockerCLI),
	}
	f := cmd.Flags()
	f.StringArrayVar(&aliases, "alias", nil, "One more name for the services on the network")
	f.Var(&driverOpts, "driver-opt", "Option of the network's driver for this attachment")
	o.install(cmd, dockerCLI)
	return cmd
}

func newDetachCommand(dockerCLI command.Cli) *cobra.Command {
	var o rewireOptions
	cmd := &cobra.Command{
		Use:   "detach [OPTIONS] NETWORK SERVICE [SERVICE...]",
		Short: "Take services that run off a network, and prove them up without it",
		Long: `Take services off a network. The swarm replaces their tasks for it, in the order and at
the pace of each service's update policy. What that means is shown first: tasks that
restart, names that go from the DNS, and services that can no longer reach them.

Services change one after another, each waited for until its new tasks run. When one does
not come up, all get their old networks back, and the exit code is 4. A service that is
not on the network is left alone.

With --contexts one swarm after the other is changed; when one fails, those before it get
their old networks back too.`,
		Example: `  # A service off a network
  docker swarmnet detach backend web

  # See first what that would restart, and who could no longer reach it
  docker swarmnet detach --dry-run backend web`,
		Args: cli.RequiresMinArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.network, o.services = args[0], args[1:]
			return o.run(cmd.Context(), cmd, dockerCLI, func(n swarm.Network) rewire.Change { return rewire.Change{Off: &n} })
		},
		ValidArgsFunction: completeNetworkThenServices(dockerCLI),
	}
	o.install(cmd, dockerCLI)
	return cmd
}
