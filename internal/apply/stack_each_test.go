package apply

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

const (
	shopOld = "config shop_conf, network shop_net, service shop_api old, service shop_web old"
	shopNew = "config shop_conf, network shop_net, service shop_api new, service shop_web new"
)

func deployOn(ctx context.Context, f *shopSwarm, change func(*StackDeployment), sink event.Sink) error {
	s := f.site()
	if change != nil {
		change(&s.StackDeployment)
	}
	return DeployStack(ctx, f, s.StackDeployment, sink)
}

func TestDeployStack(t *testing.T) {
	for _, tc := range []struct {
		doc    string
		fresh  bool
		fault  func(*shopSwarm)
		change func(*StackDeployment)
		code   int
		after  string
		says   []string
	}{
		{doc: "updated", after: shopNew},
		{doc: "new", fresh: true, after: shopNew},
		{doc: "a service fails", fault: func(f *shopSwarm) { f.bad = "shop_web" }, code: problem.RolledBack, after: shopOld, says: []string{`service "shop_web"`, "the last words", "as it was before"}},
		{doc: "a service of a new stack fails", fresh: true, fault: func(f *shopSwarm) { f.bad = "shop_api" }, code: problem.RolledBack, says: []string{`service "shop_api"`}},
		{doc: "too late", fault: func(f *shopSwarm) { f.stuck = "shop_web" }, change: func(d *StackDeployment) { d.Timeout = 100 * time.Millisecond }, code: problem.RolledBack, after: shopOld, says: []string{"not up within"}},
		{doc: "refused", fault: func(f *shopSwarm) { f.refuse = errors.New("not today") }, code: problem.Failed, after: shopOld, says: []string{"not today", "Nothing was changed"}},
		{doc: "refused when new", fresh: true, fault: func(f *shopSwarm) { f.refuse = errors.New("not today") }, code: problem.RolledBack, says: []string{"not today"}},
		{doc: "left", fault: func(f *shopSwarm) { f.bad = "shop_web" }, change: func(d *StackDeployment) { d.Leave = true }, code: problem.Failed, after: shopNew, says: []string{"left as it is"}},
		{
			doc: "not restored", fault: func(f *shopSwarm) { f.bad, f.refuseRestore = "shop_web", errors.New("out of order") },
			code: problem.RollbackFailed, after: shopNew, says: []string{"Taking it back failed", "out of order", "stack ps"},
		},
		{
			doc: "somebody else was there", fault: func(f *shopSwarm) { f.bad, f.meddle = "shop_web", func(f *shopSwarm) { f.put("shop_api", "theirs") } },
			code: problem.RolledBack, after: "config shop_conf, network shop_net, service shop_api theirs, service shop_web old", says: []string{"somebody else has changed", "shop_api"},
		},
		{doc: "detached", fault: func(f *shopSwarm) { f.bad = "shop_web" }, change: func(d *StackDeployment) { d.Detach = true }, after: shopNew},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			f := running("east", tc.fresh)
			if tc.fault != nil {
				tc.fault(f)
			}
			err := deployOn(context.Background(), f, tc.change, event.Discard)
			if tc.code == 0 {
				assert.NilError(t, err)
			} else {
				assert.Equal(t, codeOf(t, err), tc.code, "%v", err)
			}
			for _, words := range tc.says {
				assert.Check(t, is.ErrorContains(err, words))
			}
			assert.Check(t, is.Equal(f.state(), tc.after))
		})
	}
}

func TestDeployStackInterrupted(t *testing.T) {
	f := running("east", false)
	f.stuck = "shop_web"
	ctx, cancel := context.WithCancel(context.Background())
	f.meddle = func(*shopSwarm) { cancel() }
	err := deployOn(ctx, f, nil, event.Discard)
	assert.Equal(t, codeOf(t, err), problem.Interrupted)
	assert.Check(t, is.ErrorContains(err, "stays as it is"))
	assert.Equal(t, f.state(), shopNew)
}

// TestDeployStackEach holds what becomes of every swarm, whichever fails, in
// every wave.
func TestDeployStackEach(t *testing.T) {
	fail := func(which string, fault func(*shopSwarm)) func(*shopSwarm) {
		return func(f *shopSwarm) {
			if f.name == which {
				fault(f)
			}
		}
	}
	bad := func(f *shopSwarm) { f.bad = "shop_web" }
	for _, tc := range []struct {
		doc    string
		wave   int
		fresh  bool
		leave  bool
		fault  func(*shopSwarm)
		code   int
		begun  []string // contexts in which something was written
		after  map[string]string
		others string // state of those not in after
		says   []string
	}{
		{doc: "all well", wave: 1, fault: func(*shopSwarm) {}, begun: []string{"east", "west", "north"}, others: shopNew},
		{doc: "all well at once", fault: func(*shopSwarm) {}, begun: []string{"east", "west", "north"}, others: shopNew},
		{
			doc: "the canary fails", wave: 1, fault: fail("east", bad), code: problem.RolledBack, begun: []string{"east"}, others: shopOld,
			says: []string{`context "east" did not come up`, `context "west": nothing was changed, it was not begun`, `context "north": nothing was changed, it was not begun`},
		},
		{
			doc: "one of the rest fails", wave: 1, fault: fail("north", bad), code: problem.RolledBack, begun: []string{"east", "west", "north"}, others: shopOld,
			says: []string{`context "north" did not come up`, `context "east": it was up there. The stack is as it was before.`, `context "west": it was up there.`},
		},
		{doc: "all at once, one fails", fault: fail("west", bad), code: problem.RolledBack, begun: []string{"east", "west", "north"}, others: shopOld},
		{doc: "new in all, one fails", wave: 2, fresh: true, fault: fail("north", bad), code: problem.RolledBack, begun: []string{"east", "west", "north"}},
		{doc: "one refuses", wave: 1, fault: fail("west", func(f *shopSwarm) { f.refuse = errors.New("not today") }), code: problem.RolledBack, begun: []string{"east", "north"}, others: shopOld, says: []string{"not today"}},
		{doc: "the canary refuses", wave: 1, fault: fail("east", func(f *shopSwarm) { f.refuse = errors.New("not today") }), code: problem.Failed, others: shopOld},
		{
			doc: "one cannot be put back", wave: 1, code: problem.RollbackFailed, begun: []string{"east", "west", "north"},
			fault: func(f *shopSwarm) {
				fail("north", bad)(f)
				fail("east", func(f *shopSwarm) { f.refuseRestore = errors.New("out of order") })(f)
			},
			after: map[string]string{"east": shopNew}, others: shopOld, says: []string{`context "east": it was up, and could not be put back`, "out of order"},
		},
		{
			doc: "left", wave: 1, leave: true, fault: fail("north", bad), code: problem.Failed, begun: []string{"east", "west", "north"}, others: shopNew,
			says: []string{`context "east": it is up and was left so`},
		},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			var sites []StackSite
			var swarms []*shopSwarm
			for _, name := range []string{"east", "west", "north"} {
				f := running(name, tc.fresh)
				tc.fault(f)
				s := f.site()
				s.Leave = tc.leave
				swarms, sites = append(swarms, f), append(sites, s)
			}
			err := DeployStackEach(context.Background(), sites, tc.wave, event.Discard)
			if tc.code == 0 {
				assert.NilError(t, err)
			} else {
				assert.Equal(t, codeOf(t, err), tc.code, "%v", err)
			}
			for _, words := range tc.says {
				assert.Check(t, is.ErrorContains(err, words))
			}
			for _, f := range swarms {
				want, ok := tc.after[f.name]
				if !ok {
					want = tc.others
				}
				assert.Check(t, is.Equal(f.state(), want), f.name)
				assert.Check(t, is.Equal(len(f.writes) > 0, slices.Contains(tc.begun, f.name)), "%s: %v", f.name, f.writes)
			}
		})
	}
}

// TestDeployStackEachCanaryFirst: nothing begins elsewhere before the canary is
// up.
func TestDeployStackEachCanaryFirst(t *testing.T) {
	east, west := running("east", false), running("west", false)
	east.meddle = func(*shopSwarm) { assert.Check(t, is.Len(west.writes, 0)) }
	assert.NilError(t, DeployStackEach(context.Background(), []StackSite{east.site(), west.site()}, 1, event.Discard))
	assert.Equal(t, west.state(), shopNew)
}

func TestDeployStackEachInterrupted(t *testing.T) {
	east, west := running("east", false), running("west", false)
	ctx, cancel := context.WithCancel(context.Background())
	west.stuck, west.meddle = "shop_web", func(*shopSwarm) { cancel() }
	err := DeployStackEach(ctx, []StackSite{east.site(), west.site()}, 1, event.Discard)
	assert.Equal(t, codeOf(t, err), problem.Interrupted)
	for _, words := range []string{`context "east": it is up and stays so`, `context "west" stays as it is`} {
		assert.Check(t, is.ErrorContains(err, words))
	}
	assert.Equal(t, east.state(), shopNew)
}
