package commands

import (
	"slices"
	"strconv"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

// allAtOnce is the wave of all contexts.
const allAtOnce = "all"

// wavesOption are the flags --contexts and --wave.
type wavesOption struct {
	contexts contextsOption
	wave     string
}

func (o *wavesOption) install(cmd *cobra.Command, dockerCLI command.Cli) {
	o.contexts.install(cmd, dockerCLI)
	cmd.Flags().StringVar(&o.wave, "wave", "1", `Of several contexts, how many come first, the rest when it is up there; or "all" at once`)
	_ = cmd.RegisterFlagCompletionFunc("wave", cobra.FixedCompletions([]string{"1", allAtOnce}, cobra.ShellCompDirectiveNoFileComp))
}

// chosen returns the names of the chosen contexts; none stands for the one that
// Docker chose.
func (o *wavesOption) chosen(cmd *cobra.Command, dockerCLI command.Cli) ([]string, error) {
	if n, err := strconv.Atoi(o.wave); o.wave != allAtOnce && (err != nil || n < 1) {
		return nil, problem.New("--wave %q: use a number of contexts, or \"all\"", o.wave).WithCode(problem.Usage)
	}
	names, err := o.contexts.chosen(cmd, dockerCLI)
	if err == nil && len(names) == 0 && cmd.Flags().Changed("wave") {
		return nil, problem.New("--wave is for several swarms, and no contexts were named").WithNext("Name them with --contexts.").WithCode(problem.Usage)
	}
	return names, err
}

// first is how many swarms the first wave has; 0 for all.
func (o *wavesOption) first() int {
	n, err := strconv.Atoi(o.wave)
	if err != nil {
		return 0
	}
	return n
}

// planned plans the stack for the chosen contexts, or for the one that Docker
// chose.
func (o *stackDeployOptions) planned(cmd *cobra.Command, dockerCLI command.Cli, args []string) ([]*plannedStack, error) {
	ctx := cmd.Context()
	names, err := o.waves.chosen(cmd, dockerCLI)
	if err != nil {
		return nil, err
	}
	if len(names) > 0 && o.plan != "" {
		return nil, problem.New("--plan is the plan of one swarm, and here are several").
			WithNext("Deploy in one after the other: 'docker -c CONTEXT swarmnet deploy --plan FILE …'.").WithCode(problem.Usage)
	}
	loaded, err := o.load(dockerCLI, args)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		e, err := openCurrent(dockerCLI)
		if err != nil {
			return nil, err
		}
		ps, err := planStack(ctx, dockerCLI, e, loaded, o.stackOptions)
		return []*plannedStack{ps}, err
	}
	l, err := lookToChange(ctx, dockerCLI, names)
	if err != nil {
		return nil, err
	}
	planned, err := planStackEach(ctx, dockerCLI, l, loaded, o.stackOptions)
	if err != nil {
		return nil, err
	}
	if err := l.err(false); err != nil {
		return nil, problem.New("nothing was changed: %w", err).WithCode(problem.Failed)
	}
	return planned, nil
}

// planServiceEach plans the service for the swarms of all contexts side by side.
// What stands in the way in any of them is told before anything is changed.
func planServiceEach(cmd *cobra.Command, dockerCLI command.Cli, names []string, docker dockerFlags, args []string) ([]*plannedService, error) {
	l, err := lookToChange(cmd.Context(), dockerCLI, names)
	if err != nil {
		return nil, err
	}
	planned, failed := forEachSwarm(l, func(at looked) (*plannedService, error) {
		return planServiceAt(cmd, dockerCLI, at, docker, args)
	})
	if cmd.Context().Err() != nil {
		return nil, cmd.Context().Err()
	}
	if failed = slices.DeleteFunc(failed, func(err error) bool { return err == nil }); len(failed) > 0 {
		return nil, joined(failed)
	}
	return planned, nil
}

func planServiceAt(cmd *cobra.Command, dockerCLI command.Cli, at looked, docker dockerFlags, args []string) (*plannedService, error) {
	if err := requireSupported(at.s, cmd.Flags()); err != nil {
		return nil, err
	}
	request, err := docker.record(cmd, dockerCLI, at.engine, args)
	if err != nil {
		return nil, problem.New("context %q: %w", at.s.Context, err).WithCode(problem.CodeOf(err))
	}
	return planService(cmd.Context(), at.engine, at.s, request)
}

// writeDeployed prints the IDs of a service that was deployed in several
// contexts.
func writeDeployed(dockerCLI command.Cli, planned []*plannedService, ids []string) error {
	var rows []format.Row
	for i, p := range planned {
		rows = append(rows, &deployedRow{Context: text.Clean(p.engine.Context()), ID: ids[i]})
	}
	t := format.Table{Default: "table {{.Context}}\t{{.ID}}", Names: format.Names{"Context": "CONTEXT", "ID": "ID"}}
	return t.Write(dockerCLI.Out(), "", false, rows)
}

// deployedRow is a line of "deploy" of a service in several contexts.
type deployedRow struct {
	format.Header `json:"-"`

	Context string
	ID      string
}
