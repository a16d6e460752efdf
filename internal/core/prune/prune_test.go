package prune

import (
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func overlay(name string) swarm.Network {
	return swarm.Network{ID: "id-" + name, Name: name, Scope: "swarm", Driver: "overlay", Created: noon}
}

func on(name string) []swarm.TaskNetwork { return []swarm.TaskNetwork{{NetworkID: "id-" + name}} }

func names(c Choice) (remove, held []string) {
	for _, n := range c.Remove {
		remove = append(remove, n.Name)
	}
	for _, h := range c.Held {
		held = append(held, h.Network.Name)
	}
	return remove, held
}

func TestDecide(t *testing.T) {
	s := &swarm.Snapshot{
		Nodes: []swarm.Node{{ID: "n1", Hostname: "n1", State: "ready"}, {ID: "n2", Hostname: "n2", State: "down"}},
		Networks: []swarm.Network{
			overlay("unused"), overlay("served"), overlay("run"), overlay("lost"), overlay("ending"), overlay("ended"),
			{ID: "i", Name: "ingress", Scope: "swarm", Driver: "overlay", Ingress: true},
			{ID: "b", Name: "bridge", Scope: "local", Driver: "bridge"},
		},
		Services: []swarm.Service{{ID: "s", Name: "asleep", Networks: []swarm.Attach{{Target: "id-served"}}}},
		Tasks: []swarm.Task{
			{ID: "t1", ServiceID: "gone", NodeID: "n1", State: swarm.TaskRunning, Desired: swarm.TaskRemove, Networks: on("ending")},
			{ID: "t2", ServiceID: "gone", NodeID: "n1", State: swarm.TaskShutdown, Desired: swarm.TaskRemove, Networks: on("ended")},
		},
		Attachments: []swarm.Attachment{
			{ID: "a1", ContainerID: "c1", NodeID: "n1", State: swarm.TaskRunning, Desired: swarm.TaskRunning, Networks: on("run")},
			{ID: "a2", ContainerID: "c2", NodeID: "n2", State: swarm.TaskRunning, Desired: swarm.TaskRunning, Networks: on("lost")},
		},
	}
	c := Decide(s, Filter{})
	remove, held := names(c)
	assert.DeepEqual(t, remove, []string{"ended", "ending", "unused"})
	assert.DeepEqual(t, held, []string{"lost", "run"})
	assert.Check(t, is.Contains(c.Held[0].Holders[0].Who, "c2 on node n2, which is down"))
}

func TestDecideFilter(t *testing.T) {
	a, b, young := overlay("a"), overlay("b"), overlay("young")
	a.Labels = map[string]string{"env": "test", "keep": ""}
	b.Labels = map[string]string{"env": "prod"}
	young.Created = noon.Add(time.Hour)
	s := &swarm.Snapshot{Networks: []swarm.Network{a, b, young}}
	for _, tc := range []struct {
		doc  string
		f    Filter
		want []string
	}{
		{"none", Filter{}, []string{"a", "b", "young"}},
		{"until", Filter{Until: noon}, []string{"a", "b"}},
		{"key", Filter{Labels: []string{"env"}}, []string{"a", "b"}},
		{"key and value", Filter{Labels: []string{"env=test"}}, []string{"a"}},
		{"all of several", Filter{Labels: []string{"env=prod", "keep"}}, nil},
		{"not a key", Filter{NotLabels: []string{"keep"}}, []string{"b", "young"}},
		{"not all of several, as docker has it", Filter{NotLabels: []string{"keep", "env=prod"}}, []string{"a", "b", "young"}},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			remove, _ := names(Decide(s, tc.f))
			assert.DeepEqual(t, remove, tc.want)
		})
	}
}
