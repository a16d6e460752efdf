package check

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func now() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

func ago(d time.Duration) time.Time { return now().Add(-d) }

// healthy is a swarm that nobody has to do anything about: three managers, an
// ingress network, a network with a service in vip mode that publishes a port
// and one that does not, and one with a dnsrr service.
func healthy() *swarm.Snapshot {
	s := &swarm.Snapshot{
		Context: "prod", Taken: now(),
		Engine: swarm.Engine{Name: "n1", Version: "29.6.1", FirewallBackend: "iptables", OS: "linux"},
		Cluster: swarm.Cluster{
			ID: "cluster", State: swarm.StateActive, Manager: true, NodeID: "id1", NodeAddr: "192.168.7.1",
			DefaultAddrPool: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, SubnetSize: 24, DataPathPort: 4789,
		},
		Networks: []swarm.Network{
			overlay("ing", "ingress", "10.0.0.0/24"), overlay("net1", "front", "10.0.1.0/24"), overlay("net2", "back", "10.0.2.0/24"),
			{ID: "br", Name: "bridge", Scope: "local", Driver: "bridge", Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix("172.17.0.0/16")}}},
		},
	}
	s.Networks[0].Ingress = true
	for i := 1; i <= 3; i++ {
		s.Nodes = append(s.Nodes, swarm.Node{
			ID: fmt.Sprint("id", i), Hostname: fmt.Sprint("n", i), Role: "manager", Availability: "active", State: "ready", Leader: i == 1,
			Addr: fmt.Sprint("192.168.7.", i), ManagerAddr: fmt.Sprintf("192.168.7.%d:2377", i), Reachability: "reachable",
			EngineVersion: "29.6.1", OS: "linux", Arch: "x86_64",
		})
	}
	web := service("web", "net1")
	web.Replicas, web.Ports = 2, []swarm.Port{{Protocol: "tcp", Target: 80, Published: 8080, Mode: "ingress"}}
	web.VIPs = append(web.VIPs, swarm.VIP{NetworkID: "ing", Addr: netip.MustParsePrefix("10.0.0.2/24")})
	db := service("db", "net2")
	db.EndpointMode, db.VIPs = "dnsrr", nil
	api := service("api", "net1")
	api.VIPs[0].Addr = netip.MustParsePrefix("10.0.1.3/24")
	s.Services = []swarm.Service{web, db, api}
	s.Tasks = []swarm.Task{
		task("web", 1, "id1", on("net1", "10.0.1.10/24"), on("ing", "10.0.0.10/24")),
		task("web", 2, "id2", on("net1", "10.0.1.11/24"), on("ing", "10.0.0.11/24")),
		task("db", 1, "id3", on("net2", "10.0.2.10/24")),
		task("api", 1, "id3", on("net1", "10.0.1.12/24")),
	}
	return s
}

func overlay(id, name, subnet string) swarm.Network {
	p := netip.MustParsePrefix(subnet)
	return swarm.Network{
		ID: id, Name: name, Scope: "swarm", Driver: "overlay", Created: ago(24 * time.Hour), Options: map[string]string{swarm.OptVNI: "4097"},
		Subnets: []swarm.Subnet{{Prefix: p, Gateway: p.Addr().Next()}},
	}
}

// service is a service with a virtual address on one network.
func service(name, network string) swarm.Service {
	return swarm.Service{
		ID: name, Name: name, Created: ago(24 * time.Hour), Updated: ago(24 * time.Hour), Image: name + ":1", Mode: swarm.Replicated, Replicas: 1,
		Networks: []swarm.Attach{{Target: network}}, EndpointMode: "vip", UpdateOrder: "start-first", UpdateParallel: 1, HasHealthcheck: true,
		VIPs: []swarm.VIP{{NetworkID: network, Addr: netip.MustParsePrefix("10.0.1.2/24")}},
	}
}

func task(service string, slot int, node string, networks ...swarm.TaskNetwork) swarm.Task {
	return swarm.Task{
		ID: fmt.Sprint(service, slot), ServiceID: service, Slot: slot, NodeID: node, State: swarm.TaskRunning, Desired: swarm.TaskRunning,
		Created: ago(23 * time.Hour), Updated: ago(23 * time.Hour), StateSince: ago(23 * time.Hour), Networks: networks,
	}
}

func on(network, addr string) swarm.TaskNetwork {
	return swarm.TaskNetwork{NetworkID: network, Addrs: []netip.Prefix{netip.MustParsePrefix(addr)}}
}

// ended is a task that came to its end d ago, after 3 s.
func ended(service string, slot int, node string, state swarm.TaskState, d time.Duration, err string) swarm.Task {
	t := task(service, slot, node)
	t.ID = fmt.Sprint(service, slot, state, d)
	t.State, t.Desired, t.Err, t.ExitCode = state, swarm.TaskShutdown, err, 1
	t.Created, t.StateSince, t.Updated = ago(d+3*time.Second), ago(d), ago(d)
	return t
}

// waiting is a task on its way since d ago.
func waiting(service string, slot int, state swarm.TaskState, d time.Duration, err string) swarm.Task {
	t := task(service, slot, "")
	t.ID = fmt.Sprint(service, slot, state, d)
	t.State, t.Err, t.Created, t.StateSince, t.Updated = state, err, ago(d), ago(d), ago(d)
	return t
}

func container(id, node, network, addr string) swarm.Attachment {
	return swarm.Attachment{
		ID: "task-" + id, ContainerID: id, NodeID: node, State: swarm.TaskRunning, Desired: swarm.TaskRunning,
		Created: ago(time.Hour), Updated: ago(time.Hour), Networks: []swarm.TaskNetwork{on(network, addr)},
	}
}
