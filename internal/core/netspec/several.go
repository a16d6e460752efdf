package netspec

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// DecideEach returns what has to be done for the same wish in several swarms,
// in their order: each network has a subnet that is free in all of them, or,
// with same, all have one and the same. The error lists what stands in the way
// in any of them; nothing should be done then.
func DecideEach(snapshots []*swarm.Snapshot, w Wish, same bool) ([]Decision, error) {
	if err := CheckName(w.Spec.Name); err != nil {
		return nil, err
	}
	if len(w.Spec.Subnets) > 0 && len(snapshots) > 1 && !same {
		return nil, problem.New("subnet %s cannot be that of several swarms without their networks overlapping", w.Spec.Subnets[0].Prefix).
			WithNext("Leave --subnet out to have a free one chosen for each, or add --same-subnet.").WithCode(problem.Usage)
	}
	decisions := make([]Decision, len(snapshots))
	var wrong []string
	for i, s := range snapshots {
		n, there := named(s, w.Spec.Name)
		if there {
			d, err := present(s, n, w)
			if err != nil {
				wrong = append(wrong, err.Error())
			}
			decisions[i] = d
			continue
		}
		// A network may have the number of another swarm's: they never meet.
		if found := Conflicts(s, swarm.NetworkSpec{Options: w.Spec.Options}, &addr.Taken{}, "--subnet"); len(found) > 0 {
			wrong = append(wrong, fmt.Sprintf("context %q: %s", s.Context, found[0]))
		}
		decisions[i] = Decision{Spec: w.Spec}
	}
	if len(wrong) == 0 {
		var err error
		if wrong, err = subnets(snapshots, decisions, w, same); err != nil {
			return nil, err
		}
	}
	if len(wrong) > 0 {
		return nil, problem.Join(fmt.Sprintf("network %q cannot be created in all of the swarms, and nothing was changed", w.Spec.Name), wrong)
	}
	return decisions, nil
}

// subnets gives a subnet to every network that is to be created.
func subnets(snapshots []*swarm.Snapshot, decisions []Decision, w Wish, same bool) (wrong []string, err error) {
	taken := addr.TakenBy(snapshots...)
	if len(w.Spec.Subnets) > 0 {
		return subnetsConflict(taken, decisions, w), nil
	}
	taken.Avoid(w.Avoid...)
	if same {
		return nil, sameSubnet(snapshots, decisions, w, taken)
	}
	for i, s := range snapshots {
		if decisions[i].Existing != nil {
			continue
		}
		block, err := chooseOf(snapshots, i, w.request(s), taken)
		if err != nil {
			return nil, problem.New("context %q: %w", s.Context, err)
		}
		taken.Add(addr.Owner{Prefix: block, Name: fmt.Sprintf("the new network of context %q", s.Context)})
		decisions[i].Spec.Subnets = []swarm.Subnet{{Prefix: block}}
	}
	return nil, nil
}

// chooseOf chooses a block for the i-th swarm. It stays out of what the other
// swarms cut their own networks from, as far as there is anything else: a block
// in there is free only until one of them takes it.
func chooseOf(snapshots []*swarm.Snapshot, i int, r addr.Request, taken *addr.Taken) (netip.Prefix, error) {
	apart := taken.Clone()
	for j, s := range snapshots {
		if j != i {
			apart.Avoid(addr.DefaultRequest(s).Pools...)
		}
	}
	if block, err := addr.Choose(r, apart); err == nil {
		return block, nil
	}
	return addr.Choose(r, taken)
}

// sameSubnet gives one subnet to all: that of the networks that are there
// already, or one that is free in all of the swarms.
func sameSubnet(snapshots []*swarm.Snapshot, decisions []Decision, w Wish, taken *addr.Taken) error {
	var requests []addr.Request
	var have []swarm.Subnet
	for i, s := range snapshots {
		requests = append(requests, w.request(s))
		if n := decisions[i].Existing; n != nil {
			have = n.Subnets
		}
	}
	if len(have) == 0 {
		r, err := addr.Shared(requests...)
		if err != nil {
			return err
		}
		block, err := addr.Choose(r, taken)
		if err != nil {
			return err
		}
		have = []swarm.Subnet{{Prefix: block}}
	}
	for i := range decisions {
		n := decisions[i].Existing
		switch {
		case n == nil:
			decisions[i].Spec.Subnets = have
		case !samePrefixes(n.Subnets, have):
			return problem.New("network %q is there already in several of the swarms, with different subnets", w.Spec.Name).
				WithNext("Leave --same-subnet out, or remove the networks first.")
		}
	}
	for _, sub := range have {
		for _, o := range taken.Conflicts(sub.Prefix) {
			if !slices.ContainsFunc(decisions, func(d Decision) bool { return d.Existing != nil && d.Existing.ID == o.NetworkID }) {
				return problem.New("subnet %s of network %q is taken elsewhere: %s", sub.Prefix, w.Spec.Name, text.Clean(o.String()))
			}
		}
	}
	return nil
}

func samePrefixes(a, b []swarm.Subnet) bool {
	return slices.EqualFunc(a, b, func(a, b swarm.Subnet) bool { return a.Prefix == b.Prefix })
}

func subnetsConflict(taken *addr.Taken, decisions []Decision, w Wish) []string {
	var wrong []string
	for _, sub := range w.Spec.Subnets {
		for _, o := range taken.Conflicts(sub.Prefix) {
			if !slices.ContainsFunc(decisions, func(d Decision) bool { return d.Existing != nil && d.Existing.ID == o.NetworkID }) {
				wrong = append(wrong, fmt.Sprintf("subnet %s overlaps %s: leave --subnet out to have a free one chosen", sub.Prefix, text.Clean(o.String())))
			}
		}
	}
	return wrong
}

// Clash is a network of ours that overlaps one that somebody else created in
// another swarm at the same time. Within a swarm there is none: it allocates
// one of the two (Lost).
type Clash struct {
	// At is the swarm of our network, by its place.
	At int
	// With is the other network, ready for a sentence.
	With string
	// Yields tells that ours is the one to move: the younger of two moves, of
	// two of the same age the one with the greater ID. Whoever made the other
	// one comes to the same answer.
	Yields bool
}

// Clashes compares our networks (by ID, one for each swarm, empty where none
// is ours) with those of the other swarms.
func Clashes(snapshots []*swarm.Snapshot, ours []string) []Clash {
	var out []Clash
	for i, s := range snapshots {
		mine, ok := s.NetworkByID(ours[i])
		if !ok {
			continue
		}
		for j, t := range snapshots {
			for _, n := range t.Networks {
				if j == i || slices.Contains(ours, n.ID) || !n.Overlay() || !overlap(mine.Subnets, n.Subnets) {
					continue
				}
				age := cmp.Or(mine.Created.Compare(n.Created), cmp.Compare(mine.ID, n.ID))
				out = append(out, Clash{At: i, With: fmt.Sprintf("network %q of context %q", text.Clean(n.Name), t.Context), Yields: age > 0})
			}
		}
	}
	return out
}

func overlap(a, b []swarm.Subnet) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Prefix.Overlaps(y.Prefix) {
				return true
			}
		}
	}
	return false
}
