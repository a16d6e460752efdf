package umlguest

import (
	"strings"
	"testing"

	"gotest.tools/v3/assert"
)

func TestModuleFilesInLoadingOrder(t *testing.T) {
	tree, err := parseModulesDep(strings.NewReader(`kernel/net/netfilter/xt_ipvs.ko: kernel/net/netfilter/ipvs/ip_vs.ko kernel/net/netfilter/nf_conntrack.ko kernel/lib/crc-ccitt.ko
kernel/crypto/ghash-generic.ko.xz: kernel/crypto/gf128mul.ko.xz
kernel/drivers/net/veth.ko:

`))
	assert.NilError(t, err)
	assert.DeepEqual(t, tree.files("xt_ipvs"), []string{
		"kernel/lib/crc-ccitt.ko", "kernel/net/netfilter/nf_conntrack.ko",
		"kernel/net/netfilter/ipvs/ip_vs.ko", "kernel/net/netfilter/xt_ipvs.ko",
	})
	assert.DeepEqual(t, tree.files("veth"), []string{"kernel/drivers/net/veth.ko"})
	// "-" and "_" are the same in a module's name.
	assert.DeepEqual(t, tree.files("ghash_generic"), tree.files("ghash-generic"))
	assert.Equal(t, len(tree.files("ghash-generic")), 2)
	assert.Equal(t, len(tree.files("built_in")), 0)
}

func TestModuleNamesStartWithOverlay(t *testing.T) {
	// The root file system is mounted with it.
	assert.Equal(t, moduleNames()[0], "overlay")
}
