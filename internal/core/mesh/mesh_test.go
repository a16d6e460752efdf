package mesh

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func subnets(s string) []swarm.Subnet { return []swarm.Subnet{{Prefix: netip.MustParsePrefix(s)}} }

func overlay(id, name, subnet string) swarm.Network {
	return swarm.Network{
		ID: id, Name: name, Scope: "swarm", Driver: "overlay", Ingress: name == "ingress", Subnets: subnets(subnet),
		Options: map[string]string{swarm.OptVNI: "40" + id},
	}
}

func port(published uint16, mode string) swarm.Port {
	return swarm.Port{Protocol: "tcp", Target: 80, Published: uint32(published), Mode: mode}
}

// publishing is a swarm of two nodes in which web publishes ports in the mesh.
func publishing() *swarm.Snapshot {
	return &swarm.Snapshot{
		Context: "east", Nodes: []swarm.Node{{ID: "n1"}, {ID: "n2"}},
		Networks: []swarm.Network{overlay("1", "ingress", "10.0.0.0/24"), overlay("2", "app", "10.0.1.0/24")},
		Services: []swarm.Service{
			{ID: "w", Name: "web", Ports: []swarm.Port{port(8443, "ingress"), port(8080, "ingress")}},
			{ID: "h", Name: "host", Ports: []swarm.Port{port(81, "host")}},
			{ID: "a", Name: "api", Ports: []swarm.Port{port(9090, "ingress")}},
		},
		Tasks: []swarm.Task{{ServiceID: "w", State: swarm.TaskRunning, Desired: swarm.TaskRunning}},
	}
}

func TestNew(t *testing.T) {
	p, err := New(publishing(), Wish{Options: map[string]string{swarm.OptMTU: "1400"}})
	assert.NilError(t, err)
	assert.DeepEqual(t, p.Changes, []string{"mtu: none → 1400"})
	assert.Equal(t, p.Job.Goal.Subnets[0].Prefix.String(), "10.0.0.0/24", "what is not named stays")
	assert.DeepEqual(t, p.Job.Goal.Options, map[string]string{swarm.OptMTU: "1400"})
	assert.Check(t, p.Job.Goal.Ingress)
	assert.DeepEqual(t, p.Services, []Service{
		{Name: "api", Ports: []string{"9090->80/tcp"}},
		{Name: "web", Ports: []string{"8443->80/tcp", "8080->80/tcp"}, Tasks: 1},
	})
	assert.Equal(t, p.Restarts(), 2)
	assert.Equal(t, len(p.Notes), 1, "%v", p.Notes)
	assert.Check(t, is.Contains(p.Steps[0], "api, web"))

	p, err = New(publishing(), Wish{Subnets: subnets("10.0.0.0/24")})
	assert.NilError(t, err)
	assert.Equal(t, len(p.Changes), 0, "it is so already")
}

// TestNewTellsOfChosenPorts: a number that the swarm chose is one that the
// service asks for afterwards.
func TestNewTellsOfChosenPorts(t *testing.T) {
	s := publishing()
	s.Services[0].Chosen = []uint32{8443}
	p, err := New(s, Wish{Options: map[string]string{swarm.OptMTU: "1400"}})
	assert.NilError(t, err)
	assert.DeepEqual(t, p.Notes[0], "port 8443 of web was chosen by the swarm; to keep it, it becomes part of the service's spec")
}

func TestNewWithoutIngress(t *testing.T) {
	s := publishing()
	s.Networks, s.Services = s.Networks[1:], nil
	p, err := New(s, Wish{})
	assert.NilError(t, err)
	assert.Equal(t, p.Job.Goal.Name, "ingress")
	assert.DeepEqual(t, p.Changes, []string{"ingress: none → 10.0.0.0/24"})
	assert.DeepEqual(t, p.Steps, []string{`create network "ingress", 10.0.0.0/24`})
}

func TestNewRefuses(t *testing.T) {
	job, err := Job{Before: swarm.NetworkSpec{Name: "ingress"}, Goal: swarm.NetworkSpec{Name: "ingress"}}.Label()
	assert.NilError(t, err)
	for name, c := range map[string]struct {
		wish   Wish
		change func(*swarm.Snapshot)
		err    string
	}{
		"an overlap":    {wish: Wish{Subnets: subnets("10.0.1.0/25")}, err: `overlaps network "app"`},
		"no room":       {wish: Wish{Subnets: subnets("10.9.0.0/30")}, err: "ingress needs 5 addresses"},
		"a name taken":  {change: func(s *swarm.Snapshot) { s.Networks[0] = overlay("3", "INGRESS", "10.7.0.0/24") }, err: "does not tell upper from lower case"},
		"one under way": {change: func(s *swarm.Snapshot) { s.Services[0].Labels = map[string]string{LabelJob: job} }, err: "is being made anew already"},
		"a bridge there": {change: func(s *swarm.Snapshot) {
			s.Networks[0] = swarm.Network{ID: "b", Name: "ingress", Scope: "local", Driver: "bridge"}
		}, err: "local network of that name"},
	} {
		t.Run(name, func(t *testing.T) {
			s := publishing()
			if c.change != nil {
				c.change(s)
			}
			_, err := New(s, c.wish)
			assert.Check(t, is.ErrorContains(err, c.err))
		})
	}
}

func TestFindIgnoresWhatIsNotOurs(t *testing.T) {
	s := publishing()
	s.Services[0].Labels = map[string]string{LabelJob: "{"}
	_, ok := Find(s)
	assert.Check(t, !ok)
	s.Services[1].Labels = map[string]string{LabelJob: `{"goal":{"Name":"ingress"}}`}
	j, ok := Find(s)
	assert.Check(t, ok)
	assert.Equal(t, j.Goal.Name, "ingress")
}

// TestUnserved: what the swarm has not put on ingress yet is not done.
func TestUnserved(t *testing.T) {
	s := publishing()
	assert.DeepEqual(t, Unserved(s, s.Services), []string{"web", "api"})
	for i := range s.Services {
		s.Services[i].VIPs = []swarm.VIP{{NetworkID: "1", Addr: netip.MustParsePrefix("10.0.0.5/24")}}
	}
	assert.Equal(t, len(Unserved(s, s.Services)), 0)
	s.Services[0].Ports[1].Published = 0
	assert.DeepEqual(t, Unserved(s, s.Services), []string{"web"})
}

// sim carries steps out as a swarm does.
type sim struct {
	t    *testing.T
	s    *swarm.Snapshot
	job  Job
	made int
	// parked are the ports that services remember.
	parked map[string][]swarm.Port
}

// act does a step, of its services the first n only, as a process does that is
// killed in the middle.
func (m *sim) act(st Step, n int) {
	label, err := m.job.Label()
	assert.NilError(m.t, err)
	for _, want := range st.Services[:min(n, len(st.Services))] {
		i := slices.IndexFunc(m.s.Services, func(sv swarm.Service) bool { return sv.ID == want.ID })
		sv := &m.s.Services[i]
		if sv.Labels == nil {
			sv.Labels = map[string]string{}
		}
		switch st.Kind {
		case Remember:
			sv.Labels[LabelJob] = label
		case Park:
			m.parked[sv.ID] = sv.Ports
			sv.Ports, sv.Labels[LabelJob], sv.Labels[LabelPorts] = nil, label, "ports"
		case Restore:
			_, there := m.s.Ingress()
			assert.Assert(m.t, there, "a swarm without ingress refuses to publish")
			sv.Ports = m.parked[sv.ID]
			delete(sv.Labels, LabelPorts)
		case Finish:
			delete(sv.Labels, LabelJob)
		default:
			m.t.Fatalf("step %s has services", st.Kind)
		}
	}
	switch st.Kind {
	case Create:
		_, there := m.s.Ingress()
		assert.Assert(m.t, !there, "a swarm has one ingress network")
		m.made++
		made := overlay(fmt.Sprint("new", m.made), "ingress", "10.0.0.0/24")
		made.Subnets = st.Spec.Subnets
		for k, v := range st.Spec.Options {
			made.Options[k] = v
		}
		m.s.Networks = append(m.s.Networks, made)
	case Remove:
		for _, sv := range m.s.Services {
			assert.Assert(m.t, !sv.NeedsIngress(), "a swarm keeps an ingress network that services need")
		}
		m.s.Networks = slices.DeleteFunc(m.s.Networks, func(n swarm.Network) bool { return n.ID == st.Old.ID })
	default:
	}
}

// run goes on to the end, or until it has done all of so many steps and a part
// of one more. What is known at the beginning is what the swarm remembers.
func (m *sim) run(c Course, whole, part int) {
	for i := range 50 {
		st := c.Next(m.s)
		if st.Kind == Done {
			return
		}
		if i == whole {
			m.act(st, part)
			return
		}
		m.act(st, len(st.Services))
	}
	m.t.Fatal("it does not come to an end")
}

// TestKilledAnywhere: killed after any step or in the middle of one, killed
// again on the way on or back, and then brought to its end in either direction:
// there is one ingress network, as it was or as it shall be, all services have
// the ports they had, in their order, and nothing is left over.
func TestKilledAnywhere(t *testing.T) {
	for _, services := range []int{0, 2, 3} { // without any, one that publishes and one that does not, all
		for first := range 8 {
			for second := range 8 {
				for way := range 4 {
					name := fmt.Sprintf("%d services, killed at %d and %d, way %d", services, first, second, way)
					t.Run(name, func(t *testing.T) { killedAnywhere(t, services, first, second, way) })
				}
			}
		}
	}
}

func killedAnywhere(t *testing.T, services, first, second, way int) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(first), uint64(second))) //nolint:gosec // reproducible on purpose
	s := publishing()
	s.Services = s.Services[:services]
	want := slices.Clone(s.Services)
	p, err := New(s, Wish{Subnets: subnets("10.5.0.0/24"), Options: map[string]string{swarm.OptMTU: "1400"}})
	assert.NilError(t, err)
	m := &sim{t: t, s: s, job: p.Job, parked: map[string][]swarm.Port{}}
	m.run(Course{Job: p.Job}, first, r.IntN(3))
	for i, back := range []bool{way&1 != 0, way&2 != 0} {
		job, ok := Find(s)
		if !ok {
			if services > 0 {
				break // not begun, or over, as is checked below
			}
			job = p.Job // without a service, the same command is run again
		}
		limit := second
		if i == 1 {
			limit = -1
		}
		m.run(Course{Job: job, Back: back}, limit, r.IntN(3))
	}
	networks := slices.DeleteFunc(slices.Clone(s.Networks), func(n swarm.Network) bool { return !n.Ingress })
	assert.Assert(t, is.Len(networks, 1))
	subnet := networks[0].Subnets[0].Prefix.String()
	assert.Check(t, subnet == "10.0.0.0/24" || subnet == "10.5.0.0/24")
	for i, sv := range s.Services {
		assert.Check(t, is.DeepEqual(sv.Ports, want[i].Ports))
		assert.Check(t, is.Len(sv.Labels, 0))
	}
}
