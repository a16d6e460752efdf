package check

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/converge"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// slot is one place where the swarm keeps a task of a service: a number, or a
// node for services with a task on each.
type slot struct {
	sv *swarm.Service
	// tasks are the slot's, newest first; those before the last update of the
	// service are left out, since it may be what mends them.
	tasks []*swarm.Task
	// live is the newest task that has not ended and shall not, nil if none.
	live *swarm.Task
	// failed are the tasks that ended against the swarm's will within
	// converge.History, newest first.
	failed []*swarm.Task
}

// slots returns the slots of all services.
func (l *look) slots() map[string][]slot {
	if l.slotsOf != nil {
		return l.slotsOf
	}
	l.slotsOf = make(map[string][]slot, len(l.s.Services))
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		l.slotsOf[sv.ID] = l.slotsOfService(sv)
	}
	return l.slotsOf
}

func (l *look) slotsOfService(sv *swarm.Service) []slot {
	by := map[string][]*swarm.Task{}
	var order []string
	for _, t := range l.tasks[sv.ID] {
		key := strconv.Itoa(t.Slot)
		if sv.Mode.PerNode() {
			key = t.NodeID
		}
		if sv.Mode.Job() && !sameRun(t.JobIteration, sv.JobIteration) {
			continue
		}
		if by[key] == nil {
			order = append(order, key)
		}
		by[key] = append(by[key], t)
	}
	slices.Sort(order)
	out := make([]slot, 0, len(order))
	for _, key := range order {
		s := slot{sv: sv, tasks: by[key]}
		slices.SortFunc(s.tasks, func(a, b *swarm.Task) int {
			return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
		})
		for _, t := range s.tasks {
			if s.live == nil && t.Live() {
				s.live = t
			}
			if l.failure(sv, t) {
				s.failed = append(s.failed, t)
			}
		}
		if s.live != nil || len(s.failed) > 0 {
			out = append(out, s)
		}
	}
	return out
}

func sameRun(a, b *uint64) bool { return a != nil && b != nil && *a == *b }

// failure tells whether a task ended against the swarm's will, not long ago
// and after the service's last update.
func (l *look) failure(sv *swarm.Service, t *swarm.Task) bool {
	switch t.State {
	case swarm.TaskFailed, swarm.TaskRejected:
	case swarm.TaskComplete:
		if sv.Mode.Job() || !restartsAlways(sv) {
			return false
		}
	default:
		return false
	}
	return !l.older(t.StateSince, converge.History) && !t.Created.Before(sv.Update.Started)
}

// restartsAlways tells whether the swarm takes a task that ends by itself for
// failed. A service that runs to its end once has another restart condition.
func restartsAlways(sv *swarm.Service) bool {
	return sv.RestartPolicy == "" || sv.RestartPolicy == "any"
}

// well tells whether the slot's present task has lived longer than those
// before it that failed, and with it whether it is over them. A task runs when
// docker says so; one that is still on its way has not lived at all.
func (s slot) well(l *look) bool {
	if s.live == nil || s.live.State != swarm.TaskRunning {
		return false
	}
	var longest time.Duration
	for _, t := range s.failed {
		longest = max(longest, t.StateSince.Sub(t.Created))
	}
	return l.older(s.live.StateSince, 2*longest+converge.DefaultMonitor)
}

// gaveUp tells whether the swarm does not try the slot again.
func (s slot) gaveUp(l *look) bool {
	return s.live == nil && len(s.failed) > 0 && l.older(s.failed[0].StateSince, converge.Patience)
}

// taskName is what docker calls a task: "web.1", or "web.NODE" of a service
// with a task on each node.
func (l *look) taskName(t *swarm.Task) string {
	service := t.ServiceID
	if sv, ok := l.services[t.ServiceID]; ok {
		service = sv.Name
	}
	if t.Slot != 0 {
		return text.Clean(service) + "." + strconv.Itoa(t.Slot)
	}
	return text.Clean(service) + "." + l.nodeName(t.NodeID)
}
