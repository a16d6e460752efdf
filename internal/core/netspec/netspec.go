// Package netspec decides what has to be done for a network that somebody
// wants: nothing, because it is there; create it, with which subnet; or refuse,
// with all that stands in the way.
package netspec

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// Wish is a network that somebody wants.
type Wish struct {
	// Spec is the network; without Subnets one is chosen.
	Spec swarm.NetworkSpec
	// Pools and Bits are where a subnet is cut from and its prefix length;
	// without them, what the swarm itself would take.
	Pools []netip.Prefix
	Bits  int
	// Avoid are blocks that a chosen subnet stays out of.
	Avoid []netip.Prefix
}

// Decision is what has to be done for a wish.
type Decision struct {
	// Existing is the network that is there already as it is wished for; nil
	// when one has to be created.
	Existing *swarm.Network
	// Spec is the network to create, with its subnets.
	Spec swarm.NetworkSpec
}

// Decide returns what has to be done for the wish on the swarm that was looked
// at. Its error lists all that stands in the way.
func Decide(s *swarm.Snapshot, w Wish) (Decision, error) {
	if err := CheckName(w.Spec.Name); err != nil {
		return Decision{}, err
	}
	if n, ok := named(s, w.Spec.Name); ok {
		return present(s, n, w)
	}
	taken := addr.TakenBy(s)
	if found := Conflicts(s, w.Spec, taken, "--subnet"); len(found) > 0 {
		return Decision{}, problem.Join(fmt.Sprintf("network %q cannot be created in context %q, and nothing was changed", w.Spec.Name, s.Context), found)
	}
	spec := w.Spec
	if len(spec.Subnets) == 0 {
		taken.Avoid(w.Avoid...)
		block, err := addr.Choose(w.request(s), taken)
		if err != nil {
			return Decision{}, err
		}
		spec.Subnets = []swarm.Subnet{{Prefix: block}}
	}
	return Decision{Spec: spec}, nil
}

// request is where the subnet is cut from.
func (w Wish) request(s *swarm.Snapshot) addr.Request {
	r := addr.DefaultRequest(s)
	if len(w.Pools) > 0 {
		r.Pools = w.Pools
	}
	r.Bits = cmp.Or(w.Bits, r.Bits)
	return r
}

// maxName is the length of a DNS label, which a network's name has to fit in
// (swarmkit manager/controlapi/common.go validateAnnotations).
const maxName = 63

// CheckName holds what swarmkit takes as the name of a network
// (manager/controlapi/common.go isValidDNSName).
func CheckName(name string) error {
	valid := regexp.MustCompile(`^[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*$`)
	if len(name) > maxName || !valid.MatchString(name) {
		return problem.New("%q cannot be the name of a network: a swarm takes up to %d letters, digits, - and _, with a letter or digit first and last", text.Clean(name), maxName).
			WithCode(problem.Usage)
	}
	return nil
}

// named returns the network that has the name already: one of the swarm
// before a local one. The swarm does not tell upper from lower case
// (swarmkit manager/state/store/networks.go).
func named(s *swarm.Snapshot, name string) (swarm.Network, bool) {
	var found swarm.Network
	ok := false
	for _, n := range s.Networks {
		if n.Scope == "swarm" && strings.EqualFold(n.Name, name) {
			return n, true
		}
		if n.Name == name {
			found, ok = n, true
		}
	}
	return found, ok
}

// present decides about a network whose name is taken.
func present(s *swarm.Snapshot, n swarm.Network, w Wish) (Decision, error) {
	if n.Scope != "swarm" {
		return Decision{}, problem.New("the name %q is taken in context %q: engine %q has a local network of that name (driver %s), and docker would call it ambiguous",
			w.Spec.Name, s.Context, text.Clean(s.Engine.Name), text.Clean(n.Driver)).
			WithNext("Choose another name; 'docker -c %s network ls' shows what is there.", s.Context)
	}
	if n.Name != w.Spec.Name {
		return Decision{}, problem.New("the name %q is taken in context %q: the swarm has %q and does not tell upper from lower case", w.Spec.Name, s.Context, text.Clean(n.Name)).
			WithNext("Use 'docker -c %s swarmnet inspect %s' to see it, or choose another name.", s.Context, text.Clean(n.Name))
	}
	if diffs := Differences(n, w); len(diffs) > 0 {
		p := problem.Join(fmt.Sprintf("network %q is there already in context %q and is not as asked for", n.Name, s.Context), diffs)
		return Decision{}, p.WithNext("The swarm never changes a network. Use another name, or remove it with 'docker -c %s swarmnet rm %s' and create it again.", s.Context, n.Name)
	}
	return Decision{Existing: &n}, nil
}

// Conflicts lists what of a network cannot be had beside what is there. option
// is what asks for a subnet, in the user's words.
func Conflicts(s *swarm.Snapshot, spec swarm.NetworkSpec, taken *addr.Taken, option string) []string {
	var found []string
	for _, sub := range spec.Subnets {
		for _, o := range taken.Conflicts(sub.Prefix) {
			found = append(found, fmt.Sprintf("subnet %s overlaps %s: leave %s out to have a free one chosen", sub.Prefix, text.Clean(o.String()), option))
		}
	}
	for _, number := range strings.Split(spec.Options[swarm.OptVNI], ",") {
		for _, n := range s.Networks {
			if number != "" && n.Scope == "swarm" && contains(n.Options[swarm.OptVNI], number) {
				found = append(found, fmt.Sprintf("the VXLAN number %s is that of network %q: leave the option out to have a free one chosen", number, text.Clean(n.Name)))
			}
		}
	}
	return found
}

func contains(list, word string) bool {
	for _, w := range strings.Split(list, ",") {
		if w == word {
			return true
		}
	}
	return false
}

// Lost returns who took addresses of the spec's subnets while the network was
// being created: the swarm allocates one of two such networks and leaves the
// other waiting for ever.
func Lost(id string, spec swarm.NetworkSpec, networks []swarm.Network) (string, bool) {
	for _, n := range networks {
		if n.ID == id {
			continue
		}
		for _, have := range n.Subnets {
			for _, want := range spec.Subnets {
				if have.Prefix.Overlaps(want.Prefix) {
					return fmt.Sprintf("subnet %s overlaps %s of network %q", want.Prefix, have.Prefix, text.Clean(n.Name)), true
				}
			}
		}
	}
	return "", false
}
