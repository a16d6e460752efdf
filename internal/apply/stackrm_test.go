package apply

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/stackfile"
)

// stackSwarm is a swarm with the stack "shop": a service whose task ends after
// some looks, a network, a config and a secret. It writes down what is removed
// in order.
type stackSwarm struct {
	mu      sync.Mutex
	looks   int // until the task has ended, once the service is removed; -1 for never
	removed []string
	silent  int // how many calls get no answer
}

func shopLabels() map[string]string { return map[string]string{deploy.LabelStack: "shop"} }

func (f *stackSwarm) gone(id string) bool { return slices.Contains(f.removed, id) }

func (f *stackSwarm) Look(ctx context.Context) (*swarm.Snapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &swarm.Snapshot{Context: "east", Cluster: swarm.Cluster{State: swarm.StateActive, Manager: true}, Nodes: []swarm.Node{{ID: "n1", Hostname: "h1", State: "ready"}}}
	desired := swarm.TaskRunning
	if !f.gone("service web") {
		s.Services = []swarm.Service{{ID: "web", Name: "shop_web", Labels: shopLabels()}}
	} else if f.looks > 0 {
		f.looks--
		desired = swarm.TaskRemove
	}
	if f.looks != 0 || !f.gone("service web") {
		s.Tasks = []swarm.Task{{ID: "t", ServiceID: "web", Slot: 1, NodeID: "n1", Stack: "shop", State: swarm.TaskRunning, Desired: desired}}
	}
	if !f.gone("network net") {
		s.Networks = []swarm.Network{{ID: "net", Name: "shop_default", Scope: "swarm", Labels: shopLabels()}, {ID: "other", Name: "other", Scope: "swarm"}}
	}
	return s, ctx.Err()
}

func (f *stackSwarm) remove(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.silent > 0 {
		f.silent--
		return errors.New("The swarm does not have a leader.") // as the engine writes it
	}
	f.removed = append(f.removed, what)
	return nil
}

func (f *stackSwarm) RemoveResource(_ context.Context, kind plan.Kind, id string) error {
	return f.remove(string(kind) + " " + id)
}

func (f *stackSwarm) RemoveNetwork(_ context.Context, id string) error {
	return f.remove("network " + id)
}

func (f *stackSwarm) list(kind string) []plan.Object {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone(kind + " own") {
		return nil
	}
	return []plan.Object{{ID: "own", Name: "shop_" + kind, Labels: shopLabels()}, {ID: "foreign", Name: "foreign"}}
}

func (f *stackSwarm) LookStack(ctx context.Context, _ *engine.StackRequest, _ bool) (*plan.Observed, error) {
	s, err := f.Look(ctx)
	return &plan.Observed{Snapshot: s, Configs: f.list("config"), Secrets: f.list("secret")}, err
}

func removeShop(t *testing.T, f *stackSwarm, limit time.Duration) (bool, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	r := engine.NewStackRequest(&stackfile.Stack{Name: "shop"})
	o, err := f.LookStack(ctx, r, true)
	assert.NilError(t, err)
	return RemoveStack(ctx, f, o, r, event.Discard)
}

func TestRemoveStackWaitsForTasksBeforeNetworks(t *testing.T) {
	f := &stackSwarm{looks: 2, silent: 1}
	found, err := removeShop(t, f, time.Minute)
	assert.NilError(t, err)
	assert.Check(t, found)
	assert.DeepEqual(t, f.removed, []string{"service web", "network net", "config own", "secret own"})
	assert.Check(t, is.Equal(f.looks, 0), "the network went before its task")
}

func TestRemoveStackSaysWhatIsLeft(t *testing.T) {
	f := &stackSwarm{looks: -1}
	_, err := removeShop(t, f, 100*time.Millisecond)
	var p *problem.Error
	assert.Assert(t, errors.As(err, &p))
	assert.Equal(t, p.Code, problem.TimedOut)
	for _, part := range []string{"not gone in time", "network shop_default", "config shop_config", "secret shop_secret", "task shop_web.1 on h1", "swarmnet rm --stack shop"} {
		assert.Check(t, is.Contains(err.Error(), part))
	}
	assert.Check(t, !strings.Contains(err.Error(), "service shop_web"))
	assert.DeepEqual(t, f.removed, []string{"service web"})
}

func TestRemoveStackOfNone(t *testing.T) {
	f := &stackSwarm{removed: []string{"service web", "network net", "config own", "secret own"}}
	found, err := removeShop(t, f, time.Minute)
	assert.NilError(t, err)
	assert.Check(t, !found)
}
