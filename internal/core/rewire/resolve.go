package rewire

import (
	"fmt"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// Wishes makes a wish of each service that a user names, by name, ID or the
// beginning of an ID; a service named twice is one. The error lists those that
// are none, with the command to type instead for a container made by "docker
// run": only the engine of its node can change what it is on.
func Wishes(s *swarm.Snapshot, refs []string, c Change) ([]Wish, error) {
	var out []Wish
	var found []string
	seen := map[string]bool{}
	for _, ref := range refs {
		matches := s.FindServices(ref)
		switch {
		case len(matches) > 1:
			found = append(found, fmt.Sprintf("%q means %d services: use the name or the whole ID of one", ref, len(matches)))
		case len(matches) == 0:
			found = append(found, noService(s, ref, c))
		case !seen[matches[0].ID]:
			seen[matches[0].ID] = true
			out = append(out, Wish{Service: matches[0], Change: c})
		}
	}
	if len(found) > 0 {
		return nil, problem.Join(fmt.Sprintf("nothing was changed in context %q, since not all that was named is a service", s.Context), found).
			WithNext("Run 'docker -c %s service ls' to see the services there are.", s.Context)
	}
	return out, nil
}

// noService says what else a name may be.
func noService(s *swarm.Snapshot, ref string, c Change) string {
	where, node := "", "its node"
	for _, a := range s.Attachments {
		if ref != "" && len(ref) >= 4 && strings.HasPrefix(a.ContainerID, ref) {
			node = "node " + text.Clean(s.NodeName(a.NodeID))
			where = fmt.Sprintf("%q is a container on %s, made by 'docker run', which only the engine there can change", ref, node)
		}
	}
	if where == "" {
		where = fmt.Sprintf("there is no service %q, and a container made by 'docker run' can only be changed by the engine of its node", ref)
	}
	return fmt.Sprintf("%s: type %s on %s", where, strings.Join(containerCommands(ref, c), ", then "), node)
}

// containerCommands are docker's own commands for a container that is not a
// task.
func containerCommands(ref string, c Change) []string {
	var out []string
	if c.On != nil {
		cmd := "'docker network connect"
		for _, a := range c.Aliases {
			cmd += " --alias " + text.Clean(a)
		}
		cmd += " " + text.Clean(c.On.Name) + " " + ref + "'"
		if !c.On.Attachable {
			cmd += " (which the network refuses, since it is not attachable)"
		}
		out = append(out, cmd)
	}
	if c.Off != nil {
		out = append(out, fmt.Sprintf("'docker network disconnect %s %s'", text.Clean(c.Off.Name), ref))
	}
	return out
}
