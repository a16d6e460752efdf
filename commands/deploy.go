package commands

import (
	"time"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

type deployOptions struct {
	onFailure string
	timeout   time.Duration
	progressOptions
}

const deployExample = `  # A database, and an application that finds it by its name
  docker swarmnet deploy --name postgress --network docknet -e POSTGRES_PASSWORD=example postgres
  docker swarmnet deploy --name mydrupal --network docknet -p 80:80 drupal

  # The next version; the old one comes back if it does not come up
  docker swarmnet deploy --name web --network docknet --replicas 3 web:2

  # Look at a failure in place
  docker swarmnet deploy --name web --network docknet --on-failure leave web:3

  # A stack, and later its next version without what the file no longer has
  docker swarmnet deploy -c compose.yaml shop
  docker swarmnet deploy -c compose.yaml --prune --yes shop

  # Only what was planned, and looked at, before
  docker swarmnet plan -c compose.yaml --out shop.plan shop
  docker swarmnet deploy -c compose.yaml --plan shop.plan shop

  # On three swarms: east first, and only when it is up there the others
  docker swarmnet deploy -c compose.yaml --contexts east,west,north shop
  docker swarmnet deploy --contexts east,west,north --name web --network docknet web:2`

func newDeployCommand(dockerCLI command.Cli) *cobra.Command {
	var o deployOptions
	var st stackDeployOptions
	var docker dockerFlags
	cmd := &cobra.Command{
		Use:   "deploy [OPTIONS] IMAGE [COMMAND] [ARG...]\n  docker swarmnet deploy -c FILE [OPTIONS] [STACK]",
		Short: "Create or update a service or a stack, and prove it up",
		Long: `Create a service on at least one network, or update the one of that name, and wait until
it is up. The flags are those of "docker service create" and mean the same.

Before anything changes it is checked that networks, secrets and configs exist, that ports,
addresses and suitable nodes are free; all that stands in the way is told at once. A service
that is there as asked for is left alone: no task restarts.

A service that does not come up in time is told of task by task, with the end of their
logs. Then a new service is removed and an updated one restored, and the exit code is 4.
After Ctrl-C it stays as it is.

With -c a stack is deployed from a Compose file, which means what it means to "docker stack
deploy"; the flags of a single service are then refused. The plan is shown on stderr
("docker swarmnet plan -c" shows it alone). What replaces or removes something is asked about.
Services that are as asked for are left alone, all others are waited for at once. When one of
them does not come up, the whole stack goes back to what it was. Killed at whatever moment,
the same command again completes the work. The names of the services are printed.

With --contexts the service or stack is deployed on several swarms, or on none. Nothing begins
unless all can be planned. The first context is the canary (--wave); when it is up there,
the rest follow side by side. When it fails in one, those before it are put back too. Every
wave has the time of --timeout, and what --prune removes goes last. For a service the
contexts and its IDs are printed as a table.`,
		Example: deployExample,
		Args:    func(cmd *cobra.Command, args []string) error { return st.arguments(cmd, args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if st.wanted(cmd) {
				return runDeployStack(cmd, dockerCLI, o, st, docker.set, args)
			}
			if err := st.refuse(cmd); err != nil {
				return err
			}
			return runDeployService(cmd, dockerCLI, o, st.waves, docker, args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			return st.completeName(cmd, dockerCLI, args, word)
		},
	}
	o.installFlags(cmd, dockerCLI, &docker, &st)
	return cmd
}

// installFlags adds the flags of docker's own command, of a stack, and those
// that both have beside them.
func (o *deployOptions) installFlags(cmd *cobra.Command, dockerCLI command.Cli, docker *dockerFlags, st *stackDeployOptions) {
	f := cmd.Flags()
	docker.install(f, dockerCLI)
	f.SetInterspersed(false)
	st.installFlags(cmd)
	st.waves.install(cmd, dockerCLI)
	f.StringVar(&o.onFailure, "on-failure", "rollback", `What to do with a service or stack that does not come up ("rollback", "leave")`)
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "How long to wait for the service or stack")
	o.install(cmd)
	_ = cmd.RegisterFlagCompletionFunc("on-failure", cobra.FixedCompletions([]string{"rollback", "leave"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("network", func(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return completeNetworks(dockerCLI, 0)(cmd, nil, word)
	})
}

func (o deployOptions) validate(cmd *cobra.Command) error {
	f := cmd.Flags()
	if !f.Changed("network") {
		return problem.New("deploy puts a service on a network: --network is missing").
			WithNext("Name one with --network; 'docker swarmnet ls' shows those there are, 'docker swarmnet create' makes one.").WithCode(problem.Usage)
	}
	if name := f.Lookup("name").Value.String(); name == "" {
		return problem.New("deploy updates the service of that name when it exists: --name is missing").WithCode(problem.Usage)
	}
	return o.validateOnFailure()
}

func (o deployOptions) validateOnFailure() error {
	if o.onFailure != "rollback" && o.onFailure != "leave" {
		return problem.New("--on-failure %q: use \"rollback\" or \"leave\"", o.onFailure).WithCode(problem.Usage)
	}
	return nil
}
