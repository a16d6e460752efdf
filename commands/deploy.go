package commands

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/service"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/swarmnet/docker-swarmnet/internal/apply"
	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/display"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

type deployOptions struct {
	onFailure string
	timeout   time.Duration
	progressOptions
}

// recordingCLI gives docker's own command a client that only records.
type recordingCLI struct {
	command.Cli
	api engine.APIClient
}

// Client returns the recording client.
func (c *recordingCLI) Client() engine.APIClient { return c.api }

func newDeployCommand(dockerCLI command.Cli) *cobra.Command {
	var o deployOptions
	var st stackDeployOptions
	recording := &recordingCLI{Cli: dockerCLI}
	create := dockerServiceCreate(recording)
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

With --contexts the stack is deployed on several swarms, or on none. Nothing begins unless
all can be planned. The first context is the canary (--wave); when the stack is up there,
the rest follow side by side. When it fails in one, those before it are put back too. Every
wave has the time of --timeout, and what --prune removes goes last.`,
		Example: `  # A database, and an application that finds it by its name
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
  docker swarmnet deploy -c compose.yaml --contexts east,west,north shop`,
		Args: func(cmd *cobra.Command, args []string) error { return st.arguments(cmd, args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if st.wanted(cmd) {
				return runDeployStack(cmd, dockerCLI, o, st, create.Flags(), args)
			}
			if err := st.refuse(cmd); err != nil {
				return err
			}
			return runDeploy(cmd, dockerCLI, o, func(api engine.APIClient) error {
				recording.api = api
				return create.RunE(cmd, args)
			})
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			return st.completeName(cmd, dockerCLI, args, word)
		},
	}
	o.installFlags(cmd, dockerCLI, create.Flags(), &st)
	return cmd
}

// installFlags adds the flags of docker's own command, of a stack, and those
// that both have beside them.
func (o *deployOptions) installFlags(cmd *cobra.Command, dockerCLI command.Cli, docker *pflag.FlagSet, st *stackDeployOptions) {
	f := cmd.Flags()
	docker.VisitAll(func(flag *pflag.Flag) {
		if flag.Name == "network" {
			// Cobra keeps one completion for each flag, and docker's own for this
			// one asks for as long as it takes, and offers local networks too.
			own := *flag
			flag = &own
		}
		f.AddFlag(flag)
	})
	f.SetInterspersed(false)
	st.installFlags(cmd, dockerCLI)
	f.StringVar(&o.onFailure, "on-failure", "rollback", `What to do with a service or stack that does not come up ("rollback", "leave")`)
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "How long to wait for the service or stack")
	o.install(cmd)
	_ = cmd.RegisterFlagCompletionFunc("on-failure", cobra.FixedCompletions([]string{"rollback", "leave"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("network", func(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return completeNetworks(dockerCLI, 0)(cmd, nil, word)
	})
}

// dockerServiceCreate returns docker's own "service create" (docs/adr/0001).
func dockerServiceCreate(dockerCLI command.Cli) *cobra.Command {
	cmd, _, err := service.NewServiceCommand(dockerCLI).Find([]string{"create"}) //nolint:staticcheck // the one way to its flags, held by a test
	if err != nil {
		panic("docker/cli has no service create: " + err.Error())
	}
	return cmd
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

func runDeploy(cmd *cobra.Command, dockerCLI command.Cli, o deployOptions, record func(engine.APIClient) error) error {
	ctx := cmd.Context()
	if err := o.validate(cmd); err != nil {
		return err
	}
	if quiet, err := cmd.Flags().GetBool("quiet"); err == nil && quiet {
		o.mode = display.Quiet
	}
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	if err := requireSupported(dockerCLI, cmd.Flags()); err != nil {
		return err
	}
	e, s, request, err := lookAndRecord(ctx, dockerCLI, record)
	if err != nil {
		return err
	}
	object := "service " + text.Clean(request.Service().Name)
	if len(request.Missing) == 0 {
		warning, err := e.ResolveImage(ctx, request)
		if err != nil {
			return err
		}
		if warning != "" {
			sink.On(event.Event{Object: object, Kind: event.Warning, State: "warning", Detail: warning})
		}
	}
	wish := deploy.Wish{Service: request.Service(), Networks: request.Networks, Missing: request.Missing}
	var changes []deploy.Change
	if existing, ok := s.ServiceByName(wish.Service.Name); ok {
		wish.Existing = &existing
		if changes, err = request.Against(existing, s.Networks); err != nil {
			return err
		}
		wish.Service = request.Service()
	}
	if err := deploy.Preflight(s, wish, changes); err != nil {
		return err
	}
	if wish.Existing != nil {
		if len(changes) == 0 {
			sink.On(event.Event{Object: object, Kind: event.Good, State: "unchanged"})
			done()
			_, _ = fmt.Fprintln(dockerCLI.Out(), wish.Existing.ID)
			return nil
		}
		sink.On(event.Event{Object: object, Kind: event.Note, State: "changes", Detail: deploy.Words(changes)})
	}
	id, err := deployRequest(ctx, cmd, o, e, wish.Existing, request, sink)
	if err != nil {
		return err
	}
	done() // what is printed now must not land among progress
	_, _ = fmt.Fprintln(dockerCLI.Out(), id)
	return nil
}

func deployRequest(ctx context.Context, cmd *cobra.Command, o deployOptions, e *engine.Engine, existing *swarm.Service, request *engine.ServiceRequest, sink event.Sink) (id string, err error) {
	detach, err := cmd.Flags().GetBool("detach")
	if err != nil {
		return "", err
	}
	return apply.DeployService(ctx, e, apply.ServiceDeployment{
		Context: e.Context(), Request: request, Before: existing,
		Detach: detach, Leave: o.onFailure == "leave", Timeout: o.timeout, Log: e.TaskLog,
	}, sink)
}

// lookAndRecord takes the snapshot and finds out what docker would create, side
// by side: neither needs the other.
func lookAndRecord(ctx context.Context, dockerCLI command.Cli, record func(engine.APIClient) error) (*engine.Engine, *swarm.Snapshot, *engine.ServiceRequest, error) {
	e, err := openCurrent(dockerCLI)
	if err != nil {
		return nil, nil, nil, err
	}
	var s *swarm.Snapshot
	var request *engine.ServiceRequest
	var lookErr, recordErr error
	var g errgroup.Group
	g.Go(func() error { s, lookErr = e.Look(ctx); return nil })
	g.Go(func() error { request, recordErr = e.RecordService(record); return nil })
	_ = g.Wait()
	if lookErr != nil {
		return nil, nil, nil, lookErr
	}
	// That the engine is a worker says more than what recording met there.
	if err := engine.RequireManager(s); err != nil {
		return nil, nil, nil, err
	}
	if recordErr != nil {
		return nil, nil, nil, recordErr
	}
	if len(s.Unread) > 0 {
		return nil, nil, nil, problem.New("could not read the %s of the swarm: %w", s.Unread[0].What, s.Unread[0].Err)
	}
	return e, s, request, nil
}
