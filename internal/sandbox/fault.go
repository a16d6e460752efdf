package sandbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// Do does a fault to a node and records it. After FaultStart it waits, within
// limit, until the engine answers.
func (s *Sandboxes) Do(ctx context.Context, node string, f Fault, limit time.Duration) error {
	name, err := s.owner(node)
	if err != nil {
		return err
	}
	return s.change(name, func(st *State) error {
		n := st.Node(node)
		if n == nil {
			return problem.New("sandbox %q has no node %q", name, node)
		}
		if status := s.status(st); status == StatusStale || status == StatusBroken {
			return problem.New("sandbox %q is %s", name, status).
				WithNext("Run 'docker swarmnet sandbox down %s', then 'docker swarmnet sandbox up %s --driver %s'.", name, name, st.Driver)
		}
		return s.fault(ctx, st, n, f, limit)
	})
}

func (s *Sandboxes) fault(ctx context.Context, st *State, n *Node, f Fault, limit time.Duration) error {
	drv, err := newDriver(st.Driver, s.opts.Events)
	if err != nil {
		return err
	}
	if f == FaultStart && drv.Running(st, n) {
		s.tell(n, event.Good, "running", "")
		return nil
	}
	s.tell(n, event.Working, string(f), "")
	if err := drv.Fault(ctx, st, n, f); err != nil {
		return fmt.Errorf("%s node %q: %w", f, n.Name, err)
	}
	states := map[Fault]string{FaultStop: "stopped", FaultStart: "running", FaultCut: "cut", FaultHeal: "healed"}
	switch f {
	case FaultStop, FaultStart:
		n.Stopped = f == FaultStop
	case FaultCut, FaultHeal:
		n.Cut = f == FaultCut
	}
	if err := st.Save(); err != nil {
		return err
	}
	if f == FaultStart {
		if err := s.answers(ctx, drv, st, n, limit); err != nil {
			return err
		}
	}
	s.tell(n, event.Good, states[f], "")
	return nil
}

func (s *Sandboxes) answers(ctx context.Context, drv driver, st *State, n *Node, limit time.Duration) error {
	e, err := s.opts.Dial(n.Name, n.Host)
	if err != nil {
		return err
	}
	defer e.Close()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err = s.waitForEngine(limited, drv, st, n, e)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return problem.New("%w", err).WithCode(problem.TimedOut)
	}
	return err
}

// owner returns the sandbox that a node belongs to.
func (s *Sandboxes) owner(node string) (string, error) {
	i := strings.LastIndex(node, "-n")
	if i > 0 {
		if st, err := loadState(s.root, node[:i]); err == nil && st.Node(node) != nil {
			return st.Name, nil
		}
	}
	p := problem.New("there is no sandbox node %q", node)
	if nodes := NodeNames(); len(nodes) > 0 {
		return "", p.WithNext("There is: %s.", strings.Join(nodes, ", "))
	}
	return "", p.WithNext("Run 'docker swarmnet sandbox up' to make some.")
}

// Interrupted tells whether err is the end of a command by its user.
func Interrupted(err error) bool { return errors.Is(err, context.Canceled) }
