package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// Down takes a sandbox down, running, half made or stale, and looks whether
// anything of it is left.
func (s *Sandboxes) Down(ctx context.Context, name string) error {
	return s.change(name, func(st *State) error {
		drv, err := newDriver(st.Driver, s.opts.Events)
		if err != nil {
			return err
		}
		return s.takeDown(ctx, drv, st)
	})
}

// takeDown removes all of a sandbox. What cannot be removed is named and stays
// on record, so that Down can be tried again.
func (s *Sandboxes) takeDown(ctx context.Context, drv driver, st *State) error {
	object := "sandbox " + st.Name
	s.opts.Events.On(event.Event{Object: object, Kind: event.Working, State: "stopping"})
	if _, err := os.Stat(filepath.Join(st.Dir, stateFile)); err == nil {
		st.Phase = PhaseStopping
		if err := st.Save(); err != nil {
			return err
		}
	}
	left, err := drv.Down(ctx, st)
	if len(left) > 0 || err != nil {
		return s.remaining(st, left, err)
	}
	if err := s.removeContexts(st); err != nil {
		return s.remaining(st, nil, err)
	}
	if err := os.RemoveAll(st.Dir); err != nil {
		return s.remaining(st, []string{"files below " + st.Dir}, err)
	}
	s.removeRoot()
	s.opts.Events.On(event.Event{Object: object, Kind: event.Good, State: "removed"})
	return nil
}

func (s *Sandboxes) remaining(st *State, left []string, err error) error {
	msg := fmt.Sprintf("sandbox %q is not gone", st.Name)
	if len(left) > 0 {
		msg += "; there still is: " + strings.Join(left, ", ")
	}
	if err != nil {
		msg += ": " + err.Error()
	}
	s.opts.Events.On(event.Event{Object: "sandbox " + st.Name, Kind: event.Bad, State: "not removed"})
	p := problem.Error{Msg: msg, Err: err}
	return p.WithNext("Run 'docker swarmnet sandbox down %s' again.", st.Name)
}

// removeContexts removes the contexts that lead to the sandbox's nodes, and no
// context of that name which the user has since pointed elsewhere.
func (s *Sandboxes) removeContexts(st *State) error {
	if len(st.Nodes) == 0 {
		return nil
	}
	contexts := s.opts.Contexts(st.DockerConfig)
	var errs []error
	for name, ours := range contextNames(st) {
		host, exists, err := contexts.Host(name)
		if err == nil && exists && host == ours && ours != "" {
			err = contexts.Remove(name)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("remove the docker context %q: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// removeRoot removes the folder of all sandboxes when it holds none any more,
// and the one above it, which is ours where the root is the usual one.
func (s *Sandboxes) removeRoot() {
	if os.Remove(s.root) == nil && s.root == defaultRoot {
		_ = os.Remove(filepath.Dir(defaultRoot))
	}
}

// All lists the sandboxes by name.
func (s *Sandboxes) All() ([]string, error) {
	names, err := sandboxNames(s.root)
	sort.Strings(names)
	return names, err
}
