package commands

import (
	"os"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/display"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// progressOptions is the flag that every waiting command has.
type progressOptions struct{ mode string }

func (o *progressOptions) install(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.mode, "progress", display.Auto, `Progress on stderr: "auto", "tty", "plain", "json", "quiet"`)
	_ = cmd.RegisterFlagCompletionFunc("progress", cobra.FixedCompletions(display.Modes(), cobra.ShellCompDirectiveNoFileComp))
}

// open returns the sink for what happens, and a function to call when it is
// over, before anything else is printed.
func (o *progressOptions) open(dockerCLI command.Cli) (event.Sink, func(), error) {
	out := dockerCLI.Err()
	d, err := display.New(display.Options{
		Out:      out,
		Mode:     o.mode,
		Terminal: out.IsTerminal() && os.Getenv("TERM") != "dumb",
		Size:     out.GetTtySize,
		Color:    os.Getenv("NO_COLOR") == "", // no-color.org
	})
	if err != nil {
		return nil, nil, problem.New("%w", err).WithCode(problem.Usage)
	}
	return d, d.Close, nil
}
