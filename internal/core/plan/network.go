package plan

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// network decides about a network of the stack. A swarm never changes one.
func (r *reconciler) network(w NetworkWish) Step {
	s := Step{Resource: Resource{Network, w.Spec.Name}}
	is, ok := swarmNetwork(r.o.Snapshot, w.Spec.Name)
	if !ok {
		s.Action = Create
		return s
	}
	s.ID, s.Version = is.ID, is.Version
	if stack := is.Labels[deploy.LabelStack]; stack != r.d.Stack {
		s.Action = Blocked
		s.Cause = []deploy.Change{{Field: "stack", From: stack, To: r.d.Stack}}
		s.WayOut = "it belongs to somebody else: say 'external: true' in the file to use it as it is, or give yours another name"
		return s
	}
	s.Action = Unchanged
	if s.Cause = networkChanges(is, w); len(s.Cause) > 0 {
		s.Action = Blocked
		name := text.Clean(is.Name)
		s.WayOut = fmt.Sprintf("a swarm never changes a network; 'docker swarmnet migrate %s' makes it anew with its services running, or another name in the file makes a second one", name)
	}
	return s
}

// networkChanges compares a network with what the file asks for. What the file
// leaves to the swarm (subnet, VXLAN number, driver of addresses) is no change.
func networkChanges(is swarm.Network, w NetworkWish) []deploy.Change {
	var out []deploy.Change
	add := func(field, from, to string) {
		if from != to {
			out = append(out, deploy.Change{Field: field, From: from, To: to})
		}
	}
	if is.Driver != "" { // not allocated yet
		add("driver", is.Driver, w.Driver)
	}
	add("attachable", yes(is.Attachable), yes(w.Spec.Attachable))
	add("internal", yes(is.Internal), yes(w.Spec.Internal))
	if w.Spec.IPAMDriver != "" {
		add("ipam driver", is.IPAMDriver, w.Spec.IPAMDriver)
	}
	if len(w.Spec.Subnets) > 0 && len(is.Subnets) > 0 {
		add("subnet", subnets(is.Subnets), subnets(w.Spec.Subnets))
	}
	for _, k := range slices.Sorted(maps.Keys(union(is.Options, w.Spec.Options))) {
		from, there := is.Options[k]
		to, wanted := w.Spec.Options[k]
		switch {
		case k == swarm.OptVNI && !wanted:
		case k == swarm.OptEncrypted: // any value encrypts
			add(k, yes(there), yes(wanted))
		case there && wanted:
			add("option "+k, from, to)
		default:
			add("option "+k, said(there, from), said(wanted, to))
		}
	}
	return append(out, labelChanges(is.Labels, w.Spec.Labels)...)
}

// said tells an empty value from none.
func said(there bool, value string) string {
	if there {
		return cmp.Or(value, `""`)
	}
	return ""
}

func yes(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

func subnets(in []swarm.Subnet) string {
	var all []netip.Prefix
	for _, s := range in {
		all = append(all, s.Prefix)
	}
	slices.SortFunc(all, func(a, b netip.Prefix) int { return cmp.Compare(a.String(), b.String()) })
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = p.String()
	}
	return strings.Join(out, " ")
}
