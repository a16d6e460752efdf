// Package stack knows which objects of a swarm belong to a stack, by the labels
// that docker stack gives them.
package stack

import (
	"fmt"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Parts are objects of a swarm that come and go together.
type Parts struct {
	Services []swarm.Service
	Networks []swarm.Network
	Configs  []plan.Object
	Secrets  []plan.Object
}

// Of returns what belongs to the stack of that name.
func Of(o *plan.Observed, name string) Parts {
	var p Parts
	for _, sv := range o.Services {
		if sv.Labels[deploy.LabelStack] == name {
			p.Services = append(p.Services, sv)
		}
	}
	for _, n := range o.Networks {
		if n.Scope == "swarm" && n.Labels[deploy.LabelStack] == name {
			p.Networks = append(p.Networks, n)
		}
	}
	p.Configs, p.Secrets = of(o.Configs, name), of(o.Secrets, name)
	return p
}

func of(objects []plan.Object, name string) []plan.Object {
	var out []plan.Object
	for _, o := range objects {
		if o.Labels[deploy.LabelStack] == name {
			out = append(out, o)
		}
	}
	return out
}

// Empty tells whether there is nothing.
func (p Parts) Empty() bool {
	return len(p.Services) == 0 && len(p.Networks) == 0 && len(p.Configs) == 0 && len(p.Secrets) == 0
}

// Words names every object: "service shop_web".
func (p Parts) Words() []string {
	var out []string
	for _, sv := range p.Services {
		out = append(out, "service "+sv.Name)
	}
	for _, n := range p.Networks {
		out = append(out, "network "+n.Name)
	}
	for _, c := range p.Configs {
		out = append(out, "config "+c.Name)
	}
	for _, c := range p.Secrets {
		out = append(out, "secret "+c.Name)
	}
	return out
}

// Tasks returns the tasks that have not ended and are of one of the services,
// or of the stack of that name ("" for none): a service that has been removed
// is not listed any more while its tasks end.
func Tasks(s *swarm.Snapshot, services map[string]bool, name string) []swarm.Task {
	var out []swarm.Task
	for _, t := range s.Tasks {
		if !t.State.Ended() && (services[t.ServiceID] || name != "" && t.Stack == name) {
			out = append(out, t)
		}
	}
	return out
}

// TaskWords names tasks with their nodes, a handful at the most, and says of
// those on a node that is down what they wait for.
func TaskWords(s *swarm.Snapshot, tasks []swarm.Task, services map[string]string) []string {
	const most = 5
	var out []string
	for i, t := range tasks {
		if i == most {
			return append(out, fmt.Sprintf("and %d more tasks", len(tasks)-most))
		}
		name := services[t.ServiceID]
		if name == "" {
			name = t.ID
		} else if t.Slot != 0 {
			name = fmt.Sprintf("%s.%d", name, t.Slot)
		}
		word := "task " + name
		if t.NodeID != "" {
			word += " on " + s.NodeName(t.NodeID)
			if n, ok := s.NodeByID(t.NodeID); ok && n.State == "down" {
				word += ", a node that is down (bring it back, or: docker node rm --force " + s.NodeArg(t.NodeID) + ")"
			}
		}
		out = append(out, word)
	}
	return out
}
