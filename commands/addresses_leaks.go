package commands

import (
	"context"
	"fmt"

	"github.com/docker/cli/cli/command"
	"golang.org/x/sync/errgroup"

	"github.com/swarmnet/docker-swarmnet/internal/core/ledger"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
)

// maxUnasked is how many networks of a swarm are asked for their engine's own
// count, at a call each, when the user has not asked for it.
const maxUnasked = 32

// readReported reads what the engines count, where they do, and looks again
// where addresses seem to be leaked: the count may be of a later moment than
// the first look. What cannot be read is said on stderr and stays unknown.
func (l *looks) readReported(ctx context.Context, dockerCLI command.Cli, asked bool) error {
	notes := make([]string, len(l.swarms))
	var g errgroup.Group
	g.SetLimit(maxContexts)
	for i := range l.swarms {
		at := &l.swarms[i]
		var ids []string
		for _, n := range at.s.Networks {
			if n.Overlay() {
				ids = append(ids, n.ID)
			}
		}
		if !asked && len(ids) > maxUnasked {
			continue
		}
		g.Go(func() error {
			known, err := at.engine.ReadReported(ctx, at.s, ids)
			switch {
			case err != nil:
				notes[i] = fmt.Sprintf("leaked addresses are not known: %s", reason(err))
			case !known && asked:
				notes[i] = fmt.Sprintf("leaked addresses are not known in context %q: its engine (%s) does not count addresses, 29.0 and newer do", at.s.Context, at.s.Engine.Version)
			case known && ledger.AnyLeaks(at.s):
				again, err := engine.LookWhole(ctx, at.engine)
				if err != nil {
					return err
				}
				at.s = ledger.Confirmed(at.s, again)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, n := range notes {
		if n != "" {
			_, _ = fmt.Fprintln(dockerCLI.Err(), n)
		}
	}
	return ctx.Err()
}

func (l *looks) snapshots() []*swarm.Snapshot {
	var out []*swarm.Snapshot
	for _, at := range l.swarms {
		out = append(out, at.s)
	}
	return out
}
