package addr

import (
	"testing"

	"gotest.tools/v3/assert"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// running is a swarm of three nodes with a service "s" of three tasks on the
// first two nodes, on "web" and, by a published port, on ingress.
func running() *swarm.Snapshot {
	ingress := network("ingress", "10.0.0.0/24")
	ingress.Ingress = true
	web, other := network("web", "10.0.1.0/28"), network("other", "10.0.2.0/24")
	s := &swarm.Snapshot{
		Nodes:    []swarm.Node{{ID: "n1"}, {ID: "n2"}, {ID: "n3"}},
		Networks: []swarm.Network{ingress, web, other},
		Services: []swarm.Service{{
			ID: "s", Name: "s", Mode: swarm.Replicated, Replicas: 3, EndpointMode: "vip",
			Networks: []swarm.Attach{{Target: web.ID}}, Ports: []swarm.Port{{Mode: "ingress"}},
			VIPs: []swarm.VIP{{NetworkID: ingress.ID, Addr: pfx("10.0.0.5/24")}, {NetworkID: web.ID, Addr: pfx("10.0.1.2/28")}},
		}},
	}
	for i, node := range []string{"n1", "n2", "n2"} {
		last := string(rune('3' + i))
		s.Tasks = append(s.Tasks, swarm.Task{
			ID: "t" + last, ServiceID: "s", NodeID: node, State: swarm.TaskRunning, Desired: swarm.TaskRunning,
			Networks: append(on(ingress.ID, "10.0.0.2"+last+"/24"), on(web.ID, "10.0.1."+last+"/28")...),
		})
	}
	return s
}

func TestNeeds(t *testing.T) {
	all := []string{"n1", "n2", "n3"}
	web := 13 - 1 - 3 - 2 // a /28 without virtual address, tasks, load balancers
	ingress := 253 - 1 - 3 - 3
	need := func(d Demand) Demand { // the demand of the service, changed
		d.Service, d.ServiceID, d.Nodes, d.Networks = "s", "s", all, append([]string{"id-web"}, d.Networks...)
		return d
	}
	for _, tc := range []struct {
		doc     string
		demands []Demand
		want    []NetworkNeed
	}{
		{
			"a new service on a network nobody is on",
			[]Demand{{Mode: swarm.Replicated, Replicas: 2, Networks: []string{"id-other"}, Nodes: all}},
			[]NetworkNeed{{Network: "other", VIPs: 1, Tasks: 2, LoadBalancers: 2, Free: 253}},
		},
		{
			"dnsrr has no virtual address, nodes set the load balancers",
			[]Demand{{Mode: swarm.Replicated, Replicas: 9, EndpointMode: "dnsrr", Networks: []string{"id-other"}, Nodes: all}},
			[]NetworkNeed{{Network: "other", Tasks: 9, LoadBalancers: 3, Free: 253}},
		},
		{
			"no replicas cost a virtual address",
			[]Demand{{Mode: swarm.Replicated, Networks: []string{"id-web"}, Nodes: all}},
			[]NetworkNeed{{Network: "web", VIPs: 1, Free: web}},
		},
		{
			"a global service",
			[]Demand{{Mode: swarm.Global, Ingress: true, Networks: []string{"id-web"}, Nodes: all}},
			[]NetworkNeed{
				{Network: "ingress", VIPs: 1, Tasks: 3, Free: ingress},
				{Network: "web", VIPs: 1, Tasks: 3, LoadBalancers: 1, Free: web},
			},
		},
		{
			"a job runs as many side by side as it may",
			[]Demand{{Mode: swarm.ReplicatedJob, Replicas: 100, MaxConcurrent: 4, Networks: []string{"id-other"}, Nodes: all[:1]}},
			[]NetworkNeed{{Network: "other", VIPs: 1, Tasks: 4, LoadBalancers: 1, Free: 253}},
		},
		{"nothing changes", []Demand{need(Demand{Mode: swarm.Replicated, Replicas: 3})}, []NetworkNeed{{Network: "web", Free: web}}},
		{
			"scale up",
			[]Demand{need(Demand{Mode: swarm.Replicated, Replicas: 5})},
			[]NetworkNeed{{Network: "web", Tasks: 2, LoadBalancers: 1, Free: web}},
		},
		{
			"stop-first update: tasks may move to another node",
			[]Demand{need(Demand{Mode: swarm.Replicated, Replicas: 3, Restart: true})},
			[]NetworkNeed{{Network: "web", LoadBalancers: 1, Free: web}},
		},
		{
			"start-first update, two at a time",
			[]Demand{need(Demand{Mode: swarm.Replicated, Replicas: 3, Restart: true, StartFirst: true, Parallel: 2})},
			[]NetworkNeed{{Network: "web", Surge: 2, LoadBalancers: 1, Free: web}},
		},
		{
			"start-first update, all at once, onto another network too",
			[]Demand{need(Demand{Mode: swarm.Replicated, Replicas: 3, Restart: true, StartFirst: true, Networks: []string{"id-other"}})},
			[]NetworkNeed{
				{Network: "other", VIPs: 1, Tasks: 3, LoadBalancers: 3, Free: 253},
				{Network: "web", Surge: 3, LoadBalancers: 1, Free: web},
			},
		},
		{
			"two services share the load balancers",
			[]Demand{
				{Mode: swarm.Replicated, Replicas: 1, Networks: []string{"id-other"}, Nodes: all[:2]},
				{Mode: swarm.Replicated, Replicas: 4, Networks: []string{"other"}, Nodes: all[1:]},
			},
			[]NetworkNeed{{Network: "other", VIPs: 2, Tasks: 5, LoadBalancers: 3, Free: 253}},
		},
		{"a network that is not there", []Demand{{Networks: []string{"none"}}}, nil},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			got := Needs(running(), tc.demands...)
			for i := range got {
				got[i].NetworkID = ""
			}
			assert.DeepEqual(t, got, tc.want)
		})
	}
}

func TestNeedInWords(t *testing.T) {
	n := NetworkNeed{Network: "web", VIPs: 1, Tasks: 4, LoadBalancers: 1, Free: 5}
	assert.Equal(t, n.String(), `network "web" needs 6 addresses (1 virtual, 4 tasks, 1 load balancer) and has 5 free`)
	assert.Equal(t, n.Short(), 1)
	n = NetworkNeed{Network: "web", Surge: 1, Free: 5}
	assert.Equal(t, n.String(), `network "web" needs 1 address (1 beside old tasks in a start-first update) and has 5 free`)
	assert.Equal(t, n.Short(), 0)
}

func TestDemandOf(t *testing.T) {
	s := running()
	d := DemandOf(s.Services[0], []string{"n1"})
	assert.Equal(t, d.Ingress, true)
	assert.DeepEqual(t, d.Networks, []string{"id-web"})
	for _, n := range Needs(s, d) {
		assert.Equal(t, n.Total(), 0, n.String())
	}
}

func TestMaxReplicas(t *testing.T) {
	s := running()
	// 7 are free and the third node will want a load balancer.
	assert.Equal(t, MaxReplicas(s, DemandOf(s.Services[0], []string{"n1", "n2", "n3"})), 3+6)
	assert.Equal(t, MaxReplicas(s, Demand{Mode: swarm.Replicated, Networks: []string{"id-web"}, Nodes: []string{"n1"}}), 6)
	s.Networks[1].Subnets[0].Prefix = pfx("10.0.1.0/29")
	assert.Equal(t, MaxReplicas(s, Demand{Mode: swarm.Replicated, Networks: []string{"id-web"}}), -1)
}
