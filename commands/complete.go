package commands

import (
	"context"
	"time"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"
)

// completionTime bounds what a TAB may cost: a slow swarm completes nothing
// rather than hanging the shell.
const completionTime = time.Second

// completeNetworks completes names of overlay networks for up to most
// arguments; 0 is no limit.
func completeNetworks(dockerCLI command.Cli, most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		e, err := openCurrent(dockerCLI)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		networks, err := e.Networks(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, n := range networks {
			if n.Overlay() {
				names = append(names, n.Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
