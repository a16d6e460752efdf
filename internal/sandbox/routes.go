package sandbox

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"net"
	"net/netip"
	"os"
	"strings"
)

// takenPrefixes returns what the machine itself uses: the addresses of its
// links and the destinations of its routes. What cannot be read is left out.
func takenPrefixes() []netip.Prefix {
	var taken []netip.Prefix
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			taken = append(taken, p.Masked())
		}
	}
	routes, _ := os.ReadFile("/proc/net/route")
	return append(taken, parseRoutes(string(routes))...)
}

// parseRoutes reads /proc/net/route, whose addresses are hexadecimal numbers
// in the machine's byte order (proc(5)). Default routes are left out.
func parseRoutes(table string) []netip.Prefix {
	var routes []netip.Prefix
	for _, line := range strings.Split(table, "\n") {
		f := strings.Fields(line)
		if len(f) < 8 {
			continue
		}
		dest, err1 := hexAddr(f[1])
		mask, err2 := hexAddr(f[7])
		if err1 != nil || err2 != nil || mask == [4]byte{} {
			continue
		}
		ones := bits.OnesCount32(binary.BigEndian.Uint32(mask[:]))
		routes = append(routes, netip.PrefixFrom(netip.AddrFrom4(dest), ones).Masked())
	}
	return routes
}

func hexAddr(s string) ([4]byte, error) {
	var a [4]byte
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != 4 {
		return a, os.ErrInvalid
	}
	binary.BigEndian.PutUint32(a[:], binary.NativeEndian.Uint32(raw))
	return a, nil
}
