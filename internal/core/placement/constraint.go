// Package placement says which nodes may run a service's tasks, by the rules of
// the swarm's own scheduler.
package placement

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Constraint is a condition on nodes: "node.role==worker". The rules are
// swarmkit's (manager/constraint): values are compared without regard to
// case, names of labels with it; a missing label counts as empty.
type Constraint struct {
	Key   string
	Not   bool // "!=" rather than "=="
	Value string
}

const (
	nodeLabel   = "node.labels."
	engineLabel = "engine.labels."
)

// ParseConstraint reads one constraint; its error is what the swarm would
// refuse a service for.
func ParseConstraint(expr string) (Constraint, error) {
	// Both as swarmkit writes them: a key has at least two characters.
	keyForm := regexp.MustCompile(`^(?i)[a-z_][a-z0-9\-_.]+$`)
	valueForm := regexp.MustCompile(`^(?i)[a-z0-9:\-_\s\.\*\(\)\?\+\[\]\\\^\$\|\/]+$`)
	op := "=="
	key, value, ok := strings.Cut(expr, op)
	if !ok {
		op = "!="
		if key, value, ok = strings.Cut(expr, op); !ok {
			return Constraint{}, problem.New(`constraint %q has neither "==" nor "!="`, expr)
		}
	}
	c := Constraint{Key: strings.TrimSpace(key), Not: op == "!=", Value: strings.TrimSpace(value)}
	if !keyForm.MatchString(c.Key) {
		return Constraint{}, problem.New("constraint %q: key %q is invalid", expr, c.Key)
	}
	if !valueForm.MatchString(c.Value) {
		return Constraint{}, problem.New("constraint %q: value %q is invalid", expr, c.Value)
	}
	return c, nil
}

// Known tells whether the scheduler knows the constraint's key; a service with
// an unknown key is accepted, and no node ever suits it.
func (c Constraint) Known() bool {
	key := strings.ToLower(c.Key)
	switch key {
	case "node.id", "node.hostname", "node.ip", "node.role", "node.platform.os", "node.platform.arch":
		return true
	}
	return labelOf(c.Key, nodeLabel) != "" || labelOf(c.Key, engineLabel) != ""
}

// Match tells whether a node meets the constraint.
func (c Constraint) Match(n swarm.Node) bool {
	switch strings.ToLower(c.Key) {
	case "node.id":
		return c.is(n.ID)
	case "node.hostname":
		return c.is(n.Hostname)
	case "node.ip":
		return c.matchAddr(n.Addr)
	case "node.role":
		return c.is(n.Role)
	case "node.platform.os":
		return c.is(n.OS)
	case "node.platform.arch":
		return c.is(n.Arch)
	}
	if label := labelOf(c.Key, nodeLabel); label != "" {
		return c.is(n.Labels[label])
	}
	if label := labelOf(c.Key, engineLabel); label != "" {
		return c.is(n.EngineLabels[label])
	}
	return false
}

func (c Constraint) is(what string) bool { return strings.EqualFold(c.Value, what) != c.Not }

// matchAddr compares with one address or with a subnet.
func (c Constraint) matchAddr(nodeAddr string) bool {
	a, _ := netip.ParseAddr(nodeAddr)
	if want, err := netip.ParseAddr(c.Value); err == nil {
		return (want.Unmap() == a.Unmap()) != c.Not
	}
	if want, err := netip.ParsePrefix(c.Value); err == nil {
		return want.Contains(a.Unmap()) != c.Not
	}
	return false
}

// labelOf returns the label's name of a key such as "node.labels.zone".
func labelOf(key, prefix string) string {
	if len(key) > len(prefix) && strings.EqualFold(key[:len(prefix)], prefix) {
		return key[len(prefix):]
	}
	return ""
}
