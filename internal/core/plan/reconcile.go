package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/addr"
	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// Reconcile returns what has to be done so that the swarm comes to the desired
// state, and what stands in the way. It changes neither argument.
func Reconcile(d Desired, o *Observed) Plan {
	r := reconciler{d: d, o: o, own: map[Resource]bool{}, future: withNetworks(d, o)}
	r.book = addr.BookOf(r.future)
	p := Plan{Context: o.Context, Stack: d.Stack}
	for _, w := range d.Networks {
		p.Steps = append(p.Steps, r.network(w))
	}
	for _, w := range d.Secrets {
		p.Steps = append(p.Steps, r.object(Secret, w, o.Secrets))
	}
	for _, w := range d.Configs {
		p.Steps = append(p.Steps, r.object(Config, w, o.Configs))
	}
	for _, s := range p.Steps {
		r.own[s.Resource] = true
	}
	for _, w := range d.Services {
		r.own[Resource{Service, w.Service.Name}] = true
	}
	var services []Step
	for _, w := range d.Services {
		services = append(services, r.service(w))
	}
	services, circle := inOrder(services)
	p.Steps = append(p.Steps, services...)
	if d.Prune {
		p.Steps = append(p.Steps, r.prune(&p)...)
	}
	if circle != "" {
		p.Problems = append(p.Problems, circle)
	}
	p.Problems = append(p.Problems, r.problems(p)...)
	p.Warnings = append(p.Warnings, r.clashes()...)
	if len(d.Unresolved) > 0 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("no registry told the digest of %s: services keep the digest they have, and on a new one each node takes what it finds (--resolve-image never does not ask)",
			text.Clean(some(d.Unresolved))))
	}
	return p
}

// reconciler is what one reconciliation works on.
type reconciler struct {
	d Desired
	o *Observed
	// own are the resources of the file.
	own map[Resource]bool
	// future is the swarm with the networks that are still to be created, and
	// book its addresses as they are now.
	future *swarm.Snapshot
	book   *addr.Book
}

// withNetworks adds the networks that are to be created, so that the room in
// them can be counted. One without a subnet gets the block that the swarm would
// cut for it, of which only the size counts.
func withNetworks(d Desired, o *Observed) *swarm.Snapshot {
	s := *o.Snapshot
	s.Networks = slices.Clone(s.Networks)
	for _, w := range d.Networks {
		if _, there := swarmNetwork(o.Snapshot, w.Spec.Name); there {
			continue
		}
		n := swarm.Network{
			ID: w.Spec.Name, Name: w.Spec.Name, Scope: "swarm", Driver: w.Driver, Subnets: w.Spec.Subnets,
			Attachable: w.Spec.Attachable, Internal: w.Spec.Internal, Options: w.Spec.Options, Labels: w.Spec.Labels,
		}
		request := addr.DefaultRequest(&s)
		if len(n.Subnets) == 0 && len(request.Pools) > 0 {
			if p, err := request.Pools[0].Addr().Prefix(request.Bits); err == nil {
				n.Subnets = []swarm.Subnet{{Prefix: p}}
			}
		}
		s.Networks = append(s.Networks, n)
	}
	return &s
}

// swarmNetwork returns the swarm's network of an exact name.
func swarmNetwork(s *swarm.Snapshot, name string) (swarm.Network, bool) {
	for _, n := range s.Networks {
		if n.Scope == "swarm" && n.Name == name {
			return n, true
		}
	}
	return swarm.Network{}, false
}

// object decides about a secret or a config. Nothing but its labels can change.
func (r *reconciler) object(kind Kind, w Object, observed []Object) Step {
	s := Step{Resource: Resource{kind, w.Name}}
	i := slices.IndexFunc(observed, func(o Object) bool { return o.Name == w.Name })
	if i < 0 {
		s.Action = Create
		return s
	}
	is := observed[i]
	s.ID, s.Version = is.ID, is.Version
	for _, f := range []struct{ field, is, want string }{
		{"content", is.Content, w.Content}, {"driver", is.Driver, w.Driver}, {"template-driver", is.Template, w.Template},
	} {
		if f.field == "content" && is.Content == "" {
			s.Recheck = w.Driver == ""
			continue
		}
		if f.is != f.want {
			s.Cause = append(s.Cause, deploy.Change{Field: f.field})
		}
	}
	if len(s.Cause) > 0 {
		s.Action, s.Recheck = Blocked, false
		s.WayOut = fmt.Sprintf("the content of a %s never changes: give the new one another name in the file ('name: %s_2'), and services that use it follow", kind, text.Clean(w.Name))
		return s
	}
	s.Cause = labelChanges(is.Labels, w.Labels)
	s.Action = Unchanged
	if len(s.Cause) > 0 {
		s.Action, s.Recheck = Update, false
	}
	if is.Content == "" && w.Driver == "" {
		s.Note = "its content cannot be compared: the swarm refuses the deploy if it has changed"
	}
	return s
}

// labelChanges compares labels. Values may hold anything and are not shown.
func labelChanges(is, want map[string]string) []deploy.Change {
	var out []deploy.Change
	for _, k := range slices.Sorted(maps.Keys(union(is, want))) {
		if v, ok := is[k]; !ok || v != want[k] || !has(want, k) {
			out = append(out, deploy.Change{Field: "label " + k})
		}
	}
	return out
}

func union(a, b map[string]string) map[string]bool {
	out := make(map[string]bool, len(a)+len(b))
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}

func has(m map[string]string, key string) bool {
	_, ok := m[key]
	return ok
}

// inOrder sorts steps so that each comes after those it depends on, else by
// name. Steps that depend on each other in a circle come last, and are named.
func inOrder(steps []Step) (sorted []Step, circle string) {
	slices.SortFunc(steps, func(a, b Step) int { return cmp.Compare(a.Name, b.Name) })
	left := map[Resource]bool{}
	for _, s := range steps {
		left[s.Resource] = true
	}
	for len(left) > 0 {
		before := len(left)
		for _, s := range steps {
			if left[s.Resource] && !slices.ContainsFunc(s.DependsOn, func(d Resource) bool { return left[d] }) {
				sorted = append(sorted, s)
				delete(left, s.Resource)
			}
		}
		if len(left) == before {
			var names []string
			for _, s := range steps {
				if left[s.Resource] {
					sorted = append(sorted, s)
					names = append(names, text.Clean(s.Name))
				}
			}
			return sorted, fmt.Sprintf("services %s wait for each other (depends_on, or a port that one takes from the other): break the circle in the file", strings.Join(names, ", "))
		}
	}
	return sorted, ""
}
