package faults

// An Unmade is a code that no fault of the catalogue gives, and why: the page
// of the score says so.
type Unmade struct{ Code, Why string }

// Unmades returns the codes that no sandbox of this machine can be brought to.
// Their rules have unit tests only.
func Unmades() []Unmade {
	return []Unmade{
		{"SN111", "takes an engine 25.0.13, 25.0.14, 28.2.2 or 29.0.0 to 29.2.0 beside another; Debian has none of them"},
		{"SN113", "takes an engine 29, the first that has nftables as a firewall backend"},
		{"SN204", "the allocator refuses a subnet that overlaps another (it is SN301 then); older swarms have such networks"},
		{"SN208", "comes of a race of the allocator when leaders change (moby#33795) that cannot be hit at will"},
		{"SN308", "the manager refuses a second ingress network; it came of a race in older engines (moby#40184)"},
		{"SN411", "the manager refuses a port of the routing mesh with dnsrr; older engines took it"},
		{"SN503", "takes an engine that the swarm sees as up and that does not end a container for a minute: one that hangs is down after 15 s"},
	}
}
