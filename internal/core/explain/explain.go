// Package explain goes from a service that does not answer to the cause: a walk
// over what it needs, in the order in which one thing needs the other, that
// stops at the first thing broken.
package explain

import (
	"slices"

	"github.com/swarmnet/docker-swarmnet/internal/core/check"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Status is what is known of a step.
type Status string

// The states of a step.
const (
	OK      Status = "ok"
	Broken  Status = "broken"
	Unknown Status = "unknown" // could not be told; the evidence says why
)

// Step is one thing that a service needs.
type Step struct {
	// Name says what is needed: "placed".
	Name   string
	Status Status
	// Evidence is what was seen, cleaned.
	Evidence string
	// Code is the rule of "check" that says so, "" where none does.
	Code string
	// Cause is one sentence and Fix the command to type, of a broken step.
	Cause, Fix string
	// Task is the ID of the task whose log may tell more, "" where none does.
	Task string
}

// Input is what a service is explained by.
type Input struct {
	check.Input // of one swarm
	Service     swarm.Service
	// From is a service that shall reach it; nil for any.
	From *swarm.Service
	// Gossip is what the manager knows of the networks by gossip, by network
	// ID; a network that is not here is one it has no task on.
	Gossip map[string]Gossip
}

// Gossip is one network as a manager knows it from other nodes.
type Gossip struct {
	// Addrs are the addresses of tasks by the name of their service.
	Addrs map[string][]string
}

// Walk goes through the steps and stops at the first that is broken.
func Walk(in Input) []Step {
	w := newWalk(in)
	var steps []Step
	for _, step := range []func() Step{
		w.exists, w.network, w.addresses, w.placed, w.running, w.healthy, w.name, w.gossip, w.ports, w.kernel,
	} {
		s := step()
		steps = append(steps, s)
		if s.Status == Broken {
			break
		}
	}
	return steps
}

// FirstBroken returns the step that the walk stopped at.
func FirstBroken(steps []Step) (Step, bool) {
	at := slices.IndexFunc(steps, func(s Step) bool { return s.Status == Broken })
	if at < 0 {
		return Step{}, false
	}
	return steps[at], true
}

// walk is one walk: the verdict of check on the whole swarm, and what of it is
// about the service.
type walk struct {
	in       Input
	s        *swarm.Snapshot
	sv       swarm.Service
	report   check.Report
	networks []swarm.Network
	tasks    []swarm.Task
}

func newWalk(in Input) *walk {
	w := &walk{in: in, s: in.Snapshots[0], sv: in.Service}
	w.report = check.Run(in.Input, check.Rules())
	for _, n := range w.s.Networks {
		if n.Overlay() && w.sv.Wants(n) {
			w.networks = append(w.networks, n)
		}
	}
	for _, t := range w.s.TasksOf(w.sv.ID) {
		if t.Live() {
			w.tasks = append(w.tasks, t)
		}
	}
	return w
}

// found returns the first finding with one of the codes, in their order, that
// is about the service. Notes break nothing.
func (w *walk) found(codes ...string) (check.Finding, bool) {
	for _, code := range codes {
		for _, f := range w.report.Findings {
			if f.Rule.Code == code && f.Severity != check.Note && w.concerns(f) {
				return f, true
			}
		}
	}
	return check.Finding{}, false
}

// concerns tells whether a finding is about the service: it names services,
// this one among them, or a network of it.
func (w *walk) concerns(f check.Finding) bool {
	if len(f.Services) > 0 {
		return slices.Contains(f.Services, w.sv.ID)
	}
	return slices.ContainsFunc(w.networks, func(n swarm.Network) bool { return slices.Contains(f.Networks, n.ID) })
}

// unknown returns why one of the rules could not tell.
func (w *walk) unknown(codes ...string) (string, bool) {
	for _, u := range w.report.Unknown {
		if slices.Contains(codes, u.Rule.Code) {
			return u.Why, true
		}
	}
	return "", false
}

// broken makes a step of a finding.
func broken(name string, f check.Finding) Step {
	return Step{
		Name: name, Status: Broken, Evidence: f.Kind + " " + f.Object + ": " + f.Text, Code: f.Rule.Code,
		Cause: f.Rule.Title + ": " + f.Text, Fix: f.Next, Task: f.Task,
	}
}

// judged is a step that rules decide: broken by what they find, unknown where
// they cannot tell, else fine by the evidence.
func (w *walk) judged(name, evidence string, codes ...string) Step {
	if f, ok := w.found(codes...); ok {
		return broken(name, f)
	}
	if why, ok := w.unknown(codes...); ok {
		return Step{Name: name, Status: Unknown, Evidence: why}
	}
	return Step{Name: name, Status: OK, Evidence: evidence}
}
