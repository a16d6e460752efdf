package engine

import (
	"context"
	"net/netip"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// services lists all services.
func (e *Engine) services(ctx context.Context) ([]model.Service, error) {
	var l pieces[model.Service]
	if c, ok := e.api.(*client.Client); ok && stream(ctx, c, "/services", func(in *input) error {
		s, err := readService(in)
		l.add(serviceOf(s))
		return err
	}) == nil {
		return l.all(), nil
	}
	list, err := e.api.ServiceList(ctx, swarm.ServiceListOptions{})
	return convert(list, serviceOf), err
}

// readService reads a service as it stands in the list: its spec whole, as it
// goes back to the engine, and of the rest what serviceOf takes. A previous spec
// is empty, as nothing is asked of it but whether it is there.
func readService(in *input) (swarm.Service, error) {
	var s swarm.Service
	err := objectOf(in, &s.ID, &s.Meta, func(name []byte) error {
		switch string(name) {
		case `"Spec"`:
			return read(in, &s.Spec)
		case `"PreviousSpec"`:
			if ok, err := comes(in, '{'); !ok {
				return err
			}
			s.PreviousSpec = &swarm.ServiceSpec{}
		case `"Endpoint"`:
			return readEndpoint(in, &s.Endpoint)
		case `"UpdateStatus"`:
			return read(in, &s.UpdateStatus)
		case `"JobStatus"`:
			return read(in, &s.JobStatus)
		}
		return in.SkipValue()
	})
	return s, err
}

func readEndpoint(in *input, to *swarm.Endpoint) error {
	return membersOf(in, func(name []byte) error {
		switch string(name) {
		case `"Spec"`:
			return memberOf(in, "Mode", func() error { return readKnown(in, &to.Spec.Mode) })
		case `"Ports"`:
			return readEach(in, &to.Ports, readPort)
		case `"VirtualIPs"`:
			return readEach(in, &to.VirtualIPs, readVirtualIP)
		}
		return in.SkipValue()
	})
}

func readVirtualIP(in *input, to *swarm.EndpointVirtualIP) error {
	return membersOf(in, func(name []byte) error {
		switch string(name) {
		case `"NetworkID"`:
			return readKnown(in, &to.NetworkID)
		case `"Addr"`:
			return readText(in, &to.Addr)
		}
		return in.SkipValue()
	})
}

// serviceOf turns a service of the API into the model. Its Spec field carries
// the API's own spec, which goes back to the engine untouched.
func serviceOf(s swarm.Service) model.Service {
	m := specOf(s.Spec)
	m.ID, m.Version, m.Created, m.Updated = s.ID, s.Version.Index, s.CreatedAt, s.UpdatedAt
	if mode := s.Endpoint.Spec.Mode; mode != "" {
		m.EndpointMode = string(mode)
	}
	for _, v := range s.Endpoint.VirtualIPs {
		if p, err := netip.ParsePrefix(v.Addr); err == nil {
			m.VIPs = append(m.VIPs, model.VIP{NetworkID: v.NetworkID, Addr: p})
		}
	}
	if len(s.Endpoint.Ports) > 0 {
		m.Ports = convert(s.Endpoint.Ports, portOf)
		m.Chosen = chosen(s.Endpoint.Ports, s.Spec.EndpointSpec)
	}
	if u := s.UpdateStatus; u != nil {
		m.Update = model.UpdateStatus{State: string(u.State), Message: u.Message, Started: timeOf(u.StartedAt), Completed: timeOf(u.CompletedAt)}
	}
	m.Previous = s.PreviousSpec != nil
	if j := s.JobStatus; j != nil {
		v := j.JobIteration.Index
		m.JobIteration = &v
	}
	return m
}

// chosen returns the numbers of ports that the spec has without a number.
func chosen(ports []swarm.PortConfig, spec *swarm.EndpointSpec) []uint32 {
	if spec == nil {
		return nil
	}
	var out []uint32
	for _, p := range ports {
		anyNumber := p
		anyNumber.PublishedPort = 0
		if !hasPort(spec.Ports, p) && hasPort(spec.Ports, anyNumber) {
			out = append(out, p.PublishedPort)
		}
	}
	return out
}

// specOf reads what the model needs from a spec, of a service that may not
// exist yet.
func specOf(spec swarm.ServiceSpec) model.Service {
	t := spec.TaskTemplate
	m := model.Service{
		Name: spec.Name, Labels: spec.Labels, EndpointMode: string(swarm.ResolutionModeVIP), Spec: spec,
	}
	m.Mode, m.Replicas, m.MaxConcurrent = modeOf(spec.Mode)
	nets := t.Networks
	if len(nets) == 0 {
		nets = spec.Networks //nolint:staticcheck // engines before API 1.44 keep them here
	}
	for _, n := range nets {
		m.Networks = append(m.Networks, model.Attach{Target: n.Target, Aliases: n.Aliases, DriverOpts: n.DriverOpts})
	}
	if c := t.ContainerSpec; c != nil {
		m.Image, m.Sysctls = c.Image, c.Sysctls
		m.Secrets = convert(c.Secrets, func(r *swarm.SecretReference) string { return r.SecretID })
		m.Configs = convert(c.Configs, func(r *swarm.ConfigReference) string { return r.ConfigID })
		m.HasHealthcheck = c.Healthcheck != nil && len(c.Healthcheck.Test) > 0 && c.Healthcheck.Test[0] != "NONE"
	}
	if e := spec.EndpointSpec; e != nil {
		if e.Mode != "" {
			m.EndpointMode = string(e.Mode)
		}
		m.Ports = convert(e.Ports, portOf)
	}
	if p := t.Placement; p != nil {
		m.Constraints, m.MaxPerNode = p.Constraints, p.MaxReplicas
		for _, pf := range p.Platforms {
			m.Platforms = append(m.Platforms, model.Platform{OS: pf.OS, Arch: pf.Architecture})
		}
	}
	if r := t.RestartPolicy; r != nil {
		m.RestartPolicy = string(r.Condition)
	}
	m.UpdateOrder, m.UpdateParallel = swarm.UpdateOrderStopFirst, 1
	if u := spec.UpdateConfig; u != nil {
		m.UpdateParallel, m.UpdateMonitor = u.Parallelism, u.Monitor
		if u.Order != "" {
			m.UpdateOrder = u.Order
		}
		m.FailureAction = u.FailureAction
	}
	return m
}

func modeOf(mode swarm.ServiceMode) (m model.Mode, replicas, concurrent uint64) {
	switch {
	case mode.Global != nil:
		return model.Global, 0, 0
	case mode.GlobalJob != nil:
		return model.GlobalJob, 0, 0
	case mode.ReplicatedJob != nil:
		concurrent, replicas = 1, 1
		if c := mode.ReplicatedJob.MaxConcurrent; c != nil {
			concurrent, replicas = *c, *c
		}
		if t := mode.ReplicatedJob.TotalCompletions; t != nil {
			replicas = *t
		}
		return model.ReplicatedJob, replicas, concurrent
	case mode.Replicated != nil && mode.Replicated.Replicas != nil:
		return model.Replicated, *mode.Replicated.Replicas, 0
	default:
		return model.Replicated, 1, 0
	}
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
