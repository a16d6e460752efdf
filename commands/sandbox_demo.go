package commands

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/sandbox"
)

// newSandboxDemoCommand is what the image swarmnet/demo runs. It brings its
// own hook, as the usual one prepares a client of a docker engine, and in a
// container there is none.
func newSandboxDemoCommand(dockerCLI command.Cli) *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:               "demo",
		Short:             "Run the HTTP server of the image swarmnet/demo",
		Hidden:            true,
		Args:              cli.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			_, _ = fmt.Fprintf(dockerCLI.Out(), "listening on %s\n", listen)
			return serveDemo(ctx, listen)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", fmt.Sprintf(":%d", sandbox.DemoPort), "Address to listen on")
	return cmd
}

func serveDemo(ctx context.Context, listen string) error {
	server := &http.Server{Addr: listen, Handler: sandbox.DemoHandler(), ReadHeaderTimeout: 5 * time.Second}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(ctx)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// newSandboxNodeInitCommand is the first process of a sandbox's node.
func newSandboxNodeInitCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "node-init SPEC",
		Short:             "Become the engine of a sandbox's node",
		Hidden:            true,
		Args:              cli.ExactArgs(1),
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		RunE:              func(_ *cobra.Command, args []string) error { return sandbox.RunNode(args[0]) },
	}
}
