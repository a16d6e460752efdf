//go:build e2e

package e2e

import (
	"sync"
	"testing"
	"time"

	"gotest.tools/v3/icmd"
	"gotest.tools/v3/poll"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// atOnce runs f(0) to f(n-1) at the same time.
func atOnce(n int, f func(int) *icmd.Result) []*icmd.Result {
	results := make([]*icmd.Result, n)
	var all sync.WaitGroup
	for i := range n {
		all.Add(1)
		go func() {
			defer all.Done()
			results[i] = f(i)
		}()
	}
	all.Wait()
	return results
}

// eventually polls with the swarm's patience.
func eventually(t *testing.T, s *harness.Swarm, check func() poll.Result) {
	t.Helper()
	poll.WaitOn(t, func(poll.LogT) poll.Result { return check() },
		poll.WithTimeout(s.Patience()), poll.WithDelay(20*time.Millisecond))
}
