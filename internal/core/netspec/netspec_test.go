package netspec

import (
	"net/netip"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func look() *swarm.Snapshot {
	sub := func(s string) []swarm.Subnet { return []swarm.Subnet{{Prefix: netip.MustParsePrefix(s)}} }
	return &swarm.Snapshot{
		Context: "prod", Engine: swarm.Engine{Name: "n1"},
		Nodes: []swarm.Node{{ID: "n1", Hostname: "n1", Addr: "192.0.2.11"}},
		Networks: []swarm.Network{
			{ID: "ing", Name: "ingress", Scope: "swarm", Driver: "overlay", Ingress: true, Subnets: sub("10.0.0.0/24"), Options: map[string]string{swarm.OptVNI: "4096"}},
			{ID: "doc", Name: "docknet", Scope: "swarm", Driver: "overlay", Attachable: true, Subnets: sub("10.0.1.0/24"), Options: map[string]string{swarm.OptVNI: "4097"}, Labels: map[string]string{"team": "web"}},
			{ID: "new", Name: "fresh", Scope: "swarm"},
			{ID: "br", Name: "local", Scope: "local", Driver: "bridge", Subnets: sub("172.18.0.0/16")},
		},
	}
}

func TestDecide(t *testing.T) {
	for _, tc := range []struct {
		doc    string
		name   string
		change func(*Wish)
		subnet string   // of the network to create
		exists string   // ID of the one that is there
		want   []string // parts of the error
	}{
		{doc: "lowest free block", name: "web", subnet: "10.0.2.0/24"},
		{doc: "a block of another size is aligned", name: "web", change: func(w *Wish) { w.Bits = 22 }, subnet: "10.0.4.0/22"},
		{doc: "a pool", name: "web", change: func(w *Wish) { w.Pools = []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")} }, subnet: "10.9.0.0/24"},
		{doc: "what is to be avoided", name: "web", change: func(w *Wish) { w.Avoid = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")} }, subnet: "10.1.0.0/24"},
		{doc: "its own subnet", name: "web", change: withSubnet("10.7.0.0/24"), subnet: "10.7.0.0/24"},
		{doc: "over another network", name: "web", change: withSubnet("10.0.0.0/16"), want: []string{`network "web" cannot be created in context "prod"`, `ingress network "ingress"`, `network "docknet"`}},
		{doc: "over a node", name: "web", change: withSubnet("192.0.2.0/24"), want: []string{`node "n1"`}},
		{doc: "over a local network", name: "web", change: withSubnet("172.16.0.0/12"), want: []string{`local network "local" of engine "n1"`}},
		{doc: "a number in use", name: "web", change: func(w *Wish) { w.Spec.Options = map[string]string{swarm.OptVNI: "4097"} }, want: []string{`VXLAN number 4097`, `"docknet"`}},
		{doc: "there as asked for", name: "docknet", change: asDocknet, exists: "doc"},
		{doc: "there and not allocated yet", name: "fresh", exists: "new"},
		{doc: "not attachable", name: "docknet", change: func(w *Wish) { asDocknet(w); w.Spec.Attachable = false }, want: []string{"attachable is true, asked for false", "swarmnet rm docknet"}},
		{doc: "encrypted", name: "docknet", change: func(w *Wish) { asDocknet(w); w.Spec.Options = map[string]string{swarm.OptEncrypted: ""} }, want: []string{"encrypted is false, asked for true"}},
		{doc: "another subnet", name: "docknet", change: func(w *Wish) { asDocknet(w); withSubnet("10.7.0.0/24")(w) }, want: []string{"subnet 10.7.0.0/24 is not there, the network has 10.0.1.0/24"}},
		{doc: "another size", name: "docknet", change: func(w *Wish) { asDocknet(w); w.Bits = 22 }, want: []string{"asked for a size of /22"}},
		{doc: "another label, value not shown", name: "docknet", change: func(w *Wish) { asDocknet(w); w.Spec.Labels = map[string]string{"team": "s3cret"} }, want: []string{"label team has another value"}},
		{doc: "another MTU", name: "docknet", change: func(w *Wish) { asDocknet(w); w.Spec.Options = map[string]string{swarm.OptMTU: "9000"} }, want: []string{"com.docker.network.driver.mtu is missing"}},
		{doc: "the routing mesh", name: "ingress", want: []string{"ingress is true, asked for false"}},
		{doc: "another case", name: "DockNet", want: []string{`the swarm has "docknet"`}},
		{doc: "a local network's name", name: "local", want: []string{`engine "n1" has a local network`}},
		{doc: "no name for a network", name: "a.b", want: []string{`"a.b" cannot be the name`}},
		{doc: "too long a name", name: strings.Repeat("a", 64), want: []string{"up to 63"}},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			w := Wish{Spec: swarm.NetworkSpec{Name: tc.name}}
			if tc.change != nil {
				tc.change(&w)
			}
			d, err := Decide(look(), w)
			if tc.want != nil {
				assert.Assert(t, err != nil)
				for _, part := range tc.want {
					assert.Check(t, is.Contains(err.Error(), part))
				}
				assert.Check(t, !strings.Contains(err.Error(), "s3cret"))
				return
			}
			assert.NilError(t, err)
			if tc.exists != "" {
				assert.Assert(t, d.Existing != nil)
				assert.Equal(t, d.Existing.ID, tc.exists)
				return
			}
			assert.Equal(t, d.Spec.Subnets[0].Prefix.String(), tc.subnet)
		})
	}
}

func withSubnet(s string) func(*Wish) {
	return func(w *Wish) { w.Spec.Subnets = []swarm.Subnet{{Prefix: netip.MustParsePrefix(s)}} }
}

func asDocknet(w *Wish) {
	w.Spec.Attachable = true
	w.Spec.Labels = map[string]string{"team": "web"}
}

func TestLost(t *testing.T) {
	spec := swarm.NetworkSpec{Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix("10.0.1.0/25")}}}
	with, lost := Lost("mine", spec, look().Networks)
	assert.Assert(t, lost)
	assert.Check(t, is.Contains(with, "docknet"))
	_, lost = Lost("doc", spec, look().Networks)
	assert.Assert(t, !lost, "a network does not collide with itself")
}
