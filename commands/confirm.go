package commands

import (
	"context"
	"errors"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// confirmOption is the flag --yes of commands that reach further than their
// words say: they ask on a terminal, and refuse without one.
type confirmOption struct{ yes bool }

func (o *confirmOption) install(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "Do not ask for confirmation")
}

// ask returns nil when the user agrees. question is a whole sentence that names
// what happens, to which object and in which context ("This restarts 3 tasks
// of service "web" in context "prod". Continue?"). What the question is about
// must have been shown before, on stderr.
func (o confirmOption) ask(ctx context.Context, dockerCLI command.Cli, question string) error {
	if o.yes {
		return nil
	}
	if !dockerCLI.In().IsTerminal() || !dockerCLI.Err().IsTerminal() {
		return problem.New("nothing was changed: there is no terminal to ask on (%s)", question).
			WithNext("Add --yes to go ahead without being asked.")
	}
	yes, err := command.PromptForConfirmation(ctx, dockerCLI.In(), dockerCLI.Err(), question) //nolint:staticcheck // docker's own prompt; what replaces it in v29 is not exported
	switch {
	case ctx.Err() != nil || errors.Is(err, command.ErrPromptTerminated): //nolint:staticcheck // goes with the prompt
		return problem.New("interrupted; nothing was changed").WithCode(problem.Interrupted)
	case err != nil:
		return problem.New("nothing was changed: the answer could not be read: %w", err)
	case !yes:
		return problem.New("nothing was changed: not confirmed")
	}
	return nil
}
