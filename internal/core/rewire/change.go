// Package rewire decides how services that run come onto networks and off
// them: the new list of networks of each, what that costs and changes, and
// what stands in its way.
package rewire

import (
	"maps"
	"slices"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Change is what becomes of a service's networks. It can be worked out again
// on a newer reading of the service. Its zero value changes nothing.
type Change struct {
	// On is the network to be on; nil for none. A service that is on it already
	// stays at its place in the order.
	On *swarm.Network
	// Aliases and DriverOpts are what the service's attachment to On has at
	// least.
	Aliases    []string
	DriverOpts map[string]string
	// Off is the network to leave; nil for none. With On, that one takes its
	// place, its aliases and its driver options.
	Off *swarm.Network
}

// Of returns the service's networks after the change, and whether they differ
// from those it has. The order of all others is kept: reordering restarts
// every task (swarmkit IsTaskDirty).
func (c Change) Of(sv swarm.Service) (networks []swarm.Attach, changed bool) {
	networks = slices.Clone(sv.Networks)
	on := swarm.Attach{Aliases: c.Aliases, DriverOpts: c.DriverOpts}
	place := len(networks)
	if c.Off != nil {
		if i := index(networks, *c.Off); i >= 0 {
			on = merged(networks[i], on)
			networks = slices.Delete(networks, i, i+1)
			place, changed = i, true
		}
	}
	if c.On == nil {
		return networks, changed
	}
	if i := index(networks, *c.On); i >= 0 {
		with := merged(networks[i], on)
		if !sameAttach(with, networks[i]) {
			networks[i], changed = with, true
		}
		return networks, changed
	}
	on = merged(swarm.Attach{Target: c.On.ID}, on)
	return slices.Insert(networks, place, on), true
}

// merged adds to an attachment the aliases and options it lacks.
func merged(to, from swarm.Attach) swarm.Attach {
	out := swarm.Attach{Target: to.Target, Aliases: slices.Clone(to.Aliases), DriverOpts: maps.Clone(to.DriverOpts)}
	for _, a := range from.Aliases {
		if !slices.Contains(out.Aliases, a) {
			out.Aliases = append(out.Aliases, a)
		}
	}
	if out.DriverOpts == nil && len(from.DriverOpts) > 0 {
		out.DriverOpts = map[string]string{}
	}
	maps.Copy(out.DriverOpts, from.DriverOpts)
	return out
}

// index finds the network in a list that names it by ID or, as an API client
// may have done, by name; -1 where it is not in it.
func index(networks []swarm.Attach, n swarm.Network) int {
	return slices.IndexFunc(networks, func(a swarm.Attach) bool { return a.Target == n.ID || a.Target == n.Name })
}

// SameNetworks tells whether two lists say the same, in the same order.
func SameNetworks(a, b []swarm.Attach) bool { return slices.EqualFunc(a, b, sameAttach) }

func sameAttach(a, b swarm.Attach) bool {
	return a.Target == b.Target && slices.Equal(a.Aliases, b.Aliases) && maps.Equal(a.DriverOpts, b.DriverOpts)
}
