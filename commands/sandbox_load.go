package commands

import (
	"context"
	"fmt"
	"io"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/sandbox"
)

type sandboxLoadOptions struct {
	name     string
	changes  []string
	progress progressOptions
}

func newSandboxLoadCommand(dockerCLI command.Cli) *cobra.Command {
	var o sandboxLoadOptions
	cmd := &cobra.Command{
		Use:   "load [OPTIONS] IMAGE|FILE [NAME]",
		Short: "Put an image on every node of a sandbox",
		Long: `Put an image on every running node of the sandbox NAME ("sandbox" if none is named).

FILE is an archive of "docker save", or the tar of a root file system, of which an image is
made: named with --name or after the file, with Dockerfile instructions from --change.
Either may be compressed with gzip or bzip2.

IMAGE is copied from the engine of the current docker context. The image swarmnet/demo is
made from this plugin's own program: a small HTTP server on port 8080 that tells its hostname
and addresses ("/"), calls another URL ("/call?url=http://HOST:PORT/") and answers ok
("/healthz").`,
		Example: `  # The demo server
  docker swarmnet sandbox load swarmnet/demo

  # An image of your own engine, onto another sandbox
  docker swarmnet sandbox load nginx:alpine lab

  # A root file system
  docker swarmnet sandbox load --name tools --change 'CMD ["/bin/sh"]' rootfs.tar.gz`,
		Args: cli.RequiresRangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSandboxLoad(cmd.Context(), dockerCLI, o, args[0], sandboxName(args[1:]))
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return []string{sandbox.DemoImage}, cobra.ShellCompDirectiveDefault
			}
			return completeSandboxes(1)(cmd, args, toComplete)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "Name of the image made from a root file system")
	f.StringArrayVarP(&o.changes, "change", "c", nil, "Dockerfile instruction for the image made from a root file system")
	o.progress.install(cmd)
	return cmd
}

func runSandboxLoad(ctx context.Context, dockerCLI command.Cli, o sandboxLoadOptions, what, name string) error {
	sink, done, err := o.progress.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	boxes, err := openSandboxes(sink)
	if err != nil {
		return err
	}
	src := sandbox.SourceOf(what)
	src.Name, src.Changes = o.name, o.changes
	src.Save = func(ctx context.Context, image string) (io.ReadCloser, error) {
		e, err := openCurrent(dockerCLI)
		if err != nil {
			return nil, err
		}
		return e.SaveImage(ctx, image)
	}
	images, err := boxes.Load(ctx, name, src)
	for _, image := range images {
		_, _ = fmt.Fprintln(dockerCLI.Out(), text.Clean(image))
	}
	return err
}
