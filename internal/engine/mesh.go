package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/docker/docker/api/types/swarm"

	"github.com/swarmnet/docker-swarmnet/internal/core/mesh"
)

// ParkPorts takes the ports of the routing mesh off a service and remembers
// them, with the numbers the swarm has given them, in a label, and job beside
// them. Ports that came back since an earlier time are remembered after those of
// then. A service that has none is left alone.
func (e *Engine) ParkPorts(ctx context.Context, id, job string) error {
	return e.writePorts(ctx, id, func(sv swarm.Service, spec *swarm.ServiceSpec) (bool, error) {
		if spec.EndpointSpec == nil || !slices.ContainsFunc(spec.EndpointSpec.Ports, inMesh) {
			return false, nil
		}
		ports := slices.Clone(spec.EndpointSpec.Ports)
		for i, p := range ports {
			if p.PublishedPort == 0 {
				ports[i].PublishedPort = given(sv.Endpoint.Ports, p, ports)
			}
		}
		endpoint := *spec.EndpointSpec
		endpoint.Ports = slices.DeleteFunc(slices.Clone(ports), inMesh)
		earlier, err := parked(*spec)
		if err != nil {
			return false, err
		}
		raw, err := json.Marshal(together(earlier, ports))
		if err != nil {
			return false, err
		}
		spec.Labels = maps.Clone(spec.Labels)
		if spec.Labels == nil {
			spec.Labels = map[string]string{}
		}
		spec.Labels[mesh.LabelPorts], spec.Labels[mesh.LabelJob] = string(raw), job
		spec.EndpointSpec = &endpoint
		return true, nil
	})
}

// RestorePorts gives a service the ports back that ParkPorts took, in their old
// order, and takes their label away; the job's stays. Ports that somebody has
// added meanwhile stay, after them.
func (e *Engine) RestorePorts(ctx context.Context, id string) error {
	return e.writePorts(ctx, id, func(_ swarm.Service, spec *swarm.ServiceSpec) (bool, error) {
		if spec.Labels[mesh.LabelPorts] == "" {
			return false, nil
		}
		ports, err := parked(*spec)
		if err != nil {
			return false, err
		}
		var endpoint swarm.EndpointSpec
		if spec.EndpointSpec != nil {
			endpoint = *spec.EndpointSpec
		}
		endpoint.Ports = together(ports, endpoint.Ports)
		spec.EndpointSpec = &endpoint
		spec.Labels = maps.Clone(spec.Labels)
		delete(spec.Labels, mesh.LabelPorts)
		return true, nil
	})
}

// parked are the ports that a service remembers.
func parked(spec swarm.ServiceSpec) ([]swarm.PortConfig, error) {
	var ports []swarm.PortConfig
	raw := spec.Labels[mesh.LabelPorts]
	if raw == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(raw), &ports); err != nil {
		return nil, fmt.Errorf("label %s cannot be read: %w", mesh.LabelPorts, err)
	}
	return ports, nil
}

// together are the ports of first and then those of second that first lacks.
func together(first, second []swarm.PortConfig) []swarm.PortConfig {
	out := slices.Clone(first)
	for _, p := range second {
		if !hasPort(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// inMesh tells whether a port is published in the routing mesh, which is what
// an empty mode means.
func inMesh(p swarm.PortConfig) bool {
	return cmp.Or(p.PublishMode, swarm.PortConfigPublishModeIngress) == swarm.PortConfigPublishModeIngress
}

// given returns the number that the swarm has given a port which asks for any:
// one that no other port of the list has.
func given(allocated []swarm.PortConfig, p swarm.PortConfig, list []swarm.PortConfig) uint32 {
	for _, q := range allocated {
		if samePort(p, q) && !hasPort(list, q) {
			return q.PublishedPort
		}
	}
	return 0
}

// hasPort tells whether a port is in the list, with its number.
func hasPort(list []swarm.PortConfig, p swarm.PortConfig) bool {
	return slices.ContainsFunc(list, func(q swarm.PortConfig) bool { return samePort(p, q) && p.PublishedPort == q.PublishedPort })
}

// samePort tells whether two ports lead to the same port of a task, in the same
// way.
func samePort(p, q swarm.PortConfig) bool {
	return p.TargetPort == q.TargetPort && cmp.Or(p.Protocol, "tcp") == cmp.Or(q.Protocol, "tcp") && inMesh(p) == inMesh(q)
}

// portWrites is how often a write is tried on a fresh reading: the swarm itself
// writes a service while it rolls out an update.
const portWrites = 10

// writePorts changes the spec of a service as it is now. A service that is gone
// needs nothing.
func (e *Engine) writePorts(ctx context.Context, id string, change func(swarm.Service, *swarm.ServiceSpec) (bool, error)) error {
	var err error
	for range portWrites {
		var sv swarm.Service
		if sv, _, err = e.api.ServiceInspectWithRaw(ctx, id, swarm.ServiceInspectOptions{}); err != nil {
			break
		}
		spec := sv.Spec
		changed, wrong := change(sv, &spec)
		if wrong != nil {
			return fmt.Errorf("service %q: %w", sv.Spec.Name, wrong)
		}
		if !changed {
			return nil
		}
		if _, err = e.api.ServiceUpdate(ctx, id, sv.Version, spec, swarm.ServiceUpdateOptions{}); !IsOutOfSequence(err) {
			break
		}
	}
	if IsNotFound(err) {
		return nil
	}
	return e.Explain(err)
}
