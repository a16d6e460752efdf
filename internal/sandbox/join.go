package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// slowHeartbeat is how often the nodes inside a guest kernel report to the
// manager, which takes a node for down after three silent periods. While such a
// node sets up the routing mesh, it may be silent for longer than three times the
// default of 5 s, and its tasks would be started elsewhere.
const slowHeartbeat = 30 * time.Second

// join makes one swarm of the engines: the first node begins it, the other
// managers join one after the other, as the raft group takes one change at a
// time, then the workers all at once.
func (s *Sandboxes) join(ctx context.Context, st *State, engines []Engine) error {
	first := st.Nodes[0]
	var heartbeat time.Duration
	if st.Driver == DriverUML {
		heartbeat = slowHeartbeat
	}
	if err := engines[0].InitSwarm(ctx, first.Address.String(), heartbeat); err != nil {
		return err
	}
	s.tell(first, event.Good, "ready", "manager")
	worker, manager, err := engines[0].JoinTokens(ctx)
	if err != nil {
		return err
	}
	remote := fmt.Sprintf("%s:%d", first.Address, swarmPort)
	for i := 1; i < st.Managers; i++ {
		if err := engines[i].JoinSwarm(ctx, st.Nodes[i].Address.String(), remote, manager); err != nil {
			return err
		}
		s.tell(st.Nodes[i], event.Good, "ready", "manager")
	}
	var group errgroup.Group
	for i := st.Managers; i < len(engines); i++ {
		group.Go(func() error {
			if err := engines[i].JoinSwarm(ctx, st.Nodes[i].Address.String(), remote, worker); err != nil {
				return err
			}
			s.tell(st.Nodes[i], event.Good, "ready", "worker")
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return waitForNodes(ctx, engines[0], len(engines))
}

func waitForNodes(ctx context.Context, manager SwarmEngine, want int) error {
	var ready int
	var last error
	err := poll(ctx, func() (bool, error) {
		ready, last = manager.ReadyNodes(ctx)
		return last == nil && ready == want, nil
	})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%d of %d nodes are ready in the swarm: %w", ready, want, errors.Join(err, last))
	}
	return err
}
