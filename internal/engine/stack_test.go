package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/stackfile"
)

// stackAPI is a manager with secrets, configs and a registry.
type stackAPI struct {
	*fakeAPI
	asked  atomic.Int32
	digest string // of every image; "" when no registry answers
}

func (s *stackAPI) SecretList(context.Context, swarm.SecretListOptions) ([]swarm.Secret, error) {
	s.calls.Add(1)
	return nil, nil
}

func (s *stackAPI) ConfigList(context.Context, swarm.ConfigListOptions) ([]swarm.Config, error) {
	s.calls.Add(1)
	return nil, nil
}

func (s *stackAPI) NetworkInspect(context.Context, string, network.InspectOptions) (network.Inspect, error) {
	return network.Inspect{}, errors.New("a look asks for lists")
}

func (s *stackAPI) DistributionInspect(_ context.Context, image, _ string) (registry.DistributionInspect, error) {
	s.asked.Add(1)
	return answer(s.digest)(image)
}

func stackOf(t *testing.T, file string) *stackfile.Stack {
	t.Helper()
	st, err := stackfile.Load(stackfile.Options{Files: []string{"-"}, Stdin: strings.NewReader(file), Stack: "st", NoDotenv: true})
	assert.NilError(t, err)
	return st
}

// planned is the plan for a file on an engine, and the request behind it.
func planned(t *testing.T, api *stackAPI, file, resolve string) (plan.Plan, *StackRequest, []string) {
	t.Helper()
	e := New("test", api)
	r := NewStackRequest(stackOf(t, file))
	o, err := e.LookStack(context.Background(), r, false)
	assert.NilError(t, err)
	unresolved, err := r.Prepare(context.Background(), e, o, resolve, nil)
	assert.NilError(t, err)
	d, err := r.Desired(o, false)
	assert.NilError(t, err)
	return plan.Reconcile(d, o), r, unresolved
}

// What docker does with the image of a service that exists (cli/command/stack/
// swarm deployServices), and what it should when no registry answers.
func TestPrepareResolvesImagesAsDockerDoes(t *testing.T) {
	pinned := "app:1@" + string(digestOf("old"))
	for _, tc := range []struct {
		doc, file, resolve, digest string
		want                       string
		asked                      int32
		unresolved                 int
	}{
		{"always, moved on", "app:1", ResolveAlways, "new", "app:1@" + string(digestOf("new")), 1, 0},
		{"always, the same", "app:1", ResolveAlways, "old", pinned, 1, 0},
		{"always, no registry: the digest stays", "app:1", ResolveAlways, "", pinned, 1, 1},
		{"changed, the same tag: nobody is asked", "app:1", ResolveChanged, "new", pinned, 0, 0},
		{"changed, another tag", "app:2", ResolveChanged, "new", "app:2@" + string(digestOf("new")), 1, 0},
		{"never, the same tag", "app:1", ResolveNever, "new", pinned, 0, 0},
		{"never, another tag", "app:2", ResolveNever, "new", "app:2", 0, 0},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			api := &stackAPI{fakeAPI: manager(), digest: tc.digest}
			r := NewStackRequest(stackOf(t, "services: {web: {image: 'app:1', networks: []}}"))
			spec := r.services["st_web"].spec
			spec.TaskTemplate.ContainerSpec.Image = pinned
			api.services = []swarm.Service{{ID: "s", Spec: spec}}
			_, got, unresolved := planned(t, api, "services: {web: {image: '"+tc.file+"'}}", tc.resolve)
			assert.Check(t, is.Equal(got.services["st_web"].spec.TaskTemplate.ContainerSpec.Image, tc.want))
			assert.Check(t, is.Equal(api.asked.Load(), tc.asked))
			assert.Check(t, is.Len(unresolved, tc.unresolved))
		})
	}
}

// 200 services of one image that no registry knows: one question.
func TestPrepareAsksForAnImageOnce(t *testing.T) {
	api := &stackAPI{fakeAPI: manager()}
	p, _, unresolved := planned(t, api, manyServices(200), ResolveAlways)
	assert.Equal(t, api.asked.Load(), int32(1))
	assert.DeepEqual(t, unresolved, []string{"app:1"})
	assert.Equal(t, len(p.Steps), 201)
}

func manyServices(n int) string {
	var b strings.Builder
	b.WriteString("services:\n")
	for i := range n {
		fmt.Fprintf(&b, "  s%d: {image: 'app:1', environment: {A: b}}\n", i)
	}
	return b.String()
}

func TestLookStackCostsNoMoreThanItNeeds(t *testing.T) {
	for _, tc := range []struct {
		doc, file string
		prune     bool
		calls     int32
	}{
		{"neither secrets nor configs", "services: {web: {image: a}}", false, 5},
		{"an external secret", "services: {web: {image: a, secrets: [x]}}\nsecrets: {x: {external: true}}", false, 6},
		{"both", "services: {web: {image: a, secrets: [x], configs: [x]}}\nsecrets: {x: {external: true}}\nconfigs: {x: {external: true}}", false, 7},
		{"what prune has to know", "services: {web: {image: a}}", true, 7},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			api := &stackAPI{fakeAPI: manager()}
			_, err := New("test", api).LookStack(context.Background(), NewStackRequest(stackOf(t, tc.file)), tc.prune)
			assert.NilError(t, err)
			assert.Equal(t, api.calls.Load(), tc.calls)
		})
	}
}

func TestDesiredNamesWhatIsMissing(t *testing.T) {
	api := &stackAPI{fakeAPI: manager()}
	e := New("test", api)
	r := NewStackRequest(stackOf(t, `services: {web: {image: a, networks: [n, own, docknet], secrets: [s], configs: [c]}}
networks: {n: {external: true}, docknet: {external: true}, own: }
secrets: {s: {external: true}}
configs: {c: {external: true}}
`))
	o, err := e.LookStack(context.Background(), r, false)
	assert.NilError(t, err)
	_, err = r.Prepare(context.Background(), e, o, ResolveNever, nil)
	assert.NilError(t, err)
	d, err := r.Desired(o, false)
	assert.NilError(t, err)
	assert.DeepEqual(t, d.Services[0].Missing, []deploy.Missing{{Kind: "network", Name: "n"}, {Kind: "secret", Name: "s"}, {Kind: "config", Name: "c"}})
}

// A digest tells any change of what is asked for, but for the content of
// secrets, of which nothing leaves the process.
func TestDigests(t *testing.T) {
	digests := func(file string, salt string) map[plan.Resource]string {
		_, r, _ := planned(t, &stackAPI{fakeAPI: manager()}, file, ResolveNever)
		out, err := r.Digests([]byte(salt))
		assert.NilError(t, err)
		return out
	}
	const file = "services: {web: {image: a, environment: {A: '1'}}, db: {image: b}}"
	web, db := plan.Resource{Kind: plan.Service, Name: "st_web"}, plan.Resource{Kind: plan.Service, Name: "st_db"}
	was, again, other := digests(file, "x"), digests(file, "x"), digests(strings.Replace(file, "'1'", "'2'", 1), "x")
	assert.DeepEqual(t, was, again)
	assert.Check(t, was[web] != other[web] && was[db] == other[db])
	assert.Check(t, was[web] != digests(file, "y")[web])

	_, r, _ := planned(t, &stackAPI{fakeAPI: manager()}, file, ResolveNever)
	res := plan.Resource{Kind: plan.Secret, Name: "st_pw"}
	r.secrets["st_pw"] = swarm.SecretSpec{Data: []byte("a")}
	a, err := r.Digests(nil)
	assert.NilError(t, err)
	r.secrets["st_pw"] = swarm.SecretSpec{Data: []byte("b")}
	b, err := r.Digests(nil)
	assert.NilError(t, err)
	assert.Equal(t, a[res], b[res])
}

func BenchmarkPlanOf200Services(b *testing.B) {
	st, err := stackfile.Load(stackfile.Options{Files: []string{"-"}, Stdin: strings.NewReader(manyServices(200)), Stack: "st", NoDotenv: true})
	assert.NilError(b, err)
	api := &stackAPI{fakeAPI: manager()}
	for i := range 3 {
		api.nodes = append(api.nodes, swarm.Node{ID: fmt.Sprint("m", i), Status: swarm.NodeStatus{State: "ready"}, Spec: swarm.NodeSpec{Availability: "active"}})
	}
	for range b.N {
		e := New("test", api)
		r := NewStackRequest(st)
		o, err := e.LookStack(context.Background(), r, false)
		assert.NilError(b, err)
		_, err = r.Prepare(context.Background(), e, o, ResolveNever, nil)
		assert.NilError(b, err)
		d, err := r.Desired(o, false)
		assert.NilError(b, err)
		assert.Equal(b, len(plan.Reconcile(d, o).Steps), 201)
	}
}
