// Package ports knows which ports the nodes of a swarm must reach on each
// other, and says it in the words of the common firewalls.
package ports

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// The ports of a swarm that are the same everywhere (Docker's manual, "Open
// protocols and ports between the hosts"), and the defaults of the two that a
// swarm can choose.
const (
	gossipPort       = 7946
	defaultAPIPort   = 2377 // the port of --listen-addr of a manager
	defaultVXLANPort = 4789 // --data-path-port of "swarm init"
)

// ESP is the protocol of encrypted overlay networks: IP protocol 50, which has
// no ports.
const ESP = "esp"

// Host is a node with the address that it has in the swarm.
type Host struct {
	ID   string
	Name string
	Addr netip.Addr
}

// Rule is traffic that must pass from every host of From to every host of To.
type Rule struct {
	Port     int    // 0 for ESP
	Protocol string // "tcp", "udp", "sctp", ESP
	From, To Group
	Purpose  string
}

// Group is a set of hosts under a name.
type Group struct {
	Name  string // "all nodes", "managers", "anywhere"
	Hosts []Host // empty for anywhere
}

// String is the rule's port as docker writes it: "7946/tcp", "esp".
func (r Rule) String() string {
	if r.Port == 0 {
		return r.Protocol
	}
	return strconv.Itoa(r.Port) + "/" + r.Protocol
}

// Needs is what the nodes of one swarm need.
type Needs struct {
	// Rules is the traffic between the nodes.
	Rules []Rule
	// Published is the traffic to the published ports of services. The engine
	// forwards it before a firewall's rules for incoming traffic see it.
	Published []Rule
	// Unknown are nodes whose address the swarm does not tell. No rule covers
	// them.
	Unknown []string
}

// Of returns what the nodes of a swarm need. ESP is among the rules when the
// swarm has an encrypted network, or when encrypted says that it will.
func Of(s *swarm.Snapshot, encrypted bool) Needs {
	var n Needs
	all := Group{Name: "all nodes"}
	managers := map[int][]Host{}
	for _, node := range s.Nodes {
		addr, ok := AddressOf(node)
		if !ok {
			n.Unknown = append(n.Unknown, text.Clean(cmp.Or(node.Hostname, node.ID)))
			continue
		}
		h := Host{ID: node.ID, Name: text.Clean(cmp.Or(node.Hostname, node.ID)), Addr: addr}
		all.Hosts = append(all.Hosts, h)
		if node.Role == "manager" {
			port := managerPort(node)
			managers[port] = append(managers[port], h)
		}
	}
	sortHosts(all.Hosts)
	slices.Sort(n.Unknown)
	for _, port := range slices.Sorted(maps.Keys(managers)) {
		sortHosts(managers[port])
		n.Rules = append(n.Rules, Rule{
			Port: port, Protocol: "tcp", From: all, To: Group{Name: "managers", Hosts: managers[port]},
			Purpose: "joining and managing the swarm",
		})
	}
	n.Rules = append(n.Rules,
		Rule{Port: gossipPort, Protocol: "tcp", From: all, To: all, Purpose: "gossip of nodes, names and addresses"},
		Rule{Port: gossipPort, Protocol: "udp", From: all, To: all, Purpose: "gossip of nodes, names and addresses"},
		Rule{
			Port: cmp.Or(s.Cluster.DataPathPort, defaultVXLANPort), Protocol: "udp", From: all, To: all,
			Purpose: "overlay traffic (VXLAN)",
		},
	)
	if names := encryptedNetworks(s); len(names) > 0 || encrypted {
		purpose := "encrypted overlay traffic (IP protocol 50)"
		if len(names) > 0 {
			purpose += ": " + strings.Join(names, ", ")
		}
		n.Rules = append(n.Rules, Rule{Protocol: ESP, From: all, To: all, Purpose: purpose})
	}
	n.Published = published(s, all)
	return n
}

// AddressOf returns the address other nodes know a node by. A manager may tell
// 0.0.0.0 or a loopback address of itself, and its true one only beside the
// port of its API (moby#27647).
func AddressOf(n swarm.Node) (netip.Addr, bool) {
	candidates := []string{n.Addr}
	if ap, err := netip.ParseAddrPort(n.ManagerAddr); err == nil {
		candidates = append(candidates, ap.Addr().String())
	}
	for _, c := range candidates {
		a, err := netip.ParseAddr(c)
		if err == nil && !a.IsUnspecified() && !a.IsLoopback() {
			return a.Unmap().WithZone(""), true
		}
	}
	return netip.Addr{}, false
}

// managerPort returns the port that a manager listens on, which its
// --listen-addr may have changed.
func managerPort(n swarm.Node) int {
	if ap, err := netip.ParseAddrPort(n.ManagerAddr); err == nil && ap.Port() != 0 {
		return int(ap.Port())
	}
	return defaultAPIPort
}

func encryptedNetworks(s *swarm.Snapshot) []string {
	var names []string
	for _, n := range s.Networks {
		if n.Overlay() && n.Encrypted() {
			names = append(names, text.Clean(n.Name))
		}
	}
	slices.Sort(names)
	return names
}

// published returns the ports that services publish: those of the routing mesh
// answer on every node, those in host mode on the nodes that run a task. A
// port in host mode that the node chose stands in the task only.
func published(s *swarm.Snapshot, all Group) []Rule {
	var rules []Rule
	for _, sv := range s.Services {
		name := text.Clean(sv.Name)
		for _, p := range sv.Ports {
			switch {
			case p.Mode != "host" && p.Published != 0:
				rules = append(rules, publishedRule(p, all, "service "+name+", routing mesh"))
			case p.Mode == "host":
				rules = append(rules, hostMode(s, sv, p, all)...)
			}
		}
	}
	slices.SortStableFunc(rules, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Purpose, b.Purpose))
	})
	return rules
}

func publishedRule(p swarm.Port, to Group, purpose string) Rule {
	return Rule{Port: int(p.Published), Protocol: p.Protocol, From: Group{Name: "anywhere"}, To: to, Purpose: purpose}
}

func hostMode(s *swarm.Snapshot, sv swarm.Service, p swarm.Port, all Group) []Rule {
	nodes := map[uint32]map[string]bool{}
	if p.Published != 0 {
		nodes[p.Published] = map[string]bool{}
	}
	for _, t := range s.TasksOf(sv.ID) {
		if t.State != swarm.TaskRunning {
			continue
		}
		for _, port := range append(t.Ports, p) {
			if port.Target != p.Target || port.Protocol != p.Protocol || port.Published == 0 {
				continue
			}
			if nodes[port.Published] == nil {
				nodes[port.Published] = map[string]bool{}
			}
			nodes[port.Published][t.NodeID] = true
		}
	}
	var rules []Rule
	for _, port := range slices.Sorted(maps.Keys(nodes)) {
		to := Group{Name: "nodes with a task"}
		for _, h := range all.Hosts {
			if nodes[port][h.ID] {
				to.Hosts = append(to.Hosts, h)
			}
		}
		p.Published = port
		rules = append(rules, publishedRule(p, to, "service "+text.Clean(sv.Name)+", host mode"))
	}
	return rules
}

func sortHosts(hosts []Host) {
	slices.SortFunc(hosts, func(a, b Host) int { return cmp.Or(a.Addr.Compare(b.Addr), cmp.Compare(a.Name, b.Name)) })
}
