package commands

import (
	"fmt"
	"time"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/flags"
	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/format"
	"github.com/swarmnet/docker-swarmnet/internal/sandbox"
)

type sandboxLsOptions struct {
	format string
	quiet  bool
}

func (o *sandboxLsOptions) install(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&o.format, "format", "", flags.FormatHelp)
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "Only display names of "+what)
}

func newSandboxLsCommand(dockerCLI command.Cli) *cobra.Command {
	var o sandboxLsOptions
	cmd := &cobra.Command{
		Use:     "ls [OPTIONS]",
		Aliases: []string{"list"},
		Short:   "List the sandboxes of this machine",
		Long: `List the sandboxes of this machine. Their states:

  starting  a command is bringing it up
  running   all engines are there
  degraded  some engines are not
  stopped   all were stopped with "sandbox node stop"
  broken    the command that brought it up or took it down was killed
  stale     its processes are gone, as after a reboot

One that is broken or stale is removed with "sandbox down".`,
		Example: `  docker swarmnet sandbox ls

  # For a script
  docker swarmnet sandbox ls --format '{{.Name}} {{.Status}}'`,
		Args:              cli.NoArgs,
		RunE:              func(*cobra.Command, []string) error { return runSandboxLs(dockerCLI, o) },
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	o.install(cmd, "sandboxes")
	return cmd
}

func runSandboxLs(dockerCLI command.Cli, o sandboxLsOptions) error {
	boxes, err := openSandboxes(event.Discard)
	if err != nil {
		return err
	}
	list, err := boxes.List()
	if err != nil {
		return err
	}
	var rows []format.Row
	for _, sum := range list {
		row := &sandboxRow{
			Name: sum.Name, Driver: sum.Driver, Status: string(sum.Status),
			Nodes: len(sum.Nodes), Running: sum.Running, Managers: sum.Managers,
			Subnet: format.Dash, Engine: sum.Engine, CreatedAt: sum.Created.Format(time.RFC3339),
		}
		if sum.Subnet.IsValid() {
			row.Subnet = sum.Subnet.String()
		}
		if !sum.Created.IsZero() {
			row.Created = units.HumanDuration(time.Since(sum.Created)) + " ago"
		}
		rows = append(rows, row)
	}
	table := format.Table{
		Default: `table {{.Name}}\t{{.Status}}\t{{.Nodes}}\t{{.Running}}\t{{.Managers}}\t{{.Subnet}}\t{{.Driver}}\t{{.Created}}`,
		Quiet:   "{{.Name}}",
		Names: format.Names{
			"Name": "NAME", "Status": "STATUS", "Running": "RUNNING", "Nodes": "NODES", "Managers": "MANAGERS",
			"Subnet": "SUBNET", "Driver": "DRIVER", "Created": "CREATED", "CreatedAt": "CREATED AT", "Engine": "ENGINE",
		},
	}
	return table.Write(dockerCLI.Out(), o.format, o.quiet, rows)
}

// sandboxRow is one line of "sandbox ls".
type sandboxRow struct {
	format.Header
	Name, Driver, Status     string
	Nodes, Running, Managers int
	Subnet, Engine           string
	Created, CreatedAt       string
}

func newSandboxNodeLsCommand(dockerCLI command.Cli) *cobra.Command {
	var o sandboxLsOptions
	cmd := &cobra.Command{
		Use:     "ls [OPTIONS] [NAME]",
		Aliases: []string{"list"},
		Short:   "List the nodes of a sandbox",
		Long: `List the nodes of a sandbox as machines: address, engine process, faults in force. How the
swarm sees them is told by "docker -c NAME node ls".

States: running, cut (its cable is out), stopped (by "sandbox node stop"), dead (its engine
has ended by itself).`,
		Example: `  docker swarmnet sandbox node ls

  # The log of a node's engine
  docker swarmnet sandbox node ls --format '{{.Name}} {{.Log}}'`,
		Args: cli.RequiresMaxArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return runSandboxNodeLs(dockerCLI, o, sandboxName(args))
		},
		ValidArgsFunction: completeSandboxes(0),
	}
	o.install(cmd, "nodes")
	return cmd
}

func runSandboxNodeLs(dockerCLI command.Cli, o sandboxLsOptions, name string) error {
	boxes, err := openSandboxes(event.Discard)
	if err != nil {
		return err
	}
	sum, err := boxes.Get(name)
	if err != nil {
		return err
	}
	var rows []format.Row
	for i, n := range sum.Nodes {
		row := &sandboxNodeRow{
			Name: n.Name, Role: "worker", Address: n.Address.String(), Status: sum.States[i],
			Host: n.Host, Log: n.Log, PID: format.Dash,
		}
		if i < sum.Managers {
			row.Role = "manager"
		}
		if n.Engine.PID > 0 && (row.Status == sandbox.NodeRunning || row.Status == sandbox.NodeCut) {
			row.PID = fmt.Sprint(n.Engine.PID)
		}
		rows = append(rows, row)
	}
	table := format.Table{
		Default: `table {{.Name}}\t{{.Role}}\t{{.Address}}\t{{.Status}}\t{{.PID}}\t{{.Host}}`,
		Quiet:   "{{.Name}}",
		Names: format.Names{
			"Name": "NODE", "Role": "ROLE", "Address": "ADDRESS", "Status": "STATUS",
			"PID": "PID", "Host": "DOCKER HOST", "Log": "LOG",
		},
	}
	return table.Write(dockerCLI.Out(), o.format, o.quiet, rows)
}

// sandboxNodeRow is one line of "sandbox node ls".
type sandboxNodeRow struct {
	format.Header
	Name, Role, Address, Status, PID, Host, Log string
}
