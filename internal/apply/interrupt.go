package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// grace is how long a request that changes the swarm may still take after
// the command was interrupted. An engine that answers needs milliseconds.
const grace = 2 * time.Second

// toItsEnd returns a context for a request that changes the swarm. When ctx
// ends, the request has a moment more to come to its end: cut short, nobody
// would know whether it was carried out.
func toItsEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-out.Done():
		case <-time.After(grace):
			cancel()
		}
	})
	return out, func() {
		stop()
		cancel()
	}
}

// cutShort is the error of a request for something that was given up before it
// was answered, since ctx had ended: nobody knows what became of it.
func cutShort(ctx context.Context, err error, doing string) *problem.Error {
	why, code := "interrupted", problem.Interrupted
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		why, code = "the time was over", problem.TimedOut
	}
	return &problem.Error{Msg: fmt.Sprintf("%s while %s is not known", why, doing), Code: code, Err: err}
}
