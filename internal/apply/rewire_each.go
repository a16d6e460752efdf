package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/rewire"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// RewireSite is a swarm in which services are to change their networks.
type RewireSite struct {
	Rewiring
	Engine Rewirer
	Wishes []rewire.Wish
}

// RewireEach carries the changes out in one swarm after the other. When one
// fails, those before it get their old networks back too. Interrupted,
// everything stays as it is.
func RewireEach(ctx context.Context, sites []RewireSite, sink event.Sink) error {
	finished := make([][]Rewired, len(sites))
	for i, site := range sites {
		done, err := site.services(ctx, site.Engine, site.Wishes, event.In(site.Context, sink))
		if err == nil {
			finished[i] = done
			continue
		}
		var p *problem.Error
		if ctx.Err() != nil && errors.As(err, &p) {
			for _, left := range sites[i+1:] {
				p.Msg += fmt.Sprintf("; nor context %q", left.Context)
			}
			return p
		}
		for j := i - 1; j >= 0; j-- {
			err = sites[j].undoAll(ctx, sites[j].Engine, finished[j], err, event.In(sites[j].Context, sink))
		}
		return err
	}
	return nil
}
