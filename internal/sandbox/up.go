package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

const (
	// pollEvery is how often an engine or swarm under way is asked again. The
	// sockets are local and a refused connection costs next to nothing.
	pollEvery = 25 * time.Millisecond
	// pingLimit is how long an engine may take for one answer. Where the
	// machine is gone that has the address, nobody says no.
	pingLimit = 10 * time.Second
	// cleanUpLimit bounds what is done after an interrupt.
	cleanUpLimit = time.Minute
	swarmPort    = 2377
	// logLines is how much of a dead engine's log an error shows.
	logLines = 8
)

// UpOptions say what sandbox to make.
type UpOptions struct {
	Name     string
	Driver   string
	Nodes    int
	Managers int
	// ShortHostnames has the nodes call themselves n1, n2, … in their swarm.
	ShortHostnames bool
	// Engine is the root file system whose dockerd runs; empty for the machine's.
	Engine string
	// Timeout bounds the whole.
	Timeout time.Duration
}

func (o *UpOptions) validate() error {
	if err := ValidateName(o.Name); err != nil {
		return err
	}
	switch {
	case o.Nodes < 1 || o.Nodes > MaxNodes:
		return problem.New("a sandbox has 1 to %d nodes, not %d", MaxNodes, o.Nodes).WithCode(problem.Usage)
	case o.Managers < 1 || o.Managers > o.Nodes:
		return problem.New("of %d nodes, 1 to %d can be managers, not %d", o.Nodes, o.Nodes, o.Managers).WithCode(problem.Usage)
	}
	if o.Engine == "" {
		return nil
	}
	abs, err := filepath.Abs(o.Engine)
	if err != nil {
		return err
	}
	o.Engine = abs
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return problem.New("the engine root %q is not a folder", abs).
			WithNext("Make one, for instance: 'debootstrap --variant=minbase --include=docker.io,iptables,iproute2,ca-certificates trixie %s'.", abs)
	}
	return nil
}

// Up makes a sandbox. After an error nothing of it is left.
func (s *Sandboxes) Up(ctx context.Context, opts UpOptions) (*State, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	drv, err := newDriver(opts.Driver, s.opts.Events)
	if err != nil {
		return nil, err
	}
	st, err := newState(opts, s.opts.DockerConfig)
	if err != nil {
		return nil, err
	}
	if err := drv.Check(ctx, st); err != nil {
		return nil, err
	}
	unlock, err := s.claim(st, opts)
	if err != nil {
		return nil, err
	}
	defer unlock()

	limited, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	err = s.make(limited, drv, st)
	if err == nil {
		return st, nil
	}
	if why := context.Cause(limited); why != nil {
		err = gaveUp(ctx, st.Name, opts.Timeout, err)
	}
	return nil, s.undo(ctx, drv, st, err)
}

// gaveUp is the error of an interrupt or of a passed deadline.
func gaveUp(ctx context.Context, name string, limit time.Duration, last error) error {
	if ctx.Err() != nil {
		return &problem.Error{Msg: fmt.Sprintf("interrupted while sandbox %q was coming up", name), Code: problem.Interrupted, Err: ctx.Err()}
	}
	return &problem.Error{
		Msg:  fmt.Sprintf("sandbox %q did not come up within %v: %v", name, limit, last),
		Code: problem.TimedOut, Err: last,
	}
}

// undo takes down what was made before err, also after an interrupt.
func (s *Sandboxes) undo(ctx context.Context, drv driver, st *State, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpLimit)
	defer cancel()
	if undoErr := s.takeDown(ctx, drv, st); undoErr != nil {
		return errors.Join(err, undoErr)
	}
	return err
}

// make does the work of Up.
func (s *Sandboxes) make(ctx context.Context, drv driver, st *State) error {
	if err := s.contextsFree(st); err != nil {
		return err
	}
	if err := drv.Up(ctx, st); err != nil {
		return err
	}
	engines, err := s.dialAll(st)
	if err != nil {
		return err
	}
	defer closeAll(engines)
	if err := s.waitForEngines(ctx, drv, st, engines); err != nil {
		return err
	}
	if err := s.join(ctx, st, engines); err != nil {
		return err
	}
	if err := s.makeContexts(st); err != nil {
		return err
	}
	st.Phase, st.Maker = PhaseReady, Process{}
	return st.Save()
}

func (s *Sandboxes) dialAll(st *State) ([]Engine, error) {
	engines := make([]Engine, len(st.Nodes))
	for i, n := range st.Nodes {
		e, err := s.opts.Dial(n.Name, n.Host)
		if err != nil {
			return nil, err
		}
		engines[i] = e
	}
	return engines, nil
}

func closeAll(engines []Engine) {
	for _, e := range engines {
		_ = e.Close()
	}
}

// waitForEngines returns when all engines answer, or as soon as one has ended.
func (s *Sandboxes) waitForEngines(ctx context.Context, drv driver, st *State, engines []Engine) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, n := range st.Nodes {
		group.Go(func() error { return s.waitForEngine(ctx, drv, st, n, engines[i]) })
	}
	return group.Wait()
}

func (s *Sandboxes) waitForEngine(ctx context.Context, drv driver, st *State, n *Node, e Engine) error {
	err := poll(ctx, func() (bool, error) {
		if answersNow(ctx, e) {
			return true, nil
		}
		if !drv.Running(st, n) {
			if drv, ok := drv.(reporter); ok {
				if err := drv.Ended(st); err != nil {
					return false, err
				}
			}
			return false, problem.New("the engine of node %q has ended; its log's last lines:\n%s", n.Name, tail(n.Log))
		}
		return false, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the engine of node %q does not answer; its log's last lines:\n%s", n.Name, tail(n.Log))
	}
	if err == nil {
		s.tell(n, event.Working, "answers", "")
	}
	return err
}

func answersNow(ctx context.Context, e Engine) bool {
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	return e.Ping(ctx) == nil
}

// poll asks until the answer is yes or an error.
func poll(ctx context.Context, ask func() (bool, error)) error {
	for {
		done, err := ask()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

func (s *Sandboxes) tell(n *Node, kind event.Kind, state, detail string) {
	s.opts.Events.On(event.Event{Object: "node " + n.Name, Kind: kind, State: state, Detail: detail})
}

// inParallel does the same for every node and joins the errors.
func inParallel(nodes []*Node, do func(i int, n *Node) error) error {
	errs := make([]error, len(nodes))
	var wait sync.WaitGroup
	for i, n := range nodes {
		wait.Add(1)
		go func() {
			defer wait.Done()
			errs[i] = do(i, n)
		}()
	}
	wait.Wait()
	return errors.Join(errs...)
}

// tail returns the last lines of a log.
func tail(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return "  (" + err.Error() + ")"
	}
	lines := strings.Split(strings.TrimRight(text.Lines(string(data)), "\n"), "\n")
	if len(lines) > logLines {
		lines = lines[len(lines)-logLines:]
	}
	return "  " + strings.Join(lines, "\n  ")
}
