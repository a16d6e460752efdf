package commands

import (
	"strconv"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// allAtOnce is the wave of all contexts.
const allAtOnce = "all"

// planned plans the stack for the chosen contexts, or for the one that Docker
// chose.
func (o *stackDeployOptions) planned(cmd *cobra.Command, dockerCLI command.Cli, args []string) ([]*plannedStack, error) {
	ctx := cmd.Context()
	if err := o.validateWave(); err != nil {
		return nil, err
	}
	names, err := o.contexts.chosen(cmd, dockerCLI)
	if err != nil {
		return nil, err
	}
	switch {
	case len(names) == 0 && cmd.Flags().Changed("wave"):
		return nil, problem.New("--wave is for several swarms, and no contexts were named").WithNext("Name them with --contexts.").WithCode(problem.Usage)
	case len(names) > 0 && o.plan != "":
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

func (o *stackDeployOptions) validateWave() error {
	if n, err := strconv.Atoi(o.wave); o.wave != allAtOnce && (err != nil || n < 1) {
		return problem.New("--wave %q: use a number of contexts, or \"all\"", o.wave).WithCode(problem.Usage)
	}
	return nil
}

// first is how many swarms the first wave has; 0 for all.
func (o *stackDeployOptions) first() int {
	n, err := strconv.Atoi(o.wave)
	if err != nil {
		return 0
	}
	return n
}
