package commands

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/flags"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

func newIngressCommand(dockerCLI command.Cli) *cobra.Command {
	var userFormat string
	var noTrunc bool
	cmd := &cobra.Command{
		Use:   "ingress [OPTIONS]",
		Short: "Show the ingress network and the ports published through it, or make it anew",
		Long: `Show the network of the routing mesh: its subnet, addresses used and free, the MTU that
containers get, the nodes it spans and the ports that services publish through it.`,
		Example: `  # The ingress network
  docker swarmnet ingress

  # Its published ports, for a script
  docker swarmnet ingress --format '{{.Ports}}'

  # Make it anew on another subnet
  docker swarmnet ingress recreate --subnet 10.200.0.0/16`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runIngress(cmd.Context(), dockerCLI, userFormat, noTrunc)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := cmd.Flags()
	f.StringVar(&userFormat, "format", "", flags.FormatHelp)
	f.BoolVar(&noTrunc, "no-trunc", false, "Do not truncate IDs")
	cmd.AddCommand(newIngressRecreateCommand(dockerCLI))
	return cmd
}

func runIngress(ctx context.Context, dockerCLI command.Cli, userFormat string, noTrunc bool) error {
	_, s, err := lookAsManager(ctx, dockerCLI)
	if err != nil {
		return err
	}
	n, ok := s.Ingress()
	if !ok {
		return problem.New("the swarm of context %q has no ingress network: no service can publish a port in the routing mesh", s.Context).
			WithNext("Run 'docker -c %s swarmnet ingress recreate' to make one; with --resume, if one was being made anew.", s.Context)
	}
	return ingressTable().Write(dockerCLI.Out(), userFormat, false, []format.Row{ingressRowOf(s, n, noTrunc)})
}

func ingressTable() format.Table {
	return format.Table{
		Default: "table {{.ID}}\t{{.Name}}\t{{.Subnet}}\t{{.Used}}\t{{.Free}}\t{{.MTU}}\t{{.Nodes}}\t{{.Flags}}\t{{.Ports}}",
		Names: format.Names{
			"ID": "NETWORK ID", "Name": "NAME", "Subnet": "SUBNET", "Used": "USED", "Free": "FREE",
			"MTU": "MTU", "Nodes": "NODES", "Flags": "FLAGS", "Ports": "PORTS",
		},
	}
}

// ingressRow is the ingress network in "ingress".
type ingressRow struct {
	format.Header `json:"-"`

	ID     string
	Name   string
	Subnet format.List
	Used   int
	Free   int
	MTU    string
	Nodes  int
	Flags  format.List
	// Ports are "web:8080->80/tcp" of all services, in the order of their
	// published numbers.
	Ports format.List
}

func ingressRowOf(s *swarm.Snapshot, n swarm.Network, noTrunc bool) *ingressRow {
	usage := addr.Usage(s, n)
	r := &ingressRow{
		ID: format.ShortID(n.ID, noTrunc), Name: text.Clean(n.Name), Used: usage.InUse.Total(), Free: usage.Free,
		MTU: networkMTU(n), Nodes: len(s.Nodes), Flags: networkFlags(n), Ports: format.List{}, Subnet: format.List{},
	}
	for _, sub := range n.Subnets {
		r.Subnet = append(r.Subnet, sub.Prefix.String())
	}
	type published struct {
		swarm.Port
		service string
	}
	var ports []published
	for _, sv := range s.Services {
		for _, p := range sv.Ports {
			if p.Mode == "ingress" {
				ports = append(ports, published{p, sv.Name})
			}
		}
	}
	slices.SortFunc(ports, func(a, b published) int {
		return cmp.Or(cmp.Compare(a.Published, b.Published), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.service, b.service))
	})
	for _, p := range ports {
		r.Ports = append(r.Ports, fmt.Sprintf("%s:%d->%d/%s", text.Clean(p.service), p.Published, p.Target, p.Protocol))
	}
	return r
}
