package rewire

import (
	"fmt"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// String tells the plan for people, a paragraph for each service, with text of
// the swarm cleaned.
func (p Plan) String() string {
	var b strings.Builder
	for _, st := range p.Steps {
		b.WriteString(st.String())
	}
	return b.String()
}

// String tells what happens to one service.
func (st Step) String() string {
	name := text.Clean(st.Service.Name)
	if !st.Changed {
		return fmt.Sprintf("service %q: unchanged\n", name)
	}
	lines := []string{st.restart()}
	if len(st.Gains) > 0 {
		lines = append(lines, fmt.Sprintf("is found on network %q as %s", text.Clean(st.Change.On.Name), list(st.Gains)))
	}
	if len(st.Loses) > 0 {
		lines = append(lines, fmt.Sprintf("is no longer found on network %q as %s", text.Clean(st.Change.Off.Name), list(st.Loses)))
	}
	if len(st.Apart) > 0 {
		lines = append(lines, fmt.Sprintf("can no longer be reached by %s", list(st.Apart)))
	}
	for _, n := range st.Needs {
		joined := st.Change.On != nil && n.NetworkID == st.Change.On.ID
		if joined && n.Total() > 0 || n.Total() > n.LoadBalancers {
			lines = append(lines, n.String())
		}
	}
	for _, w := range st.Warnings {
		lines = append(lines, "warning: "+w)
	}
	return fmt.Sprintf("service %q: %s\n  %s\n", name, st.What(), strings.Join(lines, "\n  "))
}

// What says in a few words what the change is.
func (st Step) What() string {
	on, off := st.Change.On, st.Change.Off
	switch {
	case on != nil && off != nil:
		return fmt.Sprintf("move from network %q to network %q", text.Clean(off.Name), text.Clean(on.Name))
	case off != nil:
		return fmt.Sprintf("detach from network %q", text.Clean(off.Name))
	case index(st.Service.Networks, *on) >= 0:
		return fmt.Sprintf("change on network %q", text.Clean(on.Name))
	default:
		return fmt.Sprintf("attach to network %q", text.Clean(on.Name))
	}
}

// restart says which tasks restart and how.
func (st Step) restart() string {
	sv := st.Service
	switch {
	case sv.Mode.Job():
		return "restarts nothing: a job takes it up with its next run"
	case st.Restarts == 0:
		return "restarts nothing: it has no tasks"
	}
	pace := "one at a time"
	switch {
	case sv.UpdateParallel == 0 && st.Restarts > 1:
		pace = "all at once"
	case sv.UpdateParallel > 1:
		pace = fmt.Sprintf("%d at a time", sv.UpdateParallel)
	}
	order := "the old task stops before the new one starts"
	if sv.UpdateOrder == "start-first" {
		order = "the new task starts before the old one stops"
	}
	return fmt.Sprintf("restarts %s, %s; %s", count(st.Restarts, "task"), pace, order)
}

func list(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = text.Clean(n)
	}
	return strings.Join(out, ", ")
}

func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
