package commands

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/flags"
	"github.com/docker/go-units"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/members"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

type psOptions struct {
	network string
	all     bool
	format  string
	quiet   bool
	noTrunc bool

	contexts contextsOption
}

func newPsCommand(dockerCLI command.Cli) *cobra.Command {
	var o psOptions
	cmd := &cobra.Command{
		Use:   "ps [OPTIONS] NETWORK",
		Short: "List everyone on a network: services, tasks and containers of all nodes",
		Long: `List everyone on a network over all nodes of the swarm: services with their
virtual address (VIP) and DNS names, their tasks with address, node and state, and
containers started with "docker run --network".`,
		Example: `  # Who is on docknet?
  docker swarmnet ps docknet

  # Ended tasks too, with whole IDs and errors
  docker swarmnet ps --all --no-trunc docknet

  # On the networks of that name in two swarms
  docker swarmnet ps --contexts east,west docknet

  # The address of every running task, for a script
  docker swarmnet ps --format '{{if eq .Kind "task"}}{{.Name}} {{.Address}}{{end}}' docknet`,
		Args: cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.network = args[0]
			return runPs(cmd.Context(), cmd, dockerCLI, o)
		},
		ValidArgsFunction: completeNetworks(dockerCLI, 1),
	}
	f := cmd.Flags()
	f.BoolVarP(&o.all, "all", "a", false, "Show ended tasks and containers too")
	f.StringVar(&o.format, "format", "", flags.FormatHelp)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "Only display IDs")
	f.BoolVar(&o.noTrunc, "no-trunc", false, "Do not truncate IDs and errors")
	o.contexts.install(cmd, dockerCLI)
	return cmd
}

func runPs(ctx context.Context, cmd *cobra.Command, dockerCLI command.Cli, o psOptions) error {
	l, err := o.contexts.look(ctx, cmd, dockerCLI)
	if err != nil {
		return err
	}
	var rows []format.Row
	for _, at := range l.swarms {
		n, err := oneNetwork(at.s, o.network)
		switch {
		case err != nil && l.several:
			l.fail(at.s.Context, err)
			continue
		case err != nil:
			return err
		}
		for _, m := range members.Of(at.s, n, o.all) {
			r := memberRowOf(m, at.s.Taken, o.noTrunc)
			r.Context = text.Clean(at.s.Context)
			rows = append(rows, r)
		}
	}
	return l.write(dockerCLI, memberTable(), o.format, o.quiet, rows)
}

func memberTable() format.Table {
	return format.Table{
		Default: "table {{.Indented}}\t{{.Kind}}\t{{.Address}}\t{{.Node}}\t{{.State}}\t{{.DNSNames}}\t{{.Error}}",
		Quiet:   "{{.ID}}",
		Names: format.Names{
			"ID": "ID", "Kind": "KIND", "Name": "NAME", "Indented": "NAME", "Service": "SERVICE", "Address": "ADDRESS",
			"Node": "NODE", "State": "STATE", "DNSNames": "DNS NAMES", "Error": "ERROR", "DesiredState": "DESIRED STATE",
			"Context": "CONTEXT",
		},
	}
}

// memberRow is a line of "ps" and an object of its JSON.
type memberRow struct {
	format.Header `json:"-"`

	Context string `json:",omitempty"`
	ID      string
	Kind    string
	Name    string
	Service string
	// Indented is the name, indented under its service in the table. It cannot
	// be called Label: the header has a method of that name (docker/cli
	// SubHeaderContext), and the table would lose its header.
	Indented     string `json:"-"`
	Address      string
	Node         string
	State        string
	DesiredState string
	DNSNames     format.List
	Error        string
}

func memberRowOf(m members.Member, now time.Time, noTrunc bool) *memberRow {
	r := &memberRow{
		ID: format.ShortID(m.ID, noTrunc), Kind: string(m.Kind), Name: text.Clean(m.Name), Service: text.Clean(m.Service),
		Address: addresses(m), Node: text.Clean(m.Node), DesiredState: string(m.Desired),
		Error: format.Ellipsis(text.Clean(m.Err), 60, noTrunc),
	}
	r.Indented = r.Name
	switch m.Kind {
	case members.Service:
		r.State = fmt.Sprintf("%d/%d running", m.Running, m.Wanted)
		r.DNSNames = append(format.List{m.Name}, others(m.Names, m.Name)...)
		r.DNSNames = append(r.DNSNames, "tasks."+m.Name)
	case members.Task:
		r.Indented = "  " + r.Name
		r.State = since(m, now)
	case members.Container:
		r.State = since(m, now)
	}
	return r
}

// since says the state of a task as "docker service ps" does.
func since(m members.Member, now time.Time) string {
	state := string(m.State)
	if state != "" {
		state = strings.ToUpper(state[:1]) + state[1:]
	}
	return fmt.Sprintf("%s %s ago", state, strings.ToLower(units.HumanDuration(now.Sub(m.Since))))
}

func others(names []string, name string) []string {
	var out []string
	for _, n := range names {
		if n != name {
			out = append(out, n)
		}
	}
	return out
}

// addresses are shown without the prefix length of their subnet, ready to be
// pasted after curl or ping.
func addresses(m members.Member) string {
	if len(m.Addrs) == 0 {
		if m.Kind == members.Service && m.EndpointMode == "dnsrr" {
			return "dnsrr"
		}
		return format.Dash
	}
	out := make([]string, len(m.Addrs))
	for i, a := range m.Addrs {
		out[i] = netip.Prefix.Addr(a).String()
	}
	return strings.Join(out, ",")
}
