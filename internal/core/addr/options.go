package addr

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// The cost of an overlay in bytes per packet (moby
// libnetwork/drivers/overlay: vxlanEncap, pktExpansion).
const (
	vxlanCost = 50
	espCost   = 26
	// DefaultMTU is the underlay MTU the driver assumes.
	DefaultMTU = 1500
)

// The bounds of an underlay MTU. IPv4 hosts accept 576 bytes (RFC 791); an IP
// packet holds no more than 65535.
const (
	minMTU = 576
	maxMTU = 65535
)

// maxVNI is the largest number of a VXLAN (RFC 7348: 24 bits).
const maxVNI = 1<<24 - 1

// driverOptions are the options an overlay network's engine reads: the overlay
// driver's own (moby libnetwork/drivers/overlay) and those of libnetwork that
// hold for every driver (since 28.0). All others are accepted and ignored.
var driverOptions = map[string]func(string) string{
	swarm.OptEncrypted: encryptedValue,
	swarm.OptMTU:       mtuValue,
	swarm.OptVNI:       vniValue,
	"com.docker.network.advertise_addr_nmsgs": between(0, 3),
	"com.docker.network.advertise_addr_ms":    between(100, 2000),
}

// aliases are names people use for an option that Docker does not know.
var aliases = map[string]string{
	"mtu":                                   swarm.OptMTU,
	"com.docker.network.mtu":                swarm.OptMTU,
	"com.docker.network.overlay.mtu":        swarm.OptMTU,
	"com.docker.network.driver.overlay.mtu": swarm.OptMTU,
	"encrypt":                               swarm.OptEncrypted,
	"encryption":                            swarm.OptEncrypted,
	"secure":                                swarm.OptEncrypted,
	"com.docker.network.encrypted":          swarm.OptEncrypted,
	"com.docker.network.driver.encrypted":   swarm.OptEncrypted,
	"vxlan_id":                              swarm.OptVNI,
	"vxlanid_list":                          swarm.OptVNI,
	"vni":                                   swarm.OptVNI,
}

// CheckOptions refuses driver options that the overlay driver would ignore or
// read as something else than what is written.
func CheckOptions(opts map[string]string) error {
	var wrong []string
	for _, key := range slices.Sorted(maps.Keys(opts)) {
		check, known := driverOptions[key]
		if !known {
			wrong = append(wrong, unknownOption(key))
			continue
		}
		if msg := check(opts[key]); msg != "" {
			wrong = append(wrong, fmt.Sprintf("option %q: %s", key, msg))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return problem.Join("the options of the network cannot be used", wrong).WithCode(problem.Usage)
}

// IgnoredOptions says of each driver option of a network that exists why it
// does not do what is written there: the driver knows no such option, or not
// such a value. What CheckOptions refuses for other reasons is not among them.
func IgnoredOptions(opts map[string]string) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(opts)) {
		check, known := driverOptions[key]
		switch {
		case !known:
			out = append(out, unknownOption(key))
		case key == swarm.OptEncrypted:
		default:
			if msg := check(opts[key]); msg != "" {
				out = append(out, fmt.Sprintf("option %q: %s", key, msg))
			}
		}
	}
	return out
}

// EncryptedInVain tells whether the option "encrypted" says no, which encrypts
// all the same.
func EncryptedInVain(n swarm.Network) bool {
	return n.Encrypted() && encryptedValue(n.Options[swarm.OptEncrypted]) != ""
}

func unknownOption(key string) string {
	msg := fmt.Sprintf("the overlay driver has no option %q and would ignore it", key)
	if near := nearestOption(key); near != "" {
		return msg + fmt.Sprintf("; did you mean %q?", near)
	}
	return msg + "; it has " + strings.Join(slices.Sorted(maps.Keys(driverOptions)), ", ")
}

// nearestOption returns the option that was most likely meant, "" if none is
// near. An option may differ by a third of its letters, or have another path
// in front of the same last word.
func nearestOption(key string) string {
	key = strings.ToLower(key)
	if a, ok := aliases[key]; ok {
		return a
	}
	options := slices.Sorted(maps.Keys(driverOptions))
	if near := text.Nearest(key, options); near != "" {
		return near
	}
	last := make([]string, len(options))
	for i, option := range options {
		last[i] = lastWord(option)
	}
	if i := slices.Index(last, text.Nearest(lastWord(key), last)); i >= 0 {
		return options[i]
	}
	return ""
}

func lastWord(option string) string { return option[strings.LastIndexByte(option, '.')+1:] }

// encryptedValue holds that the driver looks only whether the option is there
// (moby libnetwork/drivers/overlay/ov_network.go).
func encryptedValue(v string) string {
	if v == "" {
		return ""
	}
	if on, err := strconv.ParseBool(v); err == nil && on {
		return ""
	}
	return fmt.Sprintf("%q would encrypt all the same, since the engine looks only whether the option is there; leave it out for a network in clear text", v)
}

func mtuValue(v string) string {
	n, err := strconv.Atoi(v)
	if err != nil || n < minMTU || n > maxMTU {
		return fmt.Sprintf("%q is not an MTU from %d to %d bytes", v, minMTU, maxMTU)
	}
	return ""
}

func vniValue(v string) string {
	seen := map[int]bool{}
	for _, id := range strings.Split(v, ",") {
		n, err := strconv.Atoi(id)
		switch {
		case err != nil || n < 1 || n > maxVNI:
			return fmt.Sprintf("%q is not a VXLAN number from 1 to %d", id, maxVNI)
		case seen[n]:
			return fmt.Sprintf("the VXLAN number %d stands there twice", n)
		}
		seen[n] = true
	}
	return ""
}

func between(low, high int) func(string) string {
	return func(v string) string {
		if n, err := strconv.Atoi(v); err != nil || n < low || n > high {
			return fmt.Sprintf("%q is not a number from %d to %d", v, low, high)
		}
		return ""
	}
}

// CheckMTU refuses an underlay MTU that no network has.
func CheckMTU(underlay int) error {
	if underlay < minMTU || underlay > maxMTU {
		return problem.New("an MTU of %d cannot be used: the MTU of the network under the overlay lies between %d and %d bytes", underlay, minMTU, maxMTU).
			WithCode(problem.Usage)
	}
	return nil
}

// ContainerMTU returns the MTU containers get on an overlay over an underlay
// with the given MTU (0: the driver's default), as moby's maxMTU computes it.
func ContainerMTU(underlay int, encrypted bool) int {
	if underlay == 0 {
		underlay = DefaultMTU
	}
	mtu := underlay - vxlanCost
	if encrypted {
		mtu -= espCost
		mtu -= mtu % 4
	}
	return mtu
}

// MTU returns the MTU that containers get on a network.
func MTU(n swarm.Network) int { return ContainerMTU(UnderlayMTU(n), n.Encrypted()) }

// UnderlayMTU returns what a network takes as the MTU under it.
func UnderlayMTU(n swarm.Network) int {
	if v, err := strconv.Atoi(n.Options[swarm.OptMTU]); err == nil && v > 0 {
		return v
	}
	return DefaultMTU
}
