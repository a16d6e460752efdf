// Package apply carries out what was decided. It decides nothing about a
// swarm; it does, waits, and says what happened.
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/members"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// NetworkRemover is what removing a network needs of an engine.
type NetworkRemover interface {
	Look(ctx context.Context) (*swarm.Snapshot, error)
	RemoveNetwork(ctx context.Context, id string) error
}

// settle is the time between two looks at tasks that are ending.
const settle = 300 * time.Millisecond

// RemoveNetwork removes a network once nobody is on it: it refuses while
// somebody holds it, waits for tasks that are ending, and returns when the
// swarm no longer lists it. The wait matters: a network that goes before its
// last task leaks that task's addresses on its other networks (moby#37338).
// The context's deadline bounds the wait.
func RemoveNetwork(ctx context.Context, e NetworkRemover, n swarm.Network, sink event.Sink) error {
	object := "network " + n.Name
	var waiting []members.Member
	var refused error // what the engine said last, to listing networks or to removing this one
	// signs are those that the network is gone: that the engine has removed it, and
	// every look without it. One alone is none: an engine that cannot ask its swarm
	// lists its own networks only.
	signs := 0
	for {
		s, err := lookAnswered(ctx, e, sink)
		switch {
		case engine.IsNetworkGone(err):
			refused = err // one may fail to list networks while one of them goes (seen on 26.1)
		case err != nil:
			return stopped(ctx, n, waiting, err)
		default:
			now, there := s.NetworkByID(n.ID)
			if !there {
				if signs++; signs > 1 {
					sink.On(event.Event{Object: object, Kind: event.Good, State: "removed"})
					return nil
				}
				break
			}
			signs = 0
			r := members.RemovalOf(s, now)
			if len(r.Holders) > 0 {
				return held(s.Context, now, r.Holders)
			}
			if waiting = r.Leaving; len(waiting) > 0 {
				sink.On(event.Event{Object: object, Kind: event.Working, State: "waiting", Detail: "for " + names(waiting) + " to end"})
				break
			}
			refused = answered(ctx, sink, func() error { return e.RemoveNetwork(ctx, n.ID) })
			switch {
			case refused == nil:
				signs++
			case !engine.IsInUse(refused) && !engine.IsNetworkGone(refused):
				return refused // otherwise the next look tells
			}
		}
		if pause(ctx, settle); ctx.Err() != nil {
			return stopped(ctx, n, waiting, refused)
		}
	}
}

// held names every holder and the command that frees the network of it.
func held(dockerContext string, n swarm.Network, holders []members.Holder) error {
	var who, free []string
	for _, h := range holders {
		who = append(who, text.Clean(h.Who))
		if way := "  " + text.Clean(h.Free); !slices.Contains(free, way) {
			free = append(free, way) // of two on one lost node it is the same
		}
	}
	p := problem.Join(fmt.Sprintf("network %q of context %q is in use", text.Clean(n.Name), dockerContext), who)
	return p.WithNext("To free it:\n%s", strings.Join(free, "\n"))
}

// stopped is the error for a wait that ended before the network was gone.
func stopped(ctx context.Context, n swarm.Network, waiting []members.Member, err error) error {
	left := "nothing was removed"
	if len(waiting) > 0 {
		left += "; still there: " + names(waiting)
	}
	if err == nil {
		err = ctx.Err()
	} else if !errors.Is(err, ctx.Err()) {
		left += "; the engine said: " + text.Clean(err.Error())
	}
	again := fmt.Sprintf("Run 'docker swarmnet rm %s' to go on.", text.Clean(n.Name))
	p := problem.New("network %q: %s", text.Clean(n.Name), left).WithNext("%s", again)
	p.Err = err
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		p.Msg = fmt.Sprintf("network %q: not free in time, %s", text.Clean(n.Name), left)
		return p.WithCode(problem.TimedOut)
	case ctx.Err() != nil:
		p.Msg = fmt.Sprintf("network %q: interrupted, %s", text.Clean(n.Name), left)
		return p.WithCode(problem.Interrupted)
	}
	return err
}

// names lists members, a handful at the most.
func names(ms []members.Member) string {
	const most = 5
	var out []string
	for i, m := range ms {
		if i == most {
			out = append(out, fmt.Sprintf("and %d more", len(ms)-most))
			break
		}
		name := string(m.Kind) + " " + text.Clean(m.Name)
		if m.Node != "" {
			name += " on " + text.Clean(m.Node)
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}
