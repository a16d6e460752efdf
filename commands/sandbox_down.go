package commands

import (
	"context"
	"errors"
	"fmt"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

type sandboxDownOptions struct {
	all      bool
	progress progressOptions
}

func newSandboxDownCommand(dockerCLI command.Cli) *cobra.Command {
	var o sandboxDownOptions
	cmd := &cobra.Command{
		Use:   "down [OPTIONS] [NAME]",
		Short: "Stop a sandbox and leave nothing of it",
		Long: `End every process of a sandbox and remove its namespaces, mounts, links, control groups,
docker contexts and files; images, networks and volumes of its nodes go with them. It looks
afterwards whether anything is left, and says what. Half-made and stale sandboxes (after a
reboot) are taken down the same way.`,
		Example: `  # The sandbox "sandbox"
  docker swarmnet sandbox down

  # Another one
  docker swarmnet sandbox down lab

  # All of them
  docker swarmnet sandbox down --all`,
		Args: cli.RequiresMaxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.all && len(args) > 0 {
				return problem.New("--all takes every sandbox down: do not name one besides").WithCode(problem.Usage)
			}
			return runSandboxDown(cmd.Context(), dockerCLI, o, args)
		},
		ValidArgsFunction: completeSandboxes(0),
	}
	cmd.Flags().BoolVarP(&o.all, "all", "a", false, "Take all sandboxes down")
	o.progress.install(cmd)
	return cmd
}

func runSandboxDown(ctx context.Context, dockerCLI command.Cli, o sandboxDownOptions, args []string) error {
	sink, done, err := o.progress.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	boxes, err := openSandboxes(sink)
	if err != nil {
		return err
	}
	names := []string{sandboxName(args)}
	if o.all {
		if names, err = boxes.All(); err != nil {
			return err
		}
	}
	var errs []error
	for _, name := range names {
		if err := boxes.Down(ctx, name); err != nil {
			errs = append(errs, err)
			continue
		}
		_, _ = fmt.Fprintln(dockerCLI.Out(), name)
	}
	return errors.Join(errs...)
}
