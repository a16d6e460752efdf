package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/converge"
	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// failed says why the stack did not come up: for each service that is not up
// what happened to it, with the errors and the last words of its tasks.
func (r *stackRun) failed(ctx context.Context, verdicts map[string]converge.Verdict, err error) string {
	name := text.Clean(r.Plan.Stack)
	msg := fmt.Sprintf("stack %q of context %q was not deployed: ", name, r.Plan.Context)
	switch {
	case errors.Is(err, errNotUp):
		msg = fmt.Sprintf("stack %q of context %q did not come up", name, r.Plan.Context)
	case errors.Is(err, context.DeadlineExceeded):
		msg = fmt.Sprintf("stack %q of context %q was not up within %s", name, r.Plan.Context, r.Timeout)
	default:
		return msg + err.Error()
	}
	return msg + ":" + r.evidenceOf(ctx, verdicts)
}

// evidenceOf tells of the services that failed; where none has, of those that
// are not up yet.
func (r *stackRun) evidenceOf(ctx context.Context, verdicts map[string]converge.Verdict) string {
	var failed, waiting []converge.Verdict
	for _, v := range verdicts {
		switch v.State {
		case converge.Failed:
			failed = append(failed, v)
		case converge.Waiting:
			waiting = append(waiting, v)
		case converge.Up:
		}
	}
	if len(failed) == 0 {
		failed, waiting = waiting, nil
	}
	byName := func(a, b converge.Verdict) int { return strings.Compare(a.Service, b.Service) }
	slices.SortFunc(failed, byName)
	slices.SortFunc(waiting, byName)
	var b strings.Builder
	const most = 5
	for i, v := range failed {
		if i == most {
			fmt.Fprintf(&b, "\n  - and %d more services", len(failed)-most)
			break
		}
		fmt.Fprintf(&b, "\n  - service %q: %s", text.Clean(v.Service), text.Clean(v.Reason))
		b.WriteString(strings.ReplaceAll(evidence(ctx, r.Log, v), "\n", "\n  "))
	}
	if len(waiting) > 0 {
		fmt.Fprintf(&b, "\n  (%s not up yet)", text.Count(len(waiting), "other service"))
	}
	return b.String()
}

// did says what has been changed so far.
func (r *stackRun) did() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var created, updated []string
	for _, w := range r.done {
		if w.Action == plan.Update {
			updated = append(updated, w.Resource.String())
		} else {
			created = append(created, w.Resource.String())
		}
	}
	var parts []string
	if len(created) > 0 {
		parts = append(parts, "created "+list(created))
	}
	if len(updated) > 0 {
		parts = append(parts, "updated "+list(updated))
	}
	if len(parts) == 0 {
		return "nothing was changed"
	}
	return strings.Join(parts, "; ")
}

// list joins words, a handful at the most.
func list(words []string) string {
	const most = 8
	if len(words) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
	}
	return strings.Join(words, ", ")
}

// interrupted leaves everything as it is, as docker does.
func (r *stackRun) interrupted(ctx context.Context, verdicts map[string]converge.Verdict) error {
	up := 0
	for _, v := range verdicts {
		if v.State == converge.Up {
			up++
		}
	}
	state := r.did()
	if len(verdicts) > 0 {
		state += fmt.Sprintf("; %d of %s up", up, text.Count(len(verdicts), "service"))
	}
	p := problem.New("interrupted; stack %q of context %q stays as it is: %s", text.Clean(r.Plan.Stack), r.Plan.Context, state).
		WithNext("%s", r.goOn()).WithCode(problem.Interrupted)
	p.Err = ctx.Err()
	return p
}

// unknown leaves everything as it is: an engine that does not answer cannot
// take anything back.
func (r *stackRun) unknown(verdicts map[string]converge.Verdict, err error) error {
	up := 0
	for _, v := range verdicts {
		if v.State == converge.Up {
			up++
		}
	}
	return problem.New("stack %q of context %q: %s, and whether it comes up is not known (%d services seen up): %w",
		text.Clean(r.Plan.Stack), r.Plan.Context, r.did(), up, err).WithNext("%s", r.goOn())
}

func (r *stackRun) goOn() string {
	return fmt.Sprintf("Run '%s' again to go on, 'docker -c %s stack ps %s' to look, or 'docker -c %[2]s swarmnet rm --stack %[3]s' to remove it.",
		r.Again, r.Plan.Context, text.Clean(r.Plan.Stack))
}

// notRestored tells that taking the stack back failed, what is left and what to
// type.
func (r *stackRun) notRestored(ctx context.Context, f failure, back *restoration) error {
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	msg := fmt.Sprintf("%s\n\nTaking it back failed: %s", f.msg, errors.Join(back.errs...))
	left := wordsLeft(after, r.e, back.created, r.Request, "")
	var next []string
	if len(left) > 0 {
		msg += "\n\nStill there that was not before:\n  - " + strings.Join(left, "\n  - ")
	}
	for _, c := range []struct {
		kind  string
		names []string
	}{{"service", left}, {"network", left}, {"config", left}, {"secret", left}} {
		var names []string
		for _, w := range c.names {
			if n, ok := strings.CutPrefix(w, c.kind+" "); ok {
				names = append(names, n)
			}
		}
		switch {
		case len(names) == 0:
		case c.kind == "network":
			next = append(next, fmt.Sprintf("  docker -c %s swarmnet rm %s", r.Plan.Context, strings.Join(names, " ")))
		default:
			next = append(next, fmt.Sprintf("  docker -c %s %s rm %s", r.Plan.Context, c.kind, strings.Join(names, " ")))
		}
	}
	p := problem.New("%s", msg).WithCode(problem.RollbackFailed)
	p.Err = errors.Join(back.errs...)
	if len(next) == 0 {
		return p.WithNext("Run 'docker -c %s stack ps --no-trunc %s' to see its tasks, and '%s' with the former file to go back.", r.Plan.Context, text.Clean(r.Plan.Stack), r.Again)
	}
	return p.WithNext("To finish by hand:\n%s", strings.Join(next, "\n"))
}

// prune removes what the plan removes, after all the rest has succeeded.
func (r *stackRun) prune(ctx context.Context) error {
	var b restoration
	for _, s := range r.Plan.Steps {
		if s.Action == plan.Remove {
			b.note(written{Step: s})
		}
	}
	if b.created.Empty() {
		return nil
	}
	err := RemoveParts(ctx, r.e, b.created, "", r.sink)
	if err == nil {
		return nil
	}
	code := problem.Failed
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		code = problem.TimedOut
	case ctx.Err() != nil:
		code = problem.Interrupted
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	msg := fmt.Sprintf("stack %q of context %q is deployed and up, and not all was removed that it no longer has (--prune)", text.Clean(r.Plan.Stack), r.Plan.Context)
	p := problem.New("%s: %w", msg, err)
	if left := wordsLeft(after, r.e, b.created, r.Request, ""); len(left) > 0 {
		p = problem.Join(msg+"; still there", left)
		p.Err = err
	}
	return p.WithNext("Run '%s' again to go on.", r.Again).WithCode(code)
}
