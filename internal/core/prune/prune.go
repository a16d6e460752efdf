// Package prune decides which networks nobody uses.
package prune

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/members"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Filter narrows a prune as docker's own filters do (moby
// daemon/network prune). Its zero value takes every network.
type Filter struct {
	// Until leaves out networks made after it, unless it is zero.
	Until time.Time
	// Labels are "key" or "key=value"; a network must have all.
	Labels []string
	// NotLabels leave out a network that has all of them.
	NotLabels []string
}

// Choice is what a prune removes, and what it leaves although no service uses
// it.
type Choice struct {
	Remove []swarm.Network
	// Held are networks without a service whose holders no list of services
	// shows: containers made by "docker run", and tasks on nodes that are lost.
	Held []Held
}

// Held is a network and who holds it.
type Held struct {
	Network swarm.Network
	Holders []members.Holder
}

// Decide chooses among the overlay networks of the swarm but ingress. A service
// without tasks is a user too: it would not find its network again.
func Decide(s *swarm.Snapshot, f Filter) Choice {
	var c Choice
	for _, n := range s.Networks {
		if !n.Overlay() || n.Ingress || !f.takes(n) {
			continue
		}
		holders := members.RemovalOf(s, n).Holders
		switch {
		case len(holders) == 0:
			c.Remove = append(c.Remove, n)
		case !slices.ContainsFunc(holders, func(h members.Holder) bool { return h.Member.Kind == members.Service }):
			c.Held = append(c.Held, Held{Network: n, Holders: holders})
		}
	}
	slices.SortFunc(c.Remove, func(a, b swarm.Network) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.Held, func(a, b Held) int { return cmp.Compare(a.Network.Name, b.Network.Name) })
	return c
}

func (f Filter) takes(n swarm.Network) bool {
	if !f.Until.IsZero() && n.Created.After(f.Until) {
		return false
	}
	return hasAll(n.Labels, f.Labels) && (len(f.NotLabels) == 0 || !hasAll(n.Labels, f.NotLabels))
}

func hasAll(labels map[string]string, wanted []string) bool {
	for _, w := range wanted {
		key, want, valued := strings.Cut(w, "=")
		if has, ok := labels[key]; !ok || valued && has != want {
			return false
		}
	}
	return true
}
