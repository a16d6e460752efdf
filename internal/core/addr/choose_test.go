package addr

import (
	"errors"
	"math"
	"math/rand"
	"net/netip"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func pfx(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func network(name, subnet string) swarm.Network {
	return swarm.Network{ID: "id-" + name, Name: name, Scope: "swarm", Driver: "overlay", Subnets: []swarm.Subnet{{Prefix: pfx(subnet)}}}
}

func east() *swarm.Snapshot {
	ingress := network("ingress", "10.0.0.0/24")
	ingress.Ingress = true
	bridge := swarm.Network{ID: "b", Name: "bridge", Scope: "local", Driver: "bridge", Subnets: []swarm.Subnet{{Prefix: pfx("172.17.0.0/16")}}}
	return &swarm.Snapshot{
		Context: "east",
		Engine:  swarm.Engine{Name: "m1"},
		Cluster: swarm.Cluster{ID: "c1", NodeID: "n1", NodeAddr: "10.0.3.7", Managers: []string{"10.0.3.7:2377"}},
		Nodes: []swarm.Node{
			{ID: "n1", Hostname: "m1", Addr: "0.0.0.0", ManagerAddr: "10.0.3.7:2377"},
			{ID: "n2", Hostname: "w1", Addr: "192.168.5.9"},
		},
		Networks: []swarm.Network{ingress, network("web", "10.0.1.0/24"), bridge},
	}
}

func TestConflictsNamesEveryOwner(t *testing.T) {
	taken := TakenBy(east())
	taken.Avoid(pfx("10.9.0.0/16"))
	for _, tc := range []struct {
		doc, block string
		want       []string
	}{
		{"a network of the swarm", "10.0.1.128/25", []string{`network "web" of context "east" (10.0.1.0/24)`}},
		{"several, in order of address", "10.0.0.0/23", []string{
			`ingress network "ingress" of context "east" (10.0.0.0/24)`, `network "web" of context "east" (10.0.1.0/24)`,
		}},
		{"a local bridge", "172.17.4.0/24", []string{`local network "bridge" of engine "m1" (172.17.0.0/16)`}},
		{"a node", "192.168.5.0/24", []string{`node "w1" of context "east" (192.168.5.9/32)`}},
		{"a manager, once", "10.0.3.0/24", []string{`node "m1" of context "east" (10.0.3.7/32)`}},
		{"what the user avoids", "10.9.1.0/24", []string{"the range to avoid (10.9.0.0/16)"}},
		{"beside a node is no conflict", "192.168.5.128/25", nil},
		{"free", "10.0.2.0/24", nil},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			var got []string
			for _, o := range taken.Conflicts(pfx(tc.block)) {
				got = append(got, o.String())
			}
			assert.DeepEqual(t, got, tc.want)
		})
	}
}

func TestTakenCountsOneSwarmOnce(t *testing.T) {
	again := east()
	again.Context = "east-too"
	assert.Check(t, is.Len(TakenBy(east(), again).Conflicts(pfx("10.0.1.0/24")), 1))
}

func TestChoose(t *testing.T) {
	for _, tc := range []struct {
		doc   string
		pools []netip.Prefix
		bits  int
		want  string
	}{
		{"lowest free", []netip.Prefix{pfx("10.0.0.0/8")}, 24, "10.0.2.0/24"},
		{"not the LAN of a node", []netip.Prefix{pfx("10.0.2.0/23")}, 25, "10.0.2.0/25"},
		{"larger than the gap", []netip.Prefix{pfx("10.0.0.0/8")}, 22, "10.0.4.0/22"},
		{"pools in the order given", []netip.Prefix{pfx("10.0.0.0/23"), pfx("10.50.0.0/16"), pfx("10.40.0.0/16")}, 24, "10.50.0.0/24"},
		{"the LAN of a node when nothing else is left", []netip.Prefix{pfx("192.168.5.0/24")}, 25, "192.168.5.128/25"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			got, err := Choose(Request{Pools: tc.pools, Bits: tc.bits}, TakenBy(east()))
			assert.NilError(t, err)
			assert.Equal(t, got, pfx(tc.want))
		})
	}
}

func TestChooseSaysWhyNot(t *testing.T) {
	for _, tc := range []struct {
		doc       string
		r         Request
		msg, next string
	}{
		{
			"full, with the largest rest",
			Request{[]netip.Prefix{pfx("10.0.0.0/22")}, 23},
			`no free /23 in 10.0.0.0/22: taken by ingress network "ingress" of context "east" (10.0.0.0/24), network "web" of context "east" (10.0.1.0/24), node "m1" of context "east" (10.0.3.7/32)`,
			"The largest free block is 10.0.2.0/24: use --size 24, or another range with --pool.",
		},
		{
			"full",
			Request{[]netip.Prefix{pfx("10.0.0.0/23")}, 24},
			`no free /24 in 10.0.0.0/23: taken by ingress network "ingress" of context "east" (10.0.0.0/24), network "web" of context "east" (10.0.1.0/24)`,
			"Choose another range with --pool.",
		},
		{
			"larger than the pool",
			Request{[]netip.Prefix{pfx("10.1.0.0/24")}, 20},
			"a /20 does not fit in the pool 10.1.0.0/24",
			"Choose a size of /24 or longer, or a larger pool with --pool.",
		},
		{"longer than an address", Request{[]netip.Prefix{pfx("10.1.0.0/24")}, 40}, "a size of /40 is longer than an address of the pool 10.1.0.0/24", ""},
		{"no pool", Request{Bits: 24}, "no pool to choose a subnet from", "Name one with --pool or the subnet with --subnet."},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			_, err := Choose(tc.r, TakenBy(east()))
			var p *problem.Error
			assert.Assert(t, errors.As(err, &p))
			assert.Check(t, is.Equal(p.Msg, tc.msg))
			assert.Check(t, is.Equal(p.Next, tc.next))
		})
	}
}

func TestDefaultRequest(t *testing.T) {
	assert.DeepEqual(t, DefaultRequest(&swarm.Snapshot{}).Pools[0].String(), "10.0.0.0/8")
	assert.Equal(t, DefaultRequest(&swarm.Snapshot{}).Bits, 24)
	own := &swarm.Snapshot{Cluster: swarm.Cluster{DefaultAddrPool: []netip.Prefix{pfx("172.30.7.0/16")}, SubnetSize: 26}}
	assert.Equal(t, DefaultRequest(own).Pools[0], pfx("172.30.0.0/16"))
	assert.Equal(t, DefaultRequest(own).Bits, 26)
}

func TestShared(t *testing.T) {
	r, err := Shared(Request{[]netip.Prefix{pfx("10.0.0.0/8")}, 24}, Request{[]netip.Prefix{pfx("172.16.0.0/12"), pfx("10.20.0.0/16")}, 26})
	assert.NilError(t, err)
	assert.DeepEqual(t, []string{r.Pools[0].String()}, []string{"10.20.0.0/16"})
	assert.Equal(t, r.Bits, 24)
	_, err = Shared(Request{[]netip.Prefix{pfx("10.0.0.0/8")}, 24}, Request{[]netip.Prefix{pfx("172.16.0.0/12")}, 24})
	assert.ErrorContains(t, err, "nothing in common")
}

func TestBlocksLeft(t *testing.T) {
	assert.Equal(t, BlocksLeft(Request{[]netip.Prefix{pfx("10.0.0.0/8")}, 24}, &Taken{}), 65536)
	assert.Equal(t, BlocksLeft(Request{[]netip.Prefix{pfx("10.0.0.0/22")}, 24}, TakenBy(east())), 1)
	assert.Equal(t, BlocksLeft(Request{[]netip.Prefix{pfx("::/0")}, 128}, &Taken{}), math.MaxInt)
}

// TestChooseProperties creates networks of random sizes at random swarms until
// the pools are full, and compares every choice with a search by hand.
func TestChooseProperties(t *testing.T) {
	seed := rand.Int63()
	rng := rand.New(rand.NewSource(seed))
	t.Logf("seed %d", seed)
	for round := range 20 {
		pool := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(round), 0, 0}), 18+rng.Intn(4))
		taken := &Taken{}
		var blocks []netip.Prefix
		for range 300 {
			bits := 24 + rng.Intn(6)
			got, err := Choose(Request{[]netip.Prefix{pool}, bits}, taken)
			want, ok := lowestByHand(pool, bits, blocks)
			if !ok {
				assert.Assert(t, err != nil, "seed %d: %s chosen, none is free", seed, got)
				continue
			}
			assert.NilError(t, err, "seed %d", seed)
			assert.Equal(t, got, want, "seed %d", seed)
			taken.Add(Owner{Prefix: got, Name: got.String()})
			blocks = append(blocks, got)
			if rng.Intn(3) == 0 { // a hole
				i := rng.Intn(len(blocks))
				blocks = append(blocks[:i], blocks[i+1:]...)
				taken = &Taken{}
				taken.Avoid(blocks...)
			}
		}
	}
}

func lowestByHand(pool netip.Prefix, bits int, blocks []netip.Prefix) (netip.Prefix, bool) {
	a4 := pool.Addr().As4()
	base := uint32(a4[0])<<24 | uint32(a4[1])<<16 | uint32(a4[2])<<8 | uint32(a4[3])
	for n := range uint32(1) << (bits - pool.Bits()) {
		v := base + n<<(32-bits)
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), bits)
		if !overlapsAny(p, blocks) {
			return p, true
		}
	}
	return netip.Prefix{}, false
}

func overlapsAny(p netip.Prefix, blocks []netip.Prefix) bool {
	for _, b := range blocks {
		if b.Overlaps(p) {
			return true
		}
	}
	return false
}
