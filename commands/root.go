// Package commands holds the verbs of "docker swarmnet", one file each: flags
// into options, one call that does the work, its result rendered. Nothing here
// decides about a swarm.
package commands

import (
	"errors"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/metadata"
)

// NewRoot returns the command tree.
func NewRoot(dockerCLI command.Cli) *cobra.Command {
	root := &cobra.Command{
		Use:   metadata.Name,
		Short: metadata.Short,
		Long: `The overlay networks of Docker Swarm: created with addresses that never collide,
services deployed onto them and proved up, and everyone on a network in one table.`,
		Args: cli.NoArgs,
		RunE: command.ShowHelp(dockerCLI.Err()),
	}
	root.AddCommand(
		newAddressesCommand(dockerCLI),
		newAttachCommand(dockerCLI),
		newCheckCommand(dockerCLI),
		newCreateCommand(dockerCLI),
		newDeployCommand(dockerCLI),
		newDetachCommand(dockerCLI),
		newExplainCommand(dockerCLI),
		newIngressCommand(dockerCLI),
		newInspectCommand(dockerCLI),
		newLsCommand(dockerCLI),
		newMigrateCommand(dockerCLI),
		newPlanCommand(dockerCLI),
		newPortsCommand(dockerCLI),
		newPruneCommand(dockerCLI),
		newPsCommand(dockerCLI),
		newRmCommand(dockerCLI),
		newRunbookCommand(dockerCLI),
		newSandboxCommand(dockerCLI),
		newVersionCommand(dockerCLI),
	)
	usageErrors(root)
	return root
}

// usageErrors gives wrong arguments the exit code that Docker gives wrong
// flags, 125, so that a script can tell a typing mistake from a failure.
func usageErrors(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		usageErrors(sub)
	}
	if validate := cmd.Args; validate != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := validate(cmd, args)
			if err == nil {
				return nil
			}
			var p *problem.Error
			if errors.As(err, &p) {
				return err
			}
			return &problem.Error{Msg: err.Error(), Code: problem.Usage, Err: err}
		}
	}
}
