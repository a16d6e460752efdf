package addr

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// What a swarm cuts networks from unless told otherwise at "swarm init" (moby
// libnetwork/ipamutils).
const (
	DefaultPool = "10.0.0.0/8"
	DefaultBits = 24
)

// SmallestBits is the longest prefix a network can usefully have. A /29 leaves
// five addresses: a virtual address, a task and its node's load balancer take
// three. A /30 leaves one.
const SmallestBits = 29

// Request asks for a free block.
type Request struct {
	// Pools are the ranges to cut from, tried in this order.
	Pools []netip.Prefix
	// Bits is the prefix length of the block.
	Bits int
}

// DefaultRequest is what the swarm itself would cut a network from.
func DefaultRequest(s *swarm.Snapshot) Request {
	r := Request{Bits: cmp.Or(s.Cluster.SubnetSize, DefaultBits)}
	for _, p := range s.Cluster.DefaultAddrPool {
		if p = canonical(p); p.IsValid() {
			r.Pools = append(r.Pools, p)
		}
	}
	if len(r.Pools) == 0 {
		r.Pools = []netip.Prefix{netip.MustParsePrefix(DefaultPool)}
	}
	return r
}

// Choose returns the lowest free block of a pool, the pools in the order they
// are given. Ranges that are only presumed to be in use are kept free as long
// as there is another block.
func Choose(r Request, t *Taken) (netip.Prefix, error) {
	if err := r.validate(); err != nil {
		return netip.Prefix{}, err
	}
	for _, likely := range []bool{true, false} {
		taken := t.Set(likely)
		for _, pool := range r.Pools {
			if p, ok := lowest(free(pool, taken), r.Bits); ok {
				return p, nil
			}
		}
	}
	return netip.Prefix{}, r.full(t)
}

// Shared returns the request whose blocks lie in a pool of every request, for
// one block that is to be the same in several swarms. The size is that of the
// first.
func Shared(requests ...Request) (Request, error) {
	if len(requests) == 0 {
		return Request{}, problem.New("no pool to choose a subnet from")
	}
	common := poolSet(requests[0].Pools)
	for _, r := range requests[1:] {
		var b netipx.IPSetBuilder
		b.AddSet(common)
		b.Intersect(poolSet(r.Pools))
		common = built(&b)
	}
	if len(common.Prefixes()) == 0 {
		return Request{}, problem.New("the address pools of the swarms have nothing in common").
			WithNext("Choose a range that all of them may use with --pool.")
	}
	return Request{Pools: common.Prefixes(), Bits: requests[0].Bits}, nil
}

// BlocksLeft counts how many networks of the request's size are still free in
// its pools, at most math.MaxInt. Presumed ranges count as free.
func BlocksLeft(r Request, t *Taken) int {
	var n uint64
	var b netipx.IPSetBuilder
	for _, pool := range r.Pools {
		b.AddPrefix(canonical(pool))
	}
	b.RemoveSet(t.Set(false))
	for _, p := range built(&b).Prefixes() {
		if p.Bits() > r.Bits {
			continue
		}
		shift := r.Bits - p.Bits()
		if shift >= 63 || n > math.MaxInt64-(uint64(1)<<shift) {
			return math.MaxInt
		}
		n += uint64(1) << shift
	}
	return int(min(n, math.MaxInt))
}

func (r Request) validate() error {
	if len(r.Pools) == 0 {
		return problem.New("no pool to choose a subnet from").WithNext("Name one with --pool or the subnet with --subnet.")
	}
	for _, p := range r.Pools {
		switch {
		case !p.IsValid():
			return problem.New("the pool to choose a subnet from is not valid").WithCode(problem.Usage)
		case r.Bits < p.Bits():
			return problem.New("a /%d does not fit in the pool %s", r.Bits, p).
				WithNext("Choose a size of /%d or longer, or a larger pool with --pool.", p.Bits()).WithCode(problem.Usage)
		case r.Bits > p.Addr().BitLen():
			return problem.New("a size of /%d is longer than an address of the pool %s", r.Bits, p).WithCode(problem.Usage)
		}
	}
	return nil
}

// full says why there is no block: what is taken, and what would still fit.
func (r Request) full(t *Taken) error {
	var pools []string
	var best netip.Prefix
	var holders []Owner
	for _, pool := range r.Pools {
		pools = append(pools, pool.String())
		for _, p := range free(pool, t.Set(false)).Prefixes() {
			if !best.IsValid() || p.Bits() < best.Bits() {
				best = p
			}
		}
		for _, o := range t.Conflicts(pool) {
			if !slices.ContainsFunc(holders, func(h Owner) bool { return h == o }) {
				holders = append(holders, o)
			}
		}
	}
	e := problem.New("no free /%d in %s: %s", r.Bits, strings.Join(pools, ", "), someOf(holders, 4))
	switch {
	case best.IsValid() && best.Addr().Is4() && best.Bits() <= SmallestBits:
		return e.WithNext("The largest free block is %s: use --size %d, or another range with --pool.", best, best.Bits())
	default:
		return e.WithNext("Choose another range with --pool.")
	}
}

// someOf names the first owners and counts the rest.
func someOf(owners []Owner, n int) string {
	if len(owners) == 0 {
		return "nothing of it is usable"
	}
	names := make([]string, 0, n)
	for _, o := range owners[:min(n, len(owners))] {
		names = append(names, o.String())
	}
	s := "taken by " + strings.Join(names, ", ")
	if more := len(owners) - n; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

func poolSet(pools []netip.Prefix) *netipx.IPSet {
	var b netipx.IPSetBuilder
	for _, p := range pools {
		b.AddPrefix(canonical(p))
	}
	return built(&b)
}

func free(pool netip.Prefix, taken *netipx.IPSet) *netipx.IPSet {
	var b netipx.IPSetBuilder
	b.AddPrefix(canonical(pool))
	b.RemoveSet(taken)
	return built(&b)
}

// lowest returns the lowest block of the given prefix length in a set. The
// set's prefixes are sorted and each is the largest aligned block around its
// addresses, so every aligned block of the set lies inside one of them.
func lowest(s *netipx.IPSet, bits int) (netip.Prefix, bool) {
	for _, p := range s.Prefixes() {
		if p.Bits() <= bits {
			return netip.PrefixFrom(p.Addr(), bits), true
		}
	}
	return netip.Prefix{}, false
}
