package ports

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// Firewalls are the names that Script knows.
func Firewalls() []string { return []string{"ufw", "firewalld", "nftables", "iptables"} }

// CheckFirewall returns the error for a name that Script does not know.
func CheckFirewall(name string) error {
	if slices.Contains(Firewalls(), name) {
		return nil
	}
	return &problem.Error{
		Msg:  fmt.Sprintf("no rules for a firewall named %q", name),
		Next: "Choose one of: table, " + strings.Join(Firewalls(), ", ") + ".",
		Code: problem.Usage,
	}
}

// Script returns the commands that let the traffic of n in, in the words of a
// firewall. They are for a root shell on the nodes; each block says on which.
// Traffic is let in from the swarm's own nodes alone: whoever can send to the
// VXLAN port of a node can send into its overlay networks
// (GHSA-vwm3-crmr-xfxw).
func Script(firewall string, n Needs) (string, error) {
	if err := CheckFirewall(firewall); err != nil {
		return "", err
	}
	write := map[string]func(*strings.Builder, []Rule){
		"ufw": ufw, "firewalld": firewalld, "nftables": nftables, "iptables": iptables,
	}[firewall]
	var b strings.Builder
	onAll, onManagers := split(n.Rules)
	if firewall == "iptables" {
		b.WriteString("# These rules last until the next boot; 'netfilter-persistent save' keeps them.\n")
	}
	if firewall == "nftables" {
		// Its chain is flushed first, so that all rules come in one block.
		block(&b, write, "every manager", append(onAll[:len(onAll):len(onAll)], onManagers...))
		if workers(n.Rules) {
			block(&b, write, "every worker", onAll)
		}
	} else {
		block(&b, write, "every node", onAll)
		block(&b, write, "every manager, besides", onManagers)
	}
	publishedNotes(&b, n.Published)
	for _, u := range n.Unknown {
		fmt.Fprintf(&b, "\n# The swarm does not tell the address of node %s: add it by hand.\n", u)
	}
	return b.String(), nil
}

// split parts the rules for all nodes from those for managers alone.
func split(rules []Rule) (onAll, onManagers []Rule) {
	for _, r := range rules {
		if r.To.Name == r.From.Name {
			onAll = append(onAll, r)
		} else {
			onManagers = append(onManagers, r)
		}
	}
	return onAll, onManagers
}

func block(b *strings.Builder, write func(*strings.Builder, []Rule), where string, rules []Rule) {
	if len(rules) == 0 {
		return
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "# On %s%s:\n", where, names(rules))
	write(b, rules)
}

// names lists the managers where a block is for managers.
func names(rules []Rule) string {
	var list []string
	for _, r := range rules {
		if r.To.Name == r.From.Name {
			continue
		}
		for _, h := range r.To.Hosts {
			list = append(list, h.Name)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return " (" + strings.Join(list, ", ") + ")"
}

// workers tells whether some node is not a manager.
func workers(rules []Rule) bool {
	all, managers := 0, 0
	for _, r := range rules {
		if r.To.Name == r.From.Name {
			all = len(r.To.Hosts)
		} else {
			managers += len(r.To.Hosts)
		}
	}
	return managers < all
}

// ufw takes one rule per source address, and knows ESP by name.
func ufw(b *strings.Builder, rules []Rule) {
	for _, r := range rules {
		for _, h := range r.From.Hosts {
			if r.Protocol == ESP {
				fmt.Fprintf(b, "ufw allow proto esp from %s comment 'swarm esp from %s'\n", h.Addr, shellSafe(h.Name))
				continue
			}
			fmt.Fprintf(b, "ufw allow proto %s from %s to any port %d comment 'swarm %s from %s'\n", r.Protocol, h.Addr, r.Port, r, shellSafe(h.Name))
		}
	}
}

// firewalld gets every rule twice, for now and for after a restart, instead of
// a reload: a reload drops the rules of published ports, which engines before
// 25.0.13 and 29.0 do not put back (moby#50443).
func firewalld(b *strings.Builder, rules []Rule) {
	b.WriteString("allow() { firewall-cmd -q --add-rich-rule=\"$1\" && firewall-cmd -q --permanent --add-rich-rule=\"$1\"; }\n")
	for _, r := range rules {
		for _, h := range r.From.Hosts {
			what := fmt.Sprintf(`port port="%d" protocol="%s"`, r.Port, r.Protocol)
			if r.Protocol == ESP {
				what = `protocol value="esp"`
			}
			fmt.Fprintf(b, "allow 'rule family=\"ipv%d\" source address=\"%s\" %s accept'\n", family(h.Addr), h.Addr, what)
		}
	}
}

// nftables puts the rules in a chain of their own, that the chain for incoming
// packets jumps to. A table of our own would not do: what it accepts another
// table may still drop.
func nftables(b *strings.Builder, rules []Rule) {
	b.WriteString(`# ("inet filter input" is the chain of the usual /etc/nftables.conf; a table of its own
# would not help, since what one table accepts another may still drop. The rules last
# until the next boot; add the lines between EOF and EOF to that file to keep them.)
nft -f - <<'EOF'
add chain inet filter swarmnet
flush chain inet filter swarmnet
`)
	for _, r := range rules {
		what := fmt.Sprintf("%s dport %d", r.Protocol, r.Port)
		for _, f := range []int{4, 6} {
			addrs := of(r.From.Hosts, f)
			if len(addrs) == 0 {
				continue
			}
			if r.Protocol == ESP {
				what = "meta l4proto esp"
			}
			family := map[int]string{4: "ip", 6: "ip6"}[f]
			fmt.Fprintf(b, "add rule inet filter swarmnet %s saddr { %s } %s accept\n", family, strings.Join(addrs, ", "), what)
		}
	}
	b.WriteString("insert rule inet filter input jump swarmnet\nEOF\n")
}

// iptables skips rules that are there already, so that the commands can be run
// again when a node has joined.
func iptables(b *strings.Builder, rules []Rule) {
	for _, f := range []int{4, 6} {
		command := map[int]string{4: "iptables", 6: "ip6tables"}[f]
		defined := false
		for _, r := range rules {
			for _, a := range of(r.From.Hosts, f) {
				if !defined {
					fmt.Fprintf(b, "allow() { %[1]s -C INPUT \"$@\" -j ACCEPT 2>/dev/null || %[1]s -I INPUT \"$@\" -j ACCEPT; }\n", command)
					defined = true
				}
				if r.Protocol == ESP {
					fmt.Fprintf(b, "allow -s %s -p esp\n", a)
					continue
				}
				fmt.Fprintf(b, "allow -s %s -p %s --dport %d\n", a, r.Protocol, r.Port)
			}
		}
	}
}

// publishedNotes says what is left to do for published ports. On the nodes it
// is nothing: the engine's own rules forward such packets before they reach
// the rules for incoming traffic that all the firewalls above write.
func publishedNotes(b *strings.Builder, rules []Rule) {
	if len(rules) == 0 {
		return
	}
	b.WriteString("\n# Published ports: the engine opens them on the nodes itself. Open them where\n# packets pass before a node, such as the security groups of a cloud:\n")
	for _, r := range rules {
		fmt.Fprintf(b, "#   %s to %s (%s)\n", r, r.To.Name, r.Purpose)
	}
}

func of(hosts []Host, f int) []string {
	var out []string
	for _, h := range hosts {
		if family(h.Addr) == f {
			out = append(out, h.Addr.String())
		}
	}
	return out
}

func family(a netip.Addr) int {
	if a.Is4() {
		return 4
	}
	return 6
}

// shellSafe keeps of a node's name what cannot end a quoted word of a shell:
// the name comes from the swarm, and the commands are run by root.
func shellSafe(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.', r == '_':
			return r
		default:
			return '_'
		}
	}, s)
}
