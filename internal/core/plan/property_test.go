package plan

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// world makes random swarms and files over a few names, so that they meet.
type world struct {
	*rand.Rand
	ids int
}

func (w *world) one(of ...string) string { return of[w.IntN(len(of))] }
func (w *world) often() bool             { return w.IntN(4) > 0 }
func (w *world) id() string              { w.ids++; return fmt.Sprintf("id%d", w.ids) }

func (w *world) labels() map[string]string {
	l := map[string]string{deploy.LabelStack: "web"}
	if w.IntN(4) == 0 {
		l["x"] = w.one("1", "2")
	}
	return l
}

func (w *world) desired() Desired {
	d := Desired{Stack: "web", Prune: w.IntN(2) == 0}
	for i := range 4 {
		name := fmt.Sprintf("web_%d", i)
		if w.often() {
			n := NetworkWish{Driver: "overlay", Spec: swarm.NetworkSpec{Name: name, Labels: w.labels(), Attachable: w.IntN(5) == 0}}
			if w.IntN(4) == 0 {
				n.Spec.Options = map[string]string{swarm.OptMTU: w.one("1400", "1300")}
			}
			d.Networks = append(d.Networks, n)
		}
		if w.often() {
			d.Secrets = append(d.Secrets, Object{Name: name, Labels: w.labels(), Content: "s"})
		}
		if w.often() {
			d.Configs = append(d.Configs, Object{Name: name, Labels: w.labels(), Content: w.one("a", "a", "a", "b")})
		}
	}
	for i := range 4 {
		if !w.often() {
			continue
		}
		s := ServiceWish{}
		s.Service = swarm.Service{
			Name: fmt.Sprintf("web_%d", i), Labels: w.labels(), Image: w.one("app:1", "app:2"), Mode: swarm.Mode(w.one("replicated", "replicated", "replicated", "global")),
			Replicas: uint64(w.IntN(4)), EndpointMode: w.one("vip", "dnsrr"), UpdateOrder: "stop-first",
		}
		if s.Service.EndpointMode == "vip" && w.IntN(3) == 0 {
			s.Service.Ports = []swarm.Port{{Protocol: "tcp", Target: 80, Published: uint32(80 + i), Mode: "ingress"}}
		}
		for _, n := range d.Networks {
			if w.IntN(2) == 0 {
				s.Service.Networks = append(s.Service.Networks, swarm.Attach{Target: n.Spec.Name, Aliases: []string{fmt.Sprint("a", i)}})
			}
		}
		for _, c := range d.Configs {
			if w.IntN(3) == 0 {
				s.Configs = append(s.Configs, c.Name)
			}
		}
		if i > 0 && w.IntN(3) == 0 {
			s.DependsOn = []string{fmt.Sprintf("web_%d", w.IntN(i))}
		}
		d.Services = append(d.Services, s)
	}
	return d
}

// compared fills in what the engine finds out: what exists and what differs.
func compared(d Desired, o *Observed) Desired {
	d.Services = slices.Clone(d.Services)
	for i, w := range d.Services {
		w.Existing, w.Changes = nil, nil
		is, ok := o.ServiceByName(w.Service.Name)
		if ok && is.Labels[deploy.LabelStack] == d.Stack {
			w.Existing = &is
			for _, f := range []struct {
				name     string
				is, want any
				restarts bool
			}{
				{"mode", is.Mode, w.Service.Mode, false},
				{"replicas", is.Replicas, w.Service.Replicas, false},
				{"image", is.Image, w.Service.Image, true},
				{"labels", is.Labels, w.Service.Labels, false},
				{"publish", is.Ports, w.Service.Ports, true},
				{"network", is.Networks, byID(w.Service.Networks, o), true},
				{"config", is.Configs, w.Configs, true},
				{"endpoint-mode", is.EndpointMode, w.Service.EndpointMode, true},
			} {
				if fmt.Sprint(f.is) != fmt.Sprint(f.want) {
					w.Changes = append(w.Changes, deploy.Change{Field: f.name, Restarts: f.restarts})
				}
			}
		}
		d.Services[i] = w
	}
	return d
}

func byID(in []swarm.Attach, o *Observed) []swarm.Attach {
	out := slices.Clone(in)
	for i := range out {
		if n, ok := swarmNetwork(o.Snapshot, out[i].Target); ok {
			out[i].Target = n.ID
		}
	}
	return out
}

// carryOut does to the model what the steps say.
func (w *world) carryOut(t *testing.T, p Plan, d Desired, o *Observed) {
	done := map[Resource]bool{}
	for _, s := range p.Steps {
		for _, dep := range s.DependsOn {
			_, planned := p.Step(dep)
			assert.Assert(t, done[dep] || !planned, "%s comes before %s", s, dep)
		}
		done[s.Resource] = true
		if s.Action == Unchanged || s.Action == Blocked {
			continue
		}
		switch s.Kind {
		case Network:
			o.Networks = slices.DeleteFunc(o.Networks, func(n swarm.Network) bool { return s.ID != "" && n.ID == s.ID })
			for _, n := range d.Networks {
				if s.Action == Create && n.Spec.Name == s.Name {
					o.Networks = append(o.Networks, swarm.Network{ID: w.id(), Name: s.Name, Scope: "swarm", Driver: n.Driver, Labels: n.Spec.Labels, Options: n.Spec.Options, Attachable: n.Spec.Attachable})
				}
			}
		case Secret:
			o.Secrets = w.write(s, d.Secrets, o.Secrets, true)
		case Config:
			o.Configs = w.write(s, d.Configs, o.Configs, false)
		case Service:
			id := s.ID
			o.Services = slices.DeleteFunc(o.Services, func(sv swarm.Service) bool { return id != "" && sv.ID == id })
			if s.Action == Create || s.Action == Replace {
				id = w.id()
			}
			for _, sw := range d.Services {
				if s.Action != Remove && sw.Service.Name == s.Name {
					sv := sw.Service
					sv.ID, sv.Configs, sv.Networks = id, sw.Configs, byID(sw.Service.Networks, o)
					o.Services = append(o.Services, sv)
				}
			}
		}
	}
}

func (w *world) write(s Step, wanted, is []Object, hidden bool) []Object {
	is = slices.DeleteFunc(slices.Clone(is), func(o Object) bool { return s.ID != "" && o.ID == s.ID })
	for _, o := range wanted {
		if s.Action == Remove || o.Name != s.Name {
			continue
		}
		o.ID = s.ID
		if o.ID == "" {
			o.ID = w.id()
		}
		if hidden {
			o.Content = ""
		}
		is = append(is, o)
	}
	return is
}

// Whatever was there: once a plan is carried out, the same file plans nothing
// more than what was blocked; every object has one step; and planning leaves
// what it was given as it was.
func TestCarryingOutAPlanLeavesNothingToDo(t *testing.T) {
	changed := 0
	for seed := range uint64(100) {
		w := &world{Rand: rand.New(rand.NewPCG(seed, 7))}
		o := &Observed{Snapshot: &swarm.Snapshot{Context: "prod", Networks: []swarm.Network{{ID: "ing", Name: "ingress", Scope: "swarm", Driver: "overlay", Ingress: true}}}}
		for i := range 3 {
			o.Nodes = append(o.Nodes, swarm.Node{ID: fmt.Sprint("n", i), State: "ready", Availability: "active"})
		}
		for round := range 3 {
			about := fmt.Sprintf("seed %d, round %d", seed, round)
			wanted := w.desired()
			d := compared(wanted, o)
			before := inWords(t, d, o)
			p := Reconcile(d, o)
			assert.Check(t, is.Equal(inWords(t, d, o), before), about)
			seen := map[Resource]int{}
			for _, s := range p.Steps {
				seen[s.Resource]++
				assert.Assert(t, seen[s.Resource] == 1, "%s: two steps on %s", about, s.Resource)
			}
			assert.Assert(t, len(seen) >= len(d.Networks)+len(d.Secrets)+len(d.Configs)+len(d.Services), about)
			if p.Changes() {
				changed++
			}
			w.carryOut(t, p, d, o)
			again := Reconcile(compared(wanted, o), o)
			for _, s := range again.Steps {
				first, _ := p.Step(s.Resource)
				assert.Assert(t, s.Action == Unchanged || s.Action == Blocked && first.Action == Blocked, "%s: after\n%swith\n%sstill to do:\n%s", about, p, p.Err(), s)
			}
		}
	}
	assert.Assert(t, changed > 150, "most plans change something, %d of 300 did", changed)
}

func inWords(t *testing.T, d Desired, o *Observed) string {
	raw, err := json.Marshal([]any{d, o})
	assert.NilError(t, err)
	return string(raw)
}
