package netspec

import (
	"fmt"
	"maps"
	"slices"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// Differences lists how a network differs from a wish, one sentence each.
// What the wish leaves to the swarm (subnet, VXLAN number) is no difference.
func Differences(n swarm.Network, w Wish) []string {
	var found []string
	add := func(what string, is, want any) {
		found = append(found, fmt.Sprintf("%s is %v, asked for %v", what, is, want))
	}
	switchDifferences(n, w.Spec, add)
	found = append(found, subnetDifferences(n, w)...)
	found = append(found, mapDifferences("option", n.Options, w.Spec.Options, func(key string) bool {
		return key == swarm.OptEncrypted || key == swarm.OptVNI && w.Spec.Options[swarm.OptVNI] == ""
	})...)
	return append(found, mapDifferences("label", n.Labels, w.Spec.Labels, func(string) bool { return false })...)
}

// switchDifferences passes on what is switched on in one and off in the other.
func switchDifferences(n swarm.Network, spec swarm.NetworkSpec, add func(what string, is, want any)) {
	for _, f := range []struct {
		what     string
		is, want bool
	}{
		{"attachable", n.Attachable, spec.Attachable},
		{"internal", n.Internal, spec.Internal},
		{"ingress", n.Ingress, spec.Ingress},
		{"encrypted", n.Encrypted(), has(spec.Options, swarm.OptEncrypted)},
	} {
		if f.is != f.want {
			add(f.what, f.is, f.want)
		}
	}
}

func subnetDifferences(n swarm.Network, w Wish) []string {
	if !n.Allocated() && len(n.Subnets) == 0 {
		return nil // what it will get is not known yet
	}
	if len(w.Spec.Subnets) == 0 {
		if w.Bits != 0 && len(n.Subnets) > 0 && n.Subnets[0].Prefix.Bits() != w.Bits {
			return []string{fmt.Sprintf("subnet is %s, asked for a size of /%d", n.Subnets[0].Prefix, w.Bits)}
		}
		for _, have := range n.Subnets {
			if len(w.Pools) > 0 && !slices.ContainsFunc(w.Pools, have.Prefix.Overlaps) {
				return []string{fmt.Sprintf("subnet is %s, asked for one out of %v", have.Prefix, w.Pools)}
			}
		}
		return nil
	}
	var found []string
	for _, want := range w.Spec.Subnets {
		i := slices.IndexFunc(n.Subnets, func(have swarm.Subnet) bool { return have.Prefix == want.Prefix })
		if i < 0 {
			found = append(found, fmt.Sprintf("subnet %s is not there, the network has %s", want.Prefix, prefixes(n.Subnets)))
			continue
		}
		have := n.Subnets[i]
		if want.Gateway.IsValid() && have.Gateway != want.Gateway {
			found = append(found, fmt.Sprintf("gateway of %s is %s, asked for %s", have.Prefix, have.Gateway, want.Gateway))
		}
		if want.IPRange != have.IPRange {
			found = append(found, fmt.Sprintf("ip-range of %s is %s, asked for %s", have.Prefix, none(have.IPRange.IsValid(), have.IPRange), none(want.IPRange.IsValid(), want.IPRange)))
		}
	}
	if len(found) == 0 && len(n.Subnets) != len(w.Spec.Subnets) {
		found = append(found, fmt.Sprintf("the network has %d subnets (%s), asked for %d", len(n.Subnets), prefixes(n.Subnets), len(w.Spec.Subnets)))
	}
	return found
}

// mapDifferences compares options or labels. Values of labels may hold
// anything and are not shown.
func mapDifferences(what string, is, want map[string]string, skip func(string) bool) []string {
	keys := slices.Sorted(maps.Keys(is))
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if !has(is, k) {
			keys = append(keys, k)
		}
	}
	var found []string
	for _, k := range keys {
		if skip(k) || is[k] == want[k] && has(is, k) == has(want, k) {
			continue
		}
		name := what + " " + text.Clean(k)
		switch {
		case !has(is, k):
			found = append(found, name+" is missing")
		case !has(want, k):
			found = append(found, name+" is there and was not asked for")
		case k == swarm.OptMTU:
			found = append(found, fmt.Sprintf("MTU of the network below is %d, asked for %s", addr.UnderlayMTU(swarm.Network{Options: is}), text.Clean(want[k])))
		default:
			found = append(found, name+" has another value")
		}
	}
	return found
}

func has(m map[string]string, key string) bool {
	_, ok := m[key]
	return ok
}

func prefixes(subnets []swarm.Subnet) string {
	out := ""
	for i, s := range subnets {
		if i > 0 {
			out += ", "
		}
		out += s.Prefix.String()
	}
	return none(out != "", out)
}

func none(there bool, v any) string {
	if !there {
		return "none"
	}
	return fmt.Sprint(v)
}
