package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/swarmnet/docker-swarmnet/internal/apply"
	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/display"
)

// stackDeployOptions are the flags of deploy that are for stacks.
type stackDeployOptions struct {
	stackOptions
	waves   wavesOption
	confirm confirmOption
	plan    string
	// own are the names of these flags.
	own []string
}

// installFlags adds the flags beside those of docker's "service create".
func (o *stackDeployOptions) installFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	before := map[string]bool{}
	f.VisitAll(func(flag *pflag.Flag) { before[flag.Name] = true })
	o.install(f)
	o.complete(cmd)
	f.StringVar(&o.plan, "plan", "", `Carry out only what "docker swarmnet plan --out" has written to this file`)
	_ = cmd.MarkFlagFilename("plan")
	o.confirm.install(cmd)
	f.VisitAll(func(flag *pflag.Flag) {
		if !before[flag.Name] {
			o.own = append(o.own, flag.Name)
		}
	})
}

// wanted tells whether the command line is about a stack.
func (o *stackDeployOptions) wanted(cmd *cobra.Command) bool {
	return cmd.Flags().Changed("compose-file")
}

// arguments holds the arguments to an image, or to at most the name of a stack.
func (o *stackDeployOptions) arguments(cmd *cobra.Command, args []string) error {
	if o.wanted(cmd) {
		return cli.RequiresMaxArgs(1)(cmd, args)
	}
	return cli.RequiresMinArgs(1)(cmd, args)
}

// completeName completes the name of a stack.
func (o *stackDeployOptions) completeName(cmd *cobra.Command, dockerCLI command.Cli, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if o.wanted(cmd) && len(args) == 0 {
		return completeStacks(dockerCLI)(cmd, args, word)
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// refuse returns an error when a flag for stacks was given without a file.
func (o *stackDeployOptions) refuse(cmd *cobra.Command) error {
	for _, name := range o.own {
		if cmd.Flags().Changed(name) {
			return problem.New("--%s is for a stack, and no Compose file was named", name).WithNext("Name one with -c FILE.").WithCode(problem.Usage)
		}
	}
	return nil
}

// refuseService returns an error when a flag for a single service was given
// together with a file.
func refuseService(cmd *cobra.Command, service *pflag.FlagSet) error {
	var given []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		both := []string{"detach", "quiet", "with-registry-auth"}
		if service.Lookup(f.Name) != nil && !slices.Contains(both, f.Name) {
			given = append(given, "--"+f.Name)
		}
	})
	if len(given) == 0 {
		return nil
	}
	return problem.New("%s: for a single service, and -c deploys a stack", strings.Join(given, ", ")).
		WithNext("Write it into the Compose file.").WithCode(problem.Usage)
}

func runDeployStack(cmd *cobra.Command, dockerCLI command.Cli, o deployOptions, st stackDeployOptions, service *pflag.FlagSet, args []string) error {
	ctx := cmd.Context()
	if err := refuseService(cmd, service); err != nil {
		return err
	}
	if err := o.validateOnFailure(); err != nil {
		return err
	}
	detach, err := cmd.Flags().GetBool("detach")
	if err != nil {
		return err
	}
	if st.registryAuth, err = cmd.Flags().GetBool("with-registry-auth"); err != nil {
		return err
	}
	if quiet, err := cmd.Flags().GetBool("quiet"); err == nil && quiet {
		o.mode = display.Quiet
	}
	planned, err := st.planned(cmd, dockerCLI, args)
	if err != nil {
		return err
	}
	if err := st.agree(ctx, dockerCLI, planned, o.mode); err != nil {
		return err
	}
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	var sites []apply.StackSite
	for _, ps := range planned {
		sites = append(sites, apply.StackSite{Engine: ps.engine, StackDeployment: apply.StackDeployment{
			Request: ps.request, Observed: ps.observed, Desired: ps.desired, Plan: ps.plan,
			Detach: detach, Leave: o.onFailure == "leave", Timeout: o.timeout, Again: st.again(planned), Log: ps.engine.TaskLog,
		}})
	}
	if len(sites) == 1 {
		err = apply.DeployStack(ctx, sites[0].Engine, sites[0].StackDeployment, sink)
	} else {
		err = apply.DeployStackEach(ctx, sites, st.waves.first(), sink)
	}
	if err != nil {
		return err
	}
	done() // what is printed now must not land among progress
	for _, s := range planned[0].plan.Steps {
		if s.Kind == plan.Service && s.Action != plan.Remove {
			_, _ = fmt.Fprintln(dockerCLI.Out(), text.Clean(s.Name))
		}
	}
	return nil
}

// agree shows the plan of every swarm and returns nil when they may be carried
// out: nothing stands in the way of any, it is the one that was pinned, and the
// user agrees to what is replaced and removed.
func (o *stackDeployOptions) agree(ctx context.Context, dockerCLI command.Cli, planned []*plannedStack, progress string) error {
	var blocked []error
	var names []string
	verbs := map[plan.Action]int{}
	for _, ps := range planned {
		if err := ps.plan.Err(); err != nil {
			blocked = append(blocked, err)
		}
		for _, s := range ps.plan.Destroys() {
			verbs[s.Action]++
		}
		names = append(names, ps.plan.Context)
	}
	if len(blocked) > 0 {
		return joined(blocked)
	}
	if o.plan != "" {
		if err := planned[0].matches(o.plan); err != nil {
			return err
		}
	}
	for _, ps := range planned {
		if progress != display.JSON && (progress != display.Quiet || len(verbs) > 0) {
			_, _ = fmt.Fprintln(dockerCLI.Err(), planText(ps.plan))
		}
		ps.warn(dockerCLI, len(planned) > 1)
	}
	if len(verbs) == 0 {
		return nil
	}
	var what []string
	for _, a := range []plan.Action{plan.Replace, plan.Remove} {
		if verbs[a] > 0 {
			what = append(what, fmt.Sprintf("%ss %s", a, text.Count(verbs[a], "object")))
		}
	}
	where := "context"
	if len(names) > 1 {
		where = "contexts"
	}
	return o.confirm.ask(ctx, dockerCLI, fmt.Sprintf("This %s of stack %q in %s %s. Continue?", strings.Join(what, " and "), text.Clean(planned[0].plan.Stack), where, quoted(names)))
}

// again is the command to go on with. A file read from standard input cannot be
// named.
func (o *stackDeployOptions) again(planned []*plannedStack) string {
	p := planned[0].plan
	var b strings.Builder
	if len(planned) == 1 {
		fmt.Fprintf(&b, "docker -c %s swarmnet deploy", p.Context)
	} else {
		var names []string
		for _, ps := range planned {
			names = append(names, ps.plan.Context)
		}
		fmt.Fprintf(&b, "docker swarmnet deploy --contexts %s --wave %s", strings.Join(names, ","), o.waves.wave)
	}
	for _, f := range o.files {
		b.WriteString(" -c " + f)
	}
	if o.prune {
		b.WriteString(" --prune")
	}
	return b.String() + " " + text.Clean(p.Stack)
}
