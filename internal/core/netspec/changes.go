package netspec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// Changes lists what is different when a network is replaced by one that is
// made from goal, one "what: old → new" each; it is empty exactly where
// Differences is and the name stays. Values of labels may hold anything and are
// not shown.
func Changes(n swarm.Network, goal swarm.NetworkSpec) []string {
	var out []string
	add := func(what string, is, will any) { out = append(out, fmt.Sprintf("%s: %v → %v", what, is, will)) }
	if n.Name != goal.Name {
		add("name", text.Clean(n.Name), text.Clean(goal.Name))
	}
	if len(subnetDifferences(n, Wish{Spec: goal})) > 0 {
		is, will := prefixes(n.Subnets), prefixes(goal.Subnets)
		if is == will {
			is, will = details(n.Subnets), details(goal.Subnets)
		}
		add("subnet", is, will)
	}
	switchDifferences(n, goal, add)
	for _, key := range keysOf(n.Options, goal.Options) {
		if key == swarm.OptEncrypted || key == swarm.OptVNI && goal.Options[swarm.OptVNI] == "" || same(n.Options, goal.Options, key) {
			continue
		}
		add(optionName(key), optionValue(n.Options, key), optionValue(goal.Options, key))
	}
	for _, key := range keysOf(n.Labels, goal.Labels) {
		if !same(n.Labels, goal.Labels, key) {
			add("label "+text.Clean(key), labelValue(n.Labels, key, "old value"), labelValue(goal.Labels, key, "new value"))
		}
	}
	return out
}

// keysOf are the keys of both maps, in order.
func keysOf(a, b map[string]string) []string {
	all := slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b)))
	slices.Sort(all)
	return slices.Compact(all)
}

func same(a, b map[string]string, key string) bool {
	return a[key] == b[key] && has(a, key) == has(b, key)
}

// optionName is what people call a driver's option.
func optionName(key string) string {
	if key == swarm.OptMTU {
		return "mtu"
	}
	return "option " + text.Clean(key)
}

func optionValue(options map[string]string, key string) string {
	return none(has(options, key), text.Clean(options[key]))
}

func labelValue(labels map[string]string, key, word string) string {
	return none(has(labels, key), word)
}

// details are subnets with all that is said about them.
func details(subnets []swarm.Subnet) string {
	out := make([]string, len(subnets))
	for i, s := range subnets {
		out[i] = fmt.Sprintf("%s (gateway %s, ip-range %s)", s.Prefix, none(s.Gateway.IsValid(), s.Gateway), none(s.IPRange.IsValid(), s.IPRange))
	}
	return strings.Join(out, ", ")
}
