package commands

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
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

// TestNetworkChangesUsage: what is wrong in itself is told before anybody looks.
func TestNetworkChangesUsage(t *testing.T) {
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
		{[]string{"attach", "--format", "json", "docknet", "web"}, "--format goes with --dry-run"},
		{[]string{"detach", "--dry-run", "--format", "x", "docknet", "web"}, `use "json"`},
		{[]string{"ingress", "recreate", "--resume", "--undo"}, "use one"},
		{[]string{"ingress", "recreate", "--undo", "--mtu", "1400"}, "leave the other properties out"},
		{[]string{"ingress", "recreate", "--format", "json"}, "with --dry-run"},
		{[]string{"ingress", "recreate", "--gateway", "10.9.0.1"}, "needs the --subnet"},
		{[]string{"ingress", "recreate", "--mtu", "12"}, "MTU of 12"},
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

// TestAttachDryRunJSON: the plan for a script, one object for each context.
func TestAttachDryRunJSON(t *testing.T) {
	f := withDocknet()
	f.services = []swarm.Service{{ID: "w", Spec: swarm.ServiceSpec{Annotations: swarm.Annotations{Name: "web"}}}}
	out, _, err := run(t, f, "attach", "--dry-run", "--format", "json", "docknet", "web")
	assert.NilError(t, err)
	var plan rewirePlanJSON
	assert.NilError(t, json.Unmarshal([]byte(out), &plan))
	assert.Assert(t, is.Len(plan.Services, 1))
	assert.Equal(t, plan.Services[0].Name, "web")
	assert.Check(t, plan.Services[0].Changed)
	assert.Check(t, is.Contains(plan.Services[0].Change, `network "docknet"`))
}
