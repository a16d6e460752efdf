package migrate

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// A sim is a swarm that carries steps out task by task, in random order, and
// holds after each that tasks which talk can talk.
type sim struct {
	t    *testing.T
	rnd  *rand.Rand
	s    *swarm.Snapshot
	job  Job
	seed uint64
	made int
	// restarts counts replaced tasks by service.
	restarts map[string]int
}

func network(id, name, subnet string) swarm.Network {
	return swarm.Network{
		ID: id, Name: name, Scope: "swarm", Driver: "overlay",
		Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix(subnet)}},
		Options: map[string]string{swarm.OptVNI: "4097"}, Labels: map[string]string{"com.docker.stack.namespace": "shop"},
	}
}

// service returns a service of n tasks on the networks.
func service(name string, n int, networks ...string) swarm.Service {
	sv := swarm.Service{
		ID: "id-" + name, Name: name, Mode: swarm.Replicated, Replicas: uint64(n), EndpointMode: "vip", //nolint:gosec // small
		UpdateOrder: "start-first", UpdateParallel: 1,
	}
	for _, id := range networks {
		sv.Networks = append(sv.Networks, swarm.Attach{Target: id, Aliases: []string{name + "-alias"}})
	}
	return sv
}

// addTask starts a task of the service as its spec says.
func (m *sim) addTask(sv swarm.Service, slot int) {
	m.made++
	t := swarm.Task{ID: fmt.Sprint("t", m.made), ServiceID: sv.ID, Slot: slot, NodeID: "n1", State: swarm.TaskRunning, Desired: swarm.TaskRunning}
	for _, a := range sv.Networks {
		t.Networks = append(t.Networks, swarm.TaskNetwork{NetworkID: a.Target, Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.1.9/24")}})
	}
	m.s.Tasks = append(m.s.Tasks, t)
}

func start(t *testing.T, seed uint64, services []swarm.Service, w Wish) (*sim, Plan) {
	t.Helper()
	m := &sim{t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 1)), restarts: map[string]int{}, s: &swarm.Snapshot{ //nolint:gosec // reproducible on purpose
		Context: "prod", Services: services, Nodes: []swarm.Node{{ID: "n1", Hostname: "n1", State: "ready", Availability: "active"}},
		Networks: []swarm.Network{network("other", "other", "10.0.9.0/24"), network("old", "docknet", "10.0.1.0/24")},
	}}
	for _, sv := range services {
		for slot := range int(sv.Replicas) { //nolint:gosec // small
			m.addTask(sv, slot+1)
		}
	}
	p, err := New(m.s, m.s.Networks[1], w)
	if err != nil {
		m.fatal("plan: %v", err)
	}
	m.job = p.Job
	if !p.Job.Renames() {
		m.create(p.Twin)
	}
	return m, p
}

func (m *sim) fatal(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("seed %d: "+format, append([]any{m.seed}, args...)...)
}

func (m *sim) create(w netspec.Wish) {
	d, err := netspec.Decide(m.s, w)
	if err != nil {
		m.fatal("create: %v", err)
	}
	if d.Existing != nil {
		m.fatal("network %q is there already", w.Spec.Name)
	}
	m.made++
	options := map[string]string{swarm.OptVNI: fmt.Sprint(5000 + m.made)}
	for k, v := range d.Spec.Options {
		options[k] = v
	}
	m.s.Networks = append(m.s.Networks, swarm.Network{
		ID: fmt.Sprint("net", m.made), Name: d.Spec.Name, Scope: "swarm", Driver: "overlay", Subnets: d.Spec.Subnets,
		Attachable: d.Spec.Attachable, Internal: d.Spec.Internal, Options: options, Labels: d.Spec.Labels,
	})
}

// act begins a step, perhaps of a part of its services only, as a process does
// that is killed in the middle.
func (m *sim) act(st Step) {
	switch st.Kind {
	case Create:
		m.create(netspec.Wish{Spec: st.Spec})
	case Remove:
		for _, task := range m.s.Tasks {
			if _, is := task.On(st.From.ID); is {
				m.fatal("network %s removed under task %s", st.From.Name, task.ID)
			}
		}
		m.s.Networks = slices.DeleteFunc(m.s.Networks, func(n swarm.Network) bool { return n.ID == st.From.ID })
	case Settle:
		for m.dirty(func(id string) bool {
			return slices.ContainsFunc(st.Services, func(sv swarm.Service) bool { return sv.ID == id })
		}) {
		}
	case Mark, Unmark:
		for _, i := range m.some(len(st.Services)) {
			sv := m.service(st.Services[i].ID)
			sv.Labels = map[string]string{}
			if st.Kind == Mark {
				sv.Labels, _ = m.job.Labels()
			}
		}
	case Join, Swap, Leave:
		for _, i := range m.some(len(st.Services)) {
			sv := m.service(st.Services[i].ID)
			networks, changed := st.Networks(*sv)
			if !changed {
				m.fatal("%s of service %s changes nothing", st.Kind, sv.Name)
			}
			sv.Networks = networks
			m.hold()
		}
	case Done:
	}
}

// some returns a random selection of n indexes, at least one.
func (m *sim) some(n int) []int {
	return m.rnd.Perm(n)[:1+m.rnd.IntN(n)]
}

func (m *sim) service(id string) *swarm.Service {
	return &m.s.Services[slices.IndexFunc(m.s.Services, func(sv swarm.Service) bool { return sv.ID == id })]
}

// dirty replaces one task that is not as its service says, or ends one that
// was replaced; false when there is none.
func (m *sim) dirty(of func(id string) bool) bool {
	for _, i := range m.rnd.Perm(len(m.s.Tasks)) {
		task := m.s.Tasks[i]
		sv := m.service(task.ServiceID)
		if !of(sv.ID) {
			continue
		}
		if task.Desired.Ended() {
			m.s.Tasks = slices.Delete(m.s.Tasks, i, i+1)
			return true
		}
		if asSpec(task, *sv) {
			continue
		}
		m.restarts[sv.Name]++
		m.s.Tasks[i].Desired = swarm.TaskShutdown
		m.addTask(*sv, task.Slot)
		m.hold()
		return true
	}
	return false
}

func asSpec(task swarm.Task, sv swarm.Service) bool {
	return slices.EqualFunc(task.Networks, sv.Networks, func(n swarm.TaskNetwork, a swarm.Attach) bool { return n.NetworkID == a.Target })
}

// hold checks that any two tasks that may talk share a network. Only two
// direct services do not talk.
func (m *sim) hold() {
	m.t.Helper()
	for _, a := range m.s.Tasks {
		for _, b := range m.s.Tasks {
			if slices.Contains(m.job.Direct, a.ServiceID) && slices.Contains(m.job.Direct, b.ServiceID) {
				continue
			}
			if !slices.ContainsFunc(a.Networks, func(n swarm.TaskNetwork) bool { _, is := b.On(n.NetworkID); return is && n.NetworkID != "other" }) {
				x, _ := json.Marshal(a)
				y, _ := json.Marshal(b)
				m.fatal("these two cannot talk:\n%s\n%s", x, y)
			}
		}
	}
}

// run carries a course out to its end, while the swarm goes on rolling at its
// own pace; at most limit steps.
func (m *sim) run(back bool, limit int) (ended bool) {
	m.t.Helper()
	for range limit {
		for range m.rnd.IntN(4) {
			m.dirty(func(string) bool { return true })
		}
		st := Course{Job: m.job, Back: back}.Next(m.s)
		if st.Kind == Done {
			return true
		}
		m.act(st)
	}
	return false
}
