package commands

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/sandbox"
)

type sandboxUpOptions struct {
	sandbox.UpOptions
	progress progressOptions
}

func newSandboxUpCommand(dockerCLI command.Cli) *cobra.Command {
	var o sandboxUpOptions
	cmd := &cobra.Command{
		Use:   "up [OPTIONS] [NAME]",
		Short: "Start a swarm of several nodes on this machine",
		Long: `Start a real swarm on this machine and make docker contexts for it: NAME (its first
manager), NAME-n1, NAME-n2, ... Without a name it is "sandbox". Several sandboxes can be up
side by side, each with a subnet of its own; the machine reaches the nodes by their addresses.

The driver "namespaces" runs the nodes on the machine's own kernel and takes seconds. The
driver "uml" runs them inside a User Mode Linux kernel, of Debian's package user-mode-linux: slow
(some 20 seconds until it is up, and 20 more for each service), but with the IPVS that service
VIPs and the ingress mesh need, and the IPsec of encrypted networks, which the machine's kernel
may lack. Such nodes live in memory, one to two GB for three.

If it fails or is interrupted, nothing of it is left.`,
		Example: `  # Three nodes, one of them a manager
  docker swarmnet sandbox up

  # Five nodes, three managers, another name
  docker swarmnet sandbox up lab --nodes 5 --managers 3

  # With the dockerd of another root file system
  debootstrap --variant=minbase --include=docker.io,iptables,iproute2,ca-certificates trixie /srv/trixie
  docker swarmnet sandbox up newer --engine /srv/trixie

  # With service VIPs and the ingress mesh, whatever this machine's kernel can do
  docker swarmnet sandbox up mesh --driver uml`,
		Args: cli.RequiresMaxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = sandboxName(args)
			return runSandboxUp(cmd.Context(), dockerCLI, o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := cmd.Flags()
	f.IntVar(&o.Nodes, "nodes", 3, "Number of nodes")
	f.IntVar(&o.Managers, "managers", 1, "How many of them are managers")
	f.BoolVar(&o.ShortHostnames, "short-hostnames", false, `Call the nodes "n1", "n2", ... in the swarm, not "NAME-n1"; contexts keep that name`)
	f.StringVar(&o.Engine, "engine", "", "Run the dockerd of the root file system in this folder")
	f.StringVar(&o.Driver, "driver", sandbox.DriverNamespaces, `How the nodes are made: "namespaces", "uml"`)
	f.DurationVar(&o.Timeout, "timeout", 5*time.Minute, "Give up after this time")
	_ = cmd.RegisterFlagCompletionFunc("driver", cobra.FixedCompletions(
		[]string{sandbox.DriverNamespaces, sandbox.DriverUML}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagDirname("engine")
	o.progress.install(cmd)
	return cmd
}

func runSandboxUp(ctx context.Context, dockerCLI command.Cli, o sandboxUpOptions) error {
	sink, done, err := o.progress.open(dockerCLI)
	if err != nil {
		return err
	}
	boxes, err := openSandboxes(sink)
	if err != nil {
		done()
		return err
	}
	st, err := boxes.Up(ctx, o.UpOptions)
	done()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(dockerCLI.Err(), "\nUse it with 'docker -c %s node ls'; take it down with 'docker swarmnet sandbox down %s'.\n", st.Name, st.Name)
	_, err = fmt.Fprintln(dockerCLI.Out(), st.Name)
	return err
}
