package check

import (
	"slices"
	"strconv"
	"strings"
)

// version is an engine's version, without what a distribution or a release
// candidate adds: "20.10.24+dfsg1" is 20.10.24.
type version [3]int

// parseVersion reads a version; ok is false for what is none, such as "dev".
func parseVersion(s string) (v version, ok bool) {
	if end := strings.IndexAny(s, "-+~ "); end >= 0 {
		s = s[:end]
	}
	parts := strings.Split(strings.TrimPrefix(s, "v"), ".")
	if len(parts) != len(v) {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil {
			return v, false
		}
		v[i] = n
	}
	return v, true
}

func (v version) compare(o version) int { return slices.Compare(v[:], o[:]) }

// between tells whether v lies in the range, both ends included.
func (v version) between(low, high version) bool { return v.compare(low) >= 0 && v.compare(high) <= 0 }

// otherSPI tells whether an engine computes the numbers of its IPsec states
// from addresses in another form than all others, so that these two kinds
// cannot decrypt each other's overlay traffic. Repaired in 25.0.15 and 29.2.1
// (moby commit 51664a25d7).
func (v version) otherSPI() bool {
	return v.between(version{25, 0, 13}, version{25, 0, 14}) || v == version{28, 2, 2} ||
		v.between(version{29, 0, 0}, version{29, 2, 0})
}

// leaksEncrypted tells whether an engine has CVE-2023-28840, -28841 and
// -28842: it takes packets in clear text into encrypted networks, or sends
// them. Repaired in 20.10.24 and 23.0.3.
func (v version) leaksEncrypted() bool {
	return v.between(version{1, 12, 0}, version{20, 10, 23}) || v.between(version{23, 0, 0}, version{23, 0, 2})
}
