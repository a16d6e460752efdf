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
	var o demoOptions
	cmd := &cobra.Command{
		Use:               "demo",
		Short:             "Run the HTTP server of the image swarmnet/demo",
		Hidden:            true,
		Args:              cli.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			switch {
			case o.check:
				return checkDemo(ctx)
			case o.call.URL != "":
				return o.call.Run(ctx)
			}
			_, _ = fmt.Fprintf(dockerCLI.Out(), "listening on %s\n", o.listen)
			return o.serve(ctx)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", fmt.Sprintf(":%d", sandbox.DemoPort), "Address to listen on")
	f.DurationVar(&o.drain, "drain", 0, "How long to go on serving after SIGTERM, while others still have the address")
	f.BoolVar(&o.check, "check", false, "Ask the server in this container whether it is well, as a health check")
	f.StringVar(&o.call.URL, "call", "", "Be a client that calls this URL, in place of a server")
	f.IntVar(&o.call.Rate, "rate", 100, "With --call: requests a second")
	f.StringVar(&o.call.Folder, "report", "/tmp", "With --call: folder for the report")
	return cmd
}

// demoOptions is what a container of the image swarmnet/demo does.
type demoOptions struct {
	listen string
	drain  time.Duration
	check  bool
	call   sandbox.Caller
}

// checkDemo asks the server in the same container how it is.
func checkDemo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/healthz", sandbox.DemoPort), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", resp.Status)
	}
	return nil
}

// serve serves until ctx ends, and a while longer where that is asked for:
// names that other nodes have looked up lead here for a moment after the swarm
// has taken them back. Connections that are kept are asked to go meanwhile.
func (o *demoOptions) serve(ctx context.Context) error {
	server := &http.Server{Addr: o.listen, Handler: sandbox.TellEnding(ctx, sandbox.DemoHandler()), ReadHeaderTimeout: 5 * time.Second}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		if o.drain > 0 {
			server.SetKeepAlivesEnabled(false)
			time.Sleep(o.drain)
		}
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
