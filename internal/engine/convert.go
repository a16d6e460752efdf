package engine

import (
	"net/netip"
	"strings"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// prefixes reads what the engine writes as subnets; an entry that is not one
// is left out, since the engine alone decides what it keeps there.
func prefixes(in []string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range in {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func networkOf(n network.Inspect) model.Network {
	m := model.Network{
		ID: n.ID, Name: n.Name, Created: n.Created, Scope: n.Scope, Driver: n.Driver,
		Ingress: n.Ingress, Attachable: n.Attachable, Internal: n.Internal, IPv6: n.EnableIPv6,
		ConfigOnly: n.ConfigOnly, ConfigFrom: n.ConfigFrom.Network,
		IPAMDriver: n.IPAM.Driver, IPAMOpts: n.IPAM.Options,
		Options: n.Options, Labels: n.Labels,
	}
	for _, c := range n.IPAM.Config {
		if s, ok := subnetOf(c); ok {
			m.Subnets = append(m.Subnets, s)
		}
	}
	for _, p := range n.Peers {
		m.Peers = append(m.Peers, model.Peer{Name: p.Name, IP: p.IP})
	}
	return m
}

func subnetOf(c network.IPAMConfig) (model.Subnet, bool) {
	prefix, err := netip.ParsePrefix(c.Subnet)
	if err != nil {
		return model.Subnet{}, false
	}
	s := model.Subnet{Prefix: prefix.Masked()}
	// Engines of some versions write the gateway as "10.0.0.1/24".
	gateway, _, _ := strings.Cut(c.Gateway, "/")
	s.Gateway, _ = netip.ParseAddr(gateway)
	s.IPRange, _ = netip.ParsePrefix(c.IPRange)
	for name, a := range c.AuxAddress {
		if addr, err := netip.ParseAddr(a); err == nil {
			if s.Aux == nil {
				s.Aux = make(map[string]netip.Addr, len(c.AuxAddress))
			}
			s.Aux[name] = addr
		}
	}
	return s, true
}

func nodeOf(n swarm.Node) model.Node {
	m := model.Node{
		ID: n.ID, Version: n.Version.Index, Hostname: n.Description.Hostname,
		Role: string(n.Spec.Role), Availability: string(n.Spec.Availability),
		State: string(n.Status.State), Message: n.Status.Message, Addr: n.Status.Addr,
		EngineVersion: n.Description.Engine.EngineVersion,
		OS:            n.Description.Platform.OS, Arch: n.Description.Platform.Architecture,
		Labels: n.Spec.Labels, EngineLabels: n.Description.Engine.Labels,
		NanoCPUs: n.Description.Resources.NanoCPUs, MemoryBytes: n.Description.Resources.MemoryBytes,
	}
	if ms := n.ManagerStatus; ms != nil {
		m.Leader, m.Reachability, m.ManagerAddr = ms.Leader, string(ms.Reachability), ms.Addr
	}
	for _, p := range n.Description.Engine.Plugins {
		m.Plugins = append(m.Plugins, p.Type+"/"+p.Name)
	}
	return m
}

func taskOf(t *listedTask) model.Task {
	m := model.Task{
		ID: t.ID, Version: t.Version.Index, Created: t.CreatedAt, Updated: t.UpdatedAt,
		ServiceID: t.ServiceID, Slot: t.Slot, NodeID: t.NodeID,
		State: model.TaskState(t.Status.State), Desired: model.TaskState(t.DesiredState),
		StateSince: t.Status.Timestamp, Message: t.Status.Message, Err: t.Status.Err,
		Networks: t.Networks,
	}
	if c := t.Spec.ContainerSpec; c != nil {
		m.Image, m.Stack = c.Image, c.Stack
	}
	if cs := t.Status.ContainerStatus; cs != nil {
		m.ContainerID, m.ExitCode = cs.ContainerID, cs.ExitCode
	}
	for _, p := range t.Status.PortStatus.Ports {
		m.Ports = append(m.Ports, portOf(p))
	}
	if t.JobIteration != nil {
		v := t.JobIteration.Index
		m.JobIteration = &v
	}
	return m
}

func attachmentOf(t *listedTask) model.Attachment {
	m := model.Attachment{
		ID: t.ID, NodeID: t.NodeID, State: model.TaskState(t.Status.State),
		Desired: model.TaskState(t.DesiredState), Created: t.CreatedAt, Updated: t.UpdatedAt, Err: t.Status.Err,
		Networks: t.Networks,
	}
	if s := t.Spec.NetworkAttachmentSpec; s != nil {
		m.ContainerID = s.ContainerID
	}
	return m
}

// predefined is the label by which a swarm knows its copies of the networks
// that every engine has, such as "host" (swarmkit api/naming, moby
// runconfig.IsPreDefinedNetwork).
const predefined = "com.docker.swarm.predefined"

func portOf(p swarm.PortConfig) model.Port {
	mode := string(p.PublishMode)
	if mode == "" {
		mode = string(swarm.PortConfigPublishModeIngress)
	}
	return model.Port{Protocol: string(p.Protocol), Target: p.TargetPort, Published: p.PublishedPort, Mode: mode}
}
