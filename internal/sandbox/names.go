package sandbox

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

const (
	// DefaultName is the sandbox that is meant when none is named.
	DefaultName = "sandbox"
	// MaxNodes leaves room in the /24 of a sandbox, whose nodes begin at .11;
	// a machine would give out long before.
	MaxNodes = 32
	// firstNode is what the host part of the first node's address follows.
	firstNode = 10
	// maxNameLen keeps NAME-n32 well within a hostname's 63 characters and
	// the path of its socket within the 108 bytes of sun_path (unix(7)).
	maxNameLen = 30
)

// ValidateName says whether a sandbox may have that name. It becomes part of
// hostnames and of names of docker contexts.
func ValidateName(name string) error {
	switch {
	case len(name) > maxNameLen:
		return problem.New("sandbox name %q is longer than %d characters", name, maxNameLen).WithCode(problem.Usage)
	case !regexp.MustCompile(`^[a-z0-9][a-z0-9-]*[a-z0-9]$`).MatchString(name):
		return problem.New("sandbox name %q: only a-z, 0-9 and inner hyphens are possible, two characters at least", name).
			WithCode(problem.Usage)
	case regexp.MustCompile(`-n[0-9]+$`).MatchString(name):
		return problem.New("sandbox name %q looks like the name of a node; choose one that does not end in -n and a number", name).
			WithCode(problem.Usage)
	case name == "default":
		return problem.New(`a sandbox cannot be named "default", the name of docker's own context`).WithCode(problem.Usage)
	}
	return nil
}

// nodesOf returns the nodes of a new sandbox: names and addresses only. With
// short they call themselves n1, n2, … instead of by the names of their contexts.
func nodesOf(name string, subnet netip.Prefix, count int, short bool) []*Node {
	nodes := make([]*Node, count)
	base := subnet.Masked().Addr().As4()
	for i := range nodes {
		addr := base
		addr[3] += byte(firstNode + i + 1)
		n := &Node{Hostname: "n" + strconv.Itoa(i+1), Address: netip.AddrFrom4(addr)}
		n.Name = name + "-" + n.Hostname
		if !short {
			n.Hostname = n.Name
		}
		nodes[i] = n
	}
	return nodes
}

// pools are where a sandbox's subnet is looked for, in this order: parts of
// the private ranges that few networks use, and last the range for benchmarks
// (RFC 2544), for machines that route all of 10.0.0.0/8 somewhere.
func pools() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.97.0.0/16"),
		netip.MustParsePrefix("172.31.0.0/16"),
		netip.MustParsePrefix("198.18.0.0/16"),
	}
}

// chooseSubnet returns the first /24 of the pools that overlaps none of taken.
func chooseSubnet(pools, taken []netip.Prefix) (netip.Prefix, error) {
	for _, pool := range pools {
		base := pool.Masked().Addr().As4()
		for i := range 256 {
			base[2] = byte(i)
			candidate := netip.PrefixFrom(netip.AddrFrom4(base), 24)
			if !overlapsAny(candidate, taken) {
				return candidate, nil
			}
		}
	}
	return netip.Prefix{}, fmt.Errorf("no free /24 in %v: the machine's own addresses and routes overlap all of them", pools)
}

func overlapsAny(p netip.Prefix, taken []netip.Prefix) bool {
	for _, t := range taken {
		if t.Bits() > 0 && p.Overlaps(t) {
			return true
		}
	}
	return false
}
