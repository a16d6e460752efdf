package commands

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/flags"
	"github.com/docker/cli/opts"
	"github.com/fvbommel/sortorder"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/overview"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

type lsOptions struct {
	all     bool
	format  string
	quiet   bool
	noTrunc bool
	filter  opts.FilterOpt

	contexts contextsOption
}

func newLsCommand(dockerCLI command.Cli) *cobra.Command {
	o := lsOptions{filter: opts.NewFilterOpt()}
	cmd := &cobra.Command{
		Use:     "ls [OPTIONS]",
		Aliases: []string{"list"},
		Short:   "List overlay networks with their addresses, services and tasks",
		Long: `List the overlay networks of the swarm: subnet, addresses used and free, services and
tasks on them, the MTU that containers get, and flags.

Filters: name=TEXT, id=TEXT, label=KEY or KEY=VALUE, driver=NAME, scope=swarm|local|global,
dangling=true|false (nobody on it).`,
		Example: `  # The overlay networks
  docker swarmnet ls

  # docker_gwbridge and the engine's other local networks too
  docker swarmnet ls --all

  # Networks that nobody uses
  docker swarmnet ls --filter dangling=true

  # Those of two swarms in one table
  docker swarmnet ls --contexts east,west

  # For a script
  docker swarmnet ls --format '{{.Name}} {{.Subnet}} {{.Free}}'`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runLs(cmd.Context(), cmd, dockerCLI, o)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := cmd.Flags()
	f.BoolVarP(&o.all, "all", "a", false, "Show local networks of the engine too")
	f.StringVar(&o.format, "format", "", flags.FormatHelp)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "Only display network IDs")
	f.BoolVar(&o.noTrunc, "no-trunc", false, "Do not truncate IDs")
	f.VarP(&o.filter, "filter", "f", `Filter by conditions (such as "name=docknet")`)
	o.contexts.install(cmd, dockerCLI)
	return cmd
}

func runLs(ctx context.Context, cmd *cobra.Command, dockerCLI command.Cli, o lsOptions) error {
	filter, err := networkFilter(o.filter)
	if err != nil {
		return err
	}
	l, err := o.contexts.look(ctx, cmd, dockerCLI)
	if err != nil {
		return err
	}
	var rows []format.Row
	for _, at := range l.swarms {
		list := overview.Networks(at.s, o.all, filter)
		slices.SortFunc(list, func(a, b overview.Network) int { return natural(a.Name, b.Name) })
		for _, n := range list {
			r := networkRowOf(n, o.noTrunc)
			r.Context = text.Clean(at.s.Context)
			rows = append(rows, r)
		}
	}
	return l.write(dockerCLI, networkTable(o.all), o.format, o.quiet, rows)
}

// networkFilter reads -f in the words of "docker network ls".
func networkFilter(f opts.FilterOpt) (overview.Filter, error) {
	out := overview.Filter{}
	args := f.Value()
	for _, key := range args.Keys() {
		values := args.Get(key)
		switch key {
		case "name":
			out.Names = values
		case "id":
			out.IDs = values
		case "label":
			out.Labels = values
		case "driver":
			out.Drivers = values
		case "scope":
			out.Scopes = values
		case "dangling":
			b, err := strconv.ParseBool(values[0])
			if err != nil {
				return out, problem.New("invalid filter dangling=%s: must be true or false", values[0]).WithCode(problem.Usage)
			}
			out.Dangling = &b
		default:
			return out, problem.New("invalid filter %q", key).
				WithNext("Use one of name, id, label, driver, scope, dangling.").WithCode(problem.Usage)
		}
	}
	return out, nil
}

func networkTable(all bool) format.Table {
	t := format.Table{
		Default: "table {{.ID}}\t{{.Name}}\t{{.Subnet}}\t{{.Used}}\t{{.Free}}\t{{.Services}}\t{{.Tasks}}\t{{.MTU}}\t{{.Flags}}",
		Quiet:   "{{.ID}}",
		Names: format.Names{
			"ID": "NETWORK ID", "Name": "NAME", "Driver": "DRIVER", "Scope": "SCOPE", "Subnet": "SUBNET",
			"Used": "USED", "Free": "FREE", "Services": "SERVICES", "Tasks": "TASKS", "Containers": "CONTAINERS",
			"MTU": "MTU", "Flags": "FLAGS", "Labels": "LABELS", "CreatedAt": "CREATED AT",
			"Context": "CONTEXT", "Error": "ERROR",
		},
	}
	if all {
		t.Default = "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}\t{{.Subnet}}\t{{.Used}}\t{{.Free}}\t{{.Services}}\t{{.Tasks}}\t{{.MTU}}\t{{.Flags}}"
	}
	return t
}

// count is a number that may not be known.
type count struct {
	n     int
	known bool
}

func (c count) String() string {
	if !c.known {
		return format.Dash
	}
	return strconv.Itoa(c.n)
}

// MarshalJSON writes null for what is not known.
func (c count) MarshalJSON() ([]byte, error) {
	if !c.known {
		return []byte("null"), nil
	}
	return []byte(c.String()), nil
}

// networkRow is a line of "ls" and an object of its JSON.
type networkRow struct {
	format.Header `json:"-"`

	Context    string
	ID         string
	Name       string
	Driver     string
	Scope      string
	Subnet     format.List
	Used       count
	Free       count
	Services   count
	Tasks      count
	Containers count
	MTU        string
	Flags      format.List
	Labels     map[string]string
	CreatedAt  string
	// Error is empty here; a context that has no answer is a row of its own.
	Error string `json:"-"`
}

func networkRowOf(n overview.Network, noTrunc bool) *networkRow {
	r := &networkRow{
		ID: format.ShortID(n.ID, noTrunc), Name: text.Clean(n.Name), Driver: orDash(text.Clean(n.Driver)), Scope: text.Clean(n.Scope),
		Used: count{n.Used, n.Overlay()}, Free: count{n.Free, n.Overlay()},
		Services: count{n.Services, n.Overlay()}, Tasks: count{n.Tasks, n.Overlay()},
		Containers: count{n.Containers, n.Overlay()},
		MTU:        networkMTU(n.Network), Flags: networkFlags(n.Network), Labels: cleanMap(n.Labels),
		CreatedAt: n.Created.String(),
	}
	for _, sub := range n.Subnets {
		r.Subnet = append(r.Subnet, sub.Prefix.String())
	}
	return r
}

// networkFlags says in words what is special about a network.
func networkFlags(n swarm.Network) format.List {
	var out format.List
	for _, f := range []struct {
		is   bool
		word string
	}{
		{n.Overlay() && !n.Allocated(), "unallocated"},
		{n.Ingress, "ingress"},
		{n.Attachable, "attachable"},
		{n.Overlay() && n.Encrypted(), "encrypted"},
		{n.Internal, "internal"},
		{n.IPv6, "ipv6"},
		{n.ConfigOnly, "config-only"},
	} {
		if f.is {
			out = append(out, f.word)
		}
	}
	return out
}

func natural(a, b string) int {
	switch {
	case a == b:
		return 0
	case sortorder.NaturalLess(a, b):
		return -1
	default:
		return 1
	}
}

func orDash(s string) string { return cmp.Or(s, format.Dash) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func cleanMap(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[text.Clean(k)] = text.Clean(v)
	}
	return out
}
