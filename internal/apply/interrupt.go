package apply

import (
	"context"
	"time"
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
