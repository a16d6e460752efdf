package commands

import (
	"fmt"
	"io"
	"strings"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/flags"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

type planOptions struct {
	stack    stackOptions
	format   string
	quiet    bool
	exitCode bool
	out      string
	contexts contextsOption
}

func newPlanCommand(dockerCLI command.Cli) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan [OPTIONS] -c FILE [STACK]",
		Short: "Show what deploying a stack would change, and why",
		Long: `Compare a Compose file with the swarm and show, for every network, secret, config and
service of the stack, what "docker swarmnet deploy -c" would do with it, the cause (what
differs, old → new) and the effect: tasks that restart and in which order, addresses needed
and free, ports, and names that the DNS gains or loses. Nothing is changed.

All that stands in the way is told at once, and the exit code is then 1: objects that are
missing, ports that are taken, constraints that no node meets, addresses that do not suffice,
and networks that are there with other options, which a swarm never changes.

The file means what it means to "docker stack deploy". Without STACK, the stack has the
file's "name", else that of its directory. Values of environment variables, secrets and
configs are never shown.

--out writes a plan that "docker swarmnet deploy --plan" carries out later, and refuses to
when the file or an object of the swarm has changed since.`,
		Example: `  # What would change
  docker swarmnet plan -c compose.yaml web

  # In a pipeline: 0 nothing to do, 2 changes, 1 it cannot be done
  docker swarmnet plan -c compose.yaml -c production.yaml --exit-code web

  # Decide now, carry out later, and only what was decided
  docker swarmnet plan -c compose.yaml --out web.plan web
  docker swarmnet deploy -c compose.yaml --plan web.plan web

  # In two swarms
  docker swarmnet plan --contexts east,west -c compose.yaml web

  # Only names, for a script
  docker swarmnet plan -c compose.yaml --format '{{.Action}} {{.Kind}} {{.Name}}' web`,
		Args: cli.RequiresMaxArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPlan(cmd, dockerCLI, o, args)
		},
		ValidArgsFunction: completeStacks(dockerCLI),
	}
	f := cmd.Flags()
	o.stack.install(f)
	o.stack.complete(cmd)
	f.StringVar(&o.format, "format", "", flags.FormatHelp)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "Only display what would change, as KIND NAME")
	f.BoolVar(&o.exitCode, "exit-code", false, "Exit with 2 when there are changes")
	f.StringVar(&o.out, "out", "", `Write the plan to a file, for "deploy --plan"`)
	_ = cmd.MarkFlagFilename("out")
	o.contexts.install(cmd, dockerCLI)
	return cmd
}

func runPlan(cmd *cobra.Command, dockerCLI command.Cli, o planOptions, args []string) error {
	ctx := cmd.Context()
	st, err := o.stack.load(dockerCLI, args)
	if err != nil {
		return err
	}
	names, err := o.contexts.chosen(cmd, dockerCLI)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return planInEach(ctx, dockerCLI, o, st, names)
	}
	e, err := openCurrent(dockerCLI)
	if err != nil {
		return err
	}
	ps, err := planStack(ctx, dockerCLI, e, st, o.stack)
	if err != nil {
		return err
	}
	if err := writePlan(dockerCLI.Out(), o, ps.plan); err != nil {
		return err
	}
	ps.warn(dockerCLI, false)
	if err := ps.plan.Err(); err != nil {
		return err
	}
	if o.out != "" {
		if err := ps.save(o.out); err != nil {
			return err
		}
	}
	if o.exitCode && ps.plan.Changes() {
		return problem.Silent(problem.Findings)
	}
	return nil
}

func writePlan(out io.Writer, o planOptions, p plan.Plan) error {
	if o.format == "" && !o.quiet {
		_, err := io.WriteString(out, planText(p))
		return err
	}
	return planTable().Write(out, o.format, o.quiet, planRows(p, o.quiet))
}

// planText is the plan for people: each step with its cause and effect below.
func planText(p plan.Plan) string {
	marks := map[plan.Action]string{
		plan.Create: "+", plan.Update: "~", plan.Replace: "±", plan.Remove: "-", plan.Unchanged: "=", plan.Blocked: "!",
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Stack %q on context %q\n\n", text.Clean(p.Stack), p.Context)
	counts := map[plan.Action]int{}
	for _, s := range p.Steps {
		counts[s.Action]++
		fmt.Fprintf(&b, "%s %-9s  %-7s  %s\n", marks[s.Action], s.Action, s.Kind, text.Clean(s.Name))
		for _, c := range s.Cause {
			fmt.Fprintf(&b, "%s%s\n", planIndent, text.Clean(c.String()))
		}
		for _, more := range append(s.Effect.Lines(), s.Note) {
			if more != "" {
				fmt.Fprintf(&b, "%s%s\n", planIndent, more)
			}
		}
	}
	var sums []string
	for _, a := range []plan.Action{plan.Create, plan.Update, plan.Replace, plan.Remove, plan.Blocked, plan.Unchanged} {
		if n := counts[a]; n > 0 {
			sums = append(sums, fmt.Sprintf("%d %s", n, a))
		}
	}
	if len(sums) == 0 {
		sums = []string{"nothing"}
	}
	fmt.Fprintf(&b, "\nPlan: %s\n", strings.Join(sums, ", "))
	return b.String()
}

const planIndent = "                      "
