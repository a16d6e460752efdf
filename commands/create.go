package commands

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/opts"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/apply"
	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

type createOptions struct {
	name    string
	network createFlags
	init    bool
	dryRun  bool
	timeout time.Duration
	// sameSubnet asks for one subnet in all contexts.
	sameSubnet bool
	contexts   contextsOption
	progressOptions
}

func newCreateCommand(dockerCLI command.Cli) *cobra.Command {
	o := createOptions{network: newCreateFlags()}
	cmd := &cobra.Command{
		Use:   "create [OPTIONS] NETWORK",
		Short: "Create an overlay network with free addresses, and wait until it is allocated",
		Long: `Create an overlay network of the swarm and wait until the swarm has allocated it. The
subnet is the lowest free one that overlaps no network of the swarm, no node's address and
no local network of the engine. The ID goes to stdout.

A network that is there already as asked for is left alone, and its ID printed. One that
is there otherwise is an error that names the differences: a swarm never changes a network.
A network that the swarm cannot allocate is removed again.

With --contexts the network is created in every one of the swarms or in none, on subnets
that are free in all of them: of their networks, nodes and engines, of --avoid, and of
the ranges kept as "avoid" in docker's config.json ("docker swarmnet addresses --help").
Two swarms can be connected only while their networks do not overlap.`,
		Example: `  # A network on a free subnet
  docker swarmnet create docknet

  # Larger, out of a range of your own, and open to "docker run"
  docker swarmnet create --size 22 --pool 10.64.0.0/12 --attachable docknet

  # Encrypted between nodes that are connected with jumbo frames
  docker swarmnet create --encrypted --mtu 9000 docknet

  # The same network in two swarms, where nothing overlaps
  docker swarmnet create --contexts east,west docknet

  # See the subnet that would be chosen
  docker swarmnet create --dry-run docknet

  # On an engine that is in no swarm yet
  docker swarmnet create --init docknet`,
		Args: cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return runCreate(cmd.Context(), cmd, dockerCLI, o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	o.network.install(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.init, "init", false, "Make the engine a swarm of its own if it is in none")
	f.BoolVar(&o.dryRun, "dry-run", false, "Show what would be created, and create nothing")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "How long to wait for the allocation")
	f.BoolVar(&o.sameSubnet, "same-subnet", false, "Take one and the same subnet in all contexts")
	o.contexts.install(cmd, dockerCLI)
	o.install(cmd)
	return cmd
}

func runCreate(ctx context.Context, cmd *cobra.Command, dockerCLI command.Cli, o createOptions) error {
	wish, err := o.network.wish(o.name)
	if err != nil {
		return err
	}
	always, err := keptAvoid(dockerCLI)
	if err != nil {
		return err
	}
	wish.Avoid = append(wish.Avoid, always...)
	names, err := o.contexts.chosen(cmd, dockerCLI)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return createInEach(ctx, dockerCLI, o, wish, names)
	}
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	e, s, err := lookToCreate(ctx, dockerCLI, o.init && !o.dryRun, sink)
	if err != nil {
		return err
	}
	if o.dryRun {
		return showCreate(dockerCLI, s, wish)
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	n, err := apply.CreateNetwork(ctx, e, s, wish, sink)
	if err != nil {
		return err
	}
	if o.network.mtu != 0 {
		sink.On(event.Event{Object: "network " + n.Name, Kind: event.Note, State: "MTU", Detail: fmt.Sprintf("containers get %d bytes of the %d below", addr.MTU(n), addr.UnderlayMTU(n))})
	}
	done() // what is printed now must not land among progress
	_, _ = fmt.Fprintln(dockerCLI.Out(), n.ID)
	return nil
}

// lookToCreate looks as a manager; with init, an engine that is in no swarm
// becomes the manager of a new one first.
func lookToCreate(ctx context.Context, dockerCLI command.Cli, init bool, sink event.Sink) (*engine.Engine, *swarm.Snapshot, error) {
	if !init {
		return lookAsManager(ctx, dockerCLI)
	}
	e, err := openCurrent(dockerCLI)
	if err != nil {
		return nil, nil, err
	}
	s, err := e.Look(ctx)
	if err != nil {
		return nil, nil, err
	}
	if s.Cluster.State == swarm.StateInactive {
		// Docker finds the address to advertise, or says which ones there are.
		if err := e.InitSwarm(ctx, "", 0); err != nil {
			return nil, nil, err
		}
		sink.On(event.Event{Object: "swarm", Kind: event.Good, State: "created", Detail: "with the engine of context " + e.Context() + " as its manager"})
	}
	return lookAsManager(ctx, dockerCLI)
}

// showCreate says what would be done, on stdout: it is the result.
func showCreate(dockerCLI command.Cli, s *swarm.Snapshot, wish netspec.Wish) error {
	d, err := netspec.Decide(s, wish)
	if err != nil {
		return err
	}
	out := dockerCLI.Out()
	if d.Existing != nil {
		_, _ = fmt.Fprintf(out, "network %s is there already as asked for (%s): nothing would change\n", wish.Spec.Name, d.Existing.ID)
		return nil
	}
	n := swarm.Network{Name: d.Spec.Name, Options: d.Spec.Options}
	_, _ = fmt.Fprintf(out, "network %s would be created in context %s\n", n.Name, s.Context)
	for _, sub := range d.Spec.Subnets {
		_, _ = fmt.Fprintf(out, "  subnet     %s\n", sub.Prefix)
		if sub.Gateway.IsValid() {
			_, _ = fmt.Fprintf(out, "  gateway    %s\n", sub.Gateway)
		}
		if sub.IPRange.IsValid() {
			_, _ = fmt.Fprintf(out, "  ip-range   %s\n", sub.IPRange)
		}
	}
	_, _ = fmt.Fprintf(out, "  MTU        %d (of %d below)\n", addr.MTU(n), addr.UnderlayMTU(n))
	for _, flag := range []struct {
		name string
		set  bool
	}{{"encrypted", n.Encrypted()}, {"attachable", d.Spec.Attachable}, {"internal", d.Spec.Internal}} {
		if flag.set {
			_, _ = fmt.Fprintf(out, "  %s\n", flag.name)
		}
	}
	return nil
}

// labelsOf reads --label as docker does.
func labelsOf(l opts.ListOpts) map[string]string { return opts.ConvertKVStringsToMap(l.GetSlice()) }
