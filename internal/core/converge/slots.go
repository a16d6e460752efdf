package converge

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// slot is one place where the swarm keeps a task: a number, or a node for
// services with a task on each.
type slot struct {
	key   string
	order int
	name  string
	// now is the task that stands for the slot; has tells whether there is one.
	now swarm.Task
	has bool
	// onDownNode tells that a task was left out because its node is down.
	onDownNode bool
	all        []swarm.Task
}

// look is one service as seen once, indexed.
type look struct {
	sv    swarm.Service
	nodes map[string]swarm.Node
	slots []slot
	// ending tells that a task of the service is still stopping: ports and
	// resources that it holds will come free.
	ending bool
	live   int // tasks that have not ended, of any spec
	// alive are the slots, by key, with a task that has not ended, of any spec.
	alive map[string]bool
}

func newLook(sv swarm.Service, tasks []swarm.Task, nodes []swarm.Node) look {
	l := look{sv: sv, nodes: make(map[string]swarm.Node, len(nodes)), alive: map[string]bool{}}
	for _, n := range nodes {
		l.nodes[n.ID] = n
	}
	bySlot := make(map[string]*slot)
	for _, t := range tasks {
		if t.ServiceID != sv.ID {
			continue
		}
		if !t.State.Ended() && !l.down(t.NodeID) {
			l.live++
			l.alive[l.slotOf(t).key] = true
			l.ending = l.ending || t.Desired.Ended() && !sv.Mode.Job()
		}
		if !l.current(t) {
			continue
		}
		s := l.slotOf(t)
		if bySlot[s.key] == nil {
			bySlot[s.key] = &s
		}
		bySlot[s.key].all = append(bySlot[s.key].all, t)
	}
	for _, s := range bySlot {
		l.choose(s)
		if l.counts(*s) {
			l.slots = append(l.slots, *s)
		}
	}
	slices.SortFunc(l.slots, func(a, b slot) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.name, b.name), cmp.Compare(a.key, b.key))
	})
	return l
}

// current tells whether a task belongs to what is waited for: made from the
// present spec, or of the present run of a job. States that docker does not
// count (remove, orphaned) are left out as there.
func (l look) current(t swarm.Task) bool {
	if !counted(t.State) || !counted(t.Desired) {
		return false
	}
	if l.sv.Mode.Job() {
		return t.JobIteration != nil && l.sv.JobIteration != nil && *t.JobIteration == *l.sv.JobIteration
	}
	return t.UpToDate
}

func counted(s swarm.TaskState) bool {
	return s.Rank() > 0 && s.Rank() <= swarm.TaskRejected.Rank()
}

func (l look) slotOf(t swarm.Task) slot {
	if l.sv.Mode.PerNode() {
		return slot{key: t.NodeID, name: l.sv.Name + "@" + l.nodeName(t.NodeID)}
	}
	return slot{key: strconv.Itoa(t.Slot), order: t.Slot, name: l.sv.Name + "." + strconv.Itoa(t.Slot)}
}

// choose picks the task that stands for the slot: the lowest desired state,
// then the lowest state (docker/cli tasksBySlot; for jobs the state alone),
// then the newest, so that the order of the list makes no difference.
func (l look) choose(s *slot) {
	for _, t := range s.all {
		if l.down(t.NodeID) && t.State != swarm.TaskComplete {
			s.onDownNode = true
			continue
		}
		if !s.has || l.before(t, s.now) {
			s.now, s.has = t, true
		}
	}
}

func (l look) before(a, b swarm.Task) bool {
	desired := cmp.Compare(a.Desired.Rank(), b.Desired.Rank())
	if l.sv.Mode.Job() {
		desired = 0
	}
	return cmp.Or(desired, cmp.Compare(a.State.Rank(), b.State.Rank()), b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID)) < 0
}

// counts tells whether a slot is one that should run. Of a service with a task
// per node, a node that is down or was drained has none to give: docker's own
// progress counts it and never ends.
func (l look) counts(s slot) bool {
	if !l.sv.Mode.PerNode() {
		return true
	}
	if !s.has {
		return false
	}
	n, known := l.nodes[s.key]
	return !known || n.Availability == "active" || !s.now.Desired.Ended() && !s.now.State.Ended() || s.now.State == swarm.TaskComplete
}

// wanted is how many tasks must run, or complete.
func (l look) wanted() int {
	if l.sv.Mode.PerNode() {
		return len(l.slots)
	}
	return int(min(l.sv.Replicas, 1<<31-1)) //nolint:gosec // bounded in the same expression
}

// reached tells whether the slot has what is wanted of it.
func (l look) reached(s slot) bool {
	if !s.has {
		return false
	}
	if l.sv.Mode.Job() {
		return s.now.State == swarm.TaskComplete
	}
	return s.now.State == swarm.TaskRunning && !s.now.Desired.Ended()
}

func (l look) down(nodeID string) bool {
	n, known := l.nodes[nodeID]
	return nodeID != "" && (!known || n.State == "down")
}

func (l look) nodeName(id string) string {
	if n, ok := l.nodes[id]; ok && n.Hostname != "" {
		return n.Hostname
	}
	return id
}

func (l look) report(s slot, t swarm.Task) TaskReport {
	detail := t.Err
	if detail == "" {
		detail = t.Message
	}
	return TaskReport{
		ID: t.ID, Name: s.name, Node: l.nodeName(t.NodeID), State: t.State, Desired: t.Desired,
		Detail: detail, ExitCode: t.ExitCode, Since: t.StateSince, UpToDate: true,
	}
}
