package apply

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	dockerswarm "github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// webSwarm is a swarm in memory that the service "shop_web" is deployed on.
type webSwarm struct{ *shopSwarm }

func (f webSwarm) CreateService(context.Context, *engine.ServiceRequest) (string, []string, error) {
	return f.name + "-shop_web", nil, f.write("create")
}

func (f webSwarm) UpdateService(context.Context, swarm.Service, *engine.ServiceRequest) ([]string, error) {
	return nil, f.write("update")
}

func (f webSwarm) RemoveService(ctx context.Context, id string) error {
	return f.RemoveResource(ctx, "service", id)
}

func (f webSwarm) write(verb string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return f.refuse
	}
	f.writes = append(f.writes, verb)
	f.put("shop_web", "new")
	return nil
}

// web returns the image of the service, "" where there is none.
func (f webSwarm) web() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	sv, ok := f.services[f.name+"-shop_web"]
	if !ok {
		return ""
	}
	return f.image(sv)
}

// site is the deployment of the image "new" on the swarm as it is now.
func (f webSwarm) site(t *testing.T) ServiceSite {
	t.Helper()
	request, err := engine.New(f.name, nil).RecordService(func(api engine.APIClient) error {
		_, err := api.ServiceCreate(context.Background(), imageSpec("shop_web", "new"), dockerswarm.ServiceCreateOptions{})
		return err
	})
	assert.NilError(t, err)
	d := ServiceDeployment{
		Context: f.name, Request: request, Timeout: time.Second,
		Log: func(context.Context, string, int) []string { return []string{"the last words"} },
	}
	if sv, err := f.Service(context.Background(), f.name+"-shop_web"); err == nil {
		d.Before = &sv
	}
	return ServiceSite{d, f}
}

// TestDeployServiceEach holds what becomes of every swarm; TestDeployStackEach
// holds what waves do beyond.
func TestDeployServiceEach(t *testing.T) {
	for _, tc := range []struct {
		doc    string
		fresh  bool
		wave   int
		change func(*ServiceSite)
		fault  func(east, west *shopSwarm)
		code   int
		east   string
		west   string
		says   []string
	}{
		{doc: "created", fresh: true, wave: 1, east: "new", west: "new"},
		{doc: "updated", wave: 1, east: "new", west: "new"},
		{doc: "the canary fails", wave: 1, fault: func(east, _ *shopSwarm) { east.bad = "shop_web" }, code: problem.RolledBack, east: "old", west: "old", says: []string{"the last words", `context "west": nothing was changed, it was not begun`}},
		{doc: "the rest fails", wave: 1, fault: func(_, west *shopSwarm) { west.bad = "shop_web" }, code: problem.RolledBack, east: "old", west: "old", says: []string{`context "east": it was up there. It was restored to what it was.`}},
		{doc: "the rest fails where it is new", fresh: true, wave: 1, fault: func(_, west *shopSwarm) { west.bad = "shop_web" }, code: problem.RolledBack, says: []string{`context "east": it was up there. It was removed again.`}},
		{doc: "all at once, one fails", fault: func(east, _ *shopSwarm) { east.bad = "shop_web" }, code: problem.RolledBack, east: "old", west: "old"},
		{doc: "refused by the rest", wave: 1, fault: func(_, west *shopSwarm) { west.refuse = errors.New("not today") }, code: problem.RolledBack, east: "old", west: "old", says: []string{"not today"}},
		{doc: "refused by the canary", wave: 1, fault: func(east, _ *shopSwarm) { east.refuse = errors.New("not today") }, code: problem.Failed, east: "old", west: "old"},
		{doc: "not put back", wave: 1, fault: func(east, west *shopSwarm) { west.bad, east.refuseRestore = "shop_web", errors.New("out of order") }, code: problem.RollbackFailed, east: "new", west: "old", says: []string{"could not be put back: out of order"}},
		{doc: "left", wave: 1, change: func(s *ServiceSite) { s.Leave = true }, fault: func(_, west *shopSwarm) { west.bad = "shop_web" }, code: problem.Failed, east: "new", west: "new", says: []string{`context "east": it is up and was left so`}},
		{doc: "unchanged in the canary", wave: 1, change: func(s *ServiceSite) { s.Unchanged = s.Context == "east" }, fault: func(_, west *shopSwarm) { west.bad = "shop_web" }, code: problem.RolledBack, east: "old", west: "old", says: []string{`context "east": nothing was changed.`}},
		{doc: "detached", wave: 1, change: func(s *ServiceSite) { s.Detach = true }, fault: func(_, west *shopSwarm) { west.bad = "shop_web" }, east: "new", west: "new"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			east, west := running("east", tc.fresh), running("west", tc.fresh)
			if tc.fault != nil {
				tc.fault(east, west)
			}
			sites := []ServiceSite{webSwarm{east}.site(t), webSwarm{west}.site(t)}
			if tc.change != nil {
				tc.change(&sites[0])
				tc.change(&sites[1])
			}
			ids, err := DeployServiceEach(context.Background(), sites, tc.wave, event.Discard)
			if tc.code == 0 {
				assert.NilError(t, err)
				assert.Check(t, is.DeepEqual(ids, []string{"east-shop_web", "west-shop_web"}))
			} else {
				assert.Equal(t, codeOf(t, err), tc.code, "%v", err)
			}
			for _, words := range tc.says {
				assert.Check(t, is.ErrorContains(err, words))
			}
			assert.Check(t, is.Equal(webSwarm{east}.web(), tc.east))
			assert.Check(t, is.Equal(webSwarm{west}.web(), tc.west))
		})
	}
}

func TestDeployServiceEachInterrupted(t *testing.T) {
	east, west := running("east", false), running("west", false)
	ctx, cancel := context.WithCancel(context.Background())
	west.stuck, west.meddle = "shop_web", func(*shopSwarm) { cancel() }
	_, err := DeployServiceEach(ctx, []ServiceSite{webSwarm{east}.site(t), webSwarm{west}.site(t)}, 1, event.Discard)
	assert.Equal(t, codeOf(t, err), problem.Interrupted)
	for _, words := range []string{`context "east": it is up and stays so`, `of context "west" is updated and stays so`} {
		assert.Check(t, is.ErrorContains(err, words))
	}
	assert.Check(t, !strings.Contains(err.Error(), "restored"))
	assert.Equal(t, webSwarm{east}.web(), "new")
}
