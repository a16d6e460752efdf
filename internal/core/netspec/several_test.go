package netspec

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func at(context, pool string, networks ...swarm.Network) *swarm.Snapshot {
	s := &swarm.Snapshot{Context: context, Networks: networks, Cluster: swarm.Cluster{ID: context, SubnetSize: 24}}
	if pool != "" {
		s.Cluster.DefaultAddrPool = []netip.Prefix{netip.MustParsePrefix(pool)}
	}
	return s
}

func overlayOn(name, subnet string) swarm.Network {
	return swarm.Network{
		ID: "id-" + name, Name: name, Scope: "swarm", Driver: "overlay", Options: map[string]string{swarm.OptVNI: "5000"},
		Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix(subnet)}},
	}
}

func TestDecideEach(t *testing.T) {
	ingress := func(s string) swarm.Network { n := overlayOn("ingress-"+s, "10.0.0.0/24"); n.Ingress = true; return n }
	for _, tc := range []struct {
		doc       string
		snapshots []*swarm.Snapshot
		change    func(*Wish)
		same      bool
		want      []string // a subnet for each, or the ID of one that is there
		err       []string
	}{
		{
			doc:       "two default swarms",
			snapshots: []*swarm.Snapshot{at("east", "", ingress("e")), at("west", "", ingress("w"), overlayOn("taken", "10.0.2.0/24"))},
			want:      []string{"10.0.1.0/24", "10.0.3.0/24"},
		},
		{
			doc:       "what one of them uses is taken for all",
			snapshots: []*swarm.Snapshot{at("east", "", overlayOn("e", "10.0.0.0/23")), at("west", "", overlayOn("w", "10.0.2.0/24"))},
			want:      []string{"10.0.3.0/24", "10.0.4.0/24"},
		},
		{
			doc:       "pools of their own",
			snapshots: []*swarm.Snapshot{at("east", "10.16.0.0/12"), at("west", "10.32.0.0/12")},
			want:      []string{"10.16.0.0/24", "10.32.0.0/24"},
		},
		{
			doc:       "out of what the other will cut from",
			snapshots: []*swarm.Snapshot{at("east", "10.0.0.0/8"), at("west", "10.0.0.0/16")},
			want:      []string{"10.1.0.0/24", "10.0.0.0/24"},
		},
		{
			doc:       "to be avoided",
			snapshots: []*swarm.Snapshot{at("east", ""), at("west", "")},
			change:    func(w *Wish) { w.Avoid = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/15")} },
			want:      []string{"10.2.0.0/24", "10.2.1.0/24"},
		},
		{
			doc:       "one has it already",
			snapshots: []*swarm.Snapshot{at("east", "", overlayOn("docknet", "10.0.0.0/24")), at("west", "")},
			want:      []string{"id-docknet", "10.0.1.0/24"},
		},
		{
			doc:       "the same in all",
			snapshots: []*swarm.Snapshot{at("east", "", ingress("e")), at("west", "", overlayOn("taken", "10.0.1.0/24"))},
			same:      true, want: []string{"10.0.2.0/24", "10.0.2.0/24"},
		},
		{
			doc:       "the same as the one that is there",
			snapshots: []*swarm.Snapshot{at("east", "", overlayOn("docknet", "10.0.5.0/24")), at("west", "")},
			same:      true, want: []string{"id-docknet", "10.0.5.0/24"},
		},
		{
			doc:       "the same, by name",
			snapshots: []*swarm.Snapshot{at("east", ""), at("west", "")},
			change:    withSubnet("10.9.0.0/24"), same: true, want: []string{"10.9.0.0/24", "10.9.0.0/24"},
		},
		{
			doc:       "one subnet by name in two swarms",
			snapshots: []*swarm.Snapshot{at("east", ""), at("west", "")},
			change:    withSubnet("10.9.0.0/24"), err: []string{"10.9.0.0/24 cannot be that of several swarms", "--same-subnet"},
		},
		{
			doc:       "the same is taken in one",
			snapshots: []*swarm.Snapshot{at("east", ""), at("west", "", overlayOn("w", "10.9.0.0/16"))},
			change:    withSubnet("10.9.0.0/24"), same: true, err: []string{`network "w" of context "west"`},
		},
		{
			doc:       "nothing in common",
			snapshots: []*swarm.Snapshot{at("east", "10.16.0.0/12"), at("west", "10.32.0.0/12")},
			same:      true, err: []string{"nothing in common"},
		},
		{
			doc:       "all that is wrong is told",
			snapshots: []*swarm.Snapshot{at("east", "", overlayOn("Docknet", "10.0.0.0/24")), at("west", "", swarm.Network{ID: "l", Name: "docknet", Scope: "local", Driver: "bridge"})},
			err:       []string{`context "east": the swarm has "Docknet"`, `taken in context "west"`},
		},
		{
			doc:       "full in one",
			snapshots: []*swarm.Snapshot{at("east", ""), at("west", "10.99.0.0/24", overlayOn("w", "10.99.0.0/25"))},
			err:       []string{`context "west": no free /24`},
		},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			w := Wish{Spec: swarm.NetworkSpec{Name: "docknet"}}
			if tc.change != nil {
				tc.change(&w)
			}
			got, err := DecideEach(tc.snapshots, w, tc.same)
			if tc.err != nil {
				assert.Assert(t, err != nil)
				for _, part := range tc.err {
					assert.Check(t, is.Contains(fmt.Sprintf("%v", err), part))
				}
				return
			}
			assert.NilError(t, err)
			var have []string
			for _, d := range got {
				if d.Existing != nil {
					have = append(have, d.Existing.ID)
					continue
				}
				have = append(have, d.Spec.Subnets[0].Prefix.String())
			}
			assert.DeepEqual(t, have, tc.want)
		})
	}
}

// TestDecideEachNeverCollides creates 10,000 networks over ten swarms, in
// random ones of them, of random sizes, and removes others in between.
func TestDecideEachNeverCollides(t *testing.T) {
	const creates, most = 10000, 250
	r := rand.New(rand.NewPCG(4, 10))
	pools := []string{"", "", "10.0.0.0/8", "10.0.0.0/12", "10.16.0.0/12", "172.16.0.0/14", "192.168.0.0/16", "10.20.0.0/15", "", "10.0.0.0/9"}
	var all []*swarm.Snapshot
	for i, pool := range pools {
		s := at(fmt.Sprint("swarm", i), pool)
		s.Nodes = []swarm.Node{{ID: fmt.Sprint("n", i), Addr: fmt.Sprintf("10.0.%d.7", i)}}
		all = append(all, s)
	}
	made, live := 0, 0
	for made < creates {
		if live > most/2 && r.IntN(3) == 0 || live > most {
			s := all[r.IntN(len(all))]
			for range len(s.Networks) / 2 {
				i := r.IntN(len(s.Networks))
				s.Networks = slices.Delete(s.Networks, i, i+1)
				live--
			}
		}
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		chosen := all[:1+r.IntN(4)]
		w := Wish{Spec: swarm.NetworkSpec{Name: fmt.Sprint("net", made)}, Bits: 22 + r.IntN(7)}
		// What is not chosen is not seen, and need not be stayed away from.
		got, err := DecideEach(chosen, w, false)
		assert.NilError(t, err)
		for i, d := range got {
			block := d.Spec.Subnets[0].Prefix
			assert.Equal(t, block.Bits(), w.Bits)
			inside := slices.ContainsFunc(w.request(chosen[i]).Pools, func(p netip.Prefix) bool { return p.Contains(block.Addr()) && p.Bits() <= block.Bits() })
			assert.Assert(t, inside, "%s of %s is in none of its pools", block, chosen[i].Context)
			for j, s := range chosen {
				for _, n := range s.Networks {
					assert.Assert(t, !n.Subnets[0].Prefix.Overlaps(block), "create %d: %s overlaps %s of %s", made, block, n.Subnets[0].Prefix, s.Context)
				}
				assert.Assert(t, !block.Contains(netip.MustParseAddr(s.Nodes[0].Addr)))
				assert.Assert(t, j == i || !got[j].Spec.Subnets[0].Prefix.Overlaps(block))
			}
		}
		for i, d := range got {
			n := overlayOn(d.Spec.Name, d.Spec.Subnets[0].Prefix.String())
			n.ID += chosen[i].Context
			chosen[i].Networks = append(chosen[i].Networks, n)
			made++
			live++
		}
	}
}

func TestClashes(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	with := func(n swarm.Network, id string, age time.Duration) swarm.Network {
		n.ID, n.Created = id, began.Add(age)
		return n
	}
	for _, tc := range []struct {
		doc         string
		mine, other swarm.Network
		want        []bool // whether ours yields, for each clash
	}{
		{"apart", with(overlayOn("a", "10.0.0.0/24"), "m", 0), with(overlayOn("b", "10.0.1.0/24"), "o", 0), nil},
		{"the younger one yields", with(overlayOn("a", "10.0.0.0/24"), "m", time.Second), with(overlayOn("b", "10.0.0.0/16"), "o", 0), []bool{true}},
		{"the older one stays", with(overlayOn("a", "10.0.0.0/24"), "m", 0), with(overlayOn("b", "10.0.0.0/24"), "o", time.Second), []bool{false}},
		{"of the same age, by ID", with(overlayOn("a", "10.0.0.0/24"), "m", 0), with(overlayOn("b", "10.0.0.0/24"), "o", 0), []bool{false}},
		{"and the other way round", with(overlayOn("a", "10.0.0.0/24"), "z", 0), with(overlayOn("b", "10.0.0.0/24"), "o", 0), []bool{true}},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			snapshots := []*swarm.Snapshot{at("east", "", tc.mine), at("west", "", tc.other)}
			var got []bool
			for _, c := range Clashes(snapshots, []string{tc.mine.ID, ""}) {
				got = append(got, c.Yields)
			}
			assert.DeepEqual(t, got, tc.want)
			// Whoever made the other one comes to the opposite answer.
			for i, c := range Clashes(snapshots, []string{"", tc.other.ID}) {
				assert.Check(t, c.Yields != got[i])
			}
			assert.Check(t, is.Len(Clashes(snapshots, []string{tc.mine.ID, tc.other.ID}), 0), "both are ours")
		})
	}
}
