package engine

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// The normal forms below say in full what a spec leaves to the swarm. The
// defaults are swarmkit's (api/defaults/service.go) and those of the engine's
// conversion (moby daemon/cluster/convert). Lists whose order says nothing are
// sorted: docker's own command writes secrets and configs in a random order.

func normalUpdate(u *swarm.UpdateConfig) swarm.UpdateConfig {
	n := swarm.UpdateConfig{Parallelism: 1}
	if u != nil {
		n = *u
	}
	n.FailureAction = cmp.Or(n.FailureAction, swarm.UpdateFailureActionPause)
	n.Order = cmp.Or(n.Order, swarm.UpdateOrderStopFirst)
	if n.Monitor == 0 {
		n.Monitor = 5 * time.Second
	}
	return n
}

func normalEndpoint(e *swarm.EndpointSpec) swarm.EndpointSpec {
	var n swarm.EndpointSpec
	if e != nil {
		n = *e
	}
	n.Mode = cmp.Or(n.Mode, swarm.ResolutionModeVIP)
	n.Ports = slices.Clone(n.Ports)
	for i := range n.Ports {
		p := &n.Ports[i]
		p.Protocol = cmp.Or(p.Protocol, "tcp")
		p.PublishMode = cmp.Or(p.PublishMode, swarm.PortConfigPublishModeIngress)
	}
	sortByJSON(n.Ports)
	return n
}

func normalNetworks(s *swarm.ServiceSpec, names map[string]string) []swarm.NetworkAttachmentConfig {
	nets := s.TaskTemplate.Networks
	if len(nets) == 0 {
		nets = s.Networks //nolint:staticcheck // where services of old clients have them
	}
	nets = slices.Clone(nets)
	for i := range nets {
		nets[i].Target = cmp.Or(names[nets[i].Target], nets[i].Target)
	}
	slices.SortFunc(nets, func(a, b swarm.NetworkAttachmentConfig) int { return cmp.Compare(a.Target, b.Target) })
	return nets
}

func normalResources(r *swarm.ResourceRequirements) swarm.ResourceRequirements {
	var n swarm.ResourceRequirements
	if r == nil {
		return n
	}
	n.Limits = r.Limits
	if r.Reservations != nil {
		res := *r.Reservations
		res.GenericResources = slices.Clone(res.GenericResources)
		sortByJSON(res.GenericResources)
		n.Reservations = &res
	}
	return n
}

// normalRestart gives a delay that is not said the swarm's 5 s, and tells it
// from a delay of nothing, which means at once.
func normalRestart(r *swarm.RestartPolicy) any {
	var n struct {
		Condition     swarm.RestartPolicyCondition
		Delay, Window string
		MaxAttempts   uint64
	}
	n.Condition, n.Delay, n.Window = swarm.RestartPolicyConditionAny, (5 * time.Second).String(), time.Duration(0).String()
	if r == nil {
		return n
	}
	n.Condition = cmp.Or(r.Condition, n.Condition)
	if r.Delay != nil {
		n.Delay = r.Delay.String()
	}
	if r.Window != nil {
		n.Window = r.Window.String()
	}
	if r.MaxAttempts != nil {
		n.MaxAttempts = *r.MaxAttempts
	}
	return n
}

func normalPlacement(p *swarm.Placement) swarm.Placement {
	var n swarm.Placement
	if p == nil {
		return n
	}
	n = *p
	n.Constraints = slices.Sorted(slices.Values(n.Constraints))
	n.Platforms = slices.Clone(n.Platforms)
	sortByJSON(n.Platforms)
	return n
}

func normalContainer(c *swarm.ContainerSpec) swarm.ContainerSpec {
	var n swarm.ContainerSpec
	if c == nil {
		return n
	}
	n = *c
	n.Env = normalEnv(n.Env)
	n.Groups = slices.Sorted(slices.Values(n.Groups))
	n.CapabilityAdd = slices.Sorted(slices.Values(n.CapabilityAdd))
	n.CapabilityDrop = slices.Sorted(slices.Values(n.CapabilityDrop))
	n.Isolation = cmp.Or(n.Isolation, container.IsolationDefault)
	n.Healthcheck = normalHealth(n.Healthcheck)
	if n.StopGracePeriod == nil {
		grace := 10 * time.Second
		n.StopGracePeriod = &grace
	}
	n.Mounts = slices.Clone(n.Mounts)
	for i := range n.Mounts {
		n.Mounts[i] = normalMount(n.Mounts[i])
	}
	slices.SortStableFunc(n.Mounts, func(a, b mount.Mount) int { return strings.Compare(a.Target, b.Target) })
	n.Secrets, n.Configs, n.Ulimits = slices.Clone(n.Secrets), slices.Clone(n.Configs), slices.Clone(n.Ulimits)
	sortByJSON(n.Secrets)
	sortByJSON(n.Configs)
	sortByJSON(n.Ulimits)
	return n
}

// normalEnv sorts by name; of one name given twice the order counts, so that
// order is kept.
func normalEnv(env []string) []string {
	out := slices.Clone(env)
	slices.SortStableFunc(out, func(a, b string) int {
		ka, _, _ := strings.Cut(a, "=")
		kb, _, _ := strings.Cut(b, "=")
		return strings.Compare(ka, kb)
	})
	return out
}

// normalHealth makes an empty check no check: both leave the image's own.
func normalHealth(h *container.HealthConfig) *container.HealthConfig {
	if h == nil || pruned(wire(h)) == nil {
		return nil
	}
	return h
}

// normalMount says the propagation a bind has by default, and drops the
// consistency, which the swarm does not keep.
func normalMount(m mount.Mount) mount.Mount {
	m.Consistency = ""
	if m.Type == mount.TypeBind {
		var b mount.BindOptions
		if m.BindOptions != nil {
			b = *m.BindOptions
		}
		b.Propagation = cmp.Or(b.Propagation, mount.PropagationRPrivate)
		m.BindOptions = &b
	}
	return m
}

func sortByJSON[T any](in []T) {
	slices.SortStableFunc(in, func(a, b T) int {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		return strings.Compare(string(x), string(y))
	})
}
