package commands

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/apply"
	"github.com/swarmnet/docker-swarmnet/internal/core/migrate"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

type migrateOptions struct {
	network      string
	wish         migrateFlags
	resume, undo bool
	parallel     int
	onFailure    string
	timeout      time.Duration
	totalTimeout time.Duration
	dryRunOption
	confirmOption
	progressOptions
}

func newMigrateCommand(dockerCLI command.Cli) *cobra.Command {
	o := migrateOptions{wish: newMigrateFlags()}
	cmd := &cobra.Command{
		Use:   "migrate [OPTIONS] NETWORK",
		Short: "Change what a swarm never changes about a network, with its services running",
		Long: `Change subnet, size, MTU, encryption or another property of a network that a swarm never
changes, while the services on it run. A twin of the network is made, every service is put
on both, then taken off the old one, which is removed; since a swarm has each name once, a
second pass does the same from the twin to the new network of the old name. Any two
services that talk have a network in common at every moment, and each service is updated
by its own update policy. With --rename the new network keeps another name, and one pass
is enough.

The whole plan is shown and asked for first: steps, restarts of each service, addresses,
and all that cannot follow. Whatever ends the command on the way (Ctrl-C, kill, a lost
link), --resume goes on from what is seen in the swarm and --undo takes it back. When a
service does not come up on the way, all is undone and the exit code is 4.`,
		Example: `  # A larger subnet; see the plan first
  docker swarmnet migrate --size 22 --dry-run docknet
  docker swarmnet migrate --size 22 docknet

  # Encrypt the traffic of a network in use, over links with an MTU of 1450
  docker swarmnet migrate --encrypted --mtu 1450 docknet

  # Under a new name each service restarts half as often
  docker swarmnet migrate --mtu 9000 --rename docknet9000 docknet

  # Services that nobody calls restart half as often too
  docker swarmnet migrate --size 22 --leaf proxy --leaf worker docknet

  # Go on after an interruption, or take it back
  docker swarmnet migrate --resume docknet
  docker swarmnet migrate --undo docknet`,
		Args: cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.network = args[0]
			return runMigrate(cmd, dockerCLI, o)
		},
		ValidArgsFunction: completeNetworks(dockerCLI, 1),
	}
	o.wish.install(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.resume, "resume", false, "Go on with the migration that is under way")
	f.BoolVar(&o.undo, "undo", false, "Take the migration that is under way back")
	f.IntVar(&o.parallel, "parallel", 1, "How many services are updated at the same time")
	f.StringVar(&o.onFailure, "on-failure", "rollback", `What to do when a service does not come up ("rollback", "leave")`)
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "How long each step may take, such as the update of one service")
	f.DurationVar(&o.totalTimeout, "total-timeout", 0, "How long the whole may take before it stops where it is (0: no limit)")
	o.dryRunOption.install(cmd, "Show the plan, and change nothing", "")
	o.confirmOption.install(cmd)
	o.progressOptions.install(cmd)
	_ = cmd.RegisterFlagCompletionFunc("on-failure", cobra.FixedCompletions([]string{"rollback", "leave"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// validate holds what flags mean together.
func (o migrateOptions) validate(cmd *cobra.Command) error {
	goesOn := o.resume || o.undo
	return hold(append(o.rules(),
		flagRule{o.resume && o.undo, "--resume goes on with a migration and --undo takes it back: use one"},
		flagRule{goesOn && o.wish.given(cmd), "--resume and --undo go by what was asked for when the migration began: leave the other properties out"},
		flagRule{goesOn && o.dryRun, "--dry-run shows the plan of a migration that has not begun"},
		flagRule{o.onFailure != "rollback" && o.onFailure != "leave", fmt.Sprintf("--on-failure %q: use \"rollback\" or \"leave\"", o.onFailure)},
		flagRule{o.parallel < 1, "--parallel: at least one service is updated at a time"},
	)...)
}

func runMigrate(cmd *cobra.Command, dockerCLI command.Cli, o migrateOptions) error {
	ctx := cmd.Context()
	if err := o.validate(cmd); err != nil {
		return err
	}
	wish, err := o.wish.wish(cmd)
	if err != nil {
		return err
	}
	wish.Parallel = o.parallel
	e, s, err := lookAsManager(ctx, dockerCLI)
	if err != nil {
		return err
	}
	if o.totalTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.totalTimeout)
		defer cancel()
	}
	if o.resume || o.undo {
		return goOnMigrating(ctx, dockerCLI, e, s, o)
	}
	n, err := oneNetwork(s, o.network)
	if err != nil {
		return err
	}
	wish.OtherStacks = wish.OtherStacks || !o.yes && !o.dryRun && dockerCLI.In().IsTerminal()
	plan, err := migrate.New(s, n, wish)
	switch {
	case err != nil:
		return err
	case len(plan.Changes) == 0:
		_, _ = fmt.Fprintf(dockerCLI.Err(), "network %q of context %q is as asked for already: nothing was changed\n", text.Clean(n.Name), s.Context)
		_, _ = fmt.Fprintln(dockerCLI.Out(), n.ID)
		return nil
	case o.dryRun:
		return showMigration(dockerCLI.Out(), plan, o.format)
	}
	if err := showMigration(dockerCLI.Err(), plan, ""); err != nil {
		return err
	}
	if err := o.ask(ctx, dockerCLI, migrationQuestion(plan)); err != nil {
		return err
	}
	return o.carryOut(ctx, dockerCLI, e, func(m apply.Migration, sink event.Sink) (swarm.Network, error) {
		return m.Begin(ctx, e, s, plan, sink)
	})
}

// goOnMigrating resumes or undoes the migration under way.
func goOnMigrating(ctx context.Context, dockerCLI command.Cli, e *engine.Engine, s *swarm.Snapshot, o migrateOptions) error {
	job, ok := migrate.Find(s, o.network)
	if !ok {
		return problem.New("no migration of network %q is under way in context %q", text.Clean(o.network), s.Context).
			WithNext("Run 'docker -c %s swarmnet ls' to see the networks there are.", s.Context)
	}
	what := fmt.Sprintf("This goes on with the migration of network %q in context %q, which restarts tasks. Continue?", text.Clean(job.Before.Name), s.Context)
	if o.undo {
		what = fmt.Sprintf("This takes the migration of network %q in context %q back, which restarts tasks. Continue?", text.Clean(job.Before.Name), s.Context)
	}
	if err := o.ask(ctx, dockerCLI, what); err != nil {
		return err
	}
	return o.carryOut(ctx, dockerCLI, e, func(m apply.Migration, sink event.Sink) (swarm.Network, error) {
		return m.Go(ctx, e, migrate.Course{Job: job, Back: o.undo}, sink)
	})
}

// carryOut runs a migration with its progress shown, and prints the ID of the
// network it ends with.
func (o migrateOptions) carryOut(ctx context.Context, dockerCLI command.Cli, e *engine.Engine, run func(apply.Migration, event.Sink) (swarm.Network, error)) error {
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	n, err := run(apply.Migration{
		Context: e.Context(), Parallel: o.parallel, Timeout: o.timeout, Stop: o.onFailure == "leave", Log: e.TaskLog,
	}, sink)
	if err != nil {
		return err
	}
	done() // what is printed now must not land among progress
	_, _ = fmt.Fprintln(dockerCLI.Out(), n.ID)
	return nil
}
