// Package cliplugins is how Docker talks to the plugin: the handshake, the
// global flags, signals, standalone use and the exit code.
package cliplugins

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli-plugins/plugin"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/debug"
	"github.com/docker/cli/cli/flags"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.opentelemetry.io/otel"

	"github.com/swarmnet/docker-swarmnet/commands"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/sandbox/umlguest"
	"github.com/swarmnet/docker-swarmnet/metadata"
)

// Main runs the plugin with the arguments of the process and returns its exit
// code. It is the whole of main, so that nothing else has to end the process.
func Main(args []string) int {
	// Inside the guest kernel of a sandbox there is neither a Docker
	// configuration nor a docker CLI, only this program.
	if umlguest.Called(args) {
		return umlguest.Main(args)
	}

	otel.SetErrorHandler(debug.OTELErrorHandler)

	// The framework reads os.Args itself.
	if plugin.RunningStandalone() {
		os.Args = standalone(args)
	}

	dockerCLI, err := command.NewDockerCli()
	if err != nil {
		return report(os.Stderr, err)
	}
	root := commands.NewRoot(dockerCLI)
	root.PersistentPreRunE = prepare

	return report(dockerCLI.Err(), plugin.RunPlugin(dockerCLI, root, metadata.Plugin()))
}

// prepare gives the command a context that ends on INT and TERM, then runs
// the framework's own hook. The order matters: the framework derives its
// context from ours and cancels it when the docker CLI closes the plugin's
// socket, so that a signal ends the command both on a terminal (where the
// whole process group gets it) and through a pipe (where only docker does).
func prepare(cmd *cobra.Command, args []string) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the default handling is back: a second one ends
	// a process whose clean-up hangs.
	context.AfterFunc(ctx, stop)
	cobra.OnFinalize(stop)
	cmd.SetContext(ctx)
	return plugin.PersistentPreRunE(cmd, args)
}

// standalone puts the plugin's name where docker would have put it, after the
// global flags: "docker-swarmnet -c prod ls" becomes
// "docker-swarmnet -c prod swarmnet ls".
func standalone(args []string) []string {
	if len(args) < 2 {
		return append(args[:len(args):len(args)], metadata.Name)
	}
	switch args[1] {
	case cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd:
		return append([]string{args[0], args[1], metadata.Name}, args[2:]...)
	}
	fs := pflag.NewFlagSet(args[0], pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.SetInterspersed(false)
	fs.Usage = func() {}
	flags.NewClientOptions().InstallFlags(fs)
	at := 1
	if err := fs.Parse(args[1:]); err == nil {
		at = len(args) - fs.NArg()
	}
	out := make([]string, 0, len(args)+1)
	out = append(out, args[:at]...)
	out = append(out, metadata.Name)
	return append(out, args[at:]...)
}

// report prints an error as Docker does and returns the exit code for it. An
// error without a message is a bare exit code and prints nothing.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return problem.Done
	}
	if msg := err.Error(); msg != "" {
		_, _ = fmt.Fprintln(stderr, msg)
	}
	return exitCode(err)
}

func exitCode(err error) int {
	var p *problem.Error
	if errors.As(err, &p) && p.Code != 0 {
		return p.Code
	}
	var status cli.StatusError
	if errors.As(err, &status) && status.StatusCode != 0 {
		return status.StatusCode
	}
	if errors.Is(err, context.Canceled) {
		return problem.Interrupted
	}
	return problem.Failed
}
