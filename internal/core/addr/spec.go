package addr

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Wanted are the addresses of a network as a user writes them.
type Wanted struct {
	Subnets  []string
	Gateways []string
	IPRanges []string
	Aux      map[string]string
}

// Parse checks what a user wants and returns it as subnets, in the order
// written. All that is wrong is told at once.
func (w Wanted) Parse() ([]swarm.Subnet, error) {
	p := &parser{}
	for _, s := range w.Subnets {
		p.subnet(s)
	}
	if len(w.Subnets) == 0 && len(w.Gateways)+len(w.IPRanges) > 0 {
		p.wrong("a gateway or an ip-range needs the --subnet it lies in")
	} else {
		for _, r := range w.IPRanges {
			p.ipRange(r)
		}
		for _, g := range w.Gateways {
			p.gateway(g)
		}
	}
	if len(w.Aux) > 0 {
		// moby daemon/cluster/convert/network.go copies subnet, range and
		// gateway only, and swarmkit's allocator never looks at reserved
		// addresses: tasks would be given them all the same.
		p.wrong("a swarm does not keep --aux-address (%s) free: it gives the address to a task all the same; use --ip-range to leave addresses out",
			strings.Join(slices.Sorted(maps.Keys(w.Aux)), ", "))
	}
	if len(p.problems) > 0 {
		return nil, problem.Join("the addresses of the network cannot be used", p.problems).WithCode(problem.Usage)
	}
	return p.subnets, nil
}

type parser struct {
	subnets  []swarm.Subnet
	problems []string
	bad      bool // a subnet was left out, so that others cannot be matched
}

func (p *parser) wrong(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

func (p *parser) subnet(s string) {
	prefix, err := ParsePrefix(s)
	if err != nil {
		p.bad = true
		p.wrong("subnet %s", err)
		return
	}
	switch {
	case !prefix.Addr().Is4():
		p.wrong("subnet %s is IPv6: a swarm gives its tasks IPv4 addresses only (moby#24379)", prefix)
	case prefix.Bits() > SmallestBits:
		p.wrong("subnet %s is too small: the longest prefix that holds a virtual address, a task and a load balancer is /%d", prefix, SmallestBits)
	case prefix.Bits() < 1 || prefix.Addr().IsUnspecified():
		// Since 29.0 such a subnet asks for any block of its size (moby ea0d934ff2).
		p.wrong("subnet %s is no block of addresses: use --size %d to have a free one chosen", prefix, max(prefix.Bits(), 8))
	case prefix.Addr().IsLoopback(), prefix.Addr().IsMulticast(), prefix.Addr().IsLinkLocalUnicast():
		p.wrong("subnet %s is reserved for other uses", prefix)
	default:
		for _, other := range p.subnets {
			if other.Prefix.Overlaps(prefix) {
				p.wrong("subnet %s overlaps subnet %s of the same network", prefix, other.Prefix)
			}
		}
	}
	p.subnets = append(p.subnets, swarm.Subnet{Prefix: prefix})
}

func (p *parser) ipRange(s string) {
	r, err := ParsePrefix(s)
	if err != nil {
		p.wrong("ip-range %s", err)
		return
	}
	i := p.around(r.Addr())
	switch {
	case i < 0 && !p.bad:
		p.wrong("ip-range %s lies in no subnet of the network", r)
	case i < 0:
	case r.Bits() < p.subnets[i].Prefix.Bits():
		p.wrong("ip-range %s is larger than the subnet %s", r, p.subnets[i].Prefix)
	case p.subnets[i].IPRange.IsValid():
		p.wrong("subnet %s has two ip-ranges, %s and %s", p.subnets[i].Prefix, p.subnets[i].IPRange, r)
	default:
		p.subnets[i].IPRange = r
		if free := count(r) - reservedIn(p.subnets[i].Prefix, r); free < smallest {
			p.wrong("ip-range %s is too small: a virtual address, a task and a load balancer need %d addresses, and the gateway one more if none is given", r, smallest-1)
		}
	}
}

func (p *parser) gateway(s string) {
	g, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil {
		p.wrong("gateway %q is not an IP address", s)
		return
	}
	g = g.Unmap()
	i := p.around(g)
	switch {
	case i < 0 && !p.bad:
		p.wrong("gateway %s lies in no subnet of the network", g)
	case i < 0:
	case p.subnets[i].Gateway.IsValid():
		p.wrong("subnet %s has two gateways, %s and %s", p.subnets[i].Prefix, p.subnets[i].Gateway, g)
	case reserved(p.subnets[i].Prefix, g):
		p.wrong("gateway %s is the network or broadcast address of %s", g, p.subnets[i].Prefix)
	default:
		p.subnets[i].Gateway = g
	}
}

// around returns the subnet that holds an address, -1 if none does.
func (p *parser) around(a netip.Addr) int {
	return slices.IndexFunc(p.subnets, func(s swarm.Subnet) bool { return s.Prefix.Contains(a) })
}

// ParsePrefix reads a block of addresses. Unlike Docker it refuses a block
// with host bits set: 10.0.0.7/24 is a mistake as often as it is 10.0.0.0/24.
func ParsePrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(strings.TrimSpace(s))
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not a block of addresses such as 10.5.0.0/24", s)
	}
	masked := canonical(p)
	if canonical(netip.PrefixFrom(p.Addr(), p.Addr().BitLen())).Addr() != masked.Addr() {
		return netip.Prefix{}, fmt.Errorf("%s has host bits set: did you mean %s?", p, masked)
	}
	return masked, nil
}

// ParseSize reads a prefix length, "/22" or "22", of an IPv4 network.
func ParseSize(s string) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(s), "/"))
	if err != nil || n < 8 || n > SmallestBits {
		return 0, problem.New("a size of %q cannot be used: it is a prefix length from /8 to /%d", s, SmallestBits).WithCode(problem.Usage)
	}
	return n, nil
}
