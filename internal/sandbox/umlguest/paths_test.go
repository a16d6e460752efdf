package umlguest

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gotest.tools/v3/assert"
)

func cmpPrefix() cmp.Option {
	return cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
}

func TestDockerdArgs(t *testing.T) {
	n := Node{Name: "lab-n1", Address: netip.MustParsePrefix("10.99.3.11/24")}
	assert.DeepEqual(t, dockerdArgs(n), []string{
		"dockerd",
		"--config-file", "/var/lib/swarmnet-nodes/lab-n1/daemon.json",
		"--data-root", "/var/lib/swarmnet-nodes/lab-n1/data",
		"--exec-root", "/var/lib/swarmnet-nodes/lab-n1/exec",
		"--pidfile", "/var/lib/swarmnet-nodes/lab-n1/dockerd.pid",
		"--host", "tcp://10.99.3.11:2375",
		"--tls=false",
		"--cgroup-parent", "/node-lab-n1/containers",
	})
}

func TestPortNameFitsALink(t *testing.T) {
	// 15 characters, IFNAMSIZ less its final zero.
	n := Node{Name: "a-sandbox-with-a-long-name-n12", Address: netip.MustParsePrefix("10.99.255.254/16")}
	assert.Equal(t, n.port(), "portfffe")
}
