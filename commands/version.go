package commands

import (
	"fmt"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/metadata"
)

func newVersionCommand(dockerCLI command.Cli) *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Show the version of the plugin",
		Args:              cli.NoArgs,
		Example:           `  docker swarmnet version`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(dockerCLI.Out(), "docker swarmnet %s (%s)\n", metadata.Version, metadata.Commit)
			return err
		},
	}
}
