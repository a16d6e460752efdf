package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// Site is a swarm that a network is to be created in.
type Site struct {
	Engine NetworkCreator
	// Look is the last look at it.
	Look *swarm.Snapshot
}

const (
	// yielding is how long the network of somebody else, which is the one to
	// move, is waited for before ours moves: what made it may know nothing of
	// ours, or clocks of the swarms may differ.
	yielding = 3 * time.Second
	// yieldLook is the time between two looks at it.
	yieldLook = 200 * time.Millisecond
)

// CreateEach creates the network that is wished for in every one of the swarms,
// on subnets that overlap nothing in any of them (with same: on one and the
// same), or in none: when one fails, those made are removed again. It returns
// the networks in the order of the sites.
//
// Who else creates networks at the same time cannot be kept out. So all swarms
// are looked at again afterwards, and the loser of two networks that overlap
// (netspec.Clash) moves to another subnet.
func CreateEach(ctx context.Context, sites []Site, w netspec.Wish, same bool, sink event.Sink) ([]swarm.Network, error) {
	c := &creation{sites: sites, wish: w, same: same, sink: sink, networks: make([]swarm.Network, len(sites)), ours: make([]string, len(sites))}
	err := c.run(ctx)
	if err == nil {
		return c.networks, nil
	}
	return nil, c.undo(ctx, err)
}

// creation is the state of one CreateEach.
type creation struct {
	sites []Site
	wish  netspec.Wish
	same  bool
	sink  event.Sink

	networks []swarm.Network
	// ours are the IDs of those that this creation has made.
	ours []string
}

func (c *creation) run(ctx context.Context) error {
	var lost string
	for range attempts {
		decisions, err := netspec.DecideEach(c.looks(), c.wish, c.same)
		if err != nil {
			return err
		}
		if lost, err = c.create(ctx, decisions); err != nil {
			return err
		}
		if lost != "" && c.same {
			// The others have to move with the one that lost.
			if err := c.takeBack(ctx, func(int) bool { return true }, lost); err != nil {
				return err
			}
		}
		if err := c.look(ctx); err != nil {
			return err
		}
		if lost != "" {
			continue
		}
		if lost, err = c.clash(ctx); err != nil || lost == "" {
			return err
		}
	}
	return problem.New("somebody else took the addresses %d times (%s)", attempts, lost).
		WithNext("Try again when no other networks are being created.")
}

func (c *creation) looks() []*swarm.Snapshot {
	out := make([]*swarm.Snapshot, len(c.sites))
	for i, s := range c.sites {
		out[i] = s.Look
	}
	return out
}

// look looks at all swarms again, side by side.
func (c *creation) look(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for i := range c.sites {
		g.Go(func() error {
			s, err := engine.LookWhole(ctx, c.sites[i].Engine)
			if err == nil {
				c.sites[i].Look = s
			}
			return err
		})
	}
	return g.Wait()
}

// create makes what is missing, side by side. lost says who took a name or a
// subnet meanwhile, empty when nobody did.
func (c *creation) create(ctx context.Context, decisions []netspec.Decision) (lost string, err error) {
	losses := make([]string, len(c.sites))
	failed := make([]error, len(c.sites))
	var g errgroup.Group
	for i, d := range decisions {
		g.Go(func() error {
			losses[i], failed[i] = c.createAt(ctx, i, d)
			return nil
		})
	}
	_ = g.Wait()
	return strings.Join(slices.DeleteFunc(losses, func(s string) bool { return s == "" }), ", "), errors.Join(failed...)
}

func (c *creation) createAt(ctx context.Context, i int, d netspec.Decision) (lost string, err error) {
	e, name := c.sites[i].Engine, c.sites[i].Look.Context
	sink := event.In(name, c.sink)
	if d.Existing != nil {
		n := *d.Existing
		if n.ID == c.ours[i] {
			c.networks[i] = n
			return "", nil
		}
		d.Spec.Name = n.Name
		c.networks[i], err = allocated(ctx, e, name, n.ID, d.Spec, false, sink)
		return "", err
	}
	id, err := createNetwork(ctx, e, name, d.Spec)
	switch {
	case engine.IsConflict(err):
		return fmt.Sprintf("the name in context %q", name), nil
	case err != nil:
		return "", err
	}
	c.ours[i] = id
	n, err := allocated(ctx, e, name, id, d.Spec, true, sink)
	var race *collision
	switch {
	case errors.As(err, &race):
		c.ours[i] = "" // it was removed again
		return fmt.Sprintf("context %q: %s", name, race.with), nil
	case err != nil:
		return "", err
	}
	c.networks[i] = n
	return "", nil
}

// clash looks whether ours overlap what somebody else has created in another
// of the swarms, and removes those of ours that have to move. lost says whom
// they move for.
func (c *creation) clash(ctx context.Context) (lost string, err error) {
	patience := time.Now().Add(yielding)
	for {
		var move []netspec.Clash
		waiting := false
		for _, clash := range netspec.Clashes(c.looks(), c.ours) {
			if clash.Yields || time.Now().After(patience) {
				move = append(move, clash)
			} else {
				waiting = true
			}
		}
		if len(move) > 0 {
			return c.move(ctx, move)
		}
		if !waiting {
			return "", nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(yieldLook):
		}
		if err := c.look(ctx); err != nil {
			return "", err
		}
	}
}

// move removes our networks that have to move; with one subnet for all, all of
// them have to.
func (c *creation) move(ctx context.Context, clashes []netspec.Clash) (lost string, err error) {
	var with []string
	moved := map[int]bool{}
	for _, clash := range clashes {
		with = append(with, clash.With)
		moved[clash.At] = true
	}
	lost = strings.Join(with, ", ")
	if err := c.takeBack(ctx, func(i int) bool { return moved[i] || c.same }, lost); err != nil {
		return "", err
	}
	return lost, c.look(ctx)
}

// takeBack removes those of ours that are to be created anew.
func (c *creation) takeBack(ctx context.Context, which func(int) bool, with string) error {
	for i := range c.sites {
		if c.ours[i] == "" || !which(i) {
			continue
		}
		name := c.sites[i].Look.Context
		c.sink.On(event.Event{
			Object: "network " + c.wish.Spec.Name + " of " + name, Kind: event.Working, State: "moving",
			Detail: "its subnet has been taken: " + with,
		})
		if err := removeAgain(ctx, c.sites[i].Engine, c.ours[i], c.wish.Spec.Name, name); err != nil {
			return err
		}
		c.ours[i] = ""
	}
	return nil
}

// undo removes what this creation has made, also after the command's time is
// over, and returns the error to report.
func (c *creation) undo(ctx context.Context, cause error) error {
	left := make([]error, len(c.sites))
	var removed []string
	var g errgroup.Group
	for i, id := range c.ours {
		if id == "" {
			continue
		}
		name := c.sites[i].Look.Context
		removed = append(removed, fmt.Sprintf("%q", name))
		g.Go(func() error {
			left[i] = removeAgain(ctx, c.sites[i].Engine, id, c.wish.Spec.Name, name)
			return nil
		})
	}
	_ = g.Wait()
	code := problem.RolledBack
	if errors.Is(ctx.Err(), context.Canceled) {
		code = problem.Interrupted
	}
	why, next := cause.Error(), ""
	var told *problem.Error
	if errors.As(cause, &told) {
		why, next = told.Msg, told.Next
	}
	switch err := errors.Join(left...); {
	case err != nil:
		p := problem.New("network %q: %s\n%w", c.wish.Spec.Name, why, err)
		return p.WithNext("Remove what is left with 'docker -c CONTEXT swarmnet rm %s'.", c.wish.Spec.Name).WithCode(problem.RollbackFailed)
	case len(removed) == 0 && code == problem.RolledBack:
		return cause // nothing was made
	}
	p := &problem.Error{Msg: fmt.Sprintf("network %q was created in none of the swarms: %s", c.wish.Spec.Name, why), Next: next, Code: code, Err: cause}
	if len(removed) > 0 {
		p.Msg += "\nWhat was made was removed again from context " + strings.Join(removed, ", ")
	}
	return p
}
