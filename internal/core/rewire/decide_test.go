package rewire

import (
	"fmt"
	"net/netip"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func network(id, subnet string) swarm.Network {
	return swarm.Network{
		ID: id, Name: "net-" + id, Scope: "swarm", Driver: "overlay", Options: map[string]string{swarm.OptVNI: "4097"},
		Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix(subnet)}},
	}
}

// twoNodes is a swarm with the networks a (with services web and db), b (with
// api) and c (small, with nobody).
func twoNodes() *swarm.Snapshot {
	s := &swarm.Snapshot{
		Context:  "east",
		Networks: []swarm.Network{network("a", "10.0.1.0/24"), network("b", "10.0.2.0/24"), network("c", "10.0.3.0/29")},
		Nodes:    []swarm.Node{{ID: "n1", Hostname: "n1", State: "ready", Availability: "active"}, {ID: "n2", Hostname: "n2", State: "ready", Availability: "active"}},
	}
	for i, sv := range []swarm.Service{
		{Name: "web", Replicas: 3, Networks: []swarm.Attach{{Target: "a", Aliases: []string{"www"}}}},
		{Name: "db", Replicas: 1, Networks: []swarm.Attach{{Target: "a"}, {Target: "b"}}},
		{Name: "api", Replicas: 1, Networks: []swarm.Attach{{Target: "b", Aliases: []string{"WEB"}}}},
	} {
		sv.ID, sv.Mode, sv.EndpointMode, sv.UpdateOrder, sv.UpdateParallel = sv.Name, swarm.Replicated, "vip", "stop-first", 1
		for j, a := range sv.Networks {
			sv.VIPs = append(sv.VIPs, swarm.VIP{NetworkID: a.Target, Addr: netip.MustParsePrefix(fmt.Sprintf("10.%d.%d.2/24", i, j))})
		}
		s.Services = append(s.Services, sv)
		for slot := range int(sv.Replicas) {
			task := swarm.Task{ID: fmt.Sprint(sv.ID, slot), ServiceID: sv.ID, Slot: slot + 1, NodeID: fmt.Sprint("n", slot%2+1), State: swarm.TaskRunning, Desired: swarm.TaskRunning}
			for j, a := range sv.Networks {
				task.Networks = append(task.Networks, swarm.TaskNetwork{NetworkID: a.Target, Addrs: []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("10.%d.%d.%d/24", i, j, 10+slot))}})
			}
			s.Tasks = append(s.Tasks, task)
		}
	}
	return s
}

func wish(s *swarm.Snapshot, service string, on, off string) Wish {
	sv, _ := s.ServiceByName(service)
	w := Wish{Service: sv}
	if n, ok := s.NetworkByID(on); ok {
		w.Change.On = &n
	}
	if n, ok := s.NetworkByID(off); ok {
		w.Change.Off = &n
	}
	return w
}

func TestDecideAttach(t *testing.T) {
	s := twoNodes()
	p, err := Decide(s, []Wish{wish(s, "web", "b", ""), wish(s, "db", "b", "")})
	assert.NilError(t, err)
	st := p.Steps[0]
	assert.Equal(t, st.Restarts, 3)
	assert.DeepEqual(t, st.Gains, []string{"web"})
	assert.Assert(t, is.Len(st.Warnings, 1))
	assert.Check(t, is.Contains(st.Warnings[0], `service "api" answers to "WEB" on network "net-b" too`))
	assert.Assert(t, !p.Steps[1].Changed)
	services, restarts := p.Changes()
	assert.Check(t, is.Equal(services, 1))
	assert.Check(t, is.Equal(restarts, 3))
	words := p.String()
	for _, part := range []string{
		`service "web": attach to network "net-b"`, "restarts 3 tasks, one at a time; the old task stops before the new one starts",
		`is found on network "net-b" as web`, `network "net-b" needs 5 addresses (1 virtual, 3 tasks, 1 load balancer)`, `service "db": unchanged`,
	} {
		assert.Check(t, is.Contains(words, part))
	}
}

func TestDecideDetach(t *testing.T) {
	s := twoNodes()
	p, err := Decide(s, []Wish{wish(s, "db", "", "a")})
	assert.NilError(t, err)
	assert.DeepEqual(t, p.Steps[0].Loses, []string{"db"})
	assert.DeepEqual(t, p.Steps[0].Apart, []string{"web"})
	assert.DeepEqual(t, p.Steps[0].Networks, []swarm.Attach{{Target: "b"}})

	p, err = Decide(s, []Wish{wish(s, "web", "", "a")})
	assert.NilError(t, err, "docker lets the last network go too")
	assert.Check(t, is.Contains(p.String(), "on no network"))
}

func TestDecideReplace(t *testing.T) {
	s := twoNodes()
	p, err := Decide(s, []Wish{wish(s, "web", "b", "a")})
	assert.NilError(t, err)
	assert.DeepEqual(t, p.Steps[0].Networks, []swarm.Attach{{Target: "b", Aliases: []string{"www"}}})
	assert.DeepEqual(t, p.Steps[0].Gains, []string{"web", "www"})
	assert.DeepEqual(t, p.Steps[0].Loses, []string{"web", "www"})
	assert.Check(t, is.Len(p.Steps[0].Apart, 0), "db is on both")
}

func TestDecideJobRestartsNothing(t *testing.T) {
	s := twoNodes()
	s.Services[0].Mode = swarm.ReplicatedJob
	p, err := Decide(s, []Wish{wish(s, "web", "b", "")})
	assert.NilError(t, err)
	assert.Equal(t, p.Steps[0].Restarts, 0)
	assert.Check(t, is.Contains(p.String(), "a job takes it up with its next run"))
}

func TestDecideRefuses(t *testing.T) {
	for _, tc := range []struct {
		doc    string
		change func(*swarm.Snapshot)
		on     string
		want   string
	}{
		{"ingress", func(s *swarm.Snapshot) { s.Networks[1].Ingress = true }, "b", "is the routing mesh"},
		{"local", func(s *swarm.Snapshot) { s.Networks[1].Scope = "local" }, "b", "is local to engine"},
		{"other driver", func(s *swarm.Snapshot) { s.Networks[1].Driver = "weave" }, "b", "no overlay network (driver weave)"},
		{"not allocated", func(s *swarm.Snapshot) { s.Networks[1].Options = nil }, "b", "has not allocated network"},
		{"no addresses", func(*swarm.Snapshot) {}, "c", `network "net-c" needs 6 addresses (1 virtual, 3 tasks, 2 load balancers) and has 5 free`},
		{"no addresses for new tasks beside old ones", func(s *swarm.Snapshot) {
			s.Networks[0].Subnets[0].Prefix = netip.MustParsePrefix("10.0.1.0/30")
			s.Services[0].UpdateOrder = "start-first"
		}, "b", "beside old tasks in a start-first update"},
		{"start-first with a port of the node", func(s *swarm.Snapshot) {
			s.Services[0].UpdateOrder, s.Services[0].Ports = "start-first", []swarm.Port{{Protocol: "tcp", Target: 80, Published: 80, Mode: "host"}}
		}, "b", "docker service update --update-order stop-first web"},
		{"start-first on full nodes", func(s *swarm.Snapshot) {
			s.Services[0].UpdateOrder, s.Services[0].MaxPerNode, s.Services[0].Replicas = "start-first", 1, 2
			s.Tasks = s.Tasks[1:]
		}, "b", "runs at most 1 tasks on a node"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			s := twoNodes()
			tc.change(s)
			_, err := Decide(s, []Wish{wish(s, "web", tc.on, "")})
			assert.Check(t, is.ErrorContains(err, tc.want))
			assert.Check(t, is.ErrorContains(err, `nothing was changed in context "east"`))
		})
	}
}

func TestDecideRefusesToLeaveIngress(t *testing.T) {
	s := twoNodes()
	s.Networks[0].Ingress = true
	_, err := Decide(s, []Wish{wish(s, "web", "", "a")})
	assert.Check(t, is.ErrorContains(err, "publishing no port through it"))
}

func TestDecideCountsAllThatJoin(t *testing.T) {
	s := twoNodes()
	s.Networks[2].Subnets[0].Prefix = netip.MustParsePrefix("10.0.3.0/28")
	s.Services[2].Networks = nil
	_, err := Decide(s, []Wish{wish(s, "web", "c", ""), wish(s, "db", "c", "")})
	assert.NilError(t, err, "13 free, 2+4+2 needed")
	s.Services[1].Replicas = 8
	_, err = Decide(s, []Wish{wish(s, "db", "c", "")})
	assert.NilError(t, err, "13 free, 1+8+2 needed")
	_, err = Decide(s, []Wish{wish(s, "web", "c", ""), wish(s, "db", "c", "")})
	assert.Check(t, is.ErrorContains(err, "needs 15 addresses (2 virtual, 11 tasks, 2 load balancers) and has 13 free"))
}

func TestDecideTellsOfStackAndUpdate(t *testing.T) {
	s := twoNodes()
	s.Services[0].Labels = map[string]string{"com.docker.stack.namespace": "shop\x1b[2J"}
	s.Services[0].Update.State = "paused"
	p, err := Decide(s, []Wish{wish(s, "web", "b", "")})
	assert.NilError(t, err)
	words := p.String()
	assert.Check(t, is.Contains(words, `stack "shop [2J"`), "cleaned")
	assert.Check(t, is.Contains(words, "its last update is paused"))
}
