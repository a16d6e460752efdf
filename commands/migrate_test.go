package commands

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/docker/docker/api/types/network"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// withDocknet returns a fake engine with an empty network "docknet".
func withDocknet() *fakeEngine {
	f := newFakeEngine()
	f.networks = append(f.networks, network.Summary{
		ID: "id-docknet", Name: "docknet", Scope: "swarm", Driver: "overlay",
		IPAM:    network.IPAM{Config: []network.IPAMConfig{{Subnet: "10.0.1.0/24", Gateway: "10.0.1.1"}}},
		Options: map[string]string{"com.docker.network.driver.overlay.vxlanid_list": "4097"},
	})
	return f
}

func TestMigrateUsage(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"migrate"}, "requires 1 argument"},
		{[]string{"migrate", "--resume", "--undo", "docknet"}, "use one"},
		{[]string{"migrate", "--resume", "--mtu", "9000", "docknet"}, "leave the other properties out"},
		{[]string{"migrate", "--mtu", "9000", "--format", "json", "docknet"}, "--format goes with --dry-run"},
		{[]string{"migrate", "--mtu", "9000", "--on-failure", "x", "docknet"}, `--on-failure "x"`},
		{[]string{"migrate", "--mtu", "9000", "--parallel", "0", "docknet"}, "--parallel"},
		{[]string{"migrate", "--mtu", "12", "docknet"}, "MTU of 12"},
		{[]string{"migrate", "--size", "22", "--subnet", "10.9.0.0/24", "docknet"}, "use one or the other"},
		{[]string{"migrate", "--rename", "a b", "docknet"}, "cannot be the name"},
		{[]string{"migrate", "--opt", "mtu=1400", "docknet"}, "com.docker.network.driver.mtu"},
	} {
		t.Run(tc.want, func(t *testing.T) {
			_, _, err := run(t, withDocknet(), tc.args...)
			assert.ErrorContains(t, err, tc.want)
			var p *problem.Error
			assert.Assert(t, errors.As(err, &p))
			assert.Equal(t, p.Code, problem.Usage)
		})
	}
}

func TestMigrateDryRun(t *testing.T) {
	out, _, err := run(t, withDocknet(), "migrate", "--encrypted", "--size", "22", "--dry-run", "docknet")
	assert.NilError(t, err)
	for _, want := range []string{"encrypted: false → true", `create network "docknet-twin"`, `create network "docknet" as asked for, 10.0.4.0/22`} {
		assert.Check(t, is.Contains(out, want))
	}
	out, _, err = run(t, withDocknet(), "migrate", "--mtu", "1400", "--rename", "docks", "--dry-run", "--format", "json", "docknet")
	assert.NilError(t, err)
	var plan migrationJSON
	assert.NilError(t, json.Unmarshal([]byte(out), &plan))
	assert.Equal(t, plan.NewName, "docks")
	assert.DeepEqual(t, plan.Subnets, []string{"10.0.2.0/24"})
	assert.Equal(t, plan.Twin, "")
}

func TestMigrateAsksFirst(t *testing.T) {
	_, stderr, err := run(t, withDocknet(), "migrate", "--mtu", "1400", "docknet")
	assert.ErrorContains(t, err, "--yes")
	assert.Check(t, is.Contains(stderr, "docknet-twin"), "the plan is shown before")
}

func TestMigrateNothingToDo(t *testing.T) {
	out, stderr, err := run(t, withDocknet(), "migrate", "--encrypted=false", "docknet")
	assert.NilError(t, err)
	assert.Equal(t, out, "id-docknet\n")
	assert.Check(t, is.Contains(stderr, "as asked for already"))
}

func TestMigrateResumeNothing(t *testing.T) {
	_, _, err := run(t, withDocknet(), "migrate", "--resume", "-y", "docknet")
	assert.ErrorContains(t, err, `no migration of network "docknet" is under way`)
}
