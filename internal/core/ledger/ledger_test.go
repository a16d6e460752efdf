package ledger

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func overlay(id, subnet string) swarm.Network {
	return swarm.Network{
		ID: id, Name: id, Scope: "swarm", Driver: "overlay",
		Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix(subnet), Gateway: netip.MustParsePrefix(subnet).Addr().Next()}},
	}
}

func nodes(n int) []swarm.Node {
	var out []swarm.Node
	for i := range n {
		out = append(out, swarm.Node{ID: fmt.Sprint("node", i), Hostname: fmt.Sprint("n", i), State: "ready", Availability: "active", Addr: fmt.Sprintf("192.168.9.%d", i+1)})
	}
	return out
}

// TestFitsIsWhatTheNeedsSay compares the formula with a search over what the
// demand of every replica count needs, on random networks.
func TestFitsIsWhatTheNeedsSay(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	for range 3000 {
		s := &swarm.Snapshot{Nodes: nodes(1 + r.IntN(9)), Networks: []swarm.Network{overlay("net", fmt.Sprintf("10.1.0.0/%d", 26+r.IntN(5)))}}
		n := s.Networks[0]
		var ids []string
		for _, node := range s.Nodes {
			ids = append(ids, node.ID)
		}
		used := 2 + r.IntN(14)
		at := n.Subnets[0].Gateway
		for range used {
			at = at.Next()
			if !n.Subnets[0].Prefix.Contains(at) {
				break
			}
			s.Tasks = append(s.Tasks, swarm.Task{
				ServiceID: "other", NodeID: ids[r.IntN(len(ids))], State: swarm.TaskRunning,
				Networks: []swarm.TaskNetwork{{NetworkID: "net", Addrs: []netip.Prefix{netip.PrefixFrom(at, n.Subnets[0].Prefix.Bits())}}},
			})
		}
		want := addr.MaxReplicas(s, addr.Demand{Service: "new", Mode: swarm.Replicated, Networks: []string{"net"}, Nodes: ids})
		u := addr.Usage(s, n)
		assert.Equal(t, Fits(u, s.Nodes), want, "free %d, %d nodes, %d with a load balancer", u.Free, len(ids), len(u.LBNodes))
	}
}

func TestLines(t *testing.T) {
	s := &swarm.Snapshot{Context: "east", Nodes: nodes(2), Networks: []swarm.Network{
		overlay("b", "10.0.1.0/24"), overlay("a", "10.0.0.0/29"), {ID: "bridge", Scope: "local", Driver: "bridge"},
	}}
	for i := range 3 {
		s.Tasks = append(s.Tasks, swarm.Task{NodeID: "node0", State: swarm.TaskRunning, Networks: []swarm.TaskNetwork{
			{NetworkID: "a", Addrs: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 2)}), 29)}},
		}})
	}
	got := Lines(s)
	assert.Assert(t, is.Len(got, 2))
	a, b := got[0], got[1]
	// A /29 has eight addresses: first, last and gateway are not handed out.
	assert.Check(t, is.Equal(fmt.Sprint(a.Network, a.Usable, a.InUse.Tasks, a.InUse.LoadBalancers, a.Free, a.Percent, a.Fits, a.NearlyFull()), "a5 3 1 1 80 0 true"))
	assert.Check(t, is.Equal(fmt.Sprint(b.Network, b.Usable, b.Free, b.Fits, b.NearlyFull()), "b253 253 250 false"))
}

// TestLinesOfAnOverfullNetwork is what a /28 looks like whose twelve tasks were
// asked for at once: the node's load balancer has got no address.
func TestLinesOfAnOverfullNetwork(t *testing.T) {
	s := &swarm.Snapshot{Nodes: nodes(1), Networks: []swarm.Network{overlay("tiny", "10.66.0.0/28")}}
	for i := range 13 {
		s.Tasks = append(s.Tasks, swarm.Task{NodeID: "node0", State: swarm.TaskRunning, Networks: []swarm.TaskNetwork{
			{NetworkID: "tiny", Addrs: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 66, 0, byte(i + 2)}), 28)}},
		}})
	}
	l := Lines(s)[0]
	assert.Check(t, is.Equal(fmt.Sprint(l.Usable, l.Free, l.Percent, l.Fits), "13 0 100 -1"))
}

func TestOverlaps(t *testing.T) {
	east := &swarm.Snapshot{Context: "east", Networks: []swarm.Network{overlay("e-ingress", "10.0.0.0/24"), overlay("e-wide", "10.8.0.0/16"), overlay("e-alone", "10.20.0.0/24")}}
	west := &swarm.Snapshot{Context: "west", Nodes: nodes(2), Networks: []swarm.Network{
		overlay("w-ingress", "10.0.0.0/24"), overlay("w-in", "10.8.3.0/24"), overlay("w-lan", "192.168.9.0/24"), overlay("w-next", "10.20.1.0/24"),
	}}
	var got []string
	for _, o := range Overlaps([]*swarm.Snapshot{east, west}) {
		got = append(got, fmt.Sprintf("%s%s/%s%s", o.A.Network, o.A.Node, o.B.Network, o.B.Node))
	}
	assert.DeepEqual(t, got, []string{"e-ingress/w-ingress", "e-wide/w-in", "w-lan/n0", "w-lan/n1"})
}

// TestOverlapsAgainstAllPairs compares the sweep with trying every pair.
func TestOverlapsAgainstAllPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	for range 300 {
		s := &swarm.Snapshot{}
		for i := range 20 {
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(4)), byte(r.IntN(256))}), 22+r.IntN(8)).Masked()
			s.Networks = append(s.Networks, overlay(fmt.Sprint("n", i), p.String()))
		}
		want := 0
		for i, a := range s.Networks {
			for _, b := range s.Networks[i+1:] {
				if a.Subnets[0].Prefix.Overlaps(b.Subnets[0].Prefix) {
					want++
				}
			}
		}
		assert.Equal(t, len(Overlaps([]*swarm.Snapshot{s})), want)
	}
}

func TestPoolsCountWhatIsFreeEverywhere(t *testing.T) {
	pool := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/22")}
	east := &swarm.Snapshot{Context: "east", Cluster: swarm.Cluster{DefaultAddrPool: pool, SubnetSize: 24}, Networks: []swarm.Network{overlay("e", "10.0.0.0/24")}}
	west := &swarm.Snapshot{Context: "west", Cluster: swarm.Cluster{DefaultAddrPool: pool, SubnetSize: 24}, Networks: []swarm.Network{overlay("w", "10.0.2.0/25")}}
	got := Pools([]*swarm.Snapshot{east, west})
	assert.DeepEqual(t, fmt.Sprint(got), "[{east 10.0.0.0/22 24 2} {west 10.0.0.0/22 24 2}]")
}
