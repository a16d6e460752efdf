package sandbox

import (
	"net/netip"
	"testing"

	"gotest.tools/v3/assert"
)

func TestNodesOfHostnames(t *testing.T) {
	subnet := netip.MustParsePrefix("10.97.3.0/24")
	for _, short := range []bool{false, true} {
		nodes := nodesOf("lab", subnet, 3, short)
		assert.Equal(t, nodes[1].Name, "lab-n2")
		assert.Equal(t, nodes[1].Address, netip.MustParseAddr("10.97.3.12"))
		assert.Equal(t, nodes[1].Hostname, map[bool]string{false: "lab-n2", true: "n2"}[short])
	}
}
