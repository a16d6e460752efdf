package commands

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/completion"
	"github.com/docker/cli/cli/command/formatter"
	"github.com/morikuni/aec"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/check"
	"github.com/swarmnet/docker-swarmnet/internal/core/explain"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
)

type explainOptions struct {
	service, from, format string
}

func newExplainCommand(dockerCLI command.Cli) *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain [OPTIONS] SERVICE",
		Short: "Say why a service cannot be reached, step by step from symptom to cause",
		Long: `Walk through what a service needs to be reached: its networks, addresses, nodes, running
and healthy tasks, a name of its own, its place in the gossip, free ports, the kernel's
part. Each step comes with what was seen; the walk stops at the first that is broken and
says the cause and the command to type.

Nothing is started, changed or probed. The exit code is 2 when a step is broken.`,
		Example: `  # Why does nobody reach web?
  docker swarmnet explain web

  # Why does api not reach db?
  docker swarmnet explain db --from api

  # For a script: the first broken step
  docker swarmnet explain web --format json | jq -r '.Steps[] | select(.Status == "broken").Step'`,
		Args: cli.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.service = args[0]
			return runExplain(cmd.Context(), dockerCLI, o)
		},
		ValidArgsFunction: completeServices(dockerCLI, 1),
	}
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "Service that shall reach it")
	f.StringVar(&o.format, "format", "", `Print for people ("pretty") or as "json"`)
	_ = cmd.RegisterFlagCompletionFunc("from", completeServices(dockerCLI, 0))
	_ = cmd.RegisterFlagCompletionFunc("format", completion.FromList(formatter.PrettyFormatKey, formatter.JSONFormatKey))
	return cmd
}

func runExplain(ctx context.Context, dockerCLI command.Cli, o explainOptions) error {
	switch o.format {
	case "", formatter.PrettyFormatKey, formatter.JSONFormatKey:
	default:
		return problem.New("--format %q is neither pretty nor json", o.format).WithCode(problem.Usage)
	}
	e, s, err := lookAsManager(ctx, dockerCLI)
	if err != nil {
		return err
	}
	in, err := explainInput(ctx, e, s, o)
	if err != nil {
		return err
	}
	a := explanation{Context: text.Clean(s.Context), Service: text.Clean(in.Service.Name), From: text.Clean(o.from)}
	for _, st := range explain.Walk(in) {
		a.Steps = append(a.Steps, explainedStep{st.Name, st.Status, st.Evidence, st.Code})
		if st.Status != explain.Broken {
			continue
		}
		a.Cause, a.Fix = st.Cause, st.Fix
		if st.Task != "" {
			a.Log = e.TaskLog(ctx, st.Task, logLines)
		}
	}
	if err := a.write(dockerCLI, o.format); err != nil {
		return err
	}
	if a.Cause != "" {
		return problem.Silent(problem.Findings)
	}
	return nil
}

// logLines is how much of a task's log stands beside a cause.
const logLines = 5

func explainInput(ctx context.Context, e *engine.Engine, s *swarm.Snapshot, o explainOptions) (explain.Input, error) {
	in := explain.Input{Input: check.Input{Snapshots: []*swarm.Snapshot{s}, Kernels: map[string]check.Kernel{}}, Gossip: map[string]explain.Gossip{}}
	var err error
	if in.Service, err = oneService(s, o.service); err != nil {
		return in, err
	}
	if o.from != "" {
		from, err := oneService(s, o.from)
		if err != nil {
			return in, err
		}
		in.From = &from
	}
	if has, known := e.IPVS(s); known {
		in.Kernels[s.Context] = check.Kernel{IPVS: has}
	}
	var ids []string
	for _, n := range s.Networks {
		if n.Overlay() && n.Allocated() && in.Service.Wants(n) {
			ids = append(ids, n.ID)
		}
	}
	views, err := e.Gossip(ctx, ids)
	if err != nil {
		return in, err
	}
	for id, addrs := range views {
		in.Gossip[id] = explain.Gossip{Addrs: addrs}
	}
	return in, nil
}

// explanation is the JSON of "explain".
type explanation struct {
	Context, Service string
	From             string `json:",omitempty"`
	Steps            []explainedStep
	// Cause, Fix and Log are of the first broken step, if there is one.
	Cause string   `json:",omitempty"`
	Fix   string   `json:",omitempty"`
	Log   []string `json:",omitempty"`
}

type explainedStep struct {
	Step     string
	Status   explain.Status
	Evidence string
	Code     string `json:",omitempty"`
}

func (a explanation) write(dockerCLI command.Cli, format string) error {
	out := dockerCLI.Out()
	if format == formatter.JSONFormatKey {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		return enc.Encode(a)
	}
	colour := out.IsTerminal() && os.Getenv("NO_COLOR") == "" // no-color.org
	w := tabwriter.NewWriter(out, 0, 1, 2, ' ', 0)
	for _, s := range a.Steps {
		sign, paint := map[explain.Status]string{explain.OK: "✔", explain.Broken: "✘", explain.Unknown: "?"}[s.Status], aec.YellowF
		switch s.Status {
		case explain.OK:
			paint = aec.GreenF
		case explain.Broken:
			paint = aec.RedF
		case explain.Unknown:
		}
		if colour {
			sign = paint.Apply(sign)
		}
		_, _ = fmt.Fprintf(w, "%s %s\t%s\n", sign, s.Step, s.Evidence)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, line := range a.Log {
		_, _ = fmt.Fprintln(out, "  | "+line)
	}
	if a.Cause == "" {
		_, err := fmt.Fprintf(out, "\nNothing is broken that the manager can see.\n")
		return err
	}
	_, err := fmt.Fprintf(out, "\nCause: %s.\nFix:   %s\n", a.Cause, a.Fix)
	return err
}

// oneService returns the service that the user means by a whole ID or name, or
// by the beginning of an ID, as docker reads it.
func oneService(s *swarm.Snapshot, ref string) (swarm.Service, error) {
	if sv, ok := s.ServiceByID(ref); ok {
		return sv, nil
	}
	if sv, ok := s.ServiceByName(ref); ok {
		return sv, nil
	}
	var found []swarm.Service
	for _, sv := range s.Services {
		if ref != "" && strings.HasPrefix(sv.ID, ref) {
			found = append(found, sv)
		}
	}
	switch len(found) {
	case 0:
		return swarm.Service{}, problem.New("service %q not found in context %q", ref, s.Context).
			WithNext("Run 'docker -c %s service ls' to see the services there are.", s.Context)
	case 1:
		return found[0], nil
	}
	return swarm.Service{}, problem.New("%q is the beginning of %d IDs of services in context %q", ref, len(found), s.Context).
		WithNext("Use more of the ID.")
}
