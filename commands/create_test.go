package commands

import (
	stdcmp "cmp"
	"context"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/network"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

func TestCreate(t *testing.T) {
	f := newFakeEngine()
	var asked network.CreateOptions
	f.networkCreate = func(name string, o network.CreateOptions) (string, error) {
		asked = o
		options := map[string]string{"com.docker.network.driver.overlay.vxlanid_list": "4097"}
		for k, v := range o.Options {
			options[k] = v
		}
		f.networks = append(f.networks, network.Summary{ID: "id-" + name, Name: name, Scope: "swarm", Driver: "overlay", IPAM: *o.IPAM, Options: options, Labels: o.Labels, Attachable: o.Attachable})
		return "id-" + name, nil
	}
	out, errs, err := run(t, f, "create", "--attachable", "--encrypted", "--mtu", "9000", "--label", "team=web", "docknet")
	assert.NilError(t, err)
	assert.Equal(t, out, "id-docknet\n")
	assert.Check(t, is.Contains(errs, "network docknet created 10.0.1.0/24"))
	assert.Check(t, is.Contains(errs, "containers get 8924 bytes"))
	assert.Equal(t, asked.IPAM.Config[0].Subnet, "10.0.1.0/24")
	assert.DeepEqual(t, asked.Labels, map[string]string{"team": "web"})
	assert.DeepEqual(t, asked.Options, map[string]string{"encrypted": "", "com.docker.network.driver.mtu": "9000"})

	out, errs, err = run(t, f, "create", "--attachable", "--encrypted", "--mtu", "9000", "--label", "team=web", "docknet")
	assert.NilError(t, err)
	assert.Equal(t, out, "id-docknet\n")
	assert.Check(t, is.Contains(errs, "unchanged"))
}

// A subnet that somebody takes at the same moment is given up and another
// chosen; nothing is left of the first.
func TestCreateChoosesAgain(t *testing.T) {
	f := newFakeEngine()
	var removed []string
	tries := 0
	f.networkCreate = func(_ string, o network.CreateOptions) (string, error) {
		tries++
		if tries == 1 {
			f.networks = append(f.networks,
				network.Summary{ID: "other", Name: "other", Scope: "swarm", Driver: "overlay", IPAM: *o.IPAM},
				network.Summary{ID: "try1", Name: "docknet", Scope: "swarm"})
			return "try1", nil
		}
		f.networks = append(f.networks, network.Summary{
			ID: "try2", Name: "docknet", Scope: "swarm", Driver: "overlay", IPAM: *o.IPAM,
			Options: map[string]string{"com.docker.network.driver.overlay.vxlanid_list": "4098"},
		})
		return "try2", nil
	}
	f.networkRemove = func(id string) error {
		removed = append(removed, id)
		f.networks = f.networks[:len(f.networks)-1]
		return nil
	}
	out, errs, err := run(t, f, "create", "docknet")
	assert.NilError(t, err)
	assert.Equal(t, out, "try2\n")
	assert.DeepEqual(t, removed, []string{"try1"})
	assert.Check(t, is.Contains(errs, "created 10.0.2.0/24"))
}

func TestCreateTakesBackWhatIsNotAllocated(t *testing.T) {
	f := newFakeEngine()
	var removed string
	f.networkCreate = func(string, network.CreateOptions) (string, error) {
		f.networks = append(f.networks, network.Summary{ID: "stuck", Name: "docknet", Scope: "swarm"})
		return "stuck", nil
	}
	f.networkRemove = func(id string) error { removed = id; return nil }
	out, _, err := run(t, f, "create", "--timeout", "200ms", "docknet")
	assert.Equal(t, out, "")
	assert.Equal(t, removed, "stuck")
	assert.Check(t, is.ErrorContains(err, "removed again"))
	assert.Equal(t, exitCodeOf(err), problem.RolledBack)
}

// An interruption while the swarm allocates leaves the network, and says so.
func TestCreateInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(context.Background())
	f := newFakeEngine()
	f.networkCreate = func(string, network.CreateOptions) (string, error) {
		f.networks = append(f.networks, network.Summary{ID: "stuck", Name: "docknet", Scope: "swarm"})
		interrupt()
		return "stuck", nil
	}
	out, _, err := runUntil(ctx, t, f, "create", "docknet")
	assert.Equal(t, out, "")
	assert.Check(t, is.ErrorContains(err, "interrupted; it exists"))
	assert.Check(t, is.ErrorContains(err, "swarmnet rm docknet"))
	assert.Equal(t, exitCodeOf(err), problem.Interrupted)
}

func TestCreateRefuses(t *testing.T) {
	for _, tc := range []struct {
		args string
		want string
		code int
	}{
		{"--driver bridge x", "--driver", problem.Usage},
		{"--scope local x", "--scope", problem.Usage},
		{"--ipv6 x", "moby#24379", problem.Usage},
		{"--ingress x", "--ingress", problem.Usage},
		{"--config-only x", "--config-only", problem.Usage},
		{"--opt encryptd= x", `"encrypted"`, problem.Usage},
		{"--opt encrypted=false x", "would encrypt", problem.Usage},
		{"--mtu -3 x", "MTU", problem.Usage},
		{"--size 30 x", "/29", problem.Usage},
		{"--pool nope x", "--pool", problem.Usage},
		{"--avoid 10.0.0.1/8 x", "--avoid", problem.Usage},
		{"--subnet 10.5.0.0/24 --size 24 x", "one or the other", problem.Usage},
		{"--subnet 10.0.0.0/16 x", "overlaps", problem.Failed},
		{"bridge", "local network", problem.Failed},
		{"a b", "requires 1 argument", problem.Usage},
	} {
		t.Run(tc.args, func(t *testing.T) {
			// The fake has no NetworkCreate: a creation would panic.
			out, _, err := run(t, newFakeEngine(), append([]string{"create"}, strings.Fields(tc.args)...)...)
			assert.Check(t, is.ErrorContains(err, tc.want))
			assert.Equal(t, out, "")
			assert.Equal(t, stdcmp.Or(exitCodeOf(err), problem.Failed), tc.code)
		})
	}
}

func TestCreateDryRun(t *testing.T) {
	out, _, err := run(t, newFakeEngine(), "create", "--dry-run", "docknet")
	assert.NilError(t, err)
	assert.Check(t, is.Contains(out, "10.0.1.0/24"))
}
