// Package plan decides how a stack comes to the state that its file asks for:
// one look at the swarm and the desired state give a Plan of steps, each with
// its cause and its effect. Nothing is decided after that.
//
// # How a plan is carried out
//
// engine.LookStack gives what is there (Observed), engine.StackRequest what is
// asked for (Desired) together with all that a change needs, and Reconcile the
// Plan. Plan.Err says whether it may be carried out at all. Then the steps are
// carried out, each after the steps on the resources in its DependsOn; steps
// that do not depend on each other may run side by side:
//
//   - Create: Engine.CreateResource. A service finds the IDs of networks, secrets
//     and configs that were created before it in the request.
//   - Update: Engine.UpdateResource, at the version of Step.
//   - Replace: Engine.RemoveResource, wait until its tasks have ended, then
//     Engine.CreateResource. Only a service whose mode changes is replaced.
//   - Remove: Engine.RemoveResource, once every other step has succeeded and the
//     services are up; a network only when the tasks on it have ended.
//   - Unchanged: nothing, except where Step.Recheck is set: Engine.UpdateResource
//     then writes what should be there already, and the swarm refuses it when the
//     content is another. docker stack deploy does so with every secret.
//   - Blocked: never; Plan.Err is not nil.
package plan

import (
	"fmt"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// Kind is the kind of a resource.
type Kind string

// The kinds of resources a stack has.
const (
	Network Kind = "network"
	Secret  Kind = "secret"
	Config  Kind = "config"
	Service Kind = "service"
)

// Resource names one object of a swarm: names are unique within a kind.
type Resource struct {
	Kind Kind
	Name string // with the stack's name in front, as the swarm has it
}

// String returns `network "web_default"`, ready to be printed.
func (r Resource) String() string { return fmt.Sprintf("%s %q", r.Kind, text.Clean(r.Name)) }

// Action is what a step does.
type Action string

// The actions.
const (
	Create    Action = "create"
	Update    Action = "update"
	Replace   Action = "replace"
	Remove    Action = "remove"
	Unchanged Action = "unchanged"
	Blocked   Action = "blocked"
)

// Step is what happens to one resource.
type Step struct {
	Action Action
	Resource
	// ID and Version are those of the object that is there; "" and 0 when there
	// is none. Networks have no version in the engine's list: they never change.
	ID      string
	Version uint64
	// Cause is what differs, for an update, a replacement and a blocked step.
	Cause  []deploy.Change
	Effect Effect
	// DependsOn are resources whose steps come before this one.
	DependsOn []Resource
	// Recheck tells that the content of an unchanged secret cannot be read and
	// is to be written again, so that the swarm compares it.
	Recheck bool
	// Note says what else there is to know about the step, in one sentence.
	Note string
	// WayOut says what to do about a blocked step.
	WayOut string
}

// Plan is all that a deploy would do.
type Plan struct {
	Context string
	Stack   string
	// Steps stand in an order in which they can be carried out one by one.
	Steps []Step
	// Problems stand in the way of the whole plan; all of them, each with its
	// way out.
	Problems []string
	// Warnings stand in the way of nothing.
	Warnings []string
}

// Changes tells whether carrying the plan out changes anything.
func (p Plan) Changes() bool {
	for _, s := range p.Steps {
		if s.Action != Unchanged {
			return true
		}
	}
	return false
}

// Destroys returns the steps that replace or remove something, which is asked
// about before it is done.
func (p Plan) Destroys() []Step {
	var out []Step
	for _, s := range p.Steps {
		if s.Action == Replace || s.Action == Remove {
			out = append(out, s)
		}
	}
	return out
}

// Step returns the step on a resource.
func (p Plan) Step(r Resource) (Step, bool) {
	for _, s := range p.Steps {
		if s.Resource == r {
			return s, true
		}
	}
	return Step{}, false
}

// Err returns an error that lists all that stands in the way of the plan; nil
// when it may be carried out.
func (p Plan) Err() error {
	found := p.blocked()
	found = append(found, p.Problems...)
	if len(found) == 0 {
		return nil
	}
	return problem.Join(fmt.Sprintf("stack %q cannot be deployed on the swarm of context %q, and nothing was changed", text.Clean(p.Stack), p.Context), found)
}

func (p Plan) blocked() []string {
	var found []string
	for _, s := range p.Steps {
		if s.Action == Blocked {
			found = append(found, fmt.Sprintf("%s is there and is not as the file asks (%s): %s", s.Resource, Words(s.Cause), s.WayOut))
		}
	}
	return found
}

// String returns one line per step: `update service "web_api": image api:1 →
// api:2; restarts 3 tasks, one at a time`.
func (p Plan) String() string {
	var b strings.Builder
	for _, s := range p.Steps {
		b.WriteString(s.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// String returns the step in one line.
func (s Step) String() string {
	line := string(s.Action) + " " + s.Resource.String()
	var parts []string
	if len(s.Cause) > 0 {
		parts = append(parts, Words(s.Cause))
	}
	if e := s.Effect.String(); e != "" {
		parts = append(parts, e)
	}
	if s.Note != "" {
		parts = append(parts, s.Note)
	}
	if len(parts) == 0 {
		return line
	}
	return line + ": " + strings.Join(parts, "; ")
}

// Words joins changes to one line, safe to print.
func Words(changes []deploy.Change) string { return text.Clean(deploy.Words(changes)) }
