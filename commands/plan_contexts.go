package commands

import (
	"context"
	"fmt"
	"io"

	"github.com/docker/cli/cli/command"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/format"
	"github.com/swarmnet/docker-swarmnet/internal/stackfile"
)

// planInEach shows what deploying the stack would change in the swarm of every
// context. A context without an answer is told with its reason, and the others
// are shown all the same.
func planInEach(ctx context.Context, dockerCLI command.Cli, o planOptions, st *stackfile.Stack, names []string) error {
	if o.out != "" {
		return problem.New("--out writes the plan of one swarm, and here are several").
			WithNext("Write one for each: 'docker -c CONTEXT swarmnet plan --out FILE …'.").WithCode(problem.Usage)
	}
	l, err := lookAtAll(ctx, dockerCLI, names)
	if err != nil {
		return err
	}
	planned, err := planStackEach(ctx, dockerCLI, l, st, o.stack)
	if err != nil {
		return err
	}
	var plans []plan.Plan
	for _, ps := range planned {
		plans = append(plans, ps.plan)
	}
	if err := writePlans(dockerCLI, l, o, plans); err != nil {
		return err
	}
	var blocked []error
	changes := false
	for _, ps := range planned {
		ps.warn(dockerCLI, true)
		if err := ps.plan.Err(); err != nil {
			blocked = append(blocked, err)
		}
		changes = changes || ps.plan.Changes()
	}
	switch {
	case len(blocked) > 0:
		return joined(blocked)
	case len(l.failed) > 0:
		return problem.Silent(problem.Failed) // told above
	case o.exitCode && changes:
		return problem.Silent(problem.Findings)
	}
	return nil
}

// planStackEach plans the stack for all swarms that were looked at, side by
// side. One that cannot be planned for is a failed context.
func planStackEach(ctx context.Context, dockerCLI command.Cli, l *looks, st *stackfile.Stack, o stackOptions) ([]*plannedStack, error) {
	planned, failed := forEachSwarm(l, func(at looked) (*plannedStack, error) {
		return planStack(ctx, dockerCLI, at.engine, st, o)
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var out []*plannedStack
	for i, err := range failed {
		if err != nil {
			l.fail(l.swarms[i].s.Context, err)
			continue
		}
		out = append(out, planned[i])
	}
	return out, nil
}

// writePlans prints the plans, and the contexts that have none.
func writePlans(dockerCLI command.Cli, l *looks, o planOptions, plans []plan.Plan) error {
	if o.format == "" && !o.quiet {
		for i, p := range plans {
			if i > 0 {
				_, _ = fmt.Fprintln(dockerCLI.Out())
			}
			if _, err := io.WriteString(dockerCLI.Out(), planText(p)); err != nil {
				return err
			}
		}
		if err := l.err(false); err != nil {
			_, _ = fmt.Fprintln(dockerCLI.Err(), err)
		}
		return nil
	}
	var rows []format.Row
	for _, p := range plans {
		rows = append(rows, planRows(p, o.quiet)...)
	}
	err := l.write(dockerCLI, planTable(), o.format, o.quiet, rows)
	if err != nil && len(l.failed) > 0 {
		if err.Error() != "" {
			_, _ = fmt.Fprintln(dockerCLI.Err(), err)
		}
		return nil // the exit code is the caller's
	}
	return err
}
