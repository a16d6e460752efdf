package placement

import (
	"fmt"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Refusal is why a node does not take tasks of a service.
type Refusal struct {
	Node   swarm.Node
	Reason string
}

// Nodes divides the nodes into those that may run a task of the service and
// those that may not, with the reason. Resources, volume drivers and ports are
// not looked at. An error names a constraint that the swarm would refuse.
func Nodes(nodes []swarm.Node, sv swarm.Service) (suitable []swarm.Node, refused []Refusal, err error) {
	constraints := make([]Constraint, 0, len(sv.Constraints))
	for _, expr := range sv.Constraints {
		c, err := ParseConstraint(expr)
		if err != nil {
			return nil, nil, err
		}
		constraints = append(constraints, c)
	}
	suitable = slices.Grow(suitable, len(nodes)) // usually all of them
	for _, n := range nodes {
		if reason := refusal(n, sv, constraints); reason != "" {
			refused = append(refused, Refusal{Node: n, Reason: reason})
			continue
		}
		suitable = append(suitable, n)
	}
	return suitable, refused, nil
}

func refusal(n swarm.Node, sv swarm.Service, constraints []Constraint) string {
	if !n.Ready() {
		return "is " + n.State
	}
	if n.Availability != "active" {
		return "has availability " + n.Availability
	}
	for i, c := range constraints {
		if !c.Match(n) {
			return fmt.Sprintf("does not meet %q", sv.Constraints[i])
		}
	}
	if !runs(n, sv.Platforms) {
		return fmt.Sprintf("is %s/%s, and the image is made for %s", n.OS, arch(n.Arch), platforms(sv.Platforms))
	}
	return ""
}

// runs follows swarmkit's platform filter: an empty part of a platform fits
// every node, and an image that names no platform runs everywhere.
func runs(n swarm.Node, image []swarm.Platform) bool {
	if len(image) == 0 || n.OS == "" && n.Arch == "" {
		return true
	}
	for _, p := range image {
		if (p.Arch == "" || arch(p.Arch) == arch(n.Arch)) && (p.OS == "" || p.OS == n.OS) {
			return true
		}
	}
	return false
}

// arch brings the kernel's names of architectures to those of images.
func arch(a string) string {
	switch a {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return a
}

func platforms(ps []swarm.Platform) string {
	var out []string
	for _, p := range ps {
		out = append(out, p.OS+"/"+p.Arch)
	}
	return strings.Join(out, ", ")
}
