package commands

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/e2e/simengine"
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

// onSimulated runs a command on a simulated engine.
func onSimulated(t *testing.T, o simengine.Options, args ...string) (e *simengine.Engine, stdout, stderr string, err error) {
	t.Helper()
	e = simengine.New(o)
	socket := filepath.Join(t.TempDir(), "s")
	stop, err := e.Serve(socket)
	assert.NilError(t, err)
	t.Cleanup(func() { assert.NilError(t, stop()) })
	api, err := client.NewClientWithOpts(client.WithHost("unix://"+socket), client.WithAPIVersionNegotiation())
	assert.NilError(t, err)
	t.Cleanup(func() { _ = api.Close() })
	stdout, stderr, err = run(t, api, args...)
	return e, stdout, stderr, err
}

// leakedOf reads the column LEAKED of the table.
func leakedOf(t *testing.T, network string, o simengine.Options, args ...string) (leaked, stderr string) {
	t.Helper()
	_, out, stderr, err := onSimulated(t, o, append([]string{"addresses", "--format", "{{.Network}} {{.Leaked}}"}, args...)...)
	assert.NilError(t, err)
	for _, line := range strings.Split(out, "\n") {
		if name, n, _ := strings.Cut(line, " "); name == network {
			return n, stderr
		}
	}
	t.Fatalf("no network %q in:\n%s", network, out)
	return "", ""
}

func TestAddressesLeaked(t *testing.T) {
	lost := map[string]int{"ingress": 9}
	for _, tc := range []struct {
		doc    string
		o      simengine.Options
		args   []string
		want   string
		stderr string
	}{
		{"asked without being told", simengine.Options{Scale: .02, API: "1.52", Leaked: lost}, nil, "9", ""},
		{"nothing lost", simengine.Options{Scale: .02, API: "1.52"}, nil, "0", ""},
		{"too many networks to ask unasked", simengine.Options{Scale: .05, API: "1.52", Leaked: lost}, nil, "-", ""},
		{"many networks, asked for", simengine.Options{Scale: .05, API: "1.52", Leaked: lost}, []string{"--leaked"}, "9", ""},
		{"an engine that does not count", simengine.Options{Scale: .02, API: "1.51", Leaked: lost}, nil, "-", ""},
		{"asked for, an engine that does not count", simengine.Options{Scale: .02, API: "1.51", Leaked: lost}, []string{"--leaked"}, "-", "28.5.2"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			got, stderr := leakedOf(t, "ingress", tc.o, tc.args...)
			assert.Check(t, is.Equal(got, tc.want))
			assert.Check(t, is.Contains(stderr, tc.stderr))
		})
	}
}

// TestReadingCostsSixCalls holds that size costs no calls.
func TestReadingCostsSixCalls(t *testing.T) {
	for _, args := range [][]string{{"ls"}, {"addresses"}, {"ps", "proxy"}} {
		for _, api := range []string{"1.41", "1.52"} {
			e, _, _, err := onSimulated(t, simengine.Options{Scale: .1, API: api}, args...)
			assert.NilError(t, err)
			calls := 0
			for _, n := range e.Calls() {
				calls += n
			}
			assert.Check(t, calls <= 6, "%v at API %s: %v", args, api, e.Calls())
		}
	}
}
