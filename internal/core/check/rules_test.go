package check

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// ruleCase is a healthy swarm with a change, and what a rule says of it.
type ruleCase struct {
	doc    string
	change func(*swarm.Snapshot)
	// want is a part of the finding's sentence, "" where the rule is content.
	want string
	// as is the severity where it is not the rule's.
	as Severity
}

// cannotTell begins what a rule cannot tell, in want.
const cannotTell = "?"

func cases() map[string][]ruleCase {
	all := map[string][]ruleCase{}
	for _, group := range []map[string][]ruleCase{clusterCases(), addressCases(), networkCases(), taskCases(), serviceCases(), attachmentCases()} {
		for code, rows := range group {
			all[code] = rows
		}
	}
	return all
}

func clusterCases() map[string][]ruleCase {
	node := func(i int, change func(*swarm.Node)) func(*swarm.Snapshot) {
		return func(s *swarm.Snapshot) { change(&s.Nodes[i]) }
	}
	encrypt := func(s *swarm.Snapshot) { s.Networks[1].Options["encrypted"] = "" }
	return map[string][]ruleCase{
		"SN101": {
			{"no leader", func(s *swarm.Snapshot) {
				s.Cluster.Error = "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online."
			}, "have no leader", ""},
			{"no leader for the lists", func(s *swarm.Snapshot) {
				s.Unread = []swarm.Unread{{What: "nodes", Err: errors.New("the swarm does not have a leader")}}
			}, "have no leader", ""},
			{"another error", func(s *swarm.Snapshot) {
				s.Unread = []swarm.Unread{{What: "nodes", Err: errors.New("deadline exceeded")}}
			}, "", ""},
		},
		"SN102": {
			{"inactive", func(s *swarm.Snapshot) { s.Cluster = swarm.Cluster{State: swarm.StateInactive} }, "not in a swarm", ""},
			{"locked", func(s *swarm.Snapshot) { s.Cluster = swarm.Cluster{State: swarm.StateLocked} }, "is locked", ""},
			{"error", func(s *swarm.Snapshot) {
				s.Cluster = swarm.Cluster{State: swarm.StateError, Error: "certificate\x1b[31m expired"}
			}, "certificate [31m expired", ""},
			{"active", func(*swarm.Snapshot) {}, "", ""},
		},
		"SN103": {
			{"two of three", node(2, func(n *swarm.Node) { n.Role = "worker" }), "2 managers bear the loss of no manager, as 1 would", ""},
			{"one of three", func(s *swarm.Snapshot) { s.Nodes[1].Role, s.Nodes[2].Role = "worker", "worker" }, "", ""},
		},
		"SN104": {
			{"one of three", func(s *swarm.Snapshot) { s.Nodes[1].Role, s.Nodes[2].Role = "worker", "worker" }, "one manager for 3 nodes", ""},
			{"one node", func(s *swarm.Snapshot) { s.Nodes = s.Nodes[:1] }, "", ""},
		},
		"SN105": {
			{"down", node(1, func(n *swarm.Node) { n.State, n.Message = "down", "heartbeat failure" }), "down (heartbeat failure)", ""},
			{"down and drained before", node(1, func(n *swarm.Node) { n.State, n.Availability = "down", "drain" }), "is down", Note},
			{"joined again", func(s *swarm.Snapshot) {
				s.Nodes[1].State, s.Nodes[1].Hostname, s.Nodes[1].Addr = "down", s.Nodes[2].Hostname, s.Nodes[2].Addr
			}, "is down", Note},
			{"one of that name that does not tell its address", func(s *swarm.Snapshot) {
				s.Nodes[1].State, s.Nodes[1].Hostname, s.Nodes[1].Addr, s.Nodes[1].ManagerAddr = "down", s.Nodes[2].Hostname, "0.0.0.0", ""
				s.Nodes[2].Addr, s.Nodes[2].ManagerAddr = "0.0.0.0", ""
			}, "is down", Error},
			{"another machine of that name", func(s *swarm.Snapshot) { s.Nodes[1].State, s.Nodes[1].Hostname = "down", s.Nodes[2].Hostname }, "is down", Error},
			{"drained", node(1, func(n *swarm.Node) { n.Availability = "drain" }), "", ""},
			{"not heard of since the election", node(1, func(n *swarm.Node) { n.State = "unknown" }), "", ""},
		},
		"SN106": {
			{"unreachable", node(1, func(n *swarm.Node) { n.Reachability = "unreachable" }), "2 of 3 managers left, and 2 are needed", ""},
			{"a worker tells none", node(1, func(n *swarm.Node) { n.Role, n.Reachability = "worker", "" }), "", ""},
		},
		"SN107": {
			{"loopback", node(1, func(n *swarm.Node) { n.Addr, n.ManagerAddr = "127.0.0.1", "" }), `"127.0.0.1"`, ""},
			{"unspecified, no other", node(1, func(n *swarm.Node) { n.Addr, n.ManagerAddr = "0.0.0.0", "0.0.0.0:2377" }), `"0.0.0.0"`, ""},
			{"unspecified, another beside the port", node(1, func(n *swarm.Node) { n.Addr = "0.0.0.0" }), "", ""},
			{"a swarm of one", func(s *swarm.Snapshot) {
				s.Nodes = s.Nodes[:1]
				s.Nodes[0].Addr, s.Nodes[0].ManagerAddr = "127.0.0.1", ""
			}, "", ""},
		},
		"SN108": {
			{"public and private", node(1, func(n *swarm.Node) { n.Addr = "203.0.113.9" }), "private IPv4: n1, n3; public IPv4: n2", ""},
			{"two families", node(1, func(n *swarm.Node) { n.Addr = "2001:db8::2" }), "public IPv6: n2", ""},
			{"two private subnets", node(1, func(n *swarm.Node) { n.Addr = "10.200.0.2" }), "", ""},
			{"the other kind is down", node(1, func(n *swarm.Node) { n.Addr, n.State = "203.0.113.9", "down" }), "", ""},
		},
		"SN109": {
			{"twice", node(1, func(n *swarm.Node) { n.Hostname = "n1" }), `2 nodes are called "n1"`, ""},
			{"joined again", node(1, func(n *swarm.Node) { n.Hostname, n.State = "n1", "down" }), "1 down", ""},
			{"no name told", func(s *swarm.Snapshot) { s.Nodes[0].Hostname, s.Nodes[1].Hostname = "", "" }, "", ""},
		},
		"SN110": {
			{"two majors", node(1, func(n *swarm.Node) { n.EngineVersion = "26.1.5" }), "26.1.5: n2; 29.6.1: n1, n3", ""},
			{"one major", node(1, func(n *swarm.Node) { n.EngineVersion = "29.5.0" }), "2 engine versions", Note},
			{"the other is down", node(1, func(n *swarm.Node) { n.EngineVersion, n.State = "26.1.5", "down" }), "", ""},
		},
		"SN111": {
			{"both kinds", func(s *swarm.Snapshot) { encrypt(s); s.Nodes[1].EngineVersion = "29.1.0" }, "n2 (29.1.0) cannot decrypt what n1 (29.6.1), n3 (29.6.1) send", ""},
			{"both kinds, nothing encrypted", func(s *swarm.Snapshot) { s.Nodes[1].EngineVersion = "29.1.0" }, "", ""},
			{"one kind", func(s *swarm.Snapshot) {
				encrypt(s)
				for i := range s.Nodes {
					s.Nodes[i].EngineVersion = "29.1.0"
				}
			}, "", ""},
			{"no version", func(s *swarm.Snapshot) { encrypt(s); s.Nodes[1].EngineVersion = "dev" }, cannotTell + "no engine version", ""},
		},
		"SN112": {
			{"old and encrypted", func(s *swarm.Snapshot) { encrypt(s); s.Nodes[1].EngineVersion = "20.10.23" }, "n2 (20.10.23)", ""},
			{"23.0.1 without encryption", node(1, func(n *swarm.Node) { n.EngineVersion = "23.0.1" }), "n2 (23.0.1)", Note},
			{"repaired by the distribution's number", node(1, func(n *swarm.Node) { n.EngineVersion = "20.10.24+dfsg1" }), "", ""},
			{"no version", node(1, func(n *swarm.Node) { n.EngineVersion = "library-import" }), cannotTell + "no engine version", ""},
		},
		"SN113": {
			{"nftables", func(s *swarm.Snapshot) { s.Engine.FirewallBackend = "nftables" }, "still uses iptables", ""},
			{"nftables before 29.6", func(s *swarm.Snapshot) { s.Engine.FirewallBackend, s.Engine.Version = "nftables+firewalld", "29.0.1" }, "refuses to be in a swarm", ""},
			{"an engine from before", func(s *swarm.Snapshot) { s.Engine.FirewallBackend, s.Engine.Version = "", "28.5.2" }, "", ""},
			{"not told", func(s *swarm.Snapshot) { s.Engine.FirewallBackend = "" }, cannotTell + "does not tell its firewall backend", ""},
		},
	}
}

// fill gives all addresses of a network to tasks of a service.
func fill(network, service string, leave int) func(*swarm.Snapshot) {
	return func(s *swarm.Snapshot) {
		for i := range s.Networks {
			n := &s.Networks[i]
			if n.ID != network {
				continue
			}
			n.Subnets[0] = swarm.Subnet{Prefix: netip.MustParsePrefix("10.9.0.0/28"), Gateway: netip.MustParseAddr("10.9.0.1")}
			at, slots := netip.MustParseAddr("10.9.0.2"), 12-leave // one more goes to the load balancer of the node
			for k := range s.Services {
				for v := range s.Services[k].VIPs {
					if s.Services[k].VIPs[v].NetworkID == network {
						s.Services[k].VIPs[v].Addr = netip.PrefixFrom(at, 28)
						at, slots = at.Next(), slots-1
					}
				}
			}
			s.Tasks = slices.DeleteFunc(s.Tasks, func(t swarm.Task) bool { _, is := t.On(network); return is })
			for slot := 1; slot <= slots; slot++ {
				s.Tasks = append(s.Tasks, task(service, slot, "id1", on(network, at.String()+"/28")))
				at = at.Next()
			}
		}
	}
}

func and(changes ...func(*swarm.Snapshot)) func(*swarm.Snapshot) {
	return func(s *swarm.Snapshot) {
		for _, c := range changes {
			c(s)
		}
	}
}

func tasks(ts ...swarm.Task) func(*swarm.Snapshot) {
	return func(s *swarm.Snapshot) { s.Tasks = append(s.Tasks, ts...) }
}

// only replaces the tasks of the services of the given ones.
func only(ts ...swarm.Task) func(*swarm.Snapshot) {
	return func(s *swarm.Snapshot) {
		s.Tasks = slices.DeleteFunc(s.Tasks, func(t swarm.Task) bool { return t.ServiceID == ts[0].ServiceID })
		s.Tasks = append(s.Tasks, ts...)
	}
}

func network(id string, change func(*swarm.Network)) func(*swarm.Snapshot) {
	return func(s *swarm.Snapshot) {
		for i := range s.Networks {
			if s.Networks[i].ID == id {
				change(&s.Networks[i])
			}
		}
	}
}

func of(name string, change func(*swarm.Service)) func(*swarm.Snapshot) {
	return func(s *swarm.Snapshot) {
		for i := range s.Services {
			if s.Services[i].Name == name {
				change(&s.Services[i])
			}
		}
	}
}

func more(n swarm.Network) func(*swarm.Snapshot) {
	return func(s *swarm.Snapshot) { s.Networks = append(s.Networks, n) }
}

func addressCases() map[string][]ruleCase {
	subnet := func(id, p string) func(*swarm.Snapshot) {
		return network(id, func(n *swarm.Network) {
			n.Subnets = []swarm.Subnet{{Prefix: netip.MustParsePrefix(p), Gateway: netip.MustParsePrefix(p).Addr().Next()}}
		})
	}
	return map[string][]ruleCase{
		"SN201": {
			{"full, all have one", fill("net2", "db", 0), "none of 13 addresses is free", Warning},
			{"full, a task waits", and(fill("net2", "db", 0), tasks(waiting("db", 12, swarm.TaskNew, time.Minute, ""))), "1 task or virtual address waits", Error},
			{"full, two wait", and(fill("net2", "db", 0), tasks(waiting("db", 12, swarm.TaskNew, time.Minute, ""), waiting("db", 13, swarm.TaskNew, time.Minute, ""))), "2 tasks and virtual addresses wait for one", Error},
			{"one left", fill("net2", "db", 1), "", ""},
			{"not made yet", network("net2", func(n *swarm.Network) { n.Subnets, n.Driver = nil, "" }), "", ""},
		},
		"SN202": {
			{"two left", fill("net2", "db", 2), "2 of 13 addresses are free, too few", ""},
			{"a dozen left", and(fill("net2", "db", 8)), "", ""},
			{"none left is another rule's", fill("net2", "db", 0), "", ""},
		},
		"SN203": {
			{"no more than there is", func(*swarm.Snapshot) {}, "", ""},
			{"things move", tasks(waiting("web", 3, swarm.TaskPreparing, 5*time.Second, "")), cannotTell + "tasks of ingress, front are on their way", ""},
		},
		"SN204": {
			{"inside another", subnet("net2", "10.0.1.128/25"), `10.0.1.128/25 lies in 10.0.1.0/24 of network "front"`, ""},
			{"side by side", subnet("net2", "10.0.3.0/24"), "", ""},
			{"with one that was never made", and(subnet("net2", "10.0.1.0/24"), network("net2", func(n *swarm.Network) { n.Driver = "" })), "", ""},
		},
		"SN205": {
			{"one swarm", subnet("net2", "10.0.1.128/25"), "", ""},
		},
		"SN206": {
			{"a node inside", subnet("net2", "192.168.7.0/24"), `address 192.168.7.1 of node "n1" lies in its subnet`, ""},
			{"next to it", subnet("net2", "192.168.8.0/24"), "", ""},
		},
		"SN207": {
			{"docker_gwbridge", more(swarm.Network{ID: "gw", Name: "docker_gwbridge", Scope: "local", Driver: "bridge", Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix("10.0.0.0/16")}}}), `"docker_gwbridge" on n1`, ""},
			{"elsewhere", more(swarm.Network{ID: "gw", Name: "docker_gwbridge", Scope: "local", Driver: "bridge", Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix("172.18.0.0/16")}}}), "", ""},
		},
		"SN208": {
			{"task and virtual address", tasks(task("db", 2, "id1", on("net1", "10.0.1.2/24"))), `10.0.1.2 is the address of service "web" and of task "db.2"`, ""},
			{"the gateway's", tasks(task("db", 2, "id1", on("net1", "10.0.1.1/24"))), "of the gateway and of", ""},
			{"a container's", func(s *swarm.Snapshot) {
				s.Attachments = append(s.Attachments, container("c0ffee", "id1", "net1", "10.0.1.10/24"))
			}, "container c0ffee", ""},
			{"only just come", func(s *swarm.Snapshot) {
				t := task("db", 2, "id1", on("net1", "10.0.1.2/24"))
				t.Updated = ago(5 * time.Second)
				s.Tasks = append(s.Tasks, t)
			}, "", ""},
			{"of a task that ended", tasks(func() swarm.Task {
				t := ended("db", 2, "id1", swarm.TaskShutdown, time.Hour, "")
				t.Networks = []swarm.TaskNetwork{on("net1", "10.0.1.2/24")}
				return t
			}()), "", ""},
			{"on another network", tasks(task("db", 2, "id1", on("net2", "10.0.1.2/24"))), "", ""},
		},
		"SN209": {
			{"four of four", func(s *swarm.Snapshot) {
				s.Cluster.DefaultAddrPool = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/22")}
				subnet("net2", "10.0.2.0/23")(s)
			}, "0 of the 4 blocks of /24", ""},
			{"three of four", func(s *swarm.Snapshot) {
				s.Cluster.DefaultAddrPool = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/22")}
			}, "", ""},
		},
	}
}

func networkCases() map[string][]ruleCase {
	option := func(key, value string) func(*swarm.Snapshot) {
		return network("net2", func(n *swarm.Network) { n.Options[key] = value })
	}
	unmade := func(age time.Duration, subnet string) func(*swarm.Snapshot) {
		return more(swarm.Network{ID: "new", Name: "new", Scope: "swarm", Created: ago(age), Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix(subnet)}}})
	}
	alone := overlay("net3", "alone", "10.0.3.0/24")
	dangling := overlay("net3", "shop_default", "10.0.3.0/24")
	dangling.Labels = map[string]string{deploy.LabelStack: "shop"}
	fresh := overlay("net3", "alone", "10.0.3.0/24")
	fresh.Created = ago(30 * time.Second)
	held := func(s *swarm.Snapshot) {
		s.Attachments = append(s.Attachments, container("c0ffee", "id1", "net3", "10.0.3.4/24"))
	}
	noIngress := func(s *swarm.Snapshot) { s.Networks = s.Networks[1:] }
	return map[string][]ruleCase{
		"SN301": {
			{"overlaps", unmade(time.Minute, "10.0.1.0/25"), `addresses in common with network "front" (10.0.1.0/24)`, ""},
			{"for another reason", unmade(time.Minute, "10.7.0.0/24"), "the log of the leader's engine", ""},
			{"only just asked for", unmade(5*time.Second, "10.0.1.0/25"), "", ""},
		},
		"SN302": {
			{"misspelt", option("com.docker.network.mtu", "1400"), `did you mean "com.docker.network.driver.mtu"`, ""},
			{"no number", option(swarm.OptMTU, "big"), `"big" is not an MTU`, ""},
			{"all known", option("encrypted", "false"), "", ""},
		},
		"SN303": {
			{"false", option("encrypted", "false"), "encrypted=false and encrypts", ""},
			{"true", option("encrypted", "true"), "", ""},
			{"empty", option("encrypted", ""), "", ""},
		},
		"SN304": {
			{"two", option(swarm.OptMTU, "1450"), "1450: back; 1500: front", ""},
			{"the default in words", option(swarm.OptMTU, "1500"), "", ""},
			{"ingress is another rule's", network("ing", func(n *swarm.Network) { n.Options[swarm.OptMTU] = "1400" }), "", ""},
		},
		"SN305": {
			{"left behind", and(option(swarm.OptMTU, "1400"), network("net1", func(n *swarm.Network) { n.Options[swarm.OptMTU] = "1400" })), "made for an MTU of 1500, and the 2 other networks for 1400", ""},
			{"left behind and not used", and(option(swarm.OptMTU, "1400"), network("net1", func(n *swarm.Network) { n.Options[swarm.OptMTU] = "1400" }), of("web", func(sv *swarm.Service) { sv.Ports = nil })), "MTU of 1500", Note},
			{"lowered too", and(option(swarm.OptMTU, "1400"), network("net1", func(n *swarm.Network) { n.Options[swarm.OptMTU] = "1400" }), network("ing", func(n *swarm.Network) { n.Options[swarm.OptMTU] = "1400" })), "", ""},
			{"mixed is another rule's", option(swarm.OptMTU, "1400"), "", ""},
		},
		"SN306": {
			{"switched on", network("net2", func(n *swarm.Network) { n.IPv6 = true }), "has IPv6", ""},
			{"by its subnet", network("net2", func(n *swarm.Network) {
				n.Subnets = append(n.Subnets, swarm.Subnet{Prefix: netip.MustParsePrefix("fd00::/64")})
			}), "has IPv6", ""},
			{"a local network with it", network("br", func(n *swarm.Network) { n.IPv6 = true }), "", ""},
		},
		"SN307": {
			{"needed", noIngress, "ports of 1 service are published in the routing mesh: web", ""},
			{"not needed", and(noIngress, of("web", func(sv *swarm.Service) { sv.Ports[0].Mode = "host" })), "no service needs one", Note},
			{"there", func(*swarm.Snapshot) {}, "", ""},
		},
		"SN308": {
			{"two", network("net2", func(n *swarm.Network) { n.Ingress = true }), "2 ingress networks: back, ingress", ""},
			{"none", noIngress, "", ""},
		},
		"SN309": {
			{"same name", network("br", func(n *swarm.Network) { n.Name = "front" }), "a local network of the same name", ""},
			{"another case is another name", network("br", func(n *swarm.Network) { n.Name = "Front" }), "", ""},
		},
		"SN310": {
			{"nobody", more(alone), "nobody is on it", ""},
			{"only just made", more(fresh), "", ""},
			{"a container", and(more(alone), held), "", ""},
			{"of a stack that is gone", more(dangling), "", ""},
		},
		"SN311": {
			{"of a stack that is gone", more(dangling), `the stack "shop" it was made for has no services`, ""},
			{"of a stack that is there", and(more(dangling), of("db", func(sv *swarm.Service) { sv.Labels = map[string]string{deploy.LabelStack: "shop"} })), "", ""},
			{"a container", and(more(dangling), held), "", ""},
		},
	}
}

func taskCases() map[string][]ruleCase {
	noNode := "no suitable node (scheduling constraints not satisfied on 3 nodes)"
	stuck := waiting("web", 3, swarm.TaskNew, time.Minute, "")
	rejected := func(err string) func(*swarm.Snapshot) {
		return only(ended("api", 1, "id3", swarm.TaskRejected, 20*time.Second, err), ended("api", 1, "id3", swarm.TaskRejected, 10*time.Second, err), waiting("api", 1, swarm.TaskReady, 10*time.Second, ""))
	}
	crashed := []swarm.Task{
		ended("api", 1, "id3", swarm.TaskFailed, 30*time.Second, "task: non-zero exit (1)"), ended("api", 1, "id2", swarm.TaskFailed, 20*time.Second, "task: non-zero exit (1)"),
		ended("api", 1, "id3", swarm.TaskFailed, 10*time.Second, "task: non-zero exit (1)"),
	}
	after := func(d time.Duration) swarm.Task {
		t := waiting("api", 1, swarm.TaskRunning, d, "")
		t.NodeID = "id3"
		return t
	}
	update := func(state string) func(*swarm.Snapshot) {
		return of("api", func(sv *swarm.Service) { sv.Update = swarm.UpdateStatus{State: state, Message: "because"} })
	}
	return map[string][]ruleCase{
		"SN401": {
			{"a full network", and(fill("net1", "web", 0), tasks(stuck)), `1 task in New, since the swarm gives it no address: network "front" is full`, ""},
			{"a network not made", and(network("net1", func(n *swarm.Network) { n.Driver = "" }), tasks(stuck, waiting("web", 4, swarm.TaskNew, time.Minute, ""))), `2 tasks in New, since the swarm gives them no address: network "front" is not allocated`, ""},
			{"a network that is gone", and(of("web", func(sv *swarm.Service) { sv.Networks[0].Target = "gone" }), tasks(stuck)), `network "gone" does not exist`, ""},
			{"no ingress", and(func(s *swarm.Snapshot) { s.Networks = s.Networks[1:] }, tasks(stuck)), "no ingress network", ""},
			{"no virtual address", and(of("web", func(sv *swarm.Service) { sv.VIPs = sv.VIPs[1:] }), tasks(stuck)), `its virtual address on network "front" is missing`, ""},
			{"nobody knows", tasks(stuck), "the log of the leader's engine", ""},
			{"for a moment", tasks(waiting("web", 3, swarm.TaskNew, 8*time.Second, "")), "", ""},
			{"to be removed", tasks(func() swarm.Task { t := stuck; t.Desired = swarm.TaskRemove; return t }()), "", ""},
		},
		"SN402": {
			{"a constraint", and(of("web", func(sv *swarm.Service) { sv.Constraints = []string{"node.labels.disk==ssd"} }), tasks(waiting("web", 3, swarm.TaskPending, time.Minute, noNode))), `n1, n2, n3 does not meet "node.labels.disk==ssd"`, ""},
			{"a resource", tasks(waiting("web", 3, swarm.TaskPending, time.Minute, "no suitable node (insufficient resources on 3 nodes)")), "insufficient resources on 3 nodes", ""},
			{"not looked at", tasks(waiting("web", 3, swarm.TaskPending, time.Minute, "")), "the scheduler has not looked at them", ""},
			{"a global service that no node suits", of("db", func(sv *swarm.Service) { sv.Mode, sv.Constraints = swarm.Global, []string{"node.labels.disk==ssd"} }), "no node suits it", Note},
			{"for a moment", tasks(waiting("web", 3, swarm.TaskPending, 8*time.Second, noNode)), "", ""},
			{"while the old task stops", tasks(waiting("web", 3, swarm.TaskPending, time.Minute, "no suitable node (host-mode port already in use on 1 node)"), func() swarm.Task { t := task("web", 3, "id1"); t.ID, t.Desired = "old", swarm.TaskShutdown; return t }()), "", ""},
		},
		"SN403": {
			{"a port in use", rejected("driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated"), "it rejects tasks of api (2 times): a port it publishes is in use on the node", ""},
			{"an overlap", rejected("invalid pool request: Pool overlaps with other one on this address space"), "a local network of the node has addresses in common", ""},
			{"a vxlan link", rejected("error creating vxlan interface: file exists"), "a VXLAN link of an earlier life", ""},
			{"a network that is gone", rejected("network xyz not found"), "its network is not there any more", ""},
			{"something new", rejected("the moon is full"), "(2 times): the moon is full", ""},
			{"once", only(ended("api", 1, "id3", swarm.TaskRejected, 10*time.Second, "network xyz not found"), waiting("api", 1, swarm.TaskReady, 10*time.Second, "")), "", ""},
			{"once, and not tried again", only(ended("api", 1, "id3", swarm.TaskRejected, time.Minute, "network xyz not found")), "(1 time)", ""},
			{"runs since", tasks(ended("api", 1, "id3", swarm.TaskRejected, time.Minute, "x"), ended("api", 1, "id3", swarm.TaskRejected, 2*time.Minute, "x")), "", ""},
		},
		"SN404": {
			{"three times", only(append(slices.Clone(crashed), waiting("api", 1, swarm.TaskReady, 10*time.Second, ""))...), "task api.1 ended 3 times within 10 minutes, the last time with exit code 1 (task: non-zero exit (1))", ""},
			{"running for no longer than before", only(append(slices.Clone(crashed), after(5*time.Second))...), "ended 3 times", ""},
			{"running for longer", only(append(slices.Clone(crashed), after(30*time.Second))...), "", ""},
			{"twice", only(crashed[0], crashed[1], waiting("api", 1, swarm.TaskReady, 10*time.Second, "")), "", ""},
			{"unhealthy twice", only(ended("api", 1, "id3", swarm.TaskFailed, 30*time.Second, "dockerexec: unhealthy container"), ended("api", 1, "id3", swarm.TaskFailed, 20*time.Second, "dockerexec: unhealthy container"), waiting("api", 1, swarm.TaskStarting, 10*time.Second, "")), "unhealthy container", ""},
			{"before the last update", and(only(append(slices.Clone(crashed), waiting("api", 1, swarm.TaskReady, 5*time.Second, ""))...), of("api", func(sv *swarm.Service) { sv.Update.Started = ago(6 * time.Second) })), "", ""},
			{"ends by itself and is started again", only(ended("api", 1, "id3", swarm.TaskComplete, 30*time.Second, ""), ended("api", 1, "id3", swarm.TaskComplete, 20*time.Second, ""), ended("api", 1, "id3", swarm.TaskComplete, 10*time.Second, ""), waiting("api", 1, swarm.TaskReady, 10*time.Second, "")), "ended 3 times", ""},
			{"ends in good order, and has a health check", and(of("api", func(sv *swarm.Service) { sv.HasHealthcheck = true }), only(ended("api", 1, "id3", swarm.TaskComplete, 30*time.Second, ""), ended("api", 1, "id3", swarm.TaskComplete, 20*time.Second, ""), ended("api", 1, "id3", swarm.TaskComplete, 10*time.Second, ""), waiting("api", 1, swarm.TaskReady, 10*time.Second, ""))), "which its health check may be behind", ""},
			{"ends by itself and shall not be", and(of("api", func(sv *swarm.Service) { sv.RestartPolicy = "on-failure" }), only(ended("api", 1, "id3", swarm.TaskComplete, 30*time.Second, ""))), "", ""},
			{"an hour ago", tasks(ended("api", 1, "id3", swarm.TaskFailed, time.Hour, ""), ended("api", 1, "id3", swarm.TaskFailed, time.Hour+time.Minute, ""), ended("api", 1, "id3", swarm.TaskFailed, 2*time.Hour, "")), "", ""},
		},
		"SN405": {
			{"preparing for long", only(waiting("api", 1, swarm.TaskPreparing, 6*time.Minute, "")), "0 of 1 task run for more than a minute: api.1 is preparing", ""},
			{"not started again", only(ended("api", 1, "id3", swarm.TaskFailed, 2*time.Minute, "exit")), "api.1 is failed on n3 with exit code 1 and not started again", ""},
			{"preparing", only(waiting("api", 1, swarm.TaskPreparing, 2*time.Minute, "")), "", ""},
			{"waits for its restart delay", only(waiting("api", 1, swarm.TaskReady, time.Hour, "")), "", ""},
			{"done for good", and(of("api", func(sv *swarm.Service) { sv.RestartPolicy = "none" }), only(ended("api", 1, "id3", swarm.TaskComplete, time.Hour, ""))), "", ""},
			{"in an update", and(update("updating"), only(waiting("api", 1, swarm.TaskPreparing, 6*time.Minute, ""))), "", ""},
			{"scaled to none", and(of("api", func(sv *swarm.Service) { sv.Replicas = 0 }), func(s *swarm.Snapshot) { s.Tasks = s.Tasks[:3] }), "", ""},
			{"a job", and(of("api", func(sv *swarm.Service) { sv.Mode = swarm.ReplicatedJob }), only(ended("api", 1, "id3", swarm.TaskComplete, time.Hour, ""))), "", ""},
			{"another rule knows why", only(waiting("api", 1, swarm.TaskNew, 6*time.Minute, "")), "", ""},
		},
		"SN406": {
			{"rolled back", update("rollback_completed"), "rolled back (because)", ""},
			{"being rolled back", update("rollback_started"), "", ""},
			{"rolled back by hand", and(update("rollback_completed"), of("api", func(sv *swarm.Service) { sv.Previous = true })), "", ""},
		},
		"SN407": {
			{"paused", update("paused"), "its update is paused (because)", ""},
			{"roll-back paused", update("rollback_paused"), "its roll-back is paused", ""},
			{"completed", update("completed"), "", ""},
		},
		"SN418": {
			{"no such image", rejected("No such image: api:1"), "n3 cannot get the image api:1: No such image: api:1", ""},
			{"once", only(ended("api", 1, "id3", swarm.TaskRejected, 10*time.Second, "No such image: api:1"), waiting("api", 1, swarm.TaskReady, 10*time.Second, "")), "", ""},
			{"another error", rejected("network xyz not found"), "", ""},
		},
	}
}

func serviceCases() map[string][]ruleCase {
	alias := func(service string, names ...string) func(*swarm.Snapshot) {
		return of(service, func(sv *swarm.Service) { sv.Networks[0].Aliases = names })
	}
	port := func(service string, p swarm.Port) func(*swarm.Snapshot) {
		return of(service, func(sv *swarm.Service) { sv.Ports = append(sv.Ports, p) })
	}
	host80 := swarm.Port{Protocol: "tcp", Target: 80, Published: 80, Mode: "host"}
	to := func(target string) func(*swarm.Snapshot) {
		return of("api", func(sv *swarm.Service) { sv.Networks[0].Target = target })
	}
	image := func(name string) func(*swarm.Snapshot) {
		return of("api", func(sv *swarm.Service) { sv.Image = name })
	}
	return map[string][]ruleCase{
		"SN408": {
			{"two aliases", and(alias("web", "app"), alias("api", "APP")), `2 services answer to the name "app" there, in turns: api, web`, ""},
			{"an alias and a name", alias("web", "api"), `the name "api"`, ""},
			{"its own name", alias("web", "web", "www"), "", ""},
			{"on different networks", and(alias("web", "app"), alias("db", "app")), "", ""},
		},
		"SN409": {
			{"gone, tasks wait", and(to("gone"), only(waiting("api", 1, swarm.TaskNew, time.Minute, ""))), `network "gone", which does not exist`, ""},
			{"gone, tasks say so", and(to("gone"), only(ended("api", 1, "id3", swarm.TaskRejected, time.Minute, "network gone not found"))), `network "gone"`, ""},
			{"the host's", and(to("host1"), only(task("api", 1, "id3", swarm.TaskNetwork{NetworkID: "host1", Predefined: true}))), "", ""},
			{"by its name", to("front"), "", ""},
			{"no task tells", and(to("gone"), func(s *swarm.Snapshot) { s.Tasks = s.Tasks[:3] }), cannotTell + "gone or one that docker does not list", ""},
		},
		"SN410": {
			{"both in the mesh", port("api", swarm.Port{Protocol: "tcp", Target: 81, Published: 8080, Mode: "ingress"}), "port 8080/tcp is published by api, web", ""},
			{"the swarm's own", port("api", swarm.Port{Protocol: "udp", Target: 81, Published: 4789, Mode: "ingress"}), "the swarm itself needs for overlay traffic", ""},
			{"hosts enough", and(port("api", host80), port("db", host80)), "", ""},
			{"hosts too few", and(port("api", host80), port("db", host80), of("db", func(sv *swarm.Service) { sv.Replicas = 3 })), "together 4 tasks on 3 nodes", ""},
			{"tcp and udp", port("api", swarm.Port{Protocol: "udp", Target: 81, Published: 8080, Mode: "ingress"}), "", ""},
		},
		"SN411": {
			{"both", of("web", func(sv *swarm.Service) { sv.EndpointMode = "dnsrr" }), "publishes a port in the routing mesh", ""},
			{"a port of the host", and(of("web", func(sv *swarm.Service) { sv.EndpointMode = "dnsrr"; sv.Ports[0].Mode = "host" })), "", ""},
		},
		"SN412": {
			{"four on three", and(port("api", host80), of("api", func(sv *swarm.Service) { sv.Replicas = 4 })), "4 replicas with port 80 of the host", ""},
			{"three on three, one drained", and(port("api", host80), of("api", func(sv *swarm.Service) { sv.Replicas = 3 }), func(s *swarm.Snapshot) { s.Nodes[0].Availability = "drain" }), "", ""},
			{"a port that the node chooses", and(port("api", swarm.Port{Target: 80, Mode: "host"}), of("api", func(sv *swarm.Service) { sv.Replicas = 4 })), "", ""},
		},
		"SN413": {
			{"a database and a client", image("registry.example:5000/team/postgres:16@sha256:abc"), `1 service on network "front" keep none alive`, ""},
			{"a careful client", and(image("postgres:16"), of("web", func(sv *swarm.Service) { sv.Sysctls = map[string]string{keepalive: "600"} })), "", ""},
			{"without a virtual address", and(image("postgres:16"), of("api", func(sv *swarm.Service) { sv.EndpointMode = "dnsrr" })), "", ""},
		},
		"SN414": {
			{"stop first", of("api", func(sv *swarm.Service) { sv.UpdateOrder = "stop-first" }), "stops its only task", ""},
			{"two replicas", of("web", func(sv *swarm.Service) { sv.UpdateOrder = "stop-first" }), "", ""},
		},
		"SN415": {
			{"none", of("api", func(sv *swarm.Service) { sv.HasHealthcheck = false }), "sets no health check", ""},
			{"a job", of("api", func(sv *swarm.Service) { sv.HasHealthcheck, sv.Mode = false, swarm.ReplicatedJob }), "", ""},
		},
		"SN416": {
			{"missing", of("api", func(sv *swarm.Service) { sv.VIPs = nil }), `no virtual address on network "front", which has addresses free`, ""},
			{"only just updated", of("api", func(sv *swarm.Service) { sv.VIPs, sv.Updated = nil, ago(5*time.Second) }), "", ""},
			{"the network is full", and(of("api", func(sv *swarm.Service) { sv.VIPs = nil }), fill("net1", "web", 0)), `"front", which is full`, ""},
			{"the network was not made", and(of("api", func(sv *swarm.Service) { sv.VIPs = nil }), network("net1", func(n *swarm.Network) { n.Driver = "" })), "", ""},
			{"dnsrr", of("api", func(sv *swarm.Service) { sv.VIPs, sv.EndpointMode = nil, "dnsrr" }), "", ""},
		},
		"SN417": {
			{"none", func(s *swarm.Snapshot) { s.Context = "bare" }, "has no IPVS, so that virtual addresses and the routing mesh stay silent there (of api, web)", ""},
			{"none, and none needed", func(s *swarm.Snapshot) { s.Context = "bare"; s.Services = s.Services[1:2] }, "", ""},
			{"there", func(*swarm.Snapshot) {}, "", ""},
			{"not known", func(s *swarm.Snapshot) { s.Context = "far" }, cannotTell + "where it runs on this machine", ""},
		},
	}
}

func attachmentCases() map[string][]ruleCase {
	c := func(change func(*swarm.Attachment)) func(*swarm.Snapshot) {
		return func(s *swarm.Snapshot) {
			a := container("0123456789abcdef", "id2", "net2", "10.0.2.99/24")
			change(&a)
			s.Attachments = append(s.Attachments, a)
		}
	}
	plain := c(func(*swarm.Attachment) {})
	return map[string][]ruleCase{
		"SN501": {
			{"down", and(plain, func(s *swarm.Snapshot) { s.Nodes[1].State = "down" }), `network "back", and its node n2 is down`, ""},
			{"gone", c(func(a *swarm.Attachment) { a.NodeID = "id9" }), "its node id9 is gone", ""},
			{"there", plain, "", ""},
		},
		"SN502": {
			{"alone", and(more(overlay("net3", "alone", "10.0.3.0/24")), c(func(a *swarm.Attachment) { a.Networks = []swarm.TaskNetwork{on("net3", "10.0.3.4/24")} })), "0123456789ab on n2", ""},
			{"beside services", plain, "", ""},
		},
		"SN503": {
			{"let go long ago", c(func(a *swarm.Attachment) { a.Desired = swarm.TaskShutdown }), `still on network "back" on n2`, ""},
			{"only just let go", c(func(a *swarm.Attachment) { a.Desired, a.Updated = swarm.TaskShutdown, ago(20*time.Second) }), "", ""},
			{"on a node that is down", and(c(func(a *swarm.Attachment) { a.Desired = swarm.TaskShutdown }), func(s *swarm.Snapshot) { s.Nodes[1].State = "down" }), "", ""},
		},
	}
}

func inputFor(s *swarm.Snapshot) Input {
	in := Input{Snapshots: []*swarm.Snapshot{s}, Kernels: map[string]Kernel{"prod": {IPVS: true}, "bare": {}}}
	l := newLook(s, Input{})
	for _, n := range l.overlays() {
		for i := range n.Subnets {
			n.Subnets[i].Reported = &swarm.Reported{InUse: uint64(l.usage(n).InUse.Total())} //nolint:gosec // a count
		}
	}
	return in
}

func TestRulesOnTheirOwn(t *testing.T) {
	all := cases()
	for _, rule := range Rules() {
		fires, content := false, false
		for _, tc := range all[rule.Code] {
			t.Run(rule.Code+" "+tc.doc, func(t *testing.T) {
				s := healthy()
				tc.change(s)
				r := Run(inputFor(s), []Rule{rule})
				if why, unknown := strings.CutPrefix(tc.want, cannotTell); unknown {
					assert.Check(t, is.Len(r.Findings, 0))
					assert.Assert(t, is.Len(r.Unknown, 1))
					assert.Check(t, is.Contains(r.Unknown[0].Why, why))
					return
				}
				if tc.want == "" {
					content = true
					assert.Check(t, is.Len(r.Findings, 0), "%+v", r.Findings)
					return
				}
				fires = true
				assert.Assert(t, len(r.Findings) > 0, "unknown: %+v", r.Unknown)
				f := r.Findings[0]
				assert.Check(t, is.Contains(f.Text, tc.want))
				want := rule.Severity
				if tc.as != "" {
					want = tc.as
				}
				assert.Check(t, is.Equal(f.Severity, want))
				assert.Check(t, f.Object != "" && f.Kind != "" && f.Next != "", "%+v", f)
				assert.Check(t, !strings.HasSuffix(f.Text, "."))
			})
		}
		assert.Check(t, content, "%s is nowhere content", rule.Code)
		// These two fire in tests of their own, since they need more than one look.
		assert.Check(t, fires || slices.Contains([]string{"SN203", "SN205"}, rule.Code), "%s fires nowhere", rule.Code)
	}
}

// What was not read is unknown: no rule guesses.
func TestRulesCannotTellWhatWasNotRead(t *testing.T) {
	for _, rule := range Rules() {
		for _, part := range rule.Reads {
			s := healthy()
			in := inputFor(s)
			switch part {
			case ReadsEngine:
				continue // a look without it is none
			case ReadsKernel:
				in.Kernels = nil
			case ReadsStatus:
				for i := range s.Networks {
					for j := range s.Networks[i].Subnets {
						s.Networks[i].Subnets[j].Reported = nil
					}
				}
			default:
				s.Unread = append(s.Unread, swarm.Unread{What: part, Err: errors.New("refused")})
			}
			if rule.across != nil {
				other := healthy()
				other.Context = "other"
				in.Snapshots = append(in.Snapshots, other)
			}
			r := Run(in, []Rule{rule})
			assert.Check(t, is.Len(r.Findings, 0), "%s without %s", rule.Code, part)
			assert.Assert(t, is.Len(r.Unknown, 1), "%s without %s", rule.Code, part)
			assert.Check(t, r.Unknown[0].Why != "")
		}
	}
}

func TestRulesOfAWorkerCannotTell(t *testing.T) {
	s := healthy()
	s.Cluster.Manager = false
	for _, u := range Run(Input{Snapshots: []*swarm.Snapshot{s}, Kernels: map[string]Kernel{"prod": {}}}, Rules()).Unknown {
		assert.Check(t, strings.Contains(u.Why, "not a manager") || u.Rule.Code == "SN203", "%s: %s", u.Rule.Code, u.Why)
	}
}

func TestHealthySwarmHasNoFindings(t *testing.T) {
	s := healthy()
	r := Run(inputFor(s), Rules())
	assert.Check(t, is.Len(r.Findings, 0), "%+v", r.Findings)
	assert.Check(t, is.Len(r.Unknown, 0), "%+v", r.Unknown)
	assert.Check(t, is.Equal(r.Rules, len(Rules())-1), "all but the one for several swarms")
}

func TestAddressesLeaked(t *testing.T) {
	rule, _ := RuleOf("SN203")
	in := inputFor(healthy())
	in.Snapshots[0].Networks[2].Subnets[0].Reported.InUse += 3
	r := Run(in, []Rule{rule})
	assert.Assert(t, is.Len(r.Findings, 1))
	assert.Check(t, is.Equal(r.Findings[0].Object, "back"))
	assert.Check(t, is.Contains(r.Findings[0].Text, "3 addresses in use and nobody has them"))
}

func TestOverlapAcrossSwarms(t *testing.T) {
	rule, _ := RuleOf("SN205")
	east, west := healthy(), healthy()
	east.Context, west.Context = "east", "west"
	west.Networks = west.Networks[:2]
	for i := range west.Networks {
		west.Networks[i].ID += "-west"
	}
	r := Run(Input{Snapshots: []*swarm.Snapshot{east, west}}, []Rule{rule})
	assert.Assert(t, is.Len(r.Findings, 1))
	assert.Check(t, is.Equal(r.Findings[0].Text, `2 blocks are used in this swarm and in "west", such as network "front" (10.0.1.0/24) and network "front" (10.0.1.0/24)`))
	west.Networks = west.Networks[:1]
	r = Run(Input{Snapshots: []*swarm.Snapshot{east, west}}, []Rule{rule})
	assert.Check(t, is.Equal(r.Findings[0].Text, `1 block is used in this swarm and in "west", such as network "ingress" (10.0.0.0/24) and network "ingress" (10.0.0.0/24)`))
	west.Networks = nil
	assert.Check(t, is.Len(Run(Input{Snapshots: []*swarm.Snapshot{east, west}}, []Rule{rule}).Findings, 0))
}
