package commands

import (
	"context"
	"slices"
	"time"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
)

// completionTime bounds what a TAB may cost: a slow swarm completes nothing
// rather than hanging the shell.
const completionTime = time.Second

// completeNames completes the names that list returns, for up to most arguments,
// those on the line already left out; 0 is no limit. A name that a terminal would
// not show as it is (control characters) is left out: it could not be typed either.
func completeNames(dockerCLI command.Cli, most int, list func(context.Context, *engine.Engine) ([]string, error)) cobra.CompletionFunc {
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
		names, err := list(ctx, e)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return slices.DeleteFunc(names, func(name string) bool {
			return text.Clean(name) != name || slices.Contains(args, name)
		}), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeNetworks completes names of overlay networks.
func completeNetworks(dockerCLI command.Cli, most int) cobra.CompletionFunc {
	return completeNames(dockerCLI, most, func(ctx context.Context, e *engine.Engine) ([]string, error) {
		networks, err := e.Networks(ctx)
		var names []string
		for _, n := range networks {
			if n.Overlay() {
				names = append(names, n.Name)
			}
		}
		return names, err
	})
}

// completeStacks completes names of stacks that have services.
func completeStacks(dockerCLI command.Cli) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		_, s, err := lookAsManager(ctx, dockerCLI)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, sv := range s.Services {
			name := sv.Labels[deploy.LabelStack]
			if name != "" && text.Clean(name) == name && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeServices completes names of services.
func completeServices(dockerCLI command.Cli, most int) cobra.CompletionFunc {
	return completeNames(dockerCLI, most, func(ctx context.Context, e *engine.Engine) ([]string, error) { return e.ServiceNames(ctx) })
}
