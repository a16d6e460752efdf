package umlguest

import (
	"net/netip"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
)

func TestConfigRoundTrip(t *testing.T) {
	c := Config{
		Switch:  netip.MustParsePrefix("10.99.3.254/24"),
		Root:    "/srv/engine with blank \"quoted\"/.",
		Modules: "/usr/lib/uml/modules/6.1.176",
		Logs:    "/proc/self/fd/4/log",
	}
	word, err := c.Encode()
	assert.NilError(t, err)
	assert.Assert(t, !strings.ContainsAny(word, " =.\"\n"), "the kernel would split or misread %q", word)
	back, err := DecodeConfig(word)
	assert.NilError(t, err)
	assert.DeepEqual(t, back, c, cmpPrefix())
}

func TestDecodeConfigRefuses(t *testing.T) {
	for _, word := range []string{"", "!", "e30=", "bm90IGpzb24"} {
		_, err := DecodeConfig(word)
		assert.Assert(t, is.ErrorContains(err, ConfigEnv), "%q", word)
	}
}
