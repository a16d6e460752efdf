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

func newSandboxNodeCommand(dockerCLI command.Cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Put faults into the nodes of a sandbox",
		Long: `List the nodes of a sandbox, and put faults into them: kill a node's engine with all that it
runs, or take its cable out; and mend that again.`,
		Example: `  # What happens when a node loses power?
  docker swarmnet sandbox node stop sandbox-n2
  docker -c sandbox node ls
  docker swarmnet sandbox node start sandbox-n2`,
		Args: cli.NoArgs,
		RunE: command.ShowHelp(dockerCLI.Err()),
	}
	cmd.AddCommand(
		newSandboxNodeLsCommand(dockerCLI),
		newSandboxFaultCommand(dockerCLI, sandbox.FaultStop, "Kill a node's engine and all containers on it",
			`Kill a node's engine and everything that it runs at once, as a power cut does. The swarm
notices after some seconds and starts the tasks on other nodes. The node's disk stays.`),
		newSandboxFaultCommand(dockerCLI, sandbox.FaultStart, "Start the engine of a stopped node again",
			`Start the engine of a node that was stopped, or whose engine has died, and wait until it
answers. The swarm takes it back by itself.`),
		newSandboxFaultCommand(dockerCLI, sandbox.FaultCut, "Take a node's cable out",
			`Take a node's cable out: its engine and containers go on, but neither the other nodes nor
this machine's requests reach it. Its docker context still works.`),
		newSandboxFaultCommand(dockerCLI, sandbox.FaultHeal, "Put a node's cable back",
			`Put a node's cable back, with its address and default route.`),
	)
	return cmd
}

// newSandboxFaultCommand makes the command of one fault; they differ in nothing else.
func newSandboxFaultCommand(dockerCLI command.Cli, fault sandbox.Fault, short, long string) *cobra.Command {
	var progress progressOptions
	var limit time.Duration
	cmd := &cobra.Command{
		Use:     fmt.Sprintf("%s [OPTIONS] NODE", fault),
		Short:   short,
		Long:    long,
		Example: fmt.Sprintf("  docker swarmnet sandbox node %s sandbox-n2", fault),
		Args:    cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSandboxFault(cmd.Context(), dockerCLI, progress, args[0], fault, limit)
		},
		ValidArgsFunction: completeSandboxNodes,
	}
	if fault == sandbox.FaultStart {
		cmd.Flags().DurationVar(&limit, "timeout", 2*time.Minute, "Give up waiting after this time")
	}
	progress.install(cmd)
	return cmd
}

func runSandboxFault(ctx context.Context, dockerCLI command.Cli, progress progressOptions, node string, fault sandbox.Fault, limit time.Duration) error {
	sink, done, err := progress.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	boxes, err := openSandboxes(sink)
	if err != nil {
		return err
	}
	if err := boxes.Do(ctx, node, fault, limit); err != nil {
		return err
	}
	_, err = fmt.Fprintln(dockerCLI.Out(), node)
	return err
}
