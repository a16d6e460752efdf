package converge

import (
	"cmp"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Watch remembers what earlier looks have seen of one service. Its zero value
// has seen nothing.
type Watch struct {
	stable time.Time
	// since is when a slot was first seen in a state that must not last.
	since map[string]time.Time
	// from is when such states begin to count.
	from time.Time
	// failed holds failed tasks by slot and ID: the swarm forgets them.
	failed map[string]map[string]swarm.Task
}

// Unseen tells that the swarm could not be asked for a while until now. Nothing
// goes on in a swarm without a leader, and under a new one nodes have to report
// first, so states that must not last begin to count anew, a while from now.
func (w *Watch) Unseen(now time.Time) {
	clear(w.since)
	w.from = now.Add(Patience)
}

// Step judges the service after one more look.
func (w *Watch) Step(sv swarm.Service, tasks []swarm.Task, nodes []swarm.Node, o Options) Verdict {
	l := newLook(sv, tasks, nodes)
	w.remember(l, o.Now)
	v := Verdict{Service: sv.Name, Wanted: l.wanted()}
	for _, s := range l.slots {
		if s.has {
			v.Tasks = append(v.Tasks, l.report(s, s.now))
		}
		if l.reached(s) {
			v.Running++
		}
		if last, ok := w.lastFailed(s); ok {
			v.Failures = append(v.Failures, l.report(s, last))
		}
	}
	if cause, reason := w.failure(l, o.Now); cause != "" {
		w.stable = time.Time{}
		v.State, v.Cause, v.Reason = Failed, cause, reason
		return v
	}
	if v.Running < v.Wanted || v.Wanted == 0 && (l.live > 0 || sv.Mode.PerNode()) || sv.Update.State == "updating" || strings.HasPrefix(sv.Update.State, "rollback_started") {
		w.stable = time.Time{}
		v.Cause, v.Reason = CauseStarting, fmt.Sprintf("%d of %d tasks", v.Running, v.Wanted)
		return v
	}
	return w.stableSince(v, l, o)
}

// stableSince watches tasks that all run for the monitor period, as docker
// does, and for as long again for each failure that was seen: on a machine
// that is slow, a task that ends at once has been seen to run for longer than
// the period. Jobs and services without tasks have nothing to watch.
func (w *Watch) stableSince(v Verdict, l look, o Options) Verdict {
	sv := l.sv
	if w.stable.IsZero() {
		w.stable = o.Now
	}
	monitor := monitorOf(sv, o) * time.Duration(1+w.mostFailures(l, o.Now))
	v.StableSince = w.stable
	if sv.Mode.Job() || v.Wanted == 0 || sv.Update.State == "completed" || o.Now.Sub(w.stable) >= monitor {
		v.State = Up
		return v
	}
	v.DueAt = w.stable.Add(monitor)
	v.Cause, v.Reason = CauseVerifying, "all tasks run and are watched for failures"
	return v
}

// monitorOf is how long tasks that run are watched.
func monitorOf(sv swarm.Service, o Options) time.Duration {
	return cmp.Or(sv.UpdateMonitor, o.Monitor, DefaultMonitor)
}

// remember keeps the failed tasks of each slot, and forgets states that a slot
// has left.
func (w *Watch) remember(l look, now time.Time) {
	if w.failed == nil {
		w.failed, w.since = map[string]map[string]swarm.Task{}, map[string]time.Time{}
	}
	lasting := map[string]bool{}
	for _, s := range l.slots {
		for _, t := range s.all {
			if l.lost(t) {
				if w.failed[s.key] == nil {
					w.failed[s.key] = map[string]swarm.Task{}
				}
				w.failed[s.key][t.ID] = t
			}
		}
		key := s.key + " " + l.stuck(s)
		lasting[key] = true
		if _, seen := w.since[key]; !seen {
			w.since[key] = w.counting(now)
		}
	}
	if l.sv.Mode.PerNode() && len(l.slots) == 0 {
		lasting["none"] = true
		if _, seen := w.since["none"]; !seen {
			w.since["none"] = w.counting(now)
		}
	}
	maps.DeleteFunc(w.since, func(key string, _ time.Time) bool { return !lasting[key] })
}

// counting is when a state that is seen now begins to count.
func (w *Watch) counting(now time.Time) time.Time {
	if now.Before(w.from) {
		return w.from
	}
	return now
}

// lost tells whether a task ended that was meant to run on. A task of a
// service that is no job and ends by itself is lost too, whatever its exit code.
func (l look) lost(t swarm.Task) bool {
	switch t.State {
	case swarm.TaskFailed, swarm.TaskRejected:
		return true
	case swarm.TaskComplete:
		return !l.sv.Mode.Job()
	default:
		return false
	}
}

// stuck names the state of a slot that must not last: no task that lives, no
// node, or no addresses; "" for others.
func (l look) stuck(s slot) string {
	switch {
	case !s.has:
		return ""
	case s.now.State.Ended() && !l.reached(s) && !l.alive[s.key]:
		// While a task of another spec is alive the update has not come to this
		// slot yet; an ended one of the present spec is then of an earlier time
		// that had the same spec.
		return CauseExited
	case s.now.State == swarm.TaskPending && !l.ending:
		return CauseNoNode
	case s.now.State == swarm.TaskNew:
		return CauseAddresses
	}
	return ""
}

func (w *Watch) lastFailed(s slot) (swarm.Task, bool) {
	var last swarm.Task
	for _, t := range w.failed[s.key] {
		if last.ID == "" || t.Created.After(last.Created) {
			last = t
		}
	}
	return last, last.ID != ""
}

// failure returns why the service will not come up, "" while it may.
func (w *Watch) failure(l look, now time.Time) (cause, reason string) {
	u := l.sv.Update
	switch u.State {
	case "paused", "rollback_paused":
		return CausePaused, "the swarm paused the update: " + u.Message
	case "rollback_started", "rollback_completed":
		return CauseRolledBack, "the swarm rolled the update back: " + u.Message
	}
	if since, ok := w.since["none"]; ok && now.Sub(since) >= Patience {
		return CauseNoNode, "no node of the swarm got a task"
	}
	for _, s := range l.slots {
		if cause, reason := w.crash(l, s, now); cause != "" {
			return cause, reason
		}
		stuck := l.stuck(s)
		lasted := now.Sub(w.since[s.key+" "+stuck])
		detail := s.now.Err
		switch {
		case stuck == CauseExited && lasted >= Grace && u.State != "updating" && s.now.State != swarm.TaskShutdown:
			// The swarm itself shut tasks down that an update replaces. Where
			// the update goes back to a former spec, tasks of that one are
			// current again, and the next one is made when its turn comes.
			return CauseExited, fmt.Sprintf("task %s ended (%s, exit code %d) and the swarm does not restart it", s.name, s.now.State, s.now.ExitCode)
		case stuck == CauseNoNode && lasted >= Patience:
			return CauseNoNode, fmt.Sprintf("task %s has no node: %s", s.name, detail)
		case stuck == CauseAddresses && lasted >= Patience:
			return CauseAddresses, fmt.Sprintf("task %s stays in New: the swarm has no address for it on its networks", s.name)
		}
	}
	return "", ""
}

// mostFailures is how often the slot failed lately that failed most.
func (w *Watch) mostFailures(l look, now time.Time) int {
	most := 0
	for _, s := range l.slots {
		recent := 0
		for _, t := range w.failed[s.key] {
			if now.Sub(t.Created) <= History {
				recent++
			}
		}
		most = max(most, recent)
	}
	return most
}

// crash counts the recent failures of a slot.
func (w *Watch) crash(l look, s slot, now time.Time) (cause, reason string) {
	var failed, rejected, unhealthy int
	for _, t := range w.failed[s.key] {
		if now.Sub(t.Created) > History {
			continue
		}
		failed++
		if t.State == swarm.TaskRejected {
			rejected++
		}
		if strings.Contains(t.Err, "unhealthy") {
			unhealthy++
		}
	}
	last, ok := w.lastFailed(s)
	if !ok || l.reached(s) && failed < CrashLimit {
		return "", ""
	}
	switch {
	case rejected >= RejectLimit && MissingImage(last.Err):
		return CauseImage, fmt.Sprintf("node %s cannot get the image of task %s: %s", l.nodeName(last.NodeID), s.name, last.Err)
	case rejected >= RejectLimit:
		return CauseRejected, fmt.Sprintf("node %s refuses task %s: %s", l.nodeName(last.NodeID), s.name, last.Err)
	case unhealthy >= RejectLimit:
		return CauseUnhealthy, fmt.Sprintf("task %s fails its health check", s.name)
	case failed >= CrashLimit:
		return CauseCrashLoop, fmt.Sprintf("task %s ended %d times, the last time with exit code %d", s.name, failed, last.ExitCode)
	}
	return "", ""
}

// MissingImage tells by the words of dockerd whether a node cannot get an image
// (moby daemon/images and distribution: errors of pull and lookup). "not found"
// alone may be said of a network too.
func MissingImage(msg string) bool {
	msg = strings.ToLower(msg)
	for _, words := range []string{
		"no such image", "pull access denied", "manifest unknown", "manifest for", "no matching manifest",
		"repository does not exist", "repository name not known",
	} {
		if strings.Contains(msg, words) {
			return true
		}
	}
	return false
}
