package commands

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/network"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

func TestAddressesSections(t *testing.T) {
	f := newFakeEngine()
	f.networks = append(f.networks, network.Summary{
		ID: "id-lan", Name: "lan", Scope: "swarm", Driver: "overlay",
		IPAM: network.IPAM{Config: []network.IPAMConfig{{Subnet: "10.77.0.0/24", Gateway: "10.77.0.1"}}},
	})
	out, _, err := run(t, f, "addresses")
	assert.NilError(t, err)
	sections := strings.Split(out, "\n\n")
	assert.Assert(t, is.Len(sections, 3), out)
	assert.Check(t, is.Contains(sections[0], "10.77.0.0/24"))
	assert.Check(t, is.Contains(sections[1], "10.0.0.0/8"))
	assert.Check(t, is.Contains(sections[2], "node n1 of default (10.77.0.11/32)"))
}

func TestAddressesPick(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		// Ingress holds 10.0.0.0/24, so the first free /22 begins behind it.
		{[]string{"--pick", "/22"}, "10.0.4.0/22\n"},
		{[]string{"--pick", "24", "--avoid", "10.0.1.0/24"}, "10.0.2.0/24\n"},
		{[]string{"--pick", "24", "--pool", "172.16.0.0/12"}, "172.16.0.0/24\n"},
	} {
		out, _, err := run(t, newFakeEngine(), append([]string{"addresses"}, tc.args...)...)
		assert.NilError(t, err)
		assert.Check(t, is.Equal(out, tc.want))
	}
}

func TestAddressesPickErrors(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"--pick", "/99"}, "/99", problem.Usage},
		{[]string{"--pick", "/24", "--avoid", "nonsense"}, "--avoid", problem.Usage},
		{[]string{"--avoid", "10.0.0.0/8"}, "what to pick from", problem.Usage},
		{[]string{"--pick", "/24", "--contexts", "default,nowhere"}, "nowhere", problem.Failed},
	} {
		out, _, err := run(t, newFakeEngine(), append([]string{"addresses"}, tc.args...)...)
		assert.Check(t, is.ErrorContains(err, tc.want))
		assert.Check(t, is.Equal(exitCodeOf(err), tc.code))
		assert.Check(t, is.Equal(out, ""), "nothing but a block goes to stdout")
	}
}
