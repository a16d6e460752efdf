package commands

import (
	"context"
	"fmt"
	"strings"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/completion"
	"github.com/docker/cli/cli/flags"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/ports"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

type portsOptions struct {
	as        string
	format    string
	noTrunc   bool
	encrypted bool
	published bool

	contexts contextsOption
}

func newPortsCommand(dockerCLI command.Cli) *cobra.Command {
	var o portsOptions
	cmd := &cobra.Command{
		Use:   "ports [OPTIONS]",
		Short: "Show the ports that the nodes must reach on each other, also as firewall rules",
		Long: `Show the ports that this swarm's nodes must reach on each other, with the nodes'
addresses, as a table or as commands for a firewall. The rules let in the swarm's own
nodes alone. Run them in a root shell on every node, and again when a node has joined.

The addresses are those that the nodes advertise. Where "docker swarm init" or "join"
was given another --data-path-addr, which the swarm does not tell, put that one in for
the VXLAN port and ESP.`,
		Example: `  # What must be open between the nodes
  docker swarmnet ports

  # The same as rules for ufw
  docker swarmnet ports --as ufw

  # Rules to have in place before the first encrypted network
  docker swarmnet ports --encrypted --as nftables

  # The ports that services publish, too
  docker swarmnet ports --published

  # Of two swarms in one table
  docker swarmnet ports --contexts east,west

  # For a script: port and protocol
  docker swarmnet ports --format '{{.Port}} {{.Protocol}}'`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runPorts(cmd.Context(), cmd, dockerCLI, o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := cmd.Flags()
	f.StringVar(&o.as, "as", "table", `Print as "table" or as rules of a firewall ("`+strings.Join(ports.Firewalls(), `", "`)+`")`)
	f.StringVar(&o.format, "format", "", flags.FormatHelp)
	f.BoolVar(&o.noTrunc, "no-trunc", false, "Do not truncate the list of addresses")
	f.BoolVar(&o.encrypted, "encrypted", false, "Include what encrypted networks need, even if there is none yet")
	f.BoolVar(&o.published, "published", false, "Include the ports that services publish")
	o.contexts.install(cmd, dockerCLI)
	_ = cmd.RegisterFlagCompletionFunc("as", completion.FromList(append([]string{"table"}, ports.Firewalls()...)...))
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.NoFileCompletions)
	return cmd
}

func runPorts(ctx context.Context, cmd *cobra.Command, dockerCLI command.Cli, o portsOptions) error {
	if o.as != "table" {
		if err := ports.CheckFirewall(o.as); err != nil {
			return err
		}
		if o.format != "" {
			return problem.New("--format %q and --as %s exclude each other", o.format, o.as).WithCode(problem.Usage)
		}
	}
	l, err := o.contexts.look(ctx, cmd, dockerCLI)
	if err != nil {
		return err
	}
	if o.as != "table" {
		if len(l.swarms)+len(l.failed) > 1 {
			return problem.New("--as %s writes the rules of one swarm, and these are %d contexts", o.as, len(l.swarms)+len(l.failed)).
				WithNext("Run it once for each: docker -c CONTEXT swarmnet ports --as %s", o.as).WithCode(problem.Usage)
		}
		if err := l.err(false); err != nil {
			return err
		}
	}
	var rows []format.Row
	for _, at := range l.swarms {
		needs := ports.Of(at.s, o.encrypted)
		if !o.published {
			needs.Published = nil
		}
		if o.as != "table" {
			script, err := ports.Script(o.as, needs)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(dockerCLI.Out(), script)
			return err
		}
		for _, u := range needs.Unknown {
			_, _ = fmt.Fprintf(dockerCLI.Err(), "warning: the swarm does not tell the address of node %q; it is not in this list\n", u)
		}
		for _, rule := range append(needs.Rules, needs.Published...) {
			r := portRowOf(rule, o.noTrunc || o.format != "")
			r.Context = text.Clean(at.s.Context)
			rows = append(rows, r)
		}
	}
	return l.write(dockerCLI, portTable(), o.format, false, rows)
}

func portTable() format.Table {
	return format.Table{
		Default: "table {{.PortProtocol}}\t{{.From}}\t{{.To}}\t{{.Addresses}}\t{{.Purpose}}",
		Names: format.Names{
			"PortProtocol": "PORT", "Port": "PORT", "Protocol": "PROTOCOL", "From": "FROM", "To": "TO",
			"FromAddresses": "FROM ADDRESSES", "ToAddresses": "TO ADDRESSES", "Addresses": "ADDRESSES",
			"Nodes": "NODES", "Purpose": "PURPOSE",
			"Context": "CONTEXT", "Error": "ERROR",
		},
	}
}

// portRow is a line of "ports" and an object of its JSON.
type portRow struct {
	format.Header `json:"-"`

	Context string
	// Error is empty here; a context that has no answer is a row of its own.
	Error string `json:"-"`
	// PortProtocol is docker's "7946/tcp", or "esp".
	PortProtocol string `json:"-"`
	Port         int
	Protocol     string
	From, To     string
	Purpose      string
	// Nodes are the nodes that must let the traffic in.
	Nodes                      format.List
	FromAddresses, ToAddresses format.List
	// Addresses are the ToAddresses, cut to what a table can bear.
	Addresses string `json:"-"`
}

// addressesShown is how many addresses fit into a line of the table.
const addressesShown = 3

func portRowOf(r ports.Rule, whole bool) *portRow {
	row := &portRow{
		PortProtocol: r.String(), Port: r.Port, Protocol: r.Protocol, From: r.From.Name, To: r.To.Name, Purpose: r.Purpose,
		Nodes: format.List{}, FromAddresses: format.List{}, ToAddresses: format.List{},
	}
	for _, h := range r.From.Hosts {
		row.FromAddresses = append(row.FromAddresses, h.Addr.String())
	}
	for _, h := range r.To.Hosts {
		row.Nodes = append(row.Nodes, h.Name)
		row.ToAddresses = append(row.ToAddresses, h.Addr.String())
	}
	shown := row.ToAddresses
	if more := len(shown) - addressesShown; more > 0 && !whole {
		row.Addresses = fmt.Sprintf("%s,+%d more", shown[:addressesShown], more)
	} else {
		row.Addresses = shown.String()
	}
	if row.Addresses == "" {
		row.Addresses = format.Dash
	}
	return row
}
