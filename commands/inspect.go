package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/inspect"
	"github.com/docker/cli/cli/flags"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/members"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
)

type inspectOptions struct {
	refs    []string
	format  string
	pretty  bool
	verbose bool

	contexts contextsOption
}

func newInspectCommand(dockerCLI command.Cli) *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:   "inspect [OPTIONS] NETWORK [NETWORK...]",
		Short: "Show a network in detail",
		Long: `Show networks as "docker network inspect" does, with one key more: "Swarmnet" holds
what is spread over the swarm: addresses, services, tasks and containers.`,
		Example: `  # All that is known, as JSON
  docker swarmnet inspect docknet

  # For people
  docker swarmnet inspect --pretty docknet

  # Networks of that name in two swarms, in one array
  docker swarmnet inspect --contexts east,west docknet

  # One value, for a script
  docker swarmnet inspect --format '{{(index .IPAM.Config 0).Subnet}}' docknet`,
		Args: cli.RequiresMinArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.refs = args
			return runInspect(cmd.Context(), cmd, dockerCLI, o)
		},
		ValidArgsFunction: completeNetworks(dockerCLI, 0),
	}
	f := cmd.Flags()
	f.StringVarP(&o.format, "format", "f", "", flags.InspectFormatHelp)
	f.BoolVar(&o.pretty, "pretty", false, "Print for people instead of JSON")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "Ask the engine for its gossip view of the network too")
	o.contexts.install(cmd, dockerCLI)
	cmd.MarkFlagsMutuallyExclusive("format", "pretty")
	return cmd
}

func runInspect(ctx context.Context, cmd *cobra.Command, dockerCLI command.Cli, o inspectOptions) error {
	l, err := o.contexts.look(ctx, cmd, dockerCLI)
	if err != nil {
		return err
	}
	if o.pretty {
		var failed []error
		for i, at := range l.swarms {
			if i > 0 {
				_, _ = fmt.Fprintln(dockerCLI.Out())
			}
			failed = append(failed, inspectPretty(dockerCLI.Out(), at.s, o.refs))
		}
		return errors.Join(append(failed, l.err(false))...)
	}
	// Every reference in every swarm, by its place in this list.
	type asked struct {
		at  looked
		ref string
	}
	var all []asked
	var keys []string
	for _, at := range l.swarms {
		for _, ref := range o.refs {
			keys = append(keys, strconv.Itoa(len(all)))
			all = append(all, asked{at, ref})
		}
	}
	err = inspect.Inspect(dockerCLI.Out(), keys, o.format, func(key string) (any, []byte, error) {
		i, err := strconv.Atoi(key)
		if err != nil {
			return nil, nil, err
		}
		s := all[i].at.s
		n, err := anyNetwork(s, all[i].ref)
		if err != nil {
			return nil, nil, err
		}
		raw, err := withMembers(ctx, all[i].at.engine, s, n, o.verbose)
		if err != nil {
			return nil, nil, err
		}
		var tree any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		return tree, raw, d.Decode(&tree)
	})
	return errors.Join(err, l.err(false))
}

// swarmView is what inspect adds to the engine's own answer.
type swarmView struct {
	Context   string
	ClusterID string
	Allocated bool
	Addresses []usageRow
	Members   []*memberRow
}

// withMembers returns the engine's JSON of a network with the key "Swarmnet"
// added. Everything the engine says stays as it says it, so that what reads
// "docker network inspect" reads this too.
func withMembers(ctx context.Context, e *engine.Engine, s *swarm.Snapshot, n swarm.Network, verbose bool) ([]byte, error) {
	raw, err := e.InspectNetwork(ctx, n.ID, verbose)
	if err != nil || !n.Overlay() {
		return raw, err
	}
	view := swarmView{Context: s.Context, ClusterID: s.Cluster.ID, Allocated: n.Allocated(), Addresses: usageRows(s, n)}
	for _, m := range members.Of(s, n, false) {
		view.Members = append(view.Members, memberRowOf(m, s.Taken, true))
	}
	add, err := json.Marshal(view)
	if err != nil {
		return nil, err
	}
	raw = bytes.TrimRight(raw, " \n")
	if len(raw) < 2 || raw[len(raw)-1] != '}' {
		return nil, errors.New("the engine's answer is not a JSON object")
	}
	out := bytes.Clone(raw[:len(raw)-1])
	out = append(out, `,"Swarmnet":`...)
	out = append(out, add...)
	return append(out, '}'), nil
}

func inspectPretty(out io.Writer, s *swarm.Snapshot, refs []string) error {
	var failed []error
	for i, ref := range refs {
		n, err := anyNetwork(s, ref)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if i > 0 {
			_, _ = fmt.Fprintln(out)
		}
		if err := prettyNetwork(out, s, n); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

func prettyNetwork(out io.Writer, s *swarm.Snapshot, n swarm.Network) error {
	line := func(key, value string) { _, _ = fmt.Fprintf(out, "%-14s %s\n", key+":", text.Clean(value)) }
	line("Name", n.Name)
	line("ID", n.ID)
	line("Context", s.Context)
	line("Driver", orDash(n.Driver))
	line("Scope", n.Scope)
	line("Created", n.Created.UTC().Format("2006-01-02 15:04:05 MST"))
	line("Flags", orDash(networkFlags(n).String()))
	line("MTU", networkMTU(n))
	for _, u := range usageRows(s, n) {
		line("Subnet", u.Sentence())
	}
	for _, k := range sortedKeys(n.Options) {
		line("Option", k+"="+n.Options[k])
	}
	for _, k := range sortedKeys(n.Labels) {
		line("Label", k+"="+n.Labels[k])
	}
	if !n.Overlay() {
		return nil
	}
	_, _ = fmt.Fprintln(out)
	return writeMembers(out, s, n)
}
