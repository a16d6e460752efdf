// Package deploy decides how a service comes to the state that is asked for,
// and what stands in its way, from one look at the swarm.
package deploy

import (
	"fmt"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Missing is an object that a service names and the swarm lacks.
type Missing struct {
	Kind string // "network", "secret", "config"
	Name string
}

// NetworkRef is a network as the service names it and as the swarm knows it.
// The swarm's own forms of "host" and "bridge" are found this way only; no
// list shows them.
type NetworkRef struct {
	Ref, ID, Name, Driver string
	Ingress               bool
}

// Change is a part of a service that differs from what is asked for.
type Change struct {
	// Field is the part, named as docker's flag names it: "image", "env".
	Field string
	// From and To are values where they are short and no secret; empty else.
	From, To string
	// Restarts tells whether the swarm replaces the service's tasks for it.
	Restarts bool
}

// String returns "image app:1 → app:2", or "env" for a value not to be shown.
func (c Change) String() string {
	if c.From == "" && c.To == "" {
		return c.Field
	}
	return fmt.Sprintf("%s %s → %s", c.Field, none(c.From), none(c.To))
}

func none(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// Words joins changes to one line.
func Words(changes []Change) string {
	out := make([]string, 0, len(changes))
	for _, c := range changes {
		out = append(out, c.String())
	}
	return strings.Join(out, ", ")
}

// Restarts tells whether the swarm replaces tasks for one of the changes.
func Restarts(changes []Change) bool {
	for _, c := range changes {
		if c.Restarts {
			return true
		}
	}
	return false
}

// Wish is a service that somebody wants.
type Wish struct {
	// Service is the desired state; no ID.
	Service swarm.Service
	// Networks are its networks as the swarm resolved their names.
	Networks []NetworkRef
	Missing  []Missing
	// Existing is the service of that name as it is; nil when there is none.
	Existing *swarm.Service
}
