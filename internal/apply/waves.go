package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// swarmRun is a deployment on one of several swarms.
type swarmRun interface {
	// site is the docker context that leads to the swarm.
	site() string
	// deploy brings up what is deployed, or takes it back when it fails.
	deploy(ctx context.Context) error
	// touched tells whether anything was changed, stands whether any of it still
	// is as this deployment made it.
	touched() bool
	stands() bool
	// leaves tells whether what stands is to be left when deploying fails elsewhere.
	leaves() bool
	// revert brings a swarm in which deploy succeeded to what it was before, and
	// says how.
	revert(ctx context.Context) (how string, err error)
}

// inWaves deploys on the first wave of the swarms side by side, and on the rest
// side by side when all of it is up there; a wave of 0 is all at once. When one
// fails, those that were changed before are put back, and what was not begun is
// left alone. Interrupted, everything stays as it is.
func inWaves[R swarmRun](ctx context.Context, runs []R, wave int) error {
	if wave <= 0 || wave > len(runs) {
		wave = len(runs)
	}
	for begin, end := 0, wave; begin < len(runs); begin, end = end, len(runs) {
		failed := sideBySide(runs[:end], func(i int, r R) error {
			if i < begin {
				return nil // up since the wave before
			}
			return r.deploy(ctx)
		})
		if errors.Join(failed...) == nil {
			continue
		}
		w := wreck[R]{runs: runs, failed: failed}
		return w.err(ctx)
	}
	return nil
}

// sideBySide does something on all swarms at once. The errors stand in their
// order.
func sideBySide[R any](runs []R, do func(int, R) error) []error {
	errs := make([]error, len(runs))
	var all sync.WaitGroup
	for i, r := range runs {
		all.Add(1)
		go func() {
			defer all.Done()
			errs[i] = do(i, r)
		}()
	}
	all.Wait()
	return errs
}

// wreck is a deployment that has failed in some of the swarms. Those beyond
// failed were not begun.
type wreck[R swarmRun] struct {
	runs   []R
	failed []error
}

// err puts the other swarms back and tells what became of each.
func (w wreck[R]) err(ctx context.Context) error {
	begun := w.runs[:len(w.failed)]
	hows, reverted := make([]string, len(begun)), make([]error, len(begun))
	if ctx.Err() == nil {
		reverted = sideBySide(begun, func(i int, r R) (err error) {
			if w.failed[i] == nil && r.stands() && !r.leaves() {
				hows[i], err = r.revert(ctx)
			}
			return err
		})
	}
	p := gathered(w.failed)
	for i, r := range begun {
		if w.failed[i] != nil {
			continue
		}
		how := "it was up there. " + hows[i]
		switch {
		case !r.touched():
			how = "nothing was changed."
		case reverted[i] != nil:
			how = "it was up, and could not be put back: " + reverted[i].Error()
		case r.stands() && ctx.Err() != nil:
			how = "it is up and stays so."
		case r.stands():
			how = "it is up and was left so (--on-failure leave)."
		}
		p.Msg += fmt.Sprintf("\n\ncontext %q: %s", r.site(), how)
	}
	for _, r := range w.runs[len(begun):] {
		p.Msg += fmt.Sprintf("\n\ncontext %q: nothing was changed, it was not begun.", r.site())
	}
	return p.WithCode(w.code(ctx, reverted, p.Code))
}

// code is the exit code of all together; gravest is that of the errors.
func (w wreck[R]) code(ctx context.Context, reverted []error, gravest int) int {
	switch {
	case ctx.Err() != nil:
		return problem.Interrupted
	case gravest == problem.RollbackFailed || errors.Join(reverted...) != nil:
		return problem.RollbackFailed
	case slices.ContainsFunc(w.runs, func(r R) bool { return r.stands() }):
		// Somewhere it was left: nobody may take this for a whole roll-back.
		if slices.ContainsFunc(w.failed, func(err error) bool { return problem.CodeOf(err) == problem.TimedOut }) {
			return problem.TimedOut
		}
		return problem.Failed
	case slices.ContainsFunc(w.runs, func(r R) bool { return r.touched() }):
		return problem.RolledBack
	}
	return gravest
}

// gathered makes one error of those of several swarms, each of which names its
// own, with the gravest of their exit codes.
func gathered(errs []error) *problem.Error {
	var parts, next []string
	code := problem.Failed
	for _, err := range errs {
		if err == nil {
			continue
		}
		msg := err.Error()
		var p *problem.Error
		if errors.As(err, &p) {
			msg = p.Msg
			if p.Next != "" && !slices.Contains(next, p.Next) {
				next = append(next, p.Next)
			}
		}
		parts = append(parts, msg)
		code = max(code, problem.CodeOf(err))
	}
	return &problem.Error{Msg: strings.Join(parts, "\n\n"), Next: strings.Join(next, "\n"), Code: code, Err: errors.Join(errs...)}
}
