package mesh

import (
	"cmp"
	"slices"

	"github.com/swarmnet/docker-swarmnet/internal/core/netspec"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Kind is what a step does.
type Kind string

// The kinds of steps. Each can be done again, and done in part.
const (
	Done     Kind = "done"
	Remember Kind = "remember" // write the job on the services; restarts nothing
	Park     Kind = "ports off"
	Remove   Kind = "remove" // remove Old, once nobody is on it
	Create   Kind = "create" // make ingress as Spec says, or wait until it is allocated
	Restore  Kind = "ports back"
	Finish   Kind = "verify" // wait until the services are up with their ports, then forget the job
)

// Step is what to do next.
type Step struct {
	Kind     Kind
	Spec     swarm.NetworkSpec // of Create
	Old      swarm.Network     // of Remove
	Services []swarm.Service   // ordered by name
}

// Course is where ingress is to go.
type Course struct {
	Job
	// Back goes to ingress as it was.
	Back bool
}

// Target is the ingress network to end with.
func (c Course) Target() swarm.NetworkSpec {
	if c.Back && c.Before.Name != "" {
		return c.Before
	}
	return c.Goal
}

// Next returns what has to be done next. It depends on nothing but what the
// look shows, so that it goes on from wherever it was left, in either
// direction.
func (c Course) Next(s *swarm.Snapshot) Step {
	target := c.Target()
	now, there := s.Ingress()
	switch {
	case there && len(netspec.Differences(now, netspec.Wish{Spec: target})) > 0:
		return c.away(s, now)
	case !there || !now.Allocated():
		return Step{Kind: Create, Spec: target}
	}
	if parked := having(s, func(sv swarm.Service) bool { return sv.Labels[LabelPorts] != "" }); len(parked) > 0 {
		return Step{Kind: Restore, Services: parked}
	}
	if marked := having(s, func(sv swarm.Service) bool { return sv.Labels[LabelJob] != "" }); len(marked) > 0 {
		return Step{Kind: Finish, Services: marked}
	}
	return Step{Kind: Done}
}

// away takes the ingress that is not wanted away. All services that publish
// remember the job, and where none publishes any one does, before it goes.
func (c Course) away(s *swarm.Snapshot, old swarm.Network) Step {
	if publishing := having(s, swarm.Service.NeedsIngress); len(publishing) > 0 {
		return Step{Kind: Park, Services: publishing}
	}
	marked := slices.ContainsFunc(s.Services, func(sv swarm.Service) bool { return sv.Labels[LabelJob] != "" })
	if all := having(s, func(swarm.Service) bool { return true }); !marked && len(all) > 0 {
		return Step{Kind: Remember, Services: all[:1]}
	}
	return Step{Kind: Remove, Old: old}
}

// having returns the services that a rule holds for, ordered by name.
func having(s *swarm.Snapshot, rule func(swarm.Service) bool) []swarm.Service {
	var out []swarm.Service
	for _, sv := range s.Services {
		if rule(sv) {
			out = append(out, sv)
		}
	}
	slices.SortFunc(out, func(a, b swarm.Service) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Unserved names the services that publish in the mesh and that the swarm has
// not given an address on ingress or a port number yet, without which nobody
// reaches them.
func Unserved(s *swarm.Snapshot, services []swarm.Service) []string {
	ingress, _ := s.Ingress()
	var out []string
	for _, want := range services {
		sv, ok := s.ServiceByID(want.ID)
		if !ok || !sv.NeedsIngress() {
			continue
		}
		on := slices.ContainsFunc(sv.VIPs, func(v swarm.VIP) bool { return v.NetworkID == ingress.ID && v.Addr.IsValid() })
		if !on || slices.ContainsFunc(sv.Ports, func(p swarm.Port) bool { return p.Mode == "ingress" && p.Published == 0 }) {
			out = append(out, sv.Name)
		}
	}
	return out
}
