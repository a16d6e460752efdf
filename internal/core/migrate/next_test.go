package migrate

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gotest.tools/v3/assert"

	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// steps is more than any course takes.
const steps = 500

// randomServices returns some services on network "old" and others, of one or
// more tasks.
func randomServices(r *rand.Rand) []swarm.Service {
	names := []string{"web", "db", "cache", "proxy", "worker"}
	services := make([]swarm.Service, 0, len(names))
	for _, name := range names[:1+r.IntN(len(names))] {
		on := [][]string{{"old"}, {"old", "other"}, {"other", "old"}}[r.IntN(3)]
		services = append(services, service(name, r.IntN(4), on...))
	}
	return services
}

func randomWish(r *rand.Rand, services []swarm.Service) Wish {
	w := Wish{MTU: 1400, Parallel: 1 + r.IntN(3)}
	if r.IntN(2) == 0 {
		w.Rename = "newnet"
	}
	if r.IntN(2) == 0 {
		w.Bits = 22
	}
	for _, sv := range services {
		if r.IntN(4) == 0 {
			w.Leaves = append(w.Leaves, sv.Name)
		}
	}
	return w
}

// TestEveryPairTalksAtEveryMoment carries migrations out on a simulated swarm,
// in random order, killed and resumed and undone at random, and holds that no
// two tasks that talk are ever without a common network, and that in the end
// there is one network and nothing left over.
func TestEveryPairTalksAtEveryMoment(t *testing.T) {
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // reproducible on purpose
		services := randomServices(r)
		before := map[string][]swarm.Attach{}
		for _, sv := range services {
			before[sv.ID] = slices.Clone(sv.Networks)
		}
		m, p := start(t, seed, services, randomWish(r, services))
		back := false
		for range r.IntN(4) {
			if m.run(back, r.IntN(12)) {
				break
			}
			if _, under := Find(m.s, "docknet"); under {
				back = !back // what is over, or not begun, cannot be undone
			}
		}
		if !m.run(back, steps) {
			m.fatal("does not end")
		}
		for m.dirty(func(string) bool { return true }) {
		}
		goal := p.Job.Goal
		if back {
			goal = p.Job.Before
		}
		checkEnd(m, goal, before)
	}
}

// checkEnd holds that there is exactly the network of the goal, in the place
// of the old one.
func checkEnd(m *sim, goal swarm.NetworkSpec, before map[string][]swarm.Attach) {
	m.t.Helper()
	var final swarm.Network
	for _, n := range m.s.Networks {
		if n.ID == "other" {
			continue
		}
		if final.ID != "" {
			m.fatal("two networks are left: %s and %s", final.Name, n.Name)
		}
		final = n
	}
	if final.Name != goal.Name || !asSpecified(final, goal) {
		m.fatal("the network left is %s, the goal %s: %v", final.Name, goal.Name, netspec.Differences(final, netspec.Wish{Spec: goal}))
	}
	if final.Labels[LabelJob] != "" {
		m.fatal("the job's label is left on the network")
	}
	for _, sv := range m.s.Services {
		if sv.Labels[LabelJob] != "" {
			m.fatal("the job's label is left on service %s", sv.Name)
		}
		want := slices.Clone(before[sv.ID])
		for i := range want {
			if want[i].Target == "old" {
				want[i].Target = final.ID
			}
		}
		if !slices.EqualFunc(sv.Networks, want, func(a, b swarm.Attach) bool { return a.Target == b.Target && slices.Equal(a.Aliases, b.Aliases) }) {
			m.fatal("service %s is on %v, not on %v", sv.Name, sv.Networks, want)
		}
	}
}

// TestPlanCountsRestarts holds the numbers that the plan tells against those
// of the simulation.
func TestPlanCountsRestarts(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // reproducible on purpose
		services := randomServices(r)
		m, p := start(t, seed, services, randomWish(r, services))
		assert.Assert(t, m.run(false, steps), "seed %d", seed)
		for m.dirty(func(string) bool { return true }) {
		}
		for _, sv := range p.Services {
			assert.Equal(t, m.restarts[sv.Name], sv.Restarts*sv.Tasks, "seed %d, service %s", seed, sv.Name)
		}
	}
}

// TestFewestRestarts holds that no order of updates takes fewer restarts than
// the plan's, by trying all orders on small swarms.
func TestFewestRestarts(t *testing.T) {
	for _, rename := range []string{"", "newnet"} {
		for count := 1; count <= 3; count++ {
			for kinds := range 1 << (2 * count) {
				var services []swarm.Service
				w := Wish{MTU: 1400, Rename: rename}
				model := talkers{rename: rename != ""}
				for i := range count {
					several, leaf := kinds>>(2*i)&1 == 1, kinds>>(2*i+1)&1 == 1
					name := string(rune('a' + i))
					n := 1
					if several {
						n = 2
					}
					services = append(services, service(name, n, "old"))
					if leaf {
						w.Leaves = append(w.Leaves, name)
					}
					model.leaf = append(model.leaf, leaf)
					// A service of one task has no peers in itself.
					model.self = append(model.self, several && !leaf)
				}
				_, p := start(t, 0, services, w)
				total := 0
				for _, sv := range p.Services {
					total += sv.Restarts
				}
				assert.Equal(t, total, model.fewest(), "rename %q, leaves %v, self %v", rename, model.leaf, model.self)
			}
		}
	}
}

// talkers is a swarm reduced to who talks with whom.
type talkers struct {
	leaf, self []bool
	rename     bool
}

// A world is the networks of each service as bits (old 1, twin 2, new 4), and
// whether the old network has made way for the new one.
type world struct {
	on   [3]uint8
	gone bool
}

// fewest returns the least number of updates that take all services from the
// old network to the new one with every pair in touch, by breadth-first search.
func (m talkers) fewest() int {
	var first world
	for i := range m.leaf {
		first.on[i] = 1
	}
	seen := map[world]bool{}
	level := []world{first}
	for cost := 0; len(level) > 0; cost++ {
		var next []world
		for len(level) > 0 {
			w := level[0]
			level = level[1:]
			if seen[w] {
				continue
			}
			seen[w] = true
			if w.all(len(m.leaf), 4) {
				return cost
			}
			if free := w; !w.gone && w.none(len(m.leaf), 1) {
				free.gone = true // the old one is removed and the new one made, which restarts nothing
				level = append(level, free)
			}
			for i := range m.leaf {
				for to := uint8(1); to < 8; to++ {
					if m.may(w, i, to) {
						after := w
						after.on[i] = to
						next = append(next, after)
					}
				}
			}
		}
		level = next
	}
	return -1
}

// may tells whether service i can roll over to other networks: they exist, and
// neither its old tasks nor its new ones lose touch with anyone.
func (m talkers) may(w world, i int, to uint8) bool {
	exists := uint8(1 | 2)
	switch {
	case m.rename:
		exists = 1 | 4
	case w.gone:
		exists = 2 | 4
	}
	if to&^exists != 0 || m.self[i] && to&w.on[i] == 0 {
		return false
	}
	for j := range m.leaf {
		if j != i && (!m.leaf[i] || !m.leaf[j]) && (w.on[j]&to == 0 || w.on[j]&w.on[i] == 0) {
			return false
		}
	}
	return true
}

func (w world) all(n int, bit uint8) bool {
	return !slices.ContainsFunc(w.on[:n], func(on uint8) bool { return on != bit })
}

func (w world) none(n int, bit uint8) bool {
	return !slices.ContainsFunc(w.on[:n], func(on uint8) bool { return on&bit != 0 })
}
