package rewire

import (
	"testing"

	"gotest.tools/v3/assert"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func TestChangeOf(t *testing.T) {
	b, c := swarm.Network{ID: "B", Name: "b"}, swarm.Network{ID: "C", Name: "c"}
	at := func(target string, aliases ...string) swarm.Attach {
		return swarm.Attach{Target: target, Aliases: aliases}
	}
	for _, tc := range []struct {
		doc     string
		has     []swarm.Attach
		change  Change
		want    []swarm.Attach
		changed bool
	}{
		{"nothing asked", []swarm.Attach{at("A")}, Change{}, []swarm.Attach{at("A")}, false},
		{"on comes last", []swarm.Attach{at("B", "x"), at("A")}, Change{On: &c, Aliases: []string{"y"}}, []swarm.Attach{at("B", "x"), at("A"), at("C", "y")}, true},
		{"on already", []swarm.Attach{at("C", "x"), at("A")}, Change{On: &c}, []swarm.Attach{at("C", "x"), at("A")}, false},
		{"on already by name", []swarm.Attach{at("c")}, Change{On: &c}, []swarm.Attach{at("c")}, false},
		{"on already with that alias", []swarm.Attach{at("C", "x", "y")}, Change{On: &c, Aliases: []string{"y"}}, []swarm.Attach{at("C", "x", "y")}, false},
		{"one more alias", []swarm.Attach{at("C", "x"), at("A")}, Change{On: &c, Aliases: []string{"y"}}, []swarm.Attach{at("C", "x", "y"), at("A")}, true},
		{"off", []swarm.Attach{at("A"), at("B"), at("C")}, Change{Off: &b}, []swarm.Attach{at("A"), at("C")}, true},
		{"off already", []swarm.Attach{at("A")}, Change{Off: &b}, []swarm.Attach{at("A")}, false},
		{"off the last one", []swarm.Attach{at("b")}, Change{Off: &b}, []swarm.Attach{}, true},
		{"in place of another", []swarm.Attach{at("A"), at("B", "x"), at("D")}, Change{On: &c, Off: &b, Aliases: []string{"y"}}, []swarm.Attach{at("A"), at("C", "x", "y"), at("D")}, true},
		{"in place of another, on both", []swarm.Attach{at("C"), at("B", "x")}, Change{On: &c, Off: &b}, []swarm.Attach{at("C", "x")}, true},
		{"in place of one it is not on", []swarm.Attach{at("A")}, Change{On: &c, Off: &b}, []swarm.Attach{at("A"), at("C")}, true},
		{"in place of another, done", []swarm.Attach{at("A"), at("C", "x")}, Change{On: &c, Off: &b}, []swarm.Attach{at("A"), at("C", "x")}, false},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			got, changed := tc.change.Of(swarm.Service{Networks: tc.has})
			assert.Equal(t, changed, tc.changed)
			assert.Assert(t, SameNetworks(got, tc.want), "%v", got)
			again, changed := tc.change.Of(swarm.Service{Networks: got})
			assert.Assert(t, !changed && SameNetworks(again, got), "done twice is done once: %v", again)
		})
	}
}

func TestChangeOfKeepsDriverOptions(t *testing.T) {
	n, m := swarm.Network{ID: "N"}, swarm.Network{ID: "M"}
	sv := swarm.Service{Networks: []swarm.Attach{{Target: "M", DriverOpts: map[string]string{"a": "1"}}}}
	got, _ := Change{On: &n, Off: &m, DriverOpts: map[string]string{"b": "2"}}.Of(sv)
	assert.DeepEqual(t, got, []swarm.Attach{{Target: "N", DriverOpts: map[string]string{"a": "1", "b": "2"}}})
	assert.DeepEqual(t, sv.Networks[0].DriverOpts, map[string]string{"a": "1"})
}
