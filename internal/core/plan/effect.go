package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// Effect is what a step on a service does to those who use it.
type Effect struct {
	// Restarts is how many running tasks are replaced, Starts how many are new,
	// Stops how many end without another in their place.
	Restarts, Starts, Stops int
	// Order is "stop-first" or "start-first" and Parallel how many tasks are
	// replaced at a time (0: all at once), where tasks restart.
	Order    string
	Parallel uint64
	// Addresses is what the step alone needs of each network, at worst.
	Addresses []addr.NetworkNeed
	// PortsTaken and PortsFreed are published ports.
	PortsTaken, PortsFreed []swarm.Port
	// NamesGained and NamesLost are names that the embedded DNS answers.
	NamesGained, NamesLost []Name
}

// Name is a name that the embedded DNS of a network answers.
type Name struct{ Network, Name string }

// String returns "api on web_default".
func (n Name) String() string { return text.Clean(n.Name) + " on " + text.Clean(n.Network) }

// String returns the effect in one line, empty when there is none.
func (e Effect) String() string { return strings.Join(e.Lines(), ", ") }

// Lines returns the effect in a few lines: tasks, addresses, ports and names.
func (e Effect) Lines() []string {
	var tasks, needs, lines []string
	if e.Restarts > 0 {
		how := "all at once"
		if e.Parallel > 0 {
			how = fmt.Sprintf("%d at a time", e.Parallel)
		}
		tasks = append(tasks, fmt.Sprintf("restarts %s, %s, %s", count(e.Restarts, "task"), how, e.Order))
	}
	if e.Starts > 0 {
		tasks = append(tasks, "starts "+count(e.Starts, "task"))
	}
	if e.Stops > 0 {
		tasks = append(tasks, "stops "+count(e.Stops, "task"))
	}
	for _, n := range e.Addresses {
		needs = append(needs, fmt.Sprintf("%d of %d free %s on %s", n.Total(), n.Free, plural(n.Free, "address"), text.Clean(n.Network)))
	}
	for _, parts := range [][]string{tasks, needs} {
		if len(parts) > 0 {
			lines = append(lines, strings.Join(parts, ", "))
		}
	}
	for _, list := range []struct {
		what  string
		words []string
	}{
		{"takes port", ports(e.PortsTaken)}, {"frees port", ports(e.PortsFreed)}, {"gains name", names(e.NamesGained)}, {"loses name", names(e.NamesLost)},
	} {
		if len(list.words) > 0 {
			lines = append(lines, list.what+" "+strings.Join(list.words, " and "))
		}
	}
	return lines
}

func ports(in []swarm.Port) []string {
	var out []string
	for _, p := range in {
		word := fmt.Sprintf("%d/%s", p.Published, p.Protocol)
		if p.Mode == "host" {
			word += " of its nodes"
		}
		out = append(out, word)
	}
	return out
}

func names(in []Name) []string {
	var out []string
	for _, n := range in {
		out = append(out, n.String())
	}
	slices.Sort(out)
	return out
}

func count(n int, word string) string { return fmt.Sprintf("%d %s", n, plural(n, word)) }

func plural(n int, word string) string {
	switch {
	case n == 1:
		return word
	case strings.HasSuffix(word, "s"):
		return word + "es"
	}
	return word + "s"
}
