package commands

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/opts"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/apply"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/prune"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

type pruneOptions struct {
	filter  opts.FilterOpt
	dryRun  bool
	timeout time.Duration
	confirmOption
	progressOptions
}

func newPruneCommand(dockerCLI command.Cli) *cobra.Command {
	o := pruneOptions{filter: opts.NewFilterOpt()}
	cmd := &cobra.Command{
		Use:   "prune [OPTIONS]",
		Short: "Remove all overlay networks that nobody uses, without leaking addresses",
		Long: `Remove the overlay networks of the swarm that nobody uses. A service that is scaled to 0
uses its networks too. Tasks that are ending are waited for. What is to go is listed first;
the names of the networks removed go to stdout.

Networks without a service that somebody holds nevertheless are named with their holder and
its node: containers made by "docker run", and tasks on nodes that are lost.

Filters are docker's: until=TIME or DURATION (made before), label=KEY or KEY=VALUE,
label!=KEY or KEY=VALUE. "pruneFilters" of docker's config.json count too.`,
		Example: `  # What would go
  docker swarmnet prune --dry-run

  # Those older than a day, in a script
  docker swarmnet prune --yes --filter until=24h

  # All but those with a label
  docker swarmnet prune --filter label!=keep`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runPrune(cmd.Context(), dockerCLI, o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := cmd.Flags()
	f.Var(&o.filter, "filter", `Take only some networks (such as "until=24h")`)
	f.BoolVar(&o.dryRun, "dry-run", false, "Show what would be removed, and remove nothing")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "How long to wait for ending tasks")
	o.confirmOption.install(cmd)
	f.BoolVarP(&o.yes, "force", "f", false, "The same as --yes, for who is used to docker's prune")
	o.progressOptions.install(cmd)
	return cmd
}

func runPrune(ctx context.Context, dockerCLI command.Cli, o pruneOptions) error {
	filter, err := pruneFilter(dockerCLI, o.filter)
	if err != nil {
		return err
	}
	e, s, err := lookAsManager(ctx, dockerCLI)
	if err != nil {
		return err
	}
	choice := prune.Decide(s, filter)
	held(dockerCLI.Err(), choice.Held)
	if len(choice.Remove) == 0 {
		_, _ = fmt.Fprintf(dockerCLI.Err(), "no overlay network of context %q is unused\n", s.Context)
		return nil
	}
	if !o.dryRun {
		_, _ = fmt.Fprintln(dockerCLI.Err(), "nobody uses:")
		for _, n := range choice.Remove {
			_, _ = fmt.Fprintf(dockerCLI.Err(), "  network %q (%s)\n", text.Clean(n.Name), format.ShortID(n.ID, false))
		}
		question := fmt.Sprintf("This removes %s of context %q. Continue?", text.Count(len(choice.Remove), "network"), s.Context)
		if err := o.ask(ctx, dockerCLI, question); err != nil {
			return err
		}
	}
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	var removed []string
	var failed []error
	for _, n := range choice.Remove {
		if !o.dryRun {
			if err := apply.RemoveNetwork(ctx, e, n, sink); err != nil {
				failed = append(failed, err)
				continue
			}
		}
		removed = append(removed, text.Clean(n.Name))
	}
	done() // what is printed now must not land among progress
	for _, name := range removed {
		_, _ = fmt.Fprintln(dockerCLI.Out(), name)
	}
	return joined(failed)
}

// pruneFilter reads --filter together with the user's pruneFilters.
func pruneFilter(dockerCLI command.Cli, f opts.FilterOpt) (prune.Filter, error) {
	var out prune.Filter
	args := command.PruneFilters(dockerCLI, f.Value())
	for _, key := range args.Keys() {
		values := args.Get(key)
		switch key {
		case "label":
			out.Labels = values
		case "label!":
			out.NotLabels = values
		case "until":
			if len(values) > 1 {
				return out, problem.New("more than one filter until: use one").WithCode(problem.Usage)
			}
			until, err := engine.ParseUntil(values[0], time.Now())
			if err != nil {
				return out, problem.New("invalid filter %w", err).WithCode(problem.Usage)
			}
			out.Until = until
		default:
			return out, problem.New("invalid filter %q", key).WithNext("Use until, label or label!.").WithCode(problem.Usage)
		}
	}
	return out, nil
}

// held names who keeps networks that no service uses.
func held(out io.Writer, networks []prune.Held) {
	for _, h := range networks {
		for _, holder := range h.Holders {
			_, _ = fmt.Fprintf(out, "kept: network %q is held by %s; to free it: %s\n", text.Clean(h.Network.Name), text.Clean(holder.Who), text.Clean(holder.Free))
		}
	}
}
