package addr

import (
	"fmt"
	"math/rand"
	"net/netip"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func on(network string, addrs ...string) []swarm.TaskNetwork {
	tn := swarm.TaskNetwork{NetworkID: network}
	for _, a := range addrs {
		tn.Addrs = append(tn.Addrs, pfx(a))
	}
	return []swarm.TaskNetwork{tn}
}

// mobyExample is the state of moby's integration/network/inspect_test.go: a
// service with two replicas on one node, on a /24 with an ip-range of /25.
func mobyExample() *swarm.Snapshot {
	n := network("web", "10.0.1.0/24")
	n.Subnets[0].IPRange = pfx("10.0.1.0/25")
	n.Subnets[0].Gateway = netip.MustParseAddr("10.0.1.1")
	return &swarm.Snapshot{
		Nodes:    []swarm.Node{{ID: "n1"}, {ID: "n2"}},
		Networks: []swarm.Network{n},
		Services: []swarm.Service{{ID: "s", Name: "s", Mode: swarm.Replicated, Replicas: 2, VIPs: []swarm.VIP{{NetworkID: n.ID, Addr: pfx("10.0.1.2/24")}}, Networks: []swarm.Attach{{Target: n.ID}}}},
		Tasks: []swarm.Task{
			{ID: "t1", ServiceID: "s", NodeID: "n1", State: swarm.TaskRunning, Networks: on(n.ID, "10.0.1.3/24")},
			{ID: "t2", ServiceID: "s", NodeID: "n1", State: swarm.TaskStarting, Networks: on(n.ID, "10.0.1.4/24")},
			{ID: "t0", ServiceID: "s", NodeID: "n2", State: swarm.TaskFailed, Networks: on(n.ID, "10.0.1.9/24")},
		},
	}
}

func TestUsageAgreesWithMoby(t *testing.T) {
	s := mobyExample()
	u := Usage(s, s.Networks[0])
	assert.Equal(t, u.Subnets[0].InUse.Total(), 7)
	assert.Equal(t, u.Subnets[0].Free, 122)
	assert.Equal(t, u.Capacity, 126)
	assert.DeepEqual(t, u.InUse, Holders{Reserved: 2, Gateways: 1, VIPs: 1, Tasks: 2, LoadBalancers: 1})
	assert.Equal(t, u.Percent(), 4)
}

func TestUsageOfSmallAndOddSubnets(t *testing.T) {
	for _, tc := range []struct {
		doc, subnet, ipRange, gateway string
		free, inUse                   int
	}{
		{"a /24 has 253 for tasks and addresses", "10.1.0.0/24", "", "10.1.0.1", 253, 3},
		{"gateway not chosen yet", "10.1.0.0/24", "", "", 253, 3},
		{"a /29", "10.1.0.0/29", "", "10.1.0.1", 5, 3},
		{"a /31 has no network address", "10.1.0.0/31", "", "10.1.0.0", 1, 1},
		{"a /32", "10.1.0.0/32", "", "10.1.0.0", 0, 1},
		{"gateway outside of the range", "10.1.0.0/24", "10.1.0.64/26", "10.1.0.1", 64, 3},
		{"gateway taken from the range", "10.1.0.0/24", "10.1.0.64/26", "", 63, 3},
		{"range at the end holds the broadcast address", "10.1.0.0/24", "10.1.0.192/26", "10.1.0.1", 63, 3},
		{"range larger than the subnet", "10.1.0.0/24", "10.1.0.0/16", "10.1.0.1", 253, 3},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			n := network("x", tc.subnet)
			if tc.ipRange != "" {
				n.Subnets[0].IPRange = pfx(tc.ipRange)
			}
			if tc.gateway != "" {
				n.Subnets[0].Gateway = netip.MustParseAddr(tc.gateway)
			}
			u := Usage(&swarm.Snapshot{Networks: []swarm.Network{n}}, n)
			assert.Check(t, is.Equal(u.Free, tc.free))
			assert.Check(t, is.Equal(u.InUse.Total(), tc.inUse))
			assert.Check(t, is.Equal(u.Capacity, tc.free))
		})
	}
}

func TestUsageOfIngressCountsEveryNode(t *testing.T) {
	n := network("ingress", "10.0.0.0/24")
	n.Ingress = true
	u := Usage(&swarm.Snapshot{Networks: []swarm.Network{n}, Nodes: []swarm.Node{{ID: "a"}, {ID: "b", State: "down"}}}, n)
	assert.Equal(t, u.InUse.LoadBalancers, 2)
	assert.Equal(t, u.Free, 251)
}

func TestUsageCountsWhoWaits(t *testing.T) {
	n := network("web", "10.0.1.0/29")
	u := Usage(&swarm.Snapshot{
		Networks: []swarm.Network{n},
		Services: []swarm.Service{{ID: "s", Networks: []swarm.Attach{{Target: n.ID}}}, {ID: "other"}},
		Tasks: []swarm.Task{
			{ID: "1", ServiceID: "s", State: swarm.TaskNew, Desired: swarm.TaskRunning},
			{ID: "2", ServiceID: "s", State: swarm.TaskNew, Desired: swarm.TaskShutdown},
			{ID: "3", ServiceID: "other", State: swarm.TaskNew, Desired: swarm.TaskRunning},
		},
	}, n)
	assert.Equal(t, u.Waiting, 2) // its virtual address and one task
}

func TestUsageOfNetworkWithoutSubnet(t *testing.T) {
	u := Usage(&swarm.Snapshot{}, swarm.Network{ID: "x", Scope: "swarm"})
	assert.Equal(t, u.Free, 0)
	assert.Equal(t, u.Percent(), 100)
}

// allocator is a swarm's address keeping, written down as what it does rather
// than as a formula: every address is taken from a set, at random, by name.
type allocator struct {
	rng   *rand.Rand
	snap  *swarm.Snapshot
	taken map[string]map[netip.Addr]string // by network
}

func newAllocator(rng *rand.Rand) *allocator {
	a := &allocator{rng: rng, snap: &swarm.Snapshot{}, taken: map[string]map[netip.Addr]string{}}
	for i := range 1 + rng.Intn(5) {
		a.snap.Nodes = append(a.snap.Nodes, swarm.Node{ID: fmt.Sprint("n", i)})
	}
	for i := range 1 + rng.Intn(3) {
		n := swarm.Network{ID: fmt.Sprint("net", i), Name: fmt.Sprint("net", i), Scope: "swarm", Driver: "overlay"}
		a.taken[n.ID] = map[netip.Addr]string{}
		for j := range 1 + rng.Intn(2) {
			sub := swarm.Subnet{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), byte(j), 0}), 25+rng.Intn(4))}
			all := a.addresses(sub.Prefix)
			a.taken[n.ID][all[0]], a.taken[n.ID][all[len(all)-1]] = "reserved", "reserved"
			if rng.Intn(3) == 0 {
				sub.IPRange = netip.PrefixFrom(all[len(all)/2], sub.Prefix.Bits()+1)
			}
			sub.Gateway = all[1]
			a.taken[n.ID][all[1]] = "gateway"
			n.Subnets = append(n.Subnets, sub)
		}
		a.snap.Networks = append(a.snap.Networks, n)
	}
	return a
}

func (a *allocator) addresses(p netip.Prefix) []netip.Addr {
	var all []netip.Addr
	for x := p.Addr(); p.Contains(x); x = x.Next() {
		all = append(all, x)
	}
	return all
}

// free lists what can still be handed out on a network.
func (a *allocator) free(n swarm.Network) []netip.Prefix {
	var free []netip.Prefix
	for _, sub := range n.Subnets {
		from := sub.Prefix
		if sub.IPRange.IsValid() {
			from = sub.IPRange
		}
		for _, x := range a.addresses(from) {
			if _, taken := a.taken[n.ID][x]; !taken {
				free = append(free, netip.PrefixFrom(x, sub.Prefix.Bits()))
			}
		}
	}
	return free
}

func (a *allocator) take(n swarm.Network, who string) (netip.Prefix, bool) {
	free := a.free(n)
	if len(free) == 0 {
		return netip.Prefix{}, false
	}
	p := free[a.rng.Intn(len(free))]
	a.taken[n.ID][p.Addr()] = who
	return p, true
}

func (a *allocator) release(n swarm.Network, who string) {
	for x, w := range a.taken[n.ID] {
		if w == who {
			delete(a.taken[n.ID], x)
		}
	}
}

func (a *allocator) has(n swarm.Network, who string) bool {
	for _, w := range a.taken[n.ID] {
		if w == who {
			return true
		}
	}
	return false
}

// service creates a service and returns whether its addresses fitted.
func (a *allocator) service(nets []swarm.Network, mode string) (swarm.Service, bool) {
	sv := swarm.Service{ID: fmt.Sprint("s", len(a.snap.Services)), Mode: swarm.Replicated, EndpointMode: mode}
	ok := true
	for _, n := range nets {
		sv.Networks = append(sv.Networks, swarm.Attach{Target: n.ID})
		if mode == "dnsrr" {
			continue
		}
		if v, got := a.take(n, "vip "+sv.ID); got {
			sv.VIPs = append(sv.VIPs, swarm.VIP{NetworkID: n.ID, Addr: v})
		} else {
			ok = false
		}
	}
	a.snap.Services = append(a.snap.Services, sv)
	return sv, ok
}

// task starts a task on a node and returns whether it and its node's load
// balancers got their addresses.
func (a *allocator) task(service string, nets []swarm.Network, node string) bool {
	t := swarm.Task{ID: fmt.Sprint("t", len(a.snap.Tasks)), ServiceID: service, NodeID: node, State: swarm.TaskRunning, Desired: swarm.TaskRunning}
	for _, n := range nets {
		p, ok := a.take(n, t.ID)
		if !ok {
			for _, n := range nets {
				a.release(n, t.ID)
			}
			return false
		}
		t.Networks = append(t.Networks, swarm.TaskNetwork{NetworkID: n.ID, Addrs: []netip.Prefix{p}})
	}
	a.snap.Tasks = append(a.snap.Tasks, t)
	ok := true
	for _, n := range nets {
		if !a.has(n, "lb "+node) {
			if _, got := a.take(n, "lb "+node); !got {
				ok = false
			}
		}
	}
	return ok
}

// end ends a task and frees what it held.
func (a *allocator) end(i int) {
	t := &a.snap.Tasks[i]
	t.State = swarm.TaskShutdown
	for _, n := range a.snap.Networks {
		a.release(n, t.ID)
		used := false
		for _, o := range a.snap.Tasks {
			_, on := o.On(n.ID)
			used = used || on && o.NodeID == t.NodeID && !o.State.Ended()
		}
		if !used {
			a.release(n, "lb "+t.NodeID)
		}
	}
}

func (a *allocator) someNetworks() []swarm.Network {
	i := a.rng.Intn(len(a.snap.Networks))
	return a.snap.Networks[i : i+1+a.rng.Intn(len(a.snap.Networks)-i)]
}

func (a *allocator) mode() string { return []string{"vip", "dnsrr", ""}[a.rng.Intn(3)] }

// TestUsageAgainstAllocator lives through random swarms and compares the
// formula with the address sets.
func TestUsageAgainstAllocator(t *testing.T) {
	seed := rand.Int63()
	rng := rand.New(rand.NewSource(seed))
	t.Logf("seed %d", seed)
	for range 150 {
		a := newAllocator(rng)
		a.live(rng.Intn(25))
		for _, n := range a.snap.Networks {
			u := Usage(a.snap, n)
			assert.Equal(t, u.Free, len(a.free(n)), "seed %d: free of %s", seed, n.ID)
			assert.Equal(t, u.InUse.Total(), len(a.taken[n.ID]), "seed %d: in use of %s", seed, n.ID)
		}
	}
}

// live creates services and lets tasks start and end, as long as all fits.
func (a *allocator) live(steps int) {
	for range steps {
		nets := a.someNetworks()
		for _, n := range nets {
			if len(a.free(n)) < 4 {
				return
			}
		}
		switch a.rng.Intn(3) {
		case 0:
			a.service(nets, a.mode())
		case 1:
			a.task("", nets, a.snap.Nodes[a.rng.Intn(len(a.snap.Nodes))].ID)
		default:
			if len(a.snap.Tasks) > 0 {
				a.end(a.rng.Intn(len(a.snap.Tasks)))
			}
		}
	}
}

// TestMaxReplicasAgainstAllocator fills networks with a new service, task by
// task and spread over the nodes as swarmkit does, until one does not fit.
func TestMaxReplicasAgainstAllocator(t *testing.T) {
	seed := rand.Int63()
	rng := rand.New(rand.NewSource(seed))
	t.Logf("seed %d", seed)
	for range 150 {
		a := newAllocator(rng)
		a.live(rng.Intn(15))
		nets := a.someNetworks()
		d := Demand{Mode: swarm.Replicated, EndpointMode: a.mode()}
		for _, n := range nets {
			d.Networks = append(d.Networks, n.ID)
		}
		for _, n := range a.snap.Nodes {
			d.Nodes = append(d.Nodes, n.ID)
		}
		forecast, filled := MaxReplicas(a.snap, d), 0
		if filled = a.fill(nets, d); len(nets) == 1 {
			assert.Equal(t, forecast, filled, "seed %d", seed)
			continue
		}
		// The worst case of each network need not come about in the same run.
		assert.Assert(t, forecast <= filled && filled <= forecast+len(d.Nodes), "seed %d: forecast %d, filled %d", seed, forecast, filled)
	}
}

func (a *allocator) fill(nets []swarm.Network, d Demand) int {
	sv, ok := a.service(nets, d.EndpointMode)
	if !ok {
		return -1
	}
	// At worst the scheduler prefers the nodes that are not on the network yet.
	for n := 0; ; n++ {
		node := a.snap.Nodes[0].ID
		most := -1
		for _, o := range a.snap.Nodes {
			missing := 0
			for _, net := range nets {
				if !a.has(net, "lb "+o.ID) {
					missing++
				}
			}
			if missing > most {
				most, node = missing, o.ID
			}
		}
		if !a.task(sv.ID, nets, node) {
			return n
		}
	}
}
