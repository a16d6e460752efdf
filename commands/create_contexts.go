package commands

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/docker/cli/cli/command"

	"github.com/swarmnet/docker-swarmnet/internal/apply"
	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/format"
	"github.com/swarmnet/docker-swarmnet/metadata"
)

// lookToChange looks at all the contexts that are named, to change something in
// each of them: one that has no answer is an error then.
func lookToChange(ctx context.Context, dockerCLI command.Cli, names []string) (*looks, error) {
	l, err := lookAtAll(ctx, dockerCLI, names)
	if err != nil {
		return nil, err
	}
	if err := l.err(false); err != nil {
		return nil, problem.New("nothing was changed: %w", err).WithCode(problem.Failed)
	}
	return l, nil
}

// createInEach creates the network in every one of the contexts, or in none.
func createInEach(ctx context.Context, dockerCLI command.Cli, o createOptions, wish netspec.Wish, names []string) error {
	if o.init {
		return problem.New("--init makes a swarm of one engine, and here are several").
			WithNext("Run 'docker -c CONTEXT swarm init' for each first.").WithCode(problem.Usage)
	}
	l, err := lookToChange(ctx, dockerCLI, names)
	if err != nil {
		return err
	}
	if o.sameSubnet && len(l.swarms) > 1 {
		_, _ = fmt.Fprintf(dockerCLI.Err(), "Warning: the same subnet in %d swarms rules out that they are ever connected: "+
			"no host, gateway or VPN can tell the addresses of one from those of another.\n", len(l.swarms))
	}
	if o.dryRun {
		return showCreateInEach(dockerCLI, l, wish, o.sameSubnet)
	}
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	var sites []apply.Site
	for _, at := range l.swarms {
		sites = append(sites, apply.Site{Engine: at.engine, Look: at.s})
	}
	made, err := apply.CreateEach(ctx, sites, wish, o.sameSubnet, sink)
	if err != nil {
		return err
	}
	done() // what is printed now must not land among progress
	var rows []format.Row
	for i, n := range made {
		r := &createdRow{Context: text.Clean(l.swarms[i].s.Context), ID: n.ID}
		for _, sub := range n.Subnets {
			r.Subnet = append(r.Subnet, sub.Prefix.String())
		}
		rows = append(rows, r)
	}
	return createdTable().Write(dockerCLI.Out(), "", false, rows)
}

// showCreateInEach says what would be created, on stdout: it is the result.
func showCreateInEach(dockerCLI command.Cli, l *looks, wish netspec.Wish, same bool) error {
	decisions, err := netspec.DecideEach(l.snapshots(), wish, same)
	if err != nil {
		return err
	}
	var rows []format.Row
	for i, d := range decisions {
		r := &createdRow{Context: text.Clean(l.swarms[i].s.Context), ID: format.Dash}
		subnets := d.Spec.Subnets
		if d.Existing != nil {
			r.ID, subnets = d.Existing.ID, d.Existing.Subnets
		}
		for _, sub := range subnets {
			r.Subnet = append(r.Subnet, sub.Prefix.String())
		}
		rows = append(rows, r)
	}
	return createdTable().Write(dockerCLI.Out(), "", false, rows)
}

func createdTable() format.Table {
	return format.Table{
		Default: "table {{.Context}}\t{{.ID}}\t{{.Subnet}}",
		Names:   format.Names{"Context": "CONTEXT", "ID": "ID", "Subnet": "SUBNET"},
	}
}

// createdRow is a line of "create" in several contexts.
type createdRow struct {
	format.Header `json:"-"`

	Context string
	ID      string
	Subnet  format.List
}

// keptAvoid returns the ranges that networks stay out of everywhere, from
// docker's config.json.
func keptAvoid(dockerCLI command.Cli) ([]netip.Prefix, error) {
	kept, ok := dockerCLI.ConfigFile().PluginConfig(metadata.Name, "avoid")
	if !ok {
		return nil, nil
	}
	return prefixes("plugins.swarmnet.avoid in docker's config.json", strings.Split(kept, ","))
}
