package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/converge"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// trouble is what keeps tasks of one service from running.
type trouble struct {
	stuck, unplaced           []*swarm.Task
	image, rejected, crashing []slot
}

func (t trouble) none() bool {
	return len(t.stuck)+len(t.unplaced)+len(t.image)+len(t.rejected)+len(t.crashing) == 0
}

// handover is how long new tasks may wait for what the old ones hold: until
// these have stopped.
const handover = 2 * time.Minute

// trouble looks at a service's tasks.
func (l *look) trouble(sv *swarm.Service) trouble {
	var out trouble
	ending := false
	for _, t := range l.tasks[sv.ID] {
		ending = ending || !t.State.Ended() && t.Desired.Ended()
	}
	for _, t := range l.tasks[sv.ID] {
		switch {
		case t.Desired.Ended() || !l.older(t.Created, converge.Patience):
		case t.State == swarm.TaskNew:
			out.stuck = append(out.stuck, t)
		case t.State == swarm.TaskPending && (t.Err != "" || l.older(t.Created, settled)) && (!ending || l.older(t.Created, handover)):
			out.unplaced = append(out.unplaced, t)
		}
	}
	for _, s := range l.slots()[sv.ID] {
		if len(s.failed) == 0 || s.well(l) || s.done() {
			continue
		}
		last := s.failed[0]
		switch {
		case converge.MissingImage(last.Err):
			if len(s.failed) >= converge.RejectLimit || s.gaveUp(l) {
				out.image = append(out.image, s)
			}
		case last.State == swarm.TaskRejected:
			if len(s.failed) >= converge.RejectLimit || s.gaveUp(l) {
				out.rejected = append(out.rejected, s)
			}
		case len(s.failed) >= limit(last):
			out.crashing = append(out.crashing, s)
		}
	}
	return out
}

// limit is how often a task may fail before that is a loop. A health check has
// its own retries.
func limit(last *swarm.Task) int {
	if strings.Contains(last.Err, "unhealthy") {
		return converge.RejectLimit
	}
	return converge.CrashLimit
}

// done tells whether the slot's task ended as it should: of a job, or of a
// service that is not restarted after success.
func (s slot) done() bool {
	return slices.ContainsFunc(s.tasks, func(t *swarm.Task) bool {
		return t.State == swarm.TaskComplete && (s.sv.Mode.Job() || !restartsAlways(s.sv))
	})
}

func taskStuckNew(l *look) (o outcome) {
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		stuck := l.trouble(sv).stuck
		if len(stuck) == 0 {
			continue
		}
		why, next, about := l.whyNew(sv)
		f := l.onService(sv, "%s in New, since the swarm gives them no address: %s", plural(len(stuck), "task"), why)
		if len(stuck) == 1 {
			f.Text = fmt.Sprintf("1 task in New, since the swarm gives it no address: %s", why)
		}
		o.add(f.touching(about...).shownBy(stuck[0]).then(next))
	}
	return o
}

// whyNew says why a service's tasks get no address: of one of its networks, or
// because its virtual address is missing, which all tasks wait for (swarmkit
// manager/allocator).
func (l *look) whyNew(sv *swarm.Service) (why, next string, about []*swarm.Network) {
	for _, a := range sv.Networks {
		if _, ok := l.target(a.Target); !ok && !l.predefined[a.Target] {
			return "network " + name(a.Target) + " does not exist", l.cmd("swarmnet explain %s", text.Clean(sv.Name)), nil
		}
	}
	for _, n := range l.wanted(sv) {
		if !n.Allocated() {
			return "network " + name(n.Name) + " is not allocated", l.cmd("swarmnet inspect --pretty %s", text.Clean(n.Name)), []*swarm.Network{n}
		}
		if l.full(n) {
			return "network " + name(n.Name) + " is full", l.cmd("swarmnet addresses"), []*swarm.Network{n}
		}
	}
	if sv.NeedsIngress() && len(l.ingress) == 0 {
		return "there is no ingress network", l.cmd("swarmnet ingress recreate"), nil
	}
	for _, n := range l.wanted(sv) {
		if sv.EndpointMode != "dnsrr" && !hasVIP(sv, n) {
			return "its virtual address on network " + name(n.Name) + " is missing", l.cmd("service update --force %s", text.Clean(sv.Name)), []*swarm.Network{n}
		}
	}
	return "the log of the leader's engine says why", l.cmd("node ls"), nil
}

func hasVIP(sv *swarm.Service, n *swarm.Network) bool {
	return slices.ContainsFunc(sv.VIPs, func(v swarm.VIP) bool { return v.NetworkID == n.ID && v.Addr.IsValid() })
}

func noSuitableNode(l *look) (o outcome) {
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		unplaced := l.trouble(sv).unplaced
		if len(unplaced) == 0 {
			if f, ok := l.noNodeForGlobal(sv); ok {
				o.add(f)
			}
			continue
		}
		why := "the scheduler has not looked at them"
		if err := unplaced[0].Err; err != "" {
			why = text.Clean(err)
		}
		if reasons := l.refusals(sv); reasons != "" {
			why += ": " + reasons
		}
		f := l.onService(sv, "%s without a node: %s", plural(len(unplaced), "task"), why)
		o.add(f.shownBy(unplaced[0]).then(l.cmd("service ps --no-trunc %s", text.Clean(sv.Name))))
	}
	return o
}

// noNodeForGlobal finds services that want a task on each node that suits them,
// where none does. It is a note: a node may be meant to come.
func (l *look) noNodeForGlobal(sv *swarm.Service) (f Finding, ok bool) {
	if !sv.Mode.PerNode() || len(l.s.Nodes) == 0 || len(l.suitable(sv)) > 0 {
		return f, false
	}
	f = l.onService(sv, "no node suits it: %s", l.refusals(sv))
	return f.as(Note).then(l.cmd("node ls")), true
}

func imageMissing(l *look) (o outcome) {
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		slots := l.trouble(sv).image
		if len(slots) == 0 {
			continue
		}
		nodes := map[string]bool{}
		for _, s := range slots {
			nodes[l.nodeName(s.failed[0].NodeID)] = true
		}
		f := l.onService(sv, "%s cannot get the image %s: %s", some(slices.Sorted(maps.Keys(nodes))), text.Clean(sv.Image), brief(slots[0].failed[0].Err))
		o.add(f.shownBy(slots[0].failed[0]).then(l.cmd("service update --with-registry-auth --image IMAGE %s", text.Clean(sv.Name))))
	}
	return o
}

// brief is an error in one line of bearable length.
func brief(err string) string {
	const most = 160
	line := []rune(text.Clean(strings.Join(strings.Fields(err), " ")))
	if len(line) > most {
		return string(line[:most]) + "…"
	}
	return string(line)
}

// taskRejected says once for each node and kind of error what it rejects: a
// fault of the node has as many victims as there are services.
func taskRejected(l *look) (o outcome) {
	type kind struct{ node, means string }
	type group struct {
		services []*swarm.Service
		networks []*swarm.Network
		fix      string
		last     *swarm.Task
		times    int
	}
	found := map[kind]*group{}
	var order []kind
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		for _, s := range l.trouble(sv).rejected {
			last := s.failed[0]
			p, known := meaning(last.Err)
			if !known {
				p.means = brief(last.Err)
			}
			k := kind{last.NodeID, p.means}
			g := found[k]
			if g == nil {
				g = &group{fix: p.fix, last: last}
				found[k] = g
				order = append(order, k)
			}
			g.times += len(s.failed)
			if !slices.Contains(g.services, sv) {
				g.services = append(g.services, sv)
			}
			g.networks = append(g.networks, l.wanted(sv)...)
		}
	}
	for _, k := range order {
		g := found[k]
		f := Finding{Context: l.s.Context, Kind: "node", Object: l.nodeName(k.node), Next: g.fix}
		names := make([]string, len(g.services))
		for i, sv := range g.services {
			names[i] = text.Clean(sv.Name)
		}
		f.Text = fmt.Sprintf("it rejects tasks of %s (%s): %s", some(names), plural(g.times, "time"), k.means)
		if said := brief(g.last.Err); said != k.means {
			f.Text += " (" + said + ")"
		}
		if f.Next == "" {
			f.Next = l.cmd("service ps --no-trunc %s", names[0])
		}
		o.add(f.touching(g.networks...).affecting(g.services...).shownBy(g.last))
	}
	return o
}

func crashLoop(l *look) (o outcome) {
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		slots := l.trouble(sv).crashing
		if len(slots) == 0 {
			continue
		}
		last := slots[0].failed[0]
		f := l.onService(sv, "task %s ended %s within %d minutes, the last time with exit code %d%s",
			l.taskName(last), plural(len(slots[0].failed), "time"), int(converge.History.Minutes()), last.ExitCode, because(last.Err))
		if sv.HasHealthcheck && last.State == swarm.TaskComplete {
			// A program that ends in good order when it is told to leaves no trace of why
			// it was told (seen on 20.10).
			f.Text += ", which its health check may be behind: a task that fails it is told to end"
		}
		if len(slots) > 1 {
			f.Text += fmt.Sprintf(", and so did %s", plural(len(slots)-1, "other"))
		}
		o.add(f.shownBy(last).then(l.cmd("service logs --tail 20 %s", text.Clean(sv.Name))))
	}
	return o
}

// slowStart is how long a task may prepare (pull its image) and start (until
// its health check passes).
const slowStart = 5 * time.Minute

// notConverged finds services that lack tasks and have for a while, where no
// other rule knows why.
func notConverged(l *look) (o outcome) {
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		switch sv.Update.State {
		case "updating", "paused", "rollback_started", "rollback_paused":
			continue
		}
		if sv.Mode.Job() || !l.older(sv.Updated, idle) || !l.trouble(sv).none() {
			continue
		}
		running, wanted, last := l.progress(sv)
		if last == nil || running >= wanted {
			continue
		}
		f := l.onService(sv, "%d of %s run for more than a minute: %s", running, plural(wanted, "task"), l.where(last))
		o.add(f.shownBy(last).then(l.cmd("service ps --no-trunc %s", text.Clean(sv.Name))))
	}
	return o
}

// progress counts the tasks of a service that run, or ended as they should, and
// those asked for, and returns one that does not run. It returns none while
// there is one that may still be on its way.
func (l *look) progress(sv *swarm.Service) (running, wanted int, last *swarm.Task) {
	wanted = int(min(sv.Replicas, 1<<31-1)) //nolint:gosec // bounded in the same expression
	for _, t := range l.tasks[sv.ID] {
		switch {
		case t.State == swarm.TaskComplete && !restartsAlways(sv):
			running++
		case t.State.Ended():
			if !l.older(t.StateSince, idle) {
				return 0, 0, nil
			}
			if last == nil {
				last = t
			}
		case t.Desired.Ended():
		case t.State == swarm.TaskRunning:
			if n, ok := l.nodes[t.NodeID]; !ok || !down(n) {
				running++
			}
		case t.State == swarm.TaskReady || !l.older(t.Created, startTime(t)):
			// In Ready it waits for its restart delay, or for the task before it.
			return 0, 0, nil
		default:
			last = t
		}
	}
	if sv.Mode.PerNode() {
		wanted = running
		if last != nil && !last.State.Ended() {
			wanted++
		}
	}
	return running, wanted, last
}

func startTime(t *swarm.Task) time.Duration {
	if t.State == swarm.TaskPreparing || t.State == swarm.TaskStarting {
		return slowStart
	}
	return idle
}

// where says how far a task has come.
func (l *look) where(t *swarm.Task) string {
	on := ""
	if t.NodeID != "" {
		on = " on " + l.nodeName(t.NodeID)
	}
	if t.State.Ended() {
		return fmt.Sprintf("%s is %s%s with exit code %d and not started again%s", l.taskName(t), t.State, on, t.ExitCode, because(brief(t.Err)))
	}
	return fmt.Sprintf("%s is %s%s%s", l.taskName(t), text.Clean(string(t.State)), on, because(brief(t.Err)))
}

// updateRolledBack is about what the swarm did by itself: who has asked for a
// roll-back knows of it.
func updateRolledBack(l *look) (o outcome) {
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		if sv.Update.State == "rollback_completed" && !sv.Previous {
			f := l.onService(sv, "its last update was rolled back%s, and docker calls that a success", because(brief(sv.Update.Message)))
			o.add(f.then(l.cmd("service ps --no-trunc %s", text.Clean(sv.Name))))
		}
	}
	return o
}

func updatePaused(l *look) (o outcome) {
	for i := range l.s.Services {
		sv := &l.s.Services[i]
		what := map[string]string{"paused": "update", "rollback_paused": "roll-back"}[sv.Update.State]
		if what != "" {
			f := l.onService(sv, "its %s is paused%s", what, because(brief(sv.Update.Message)))
			o.add(f.then(l.cmd("service rollback %s", text.Clean(sv.Name))))
		}
	}
	return o
}
