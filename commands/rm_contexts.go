package commands

import (
	"context"
	"fmt"
	"strings"

	"github.com/docker/cli/cli/command"
	"golang.org/x/sync/errgroup"

	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

// removeFromEach removes the networks, or the stack, from the swarms of all
// contexts, side by side. What fails in one is a row of the table, and its error is told whole on
// stderr; the others go on. named tells that the user has named the contexts.
func removeFromEach(ctx context.Context, dockerCLI command.Cli, o rmOptions, names []string, named bool) error {
	l, err := lookAtAll(ctx, dockerCLI, names)
	if err != nil {
		return err
	}
	if !named {
		question := fmt.Sprintf("This removes %s in the contexts %s, which docker's config.json keeps for swarmnet. Continue?", quoted(o.refs), quoted(names))
		if err := o.ask(ctx, dockerCLI, question); err != nil {
			return err
		}
	}
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, context.DeadlineExceeded)
	defer cancel()
	errs := make([][]error, len(l.swarms))
	var g errgroup.Group
	for i, at := range l.swarms {
		here := event.In(at.s.Context, sink)
		g.Go(func() error {
			for _, ref := range o.refs {
				var err error
				if o.stack != "" {
					_, err = removeStack(ctx, at.engine, o, here)
				} else {
					err = removeOne(ctx, at.engine, at.s, ref, here, o.force)
				}
				errs[i] = append(errs[i], err)
			}
			return nil
		})
	}
	_ = g.Wait()
	done() // what is printed now must not land among progress
	var rows []format.Row
	var failed []error
	for i, at := range l.swarms {
		for j, ref := range o.refs {
			if err := errs[i][j]; err != nil {
				failed = append(failed, err)
				l.fail(at.s.Context, err)
				continue
			}
			rows = append(rows, &removedRow{Context: text.Clean(at.s.Context), Network: text.Clean(ref)})
		}
	}
	silent := l.write(dockerCLI, removedTable(), "", false, rows)
	if len(failed) > 0 {
		return joined(failed)
	}
	return silent
}

func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(out, ", ")
}

func removedTable() format.Table {
	return format.Table{
		Default: "table {{.Network}}",
		Names:   format.Names{"Context": "CONTEXT", "Network": "REMOVED", "Error": "ERROR"},
	}
}

// removedRow is a line of "rm" in several contexts.
type removedRow struct {
	format.Header `json:"-"`

	Context string
	Network string
	// Error is empty here; a context that has no answer is a row of its own.
	Error string `json:"-"`
}
