package migrate

import (
	"net/netip"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// look is a swarm of one node with the services on "docknet", all up.
func look(services ...swarm.Service) *swarm.Snapshot {
	m := &sim{s: &swarm.Snapshot{
		Context: "prod", Engine: swarm.Engine{Name: "n1"}, Services: services,
		Nodes: []swarm.Node{{ID: "n1", Hostname: "n1", State: "ready", Availability: "active", Addr: "192.0.2.11"}},
		Networks: []swarm.Network{
			{ID: "ing", Name: "ingress", Scope: "swarm", Driver: "overlay", Ingress: true, Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix("10.0.0.0/24")}}, Options: map[string]string{swarm.OptVNI: "4096"}},
			network("old", "docknet", "10.0.1.0/24"),
		},
	}}
	for _, sv := range services {
		for slot := range int(sv.Replicas) { //nolint:gosec // small
			m.addTask(sv, slot+1)
		}
	}
	return m.s
}

func TestNewRefuses(t *testing.T) {
	yes := true
	for _, tc := range []struct {
		doc    string
		change func(*swarm.Snapshot, *Wish)
		want   string
	}{
		{"an unknown leaf", func(_ *swarm.Snapshot, w *Wish) { w.Leaves = []string{"nobody"} }, `--leaf "nobody"`},
		{"a container of docker run", func(s *swarm.Snapshot, _ *Wish) {
			s.Attachments = []swarm.Attachment{{ID: "a", ContainerID: "c0ffee", NodeID: "n1", State: swarm.TaskRunning, Desired: swarm.TaskRunning, Networks: []swarm.TaskNetwork{{NetworkID: "old"}}}}
		}, "container c0ffee on node n1 was started by \"docker run\" and cannot follow: on n1: docker network disconnect docknet c0ffee"},
		{"a service that is not up", func(s *swarm.Snapshot, _ *Wish) { s.Tasks = s.Tasks[1:] }, `service "web" is not up (1 of 2 tasks)`},
		{"host ports with start-first", func(s *swarm.Snapshot, _ *Wish) {
			s.Services[0].Ports = []swarm.Port{{Protocol: "tcp", Target: 80, Published: 80, Mode: "host"}}
		}, "publishes port 80/tcp in host mode"},
		{"a job under way", func(s *swarm.Snapshot, _ *Wish) { s.Services[0].Mode = swarm.ReplicatedJob }, `service "web" is a job with 2 tasks under way`},
		{"services of several stacks", func(s *swarm.Snapshot, _ *Wish) { s.Services[0].Labels = map[string]string{labelStack: "blog"} }, "web (stack blog). Add --all-stacks"},
		{"too small a network", func(_ *swarm.Snapshot, w *Wish) {
			w.Subnets = []swarm.Subnet{{Prefix: netip.MustParsePrefix("10.8.0.0/29")}}
		}, `network "docknet (new)" needs 7 free addresses (2 virtual, 3 for tasks, 1 for load balancers, 1 for new tasks beside old ones) and has 5`},
		{"a full network and start-first", func(s *swarm.Snapshot, w *Wish) {
			s.Networks[1].Subnets[0].Prefix = netip.MustParsePrefix("10.0.1.8/29")
			for i := range s.Tasks {
				s.Tasks[i].Networks[0].Addrs[0] = netip.MustParsePrefix([]string{"10.0.1.10/29", "10.0.1.11/29", "10.0.1.12/29"}[i])
			}
			s.Services[0].VIPs = []swarm.VIP{{NetworkID: "old", Addr: netip.MustParsePrefix("10.0.1.13/29")}}
			w.Bits = 24
		}, `network "docknet" needs 1 free addresses (for new tasks beside old ones) and has 0`},
		{"a subnet of another network", func(_ *swarm.Snapshot, w *Wish) {
			w.Subnets = []swarm.Subnet{{Prefix: netip.MustParsePrefix("10.0.0.0/16")}}
		}, `overlaps ingress network "ingress"`},
		{"a name that is taken", func(_ *swarm.Snapshot, w *Wish) { w.Rename = "ingress" }, `network "ingress" is there already`},
		{"the name it has", func(_ *swarm.Snapshot, w *Wish) { w.Rename = "docknet" }, "has that name already"},
		{"an option that the driver would ignore", func(_ *swarm.Snapshot, w *Wish) { w.Options = map[string]string{"mtu": "9000"} }, swarm.OptMTU},
		{"the routing mesh", func(s *swarm.Snapshot, w *Wish) { s.Networks[1].Ingress, w.Internal = true, &yes }, "is the routing mesh"},
		{"not allocated", func(s *swarm.Snapshot, _ *Wish) { s.Networks[1].Driver = "" }, "has not allocated"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			s := look(service("web", 2, "old"), service("db", 1, "old"))
			w := Wish{MTU: 1400, Parallel: 1}
			tc.change(s, &w)
			_, err := New(s, s.Networks[1], w)
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

func TestNewRefusesWhatIsUnderWay(t *testing.T) {
	s := look(service("web", 2, "old"))
	p, err := New(s, s.Networks[1], Wish{MTU: 1400})
	assert.NilError(t, err)
	s.Networks = append(s.Networks, swarm.Network{ID: "twin", Name: p.Job.Twin, Scope: "swarm", Labels: p.Twin.Spec.Labels})
	_, err = New(s, s.Networks[1], Wish{MTU: 9000})
	var told *problem.Error
	assert.Assert(t, is.ErrorType(err, told))
	assert.ErrorContains(t, err, "migrate --resume docknet")
	for _, name := range []string{"docknet", "docknet-twin"} {
		j, ok := Find(s, name)
		assert.Assert(t, ok, name)
		assert.DeepEqual(t, j.Direct, p.Job.Direct)
		assert.Equal(t, j.Goal.Options[swarm.OptMTU], "1400")
		assert.Equal(t, j.Before.Subnets[0].Prefix, s.Networks[1].Subnets[0].Prefix)
	}
}

func TestNewKeepsWhatIsNotAskedFor(t *testing.T) {
	s := look(service("web", 2, "old"))
	s.Networks[1].Attachable = true
	p, err := New(s, s.Networks[1], Wish{MTU: 1400})
	assert.NilError(t, err)
	goal := p.Job.Goal
	assert.DeepEqual(t, goal.Labels, map[string]string{"com.docker.stack.namespace": "shop"})
	assert.DeepEqual(t, goal.Options, map[string]string{swarm.OptMTU: "1400"})
	assert.Equal(t, goal.Subnets[0].Prefix.String(), "10.0.1.0/24", "the new network has the addresses of the old one")
	assert.Assert(t, goal.Attachable)
	assert.Equal(t, p.TwinSubnets[0].Prefix.String(), "10.0.2.0/24")
	assert.Assert(t, !p.Twin.Spec.Attachable, "no container of docker run may come onto the twin")
	assert.Equal(t, p.Twin.Spec.Labels["com.docker.stack.namespace"], "shop")
}

func TestNewGrowsOverTheOldAddresses(t *testing.T) {
	s := look(service("web", 2, "old"))
	p, err := New(s, s.Networks[1], Wish{Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix("10.0.1.0/20").Masked()}}})
	assert.ErrorContains(t, err, "ingress", "10.0.0.0/20 holds the routing mesh: %v", p.Job.Goal.Subnets)
	s.Networks[0].Subnets[0].Prefix = netip.MustParsePrefix("10.255.0.0/24")
	p, err = New(s, s.Networks[1], Wish{Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix("10.0.0.0/20")}}})
	assert.NilError(t, err)
	assert.Equal(t, p.Job.Goal.Subnets[0].Prefix.String(), "10.0.0.0/20")
	assert.Assert(t, !p.TwinSubnets[0].Prefix.Overlaps(p.Job.Goal.Subnets[0].Prefix))
	assert.Equal(t, p.TwinSubnets[0].Prefix.Bits(), 20)
}

func TestNewWithoutAChange(t *testing.T) {
	no := false
	s := look(service("web", 2, "old"))
	p, err := New(s, s.Networks[1], Wish{Encrypted: &no, Labels: map[string]string{"com.docker.stack.namespace": "shop"}})
	assert.NilError(t, err)
	assert.Equal(t, len(p.Changes), 0)
}

func TestTwinName(t *testing.T) {
	assert.Equal(t, twinName("docknet"), "docknet-twin")
	long := twinName(strings.Repeat("a", 57) + "-_aaaa")
	assert.Equal(t, long, strings.Repeat("a", 57)+"-twin")
}

// TestForeignLabels: a label of the name that is none of ours is no migration.
func TestForeignLabels(t *testing.T) {
	s := look()
	for _, value := range []string{"yes", "{}", `{"twin":"x"}`, `[1]`} {
		s.Networks[1].Labels = map[string]string{LabelJob: value}
		assert.Equal(t, len(Jobs(s)), 0, value)
	}
}
