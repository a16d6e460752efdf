package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/stack"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// StackRemover is what removing a stack needs of an engine.
type StackRemover interface {
	PartsRemover
	LookStack(ctx context.Context, r *engine.StackRequest, prune bool) (*plan.Observed, error)
}

// RemoveStack removes all that belongs to a stack, and tells whether there was
// anything. o is the look that preceded. The context's deadline bounds the
// wait; an error says what is left.
func RemoveStack(ctx context.Context, e StackRemover, o *plan.Observed, r *engine.StackRequest, sink event.Sink) (found bool, err error) {
	p := stack.Of(o, r.Name())
	if p.Empty() && len(stack.Tasks(o.Snapshot, nil, r.Name())) == 0 {
		return false, nil
	}
	err = RemoveParts(ctx, e, p, r.Name(), sink)
	if err == nil {
		return true, nil
	}
	return true, stackLeft(ctx, e, o.Context, p, r, err)
}

// stackLeft is the error for a stack that is not wholly gone. It looks once
// more, after the deadline too, since what is left is what the user must know.
func stackLeft(ctx context.Context, e StackRemover, dockerContext string, p stack.Parts, r *engine.StackRequest, err error) error {
	name := r.Name()
	what := fmt.Sprintf("stack %q of context %q is not gone", text.Clean(name), dockerContext)
	code := problem.Failed
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		what, code = what+" in time", problem.TimedOut
	case ctx.Err() != nil:
		what, code = "interrupted; "+what, problem.Interrupted
	default:
		what += ": " + err.Error()
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	words := wordsLeft(after, e, p, r, name)
	result := problem.New("%s", what)
	if len(words) > 0 {
		result = problem.Join(what+"; still there", words)
	}
	result.Err = err
	return result.WithNext("Run 'docker -c %s swarmnet rm --stack %s' again to go on.", dockerContext, text.Clean(name)).WithCode(code)
}

// lastLook bounds the look that an error is written from.
const lastLook = 5 * time.Second

// wordsLeft names what is left of the parts, and tasks of the stack of that name
// ("" for none); nothing where it cannot be read.
func wordsLeft(ctx context.Context, e StackRemover, p stack.Parts, r *engine.StackRequest, name string) []string {
	o, err := e.LookStack(ctx, r, true)
	if err != nil {
		return nil
	}
	return leftOf(o, p, name)
}
