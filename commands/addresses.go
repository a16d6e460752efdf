package commands

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/flags"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/ledger"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

type addressesOptions struct {
	format   string
	noTrunc  bool
	pick     string
	pools    []string
	avoid    []string
	leaked   bool
	contexts contextsOption
}

func newAddressesCommand(dockerCLI command.Cli) *cobra.Command {
	var o addressesOptions
	cmd := &cobra.Command{
		Use:   "addresses [OPTIONS]",
		Short: "Show how full every subnet is, what is left to cut networks from, and what overlaps",
		Long: `Show the address book of one swarm or several: how full every subnet of every overlay
network is, how many blocks are left in the pools that networks are cut from, and which
networks overlap each other or the address of a node.

USABLE counts the addresses that can go to services (VIP), tasks, containers and load
balancers (LB, one for each node with a task). FITS is the largest number of replicas
with which one more service with a virtual address still fits, at worst. A network of
which 80% is used is near full.

--pick prints a block that is free in all the swarms and nothing else. It takes the
default pools that the swarms have in common, unless --pool names a range.

What networks shall stay away from everywhere can be kept in docker's config.json, as
"plugins": {"swarmnet": {"avoid": "10.50.0.0/16,192.168.0.0/16"}}; the contexts to look
at when none is named as "contexts": "east,west".`,
		Example: `  # The address book of this swarm
  docker swarmnet addresses

  # Of several swarms, with what overlaps between them
  docker swarmnet addresses --contexts east,west

  # A block that is free in both, for a script
  docker swarmnet addresses --contexts east,west --pick /22

  # Subnets that are nearly full
  docker swarmnet addresses --format '{{if .NearFull}}{{.Network}} {{.Percent}}{{end}}'`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runAddresses(cmd.Context(), cmd, dockerCLI, o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", flags.FormatHelp)
	f.BoolVar(&o.noTrunc, "no-trunc", false, "Do not truncate IDs")
	f.StringVar(&o.pick, "pick", "", `Print a free block of this size, such as "/22", and nothing else`)
	f.StringSliceVar(&o.pools, "pool", nil, "Range to pick from (default the swarms' own pools)")
	f.StringSliceVar(&o.avoid, "avoid", nil, "Range to keep free when picking")
	f.BoolVar(&o.leaked, "leaked", false, "Ask for leaked addresses however many networks there are")
	o.contexts.install(cmd, dockerCLI)
	cmd.MarkFlagsMutuallyExclusive("pick", "format")
	cmd.MarkFlagsMutuallyExclusive("pick", "leaked")
	return cmd
}

func runAddresses(ctx context.Context, cmd *cobra.Command, dockerCLI command.Cli, o addressesOptions) error {
	pick, err := o.request(cmd, dockerCLI)
	if err != nil {
		return err
	}
	l, err := o.contexts.look(ctx, cmd, dockerCLI)
	if err != nil {
		return err
	}
	if pick != nil {
		// What cannot be read is unknown, and a block is free only where all is
		// known.
		if err := l.err(false); err != nil {
			return err
		}
		block, err := pick.choose(l.snapshots())
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(dockerCLI.Out(), block)
		return err
	}
	if err := l.readReported(ctx, dockerCLI, o.leaked); err != nil {
		return err
	}
	snapshots := l.snapshots()
	var rows []format.Row
	for _, s := range snapshots {
		for _, line := range ledger.Lines(s) {
			rows = append(rows, addressRowOf(line, o.noTrunc))
		}
	}
	switch o.format {
	case "", "table":
		failed := l.write(dockerCLI, addressTable(), o.format, false, rows)
		if err := writePoolsAndOverlaps(dockerCLI, snapshots); err != nil {
			return err
		}
		return failed
	case "json":
		for _, p := range ledger.Pools(snapshots) {
			rows = append(rows, poolRowOf(p))
		}
		for _, v := range ledger.Overlaps(snapshots) {
			rows = append(rows, overlapRowOf(v))
		}
	}
	return l.write(dockerCLI, addressTable(), o.format, false, rows)
}

// pickRequest is what --pick asks for.
type pickRequest struct {
	bits         int
	pools, avoid []netip.Prefix
}

// request reads --pick and what goes with it; nil where nothing is to be
// picked.
func (o addressesOptions) request(cmd *cobra.Command, dockerCLI command.Cli) (*pickRequest, error) {
	if !cmd.Flags().Changed("pick") {
		if len(o.pools)+len(o.avoid) > 0 {
			return nil, problem.New("--pool and --avoid say what to pick from").WithNext("Add --pick /SIZE.").WithCode(problem.Usage)
		}
		return nil, nil
	}
	bits, err := addr.ParseSize(o.pick)
	if err != nil {
		return nil, problem.New("--pick: %w", err).WithCode(problem.Usage)
	}
	r := &pickRequest{bits: bits}
	if r.pools, err = prefixes("--pool", o.pools); err != nil {
		return nil, err
	}
	if r.avoid, err = prefixes("--avoid", o.avoid); err != nil {
		return nil, err
	}
	always, err := keptAvoid(dockerCLI)
	r.avoid = append(r.avoid, always...)
	return r, err
}

// prefixes reads ranges of addresses, as --pool and --avoid take them.
func prefixes(where string, words []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, w := range words {
		if w = strings.TrimSpace(w); w == "" {
			continue
		}
		p, err := addr.ParsePrefix(w)
		if err != nil {
			return nil, problem.New("%s: %w", where, err).WithCode(problem.Usage)
		}
		out = append(out, p)
	}
	return out, nil
}

// choose returns a block that is free in all the swarms.
func (r pickRequest) choose(snapshots []*swarm.Snapshot) (netip.Prefix, error) {
	taken := addr.TakenBy(snapshots...)
	taken.Avoid(r.avoid...)
	if len(r.pools) > 0 {
		return addr.Choose(addr.Request{Pools: r.pools, Bits: r.bits}, taken)
	}
	var requests []addr.Request
	for _, s := range snapshots {
		requests = append(requests, addr.DefaultRequest(s))
	}
	shared, err := addr.Shared(requests...)
	if err != nil {
		return netip.Prefix{}, err
	}
	shared.Bits = r.bits
	return addr.Choose(shared, taken)
}

func writePoolsAndOverlaps(dockerCLI command.Cli, snapshots []*swarm.Snapshot) error {
	var pools, overlaps []format.Row
	for _, p := range ledger.Pools(snapshots) {
		pools = append(pools, poolRowOf(p))
	}
	for _, v := range ledger.Overlaps(snapshots) {
		overlaps = append(overlaps, overlapRowOf(v))
	}
	for _, section := range []struct {
		table format.Table
		rows  []format.Row
	}{{poolTable(), pools}, {overlapTable(), overlaps}} {
		if len(section.rows) == 0 {
			continue
		}
		_, _ = fmt.Fprintln(dockerCLI.Out())
		if err := section.table.Write(dockerCLI.Out(), "", false, section.rows); err != nil {
			return err
		}
	}
	return nil
}
