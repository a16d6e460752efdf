// Package migrate decides how a network whose properties a swarm never changes
// is replaced by one that has the properties wished for, while the services on
// it run on: which networks are made and removed, which service changes when,
// and what that costs. The order of steps and its proof are in
// docs/adr/0003-migrate-by-a-twin.md.
package migrate

import (
	"maps"
	"net/netip"
	"strconv"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Wish is what shall be different about a network. Its zero value changes
// nothing.
type Wish struct {
	// Subnets replace those of the network; without them Bits and Pools choose
	// one, which stays out of Avoid.
	Subnets []swarm.Subnet
	Bits    int
	Pools   []netip.Prefix
	Avoid   []netip.Prefix
	// MTU is that of the network between the nodes, in bytes; 0 leaves it.
	MTU int
	// Encrypted, Attachable and Internal are nil where they stay as they are.
	Encrypted, Attachable, Internal *bool
	// Options and Labels are set beside those that are there.
	Options, Labels map[string]string
	// Rename is the network's new name; empty keeps the old one, at the price of
	// moving every service twice.
	Rename string
	// Leaves are the names of services that no other service calls.
	Leaves []string
	// OtherStacks allows to restart services of stacks other than the network's.
	OtherStacks bool
	// Parallel is how many services change at the same time, at least 1.
	Parallel int
}

// choosesSubnet tells whether the network is to have other addresses.
func (w Wish) choosesSubnet() bool { return len(w.Subnets) > 0 || w.Bits != 0 || len(w.Pools) > 0 }

// SpecOf returns what a network was made from, as far as it can be told: the
// VXLAN number is left out, since the swarm adds one to every network and
// gives each number once.
func SpecOf(n swarm.Network) swarm.NetworkSpec {
	spec := swarm.NetworkSpec{
		Name: n.Name, Attachable: n.Attachable, Internal: n.Internal, IPv6: n.IPv6, Ingress: n.Ingress,
		IPAMDriver: n.IPAMDriver, IPAMOpts: n.IPAMOpts, Subnets: n.Subnets,
		Options: maps.Clone(n.Options), Labels: maps.Clone(n.Labels),
	}
	delete(spec.Options, swarm.OptVNI)
	return spec
}

// goal returns the network wished for, without subnets where they are still to
// be chosen.
func (w Wish) goal(n swarm.Network) (swarm.NetworkSpec, error) {
	spec := SpecOf(n)
	if spec.Options == nil {
		spec.Options = map[string]string{}
	}
	if spec.Labels == nil {
		spec.Labels = map[string]string{}
	}
	maps.Copy(spec.Options, w.Options)
	maps.Copy(spec.Labels, w.Labels)
	if w.MTU != 0 {
		spec.Options[swarm.OptMTU] = strconv.Itoa(w.MTU)
	}
	if w.Encrypted != nil {
		delete(spec.Options, swarm.OptEncrypted)
		if *w.Encrypted {
			spec.Options[swarm.OptEncrypted] = ""
		}
	}
	if w.Attachable != nil {
		spec.Attachable = *w.Attachable
	}
	if w.Internal != nil {
		spec.Internal = *w.Internal
	}
	if w.Rename != "" {
		spec.Name = w.Rename
		if err := netspec.CheckName(w.Rename); err != nil {
			return spec, err
		}
		if w.Rename == n.Name {
			return spec, problem.New("--rename %s: the network has that name already", w.Rename).WithCode(problem.Usage)
		}
	}
	if err := addr.CheckOptions(w.Options); err != nil {
		return spec, err
	}
	if w.MTU != 0 {
		if err := addr.CheckMTU(w.MTU); err != nil {
			return spec, err
		}
	}
	switch {
	case len(w.Subnets) > 0:
		spec.Subnets = w.Subnets
	case w.choosesSubnet():
		spec.Subnets = nil
	case w.Rename != "":
		// Both networks are there at the same time.
		spec.Subnets = nil
	}
	return spec, nil
}

// largest is the prefix length of the largest of the subnets, 0 without any.
func largest(subnets []swarm.Subnet) int {
	bits := 0
	for _, s := range subnets {
		if bits == 0 || s.Prefix.Bits() < bits {
			bits = s.Prefix.Bits()
		}
	}
	return bits
}
