// Package overview is what "ls" shows of each network: who and how much is on
// it, counted once over the whole snapshot.
package overview

import (
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Network is a network with what is on it. The counts are of the whole swarm
// and stay 0 for a network that is not an overlay network.
type Network struct {
	swarm.Network
	// Used and Free are addresses, over all subnets.
	Used, Free int
	// Services ask to be on the network; Tasks hold an address on it and have
	// not ended; Containers are those of "docker run".
	Services, Tasks, Containers int
}

// Filter chooses networks. Values of one field are alternatives, fields all
// have to hold, as in "docker network ls".
type Filter struct {
	Names   []string // part of the name
	IDs     []string // part of the ID
	Labels  []string // KEY or KEY=VALUE; all of them have to hold
	Drivers []string
	Scopes  []string
	// Dangling chooses networks that nobody is on (true) or somebody (false).
	Dangling *bool
}

// Networks returns the overlay networks that the filter chooses, with all set
// the others that the engine knows too.
func Networks(s *swarm.Snapshot, all bool, f Filter) []Network {
	counts, book := countAll(s), addr.BookOf(s)
	var out []Network
	for _, n := range s.Networks {
		if !all && !n.Overlay() {
			continue
		}
		view := Network{Network: n}
		if n.Overlay() {
			c := counts[n.ID]
			view.Services, view.Tasks, view.Containers = c.services, c.tasks, c.containers
			u := book.Usage(n)
			view.Used, view.Free = u.InUse.Total(), u.Free
		}
		if f.chooses(view) {
			out = append(out, view)
		}
	}
	return out
}

type counts struct{ services, tasks, containers int }

// countAll walks the snapshot once, whatever the number of networks.
func countAll(s *swarm.Snapshot) map[string]counts {
	ids := make(map[string]string, 2*len(s.Networks))
	var ingress string
	for _, n := range s.Networks {
		ids[n.ID] = n.ID
		if n.Overlay() {
			ids[n.Name] = n.ID
		}
		if n.Ingress {
			ingress = n.ID
		}
	}
	out := make(map[string]counts, len(s.Networks))
	add := func(id string, f func(*counts)) {
		c := out[id]
		f(&c)
		out[id] = c
	}
	for _, sv := range s.Services {
		for _, a := range sv.Networks {
			add(ids[a.Target], func(c *counts) { c.services++ })
		}
		if ingress != "" && sv.NeedsIngress() {
			add(ingress, func(c *counts) { c.services++ })
		}
	}
	for _, t := range s.Tasks {
		for _, tn := range t.Networks {
			if !t.State.Ended() {
				add(tn.NetworkID, func(c *counts) { c.tasks++ })
			}
		}
	}
	for _, a := range s.Attachments {
		for _, tn := range a.Networks {
			if !a.State.Ended() {
				add(tn.NetworkID, func(c *counts) { c.containers++ })
			}
		}
	}
	return out
}

func (f Filter) chooses(n Network) bool {
	in := func(values []string, is func(string) bool) bool {
		return len(values) == 0 || slices.ContainsFunc(values, is)
	}
	if !in(f.Names, func(v string) bool { return strings.Contains(n.Name, v) }) ||
		!in(f.IDs, func(v string) bool { return strings.Contains(n.ID, v) }) ||
		!in(f.Drivers, func(v string) bool { return n.Driver == v }) ||
		!in(f.Scopes, func(v string) bool { return n.Scope == v }) {
		return false
	}
	for _, l := range f.Labels {
		key, value, hasValue := strings.Cut(l, "=")
		got, ok := n.Labels[key]
		if !ok || (hasValue && got != value) {
			return false
		}
	}
	if f.Dangling == nil {
		return true
	}
	dangling := n.Overlay() && !n.Ingress && n.Services+n.Tasks+n.Containers == 0
	return dangling == *f.Dangling
}
