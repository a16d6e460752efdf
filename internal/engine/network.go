package engine

import (
	"context"
	"net/netip"

	"github.com/docker/docker/api/types/network"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// CreateNetwork asks the swarm for an overlay network and returns its ID. The
// swarm answers before it has allocated anything (moby#37921).
func (e *Engine) CreateNetwork(ctx context.Context, spec model.NetworkSpec) (string, error) {
	req := network.CreateOptions{
		Driver: "overlay", Scope: "swarm",
		Attachable: spec.Attachable, Internal: spec.Internal, Ingress: spec.Ingress,
		Options: spec.Options, Labels: spec.Labels,
		IPAM: &network.IPAM{Driver: spec.IPAMDriver, Options: spec.IPAMOpts},
	}
	if spec.IPv6 {
		on := true
		req.EnableIPv6 = &on
	}
	for _, s := range spec.Subnets {
		req.IPAM.Config = append(req.IPAM.Config, ipamConfig(s))
	}
	resp, err := e.api.NetworkCreate(ctx, spec.Name, req)
	if err != nil {
		return "", e.Explain(err)
	}
	return resp.ID, nil
}

func ipamConfig(s model.Subnet) network.IPAMConfig {
	c := network.IPAMConfig{Subnet: s.Prefix.String(), Gateway: addrString(s.Gateway)}
	if s.IPRange.IsValid() {
		c.IPRange = s.IPRange.String()
	}
	for name, a := range s.Aux {
		if c.AuxAddress == nil {
			c.AuxAddress = make(map[string]string, len(s.Aux))
		}
		c.AuxAddress[name] = a.String()
	}
	return c
}

func addrString(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// Networks lists the networks. It reads the list rather than one network:
// engines 29.0 to 29.7 answer 404 for any swarm network asked by name while a
// single one is unallocated (moby commit 1b7bdd064c).
func (e *Engine) Networks(ctx context.Context) ([]model.Network, error) {
	list, err := e.api.NetworkList(ctx, network.ListOptions{})
	if err != nil {
		return nil, e.Explain(err)
	}
	return convert(list, networkOf), nil
}

// InspectNetwork returns the engine's own JSON of the network with this full
// ID, as "docker network inspect" shows it.
func (e *Engine) InspectNetwork(ctx context.Context, id string, verbose bool) ([]byte, error) {
	_, raw, err := e.api.NetworkInspectWithRaw(ctx, id, network.InspectOptions{Verbose: verbose})
	if err != nil {
		return nil, e.Explain(err)
	}
	return raw, nil
}

// RemoveNetwork removes the network with this full ID.
func (e *Engine) RemoveNetwork(ctx context.Context, id string) error {
	return e.Explain(e.api.NetworkRemove(ctx, id))
}
