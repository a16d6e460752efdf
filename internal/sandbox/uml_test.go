package sandbox

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"gotest.tools/v3/assert"

	"github.com/swarmnet/docker-swarmnet/internal/sandbox/umlguest"
)

func TestUMLUserIsOfNoDistribution(t *testing.T) {
	// Above what systemd gives to containers, below what fits in 31 bits.
	for id, want := range map[string]uint32{
		"00000000": 1_900_000_000,
		"ffffffff": 1_916_777_215,
		"00000112": 1_900_000_001,
		"":         0,
		"12345":    0,
		"xyzxyzxy": 0,
	} {
		assert.Equal(t, umlUser(id), want, "%q", id)
	}
}

func TestUMLAgentIsNoNode(t *testing.T) {
	subnet := netip.MustParsePrefix("10.97.4.0/24")
	assert.Equal(t, umlAgent(subnet), netip.MustParseAddr("10.97.4.254"))
	for _, n := range nodesOf("lab", subnet, MaxNodes, false) {
		assert.Assert(t, n.Address != umlAgent(subnet))
	}
}

func TestUMLKernelArgs(t *testing.T) {
	st := &State{ID: "0a0b0c0d", Subnet: netip.MustParsePrefix("10.97.4.0/24"), Engine: "/srv/engines/trixie, with blanks"}
	guest := umlGuest(st, "/usr/lib/uml/modules/6.1.176")
	assert.Equal(t, guest.Root, "/proc/self/fd/5/.")
	args, err := umlKernelArgs(guest)
	assert.NilError(t, err)

	// The kernel joins its arguments by blanks and splits them there again.
	line := strings.Join(args, " ")
	assert.DeepEqual(t, strings.Fields(line), args)
	// COMMAND_LINE_SIZE of arch/um, less room for what the kernel adds.
	assert.Assert(t, len(line) < 4096-256, "%d", len(line))

	before, after, ok := strings.Cut(line, " -- ")
	assert.Assert(t, ok)
	assert.Equal(t, after, strings.Join(umlguest.InitArgs(), " "))
	for _, want := range []string{
		"root=/dev/root rootfstype=hostfs rootflags=/proc/self/fd/4/boot ro init=/init",
		"vec0:transport=fd,fd=3,vec=0", "uml_dir=/proc/self/fd/4/run/",
	} {
		assert.Assert(t, strings.Contains(before, want), "%s\nis not in\n%s", want, before)
	}
	for _, word := range strings.Fields(before) {
		if config, ok := strings.CutPrefix(word, umlguest.ConfigEnv+"="); ok {
			back, err := umlguest.DecodeConfig(config)
			assert.NilError(t, err)
			assert.Equal(t, back, guest)
		}
	}
}

func TestUMLRootOfTheMachine(t *testing.T) {
	guest := umlGuest(&State{Subnet: netip.MustParsePrefix("10.97.4.0/24")}, "/m")
	assert.Equal(t, guest.Root, "/")
	assert.Equal(t, guest.Switch, netip.MustParsePrefix("10.97.4.254/24"))
	assert.Equal(t, guest.Logs, "/proc/self/fd/4/log")
}

func TestStatusUser(t *testing.T) {
	user, ok := statusUser("Name:\tlinux.uml\nUmask:\t0022\nUid:\t1900000001\t0\t0\t0\nGid:\t5\t5\t5\t5\n")
	assert.Assert(t, ok)
	assert.Equal(t, user, uint32(1_900_000_001))
	for _, bad := range []string{"", "Uid:", "Uid:\tx", "Gid:\t1"} {
		_, ok := statusUser(bad)
		assert.Assert(t, !ok, "%q", bad)
	}
}

func TestLastWords(t *testing.T) {
	numbered := func(n int) []string {
		var lines []string
		for i := range n {
			lines = append(lines, fmt.Sprintf("line %d", i))
		}
		return lines
	}
	panicked := append(numbered(40), "Kernel panic - not syncing: Requested init /init failed")
	panicked = append(panicked, numbered(60)...)
	for _, tc := range []struct {
		name    string
		console []string
		want    []string
	}{
		{"nothing", []string{""}, []string{""}},
		{"little", []string{"mmapper_init", "swarmnet: switch"}, []string{"mmapper_init", "swarmnet: switch"}},
		{"much", numbered(100), numbered(100)[85:]},
		{"panic", panicked, panicked[35:50]},
		{"panic at once", panicked[40:], panicked[40:55]},
		{"panic at the end", panicked[:41], panicked[35:41]},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.DeepEqual(t, lastWords(strings.Join(tc.console, "\n")+"\n"), tc.want)
		})
	}
}
