package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// NetworkCreator is what creating a network needs of an engine.
type NetworkCreator interface {
	Look(ctx context.Context) (*swarm.Snapshot, error)
	Networks(ctx context.Context) ([]swarm.Network, error)
	CreateNetwork(ctx context.Context, spec swarm.NetworkSpec) (string, error)
	RemoveNetwork(ctx context.Context, id string) error
}

const (
	// allocation is the time between two looks at a network that the swarm is
	// allocating, which takes it some 20 ms.
	allocation = 50 * time.Millisecond
	// attempts is how often another subnet is chosen when somebody else takes
	// the chosen one at the same moment. One of those who collide wins each
	// time, so this is how many may create networks at once.
	attempts = 10
	// undo bounds the removal of a network that could not be allocated; it
	// happens after the deadline of the command itself.
	undo = 10 * time.Second
)

// CreateNetwork creates the network that is wished for, unless it is there,
// and returns it once the swarm has allocated it: with driver, subnet and
// VXLAN number, without which its tasks would stay in New (moby#37921). s is
// the look that preceded. A network that the swarm cannot allocate is removed
// again. The context's deadline bounds the wait.
func CreateNetwork(ctx context.Context, e NetworkCreator, s *swarm.Snapshot, w netspec.Wish, sink event.Sink) (swarm.Network, error) {
	object := "network " + w.Spec.Name
	var lost string
	for range attempts {
		d, err := netspec.Decide(s, w)
		if err != nil {
			return swarm.Network{}, err
		}
		if n := d.Existing; n != nil {
			if n.Allocated() {
				sink.On(event.Event{Object: object, Kind: event.Good, State: "unchanged"})
				return *n, nil
			}
			return allocated(ctx, e, s.Context, n.ID, w.Spec, false, sink)
		}
		id, err := createNetwork(ctx, e, s.Context, d.Spec)
		if err == nil {
			n, err := allocated(ctx, e, s.Context, id, d.Spec, true, sink)
			var race *collision
			if !errors.As(err, &race) {
				return n, err
			}
			lost = race.with
		} else if !engine.IsConflict(err) {
			return swarm.Network{}, err
		}
		// Somebody created the name, or a network on the subnet, since the look.
		if s, err = engine.LookWhole(ctx, e); err != nil {
			return swarm.Network{}, err
		}
	}
	return swarm.Network{}, problem.New("network %q could not be created in context %q, and nothing is left of it: somebody else took its addresses %d times (%s)", w.Spec.Name, s.Context, attempts, lost).
		WithNext("Try again when no other networks are being created.").WithCode(problem.RolledBack)
}

// createNetwork asks for the network. When ctx ends meanwhile, and no answer
// comes, the error says that nobody knows what became of it.
func createNetwork(ctx context.Context, e NetworkCreator, dockerContext string, spec swarm.NetworkSpec) (id string, err error) {
	asked, cancel := toItsEnd(ctx)
	defer cancel()
	id, err = e.CreateNetwork(asked, spec)
	if err != nil && asked.Err() != nil {
		return "", cutShort(ctx, err, fmt.Sprintf("network %q was being created in context %q: whether it is there", spec.Name, dockerContext)).
			WithNext("Run 'docker -c %s swarmnet ls' to see, or the same 'docker swarmnet create' again to go on.", dockerContext)
	}
	return id, err
}

// collision tells that another network has got the addresses.
type collision struct{ with string }

func (c *collision) Error() string { return c.with }

// allocated waits until the network has all that it needs. One that is our
// own is removed when it cannot come to that.
func allocated(ctx context.Context, e NetworkCreator, dockerContext, id string, spec swarm.NetworkSpec, own bool, sink event.Sink) (swarm.Network, error) {
	object := "network " + spec.Name
	state := "unchanged"
	if own {
		state = "created"
		sink.On(event.Event{Object: object, Kind: event.Working, State: "allocating"})
	}
	for {
		list, err := e.Networks(ctx)
		if _, ok := byID(list, id); err == nil && !ok {
			// An engine that cannot ask its swarm lists its own networks only.
			var s *swarm.Snapshot
			if s, err = engine.LookWhole(ctx, e); err == nil {
				list = s.Networks
			}
		}
		if err == nil {
			n, ok := byID(list, id)
			switch {
			case !ok:
				return n, problem.New("network %q of context %q was removed while it was being allocated", spec.Name, dockerContext)
			case n.Allocated():
				sink.On(event.Event{Object: object, Kind: event.Good, State: state, Detail: n.Subnets[0].Prefix.String()})
				return n, nil
			}
			if with, lost := netspec.Lost(id, spec, list); lost && own {
				if err := removeAgain(ctx, e, id, spec.Name, dockerContext); err != nil {
					return n, err
				}
				return n, &collision{with}
			}
		} else if ctx.Err() == nil {
			return swarm.Network{}, unknown(spec.Name, dockerContext, err)
		}
		select {
		case <-ctx.Done():
			return swarm.Network{}, notAllocated(ctx, e, id, spec.Name, dockerContext, own)
		case <-time.After(allocation):
		}
	}
}

func byID(list []swarm.Network, id string) (swarm.Network, bool) {
	for _, n := range list {
		if n.ID == id {
			return n, true
		}
	}
	return swarm.Network{}, false
}

// unknown is the error for an engine that stopped answering after the network
// was created.
func unknown(name, dockerContext string, err error) error {
	return problem.New("network %q was asked for in context %q, and whether it is allocated is not known: %w", name, dockerContext, err).
		WithNext("Run 'docker -c %s swarmnet create %s' again with the same options to go on.", dockerContext, name)
}

// notAllocated ends a wait at its deadline or at an interruption. An
// interruption leaves the network; a deadline takes back what is ours.
func notAllocated(ctx context.Context, e NetworkCreator, id, name, dockerContext string, own bool) error {
	again := fmt.Sprintf("Run 'docker -c %s swarmnet create %s' again with the same options to go on, or 'docker -c %[1]s swarmnet rm %[2]s' to remove it.", dockerContext, name)
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return problem.New("network %q of context %q: interrupted; it exists, and the swarm has not allocated it yet", name, dockerContext).
			WithNext("%s", again).WithCode(problem.Interrupted)
	}
	const why = "the swarm did not allocate it in time: its manager may have lost the quorum, or another network cannot be allocated and holds up the rest (moby#37921)"
	if !own {
		return problem.New("network %q of context %q exists, and %s", name, dockerContext, why).WithNext("%s", again).WithCode(problem.TimedOut)
	}
	if err := removeAgain(ctx, e, id, name, dockerContext); err != nil {
		return err
	}
	return problem.New("network %q was removed again from context %q: %s", name, dockerContext, why).
		WithNext("Run 'docker -c %s node ls' to see the managers, and 'docker -c %[1]s swarmnet ls' for networks without a subnet.", dockerContext).WithCode(problem.RolledBack)
}

// removeAgain takes back a network of our own, also after the command's time
// is over.
func removeAgain(ctx context.Context, e NetworkRemover, id, name, dockerContext string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undo)
	defer cancel()
	err := e.RemoveNetwork(ctx, id)
	if engine.IsNotFound(err) {
		// An engine that cannot ask its swarm says that too.
		err = RemoveNetwork(ctx, e, swarm.Network{ID: id, Name: name}, event.Discard)
	}
	if err != nil {
		return problem.New("network %q of context %q could neither be allocated nor removed again: %w", name, dockerContext, err).
			WithNext("Remove it with 'docker -c %s network rm %s'.", dockerContext, id).WithCode(problem.RollbackFailed)
	}
	return nil
}
