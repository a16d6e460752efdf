package commands

import (
	"context"
	"fmt"
	"strings"

	"github.com/docker/cli/cli/command"
	"github.com/spf13/cobra"

	"github.com/swarmnet/docker-swarmnet/internal/apply"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/rewire"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

// runInEach does in one swarm after the other what run does in one. What stands
// in the way in any of them is told before anything is changed.
func (o *rewireOptions) runInEach(ctx context.Context, cmd *cobra.Command, dockerCLI command.Cli, names []string, wish func(swarm.Network) rewire.Change) error {
	l, err := lookToChange(ctx, dockerCLI, names)
	if err != nil {
		return err
	}
	var sites []apply.RewireSite
	var shown strings.Builder
	var wrong []string
	services, restarts := 0, 0
	for _, at := range l.swarms {
		wishes, plan, err := o.decide(at.s, wish)
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		if o.format == "" {
			_, _ = fmt.Fprintf(&shown, "context %q\n", at.s.Context)
		}
		if err := showRewiring(&shown, plan, o.format); err != nil {
			return err
		}
		sv, tasks := plan.Changes()
		services, restarts = services+sv, restarts+tasks
		r := rewiring(at.engine, cmd, o.timeout)
		r.Detach = o.detach
		sites = append(sites, apply.RewireSite{Rewiring: r, Engine: at.engine, Wishes: wishes})
	}
	if len(wrong) > 0 {
		return problem.Join("nothing was changed", wrong)
	}
	if o.dryRun {
		_, _ = fmt.Fprint(dockerCLI.Out(), &shown)
		return nil
	}
	if services > 0 {
		_, _ = fmt.Fprint(dockerCLI.Err(), &shown)
	}
	if restarts > 0 {
		question := fmt.Sprintf("This restarts %s of %s in the contexts %s. Continue?", text.Count(restarts, "task"), text.Count(services, "service"), quoted(names))
		if err := o.ask(ctx, dockerCLI, question); err != nil {
			return err
		}
	}
	sink, done, err := o.open(dockerCLI)
	if err != nil {
		return err
	}
	defer done()
	if err := apply.RewireEach(ctx, sites, sink); err != nil {
		return err
	}
	done() // what is printed now must not land among progress
	var rows []format.Row
	for _, site := range sites {
		for _, w := range site.Wishes {
			rows = append(rows, &rewiredRow{Context: text.Clean(site.Context), Service: text.Clean(w.Service.Name)})
		}
	}
	return rewiredTable().Write(dockerCLI.Out(), "", false, rows)
}

func rewiredTable() format.Table {
	return format.Table{
		Default: "table {{.Context}}\t{{.Service}}",
		Names:   format.Names{"Context": "CONTEXT", "Service": "SERVICE"},
	}
}

// rewiredRow is a line of "attach" and "detach" in several contexts.
type rewiredRow struct {
	format.Header `json:"-"`

	Context string
	Service string
}
