package swarm

import (
	"errors"
	"testing"

	"gotest.tools/v3/assert"
)

func TestFindNetworks(t *testing.T) {
	s := &Snapshot{Networks: []Network{
		{ID: "abc1", Name: "web"}, {ID: "abc2", Name: "Web"}, {ID: "web", Name: "odd"}, {ID: "def1", Name: "db"},
	}}
	for _, tc := range []struct {
		doc, ref string
		want     []string
	}{
		{"a whole ID wins over a name", "web", []string{"web"}},
		{"exact name wins over another case", "Web", []string{"abc2"}},
		{"any case when no exact one is there", "DB", []string{"def1"}},
		{"prefix of an ID", "abc", []string{"abc1", "abc2"}},
		{"nothing", "none", nil},
		{"empty", "", nil},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			var got []string
			for _, n := range s.FindNetworks(tc.ref) {
				got = append(got, n.ID)
			}
			assert.DeepEqual(t, got, tc.want)
		})
	}
}

func TestUnreadErr(t *testing.T) {
	err := errors.New("no")
	s := &Snapshot{Unread: []Unread{{What: "tasks", Err: err}}}
	assert.Equal(t, s.UnreadErr("tasks"), err)
	assert.NilError(t, s.UnreadErr("nodes"))
}

func TestTaskStateEnded(t *testing.T) {
	for state, want := range map[TaskState]bool{
		TaskNew: false, TaskStarting: false, TaskRunning: false, TaskComplete: true, TaskShutdown: true,
		TaskFailed: true, TaskRejected: true, TaskRemove: true, TaskOrphaned: true,
	} {
		assert.Equal(t, state.Ended(), want, string(state))
	}
}

func TestNetworkStates(t *testing.T) {
	assert.Assert(t, Network{Options: map[string]string{"encrypted": "false"}}.Encrypted(), "any value encrypts")
	assert.Assert(t, !Network{}.Encrypted())
	assert.Assert(t, Network{Scope: "swarm"}.Overlay(), "not allocated yet")
	assert.Assert(t, !Network{Scope: "swarm", ConfigOnly: true}.Overlay())
	assert.Assert(t, !Network{Scope: "local", Driver: "bridge"}.Overlay())
	assert.Assert(t, !Network{Scope: "swarm", Driver: "overlay"}.Allocated())
}

func TestFindServices(t *testing.T) {
	s := &Snapshot{Services: []Service{{ID: "abc1", Name: "web"}, {ID: "abc2", Name: "abc1x"}, {ID: "web", Name: "odd"}}}
	for ref, want := range map[string][]string{"web": {"web"}, "odd": {"web"}, "abc": {"abc1", "abc2"}, "abc1x": {"abc2"}, "none": nil, "": nil} {
		var got []string
		for _, sv := range s.FindServices(ref) {
			got = append(got, sv.ID)
		}
		assert.DeepEqual(t, got, want)
	}
}

// TestNodeArg: a name that two nodes have names neither.
func TestNodeArg(t *testing.T) {
	s := &Snapshot{Nodes: []Node{{ID: "a", Hostname: "n1"}, {ID: "b", Hostname: "n2"}, {ID: "c", Hostname: "n2"}}}
	assert.Equal(t, s.NodeArg("a"), "n1")
	assert.Equal(t, s.NodeArg("b"), "b")
	assert.Equal(t, s.NodeArg("gone"), "gone")
}
