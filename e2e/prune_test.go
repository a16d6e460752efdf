//go:build e2e

package e2e

import (
	"slices"
	"strconv"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
)

// TestPrune: only what nobody uses goes, after it was asked for.
func TestPrune(t *testing.T) {
	s := docknet(t)
	worker := s.Nodes[2]
	service(t, s, "asleep", 0, "--replicas", "0")
	ok(t, s, "create", "--label", "keep=yes", "kept")
	ok(t, s, "create", "unused")
	ok(t, s, "create", "--attachable", "held")
	worker.Docker("run", "-d", "--name", "guest", "--network", "held", demoImage).Assert(t, icmd.Success)
	unused := s.Network(t, "unused").IPAM.Config[0].Subnet
	docknetHas, ingressHas := *book(t, s, "docknet").Fits, *book(t, s, "ingress").Fits
	all := []string{"docknet", "kept", "unused", "held"}
	left := func(names ...string) {
		t.Helper()
		for _, name := range all {
			assert.Equal(t, s.Network(t, name) != nil, slices.Contains(names, name), name)
		}
	}

	r := s.Swarmnet("prune")
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: "no terminal to ask on"})
	assert.Check(t, is.Contains(r.Stderr(), `network "unused"`), "it lists first what it asks about")
	assert.Equal(t, ok(t, s, "prune", "--dry-run"), "kept\nunused\n")
	s.Swarmnet("prune", "--yes", "--filter", "until=24h").Assert(t, icmd.Expected{ExitCode: 0, Err: "is unused"})
	s.Swarmnet("prune", "--yes", "--filter", "colour=red").Assert(t, icmd.Expected{ExitCode: 125, Err: "colour"})
	left(all...)

	r = s.Swarmnet("prune", "--yes", "--filter", "label!=keep")
	r.Assert(t, icmd.Success)
	assert.Equal(t, r.Stdout(), "unused\n")
	guest := worker.Docker("ps", "--quiet", "--filter", "name=guest").Stdout()
	for _, want := range []string{`network "held" is held by`, worker.Hostname, guest[:12]} {
		assert.Check(t, is.Contains(r.Stderr(), want))
	}
	left("docknet", "kept", "held")

	worker.Docker("rm", "--force", "guest").Assert(t, icmd.Success)
	assert.Equal(t, ok(t, s, "prune", "--force", "--filter", "label!=keep"), "held\n")
	assert.Equal(t, ok(t, s, "prune", "--yes", "--filter", "label=keep=yes"), "kept\n")
	left("docknet")

	// No address was lost: those of what was removed are to be had again, and the
	// others have as many as before.
	assert.Equal(t, *book(t, s, "docknet").Fits, docknetHas)
	assert.Equal(t, *book(t, s, "ingress").Fits, ingressHas)
	ok(t, s, "create", "--subnet", unused, "again")
	service(t, s, "fresh", 2, "--network", "again", "--replicas", "2")
}

// TestRmForceDetach: the services go on without the network. Their addresses on
// another one are not lost by it: it can be filled to the last.
func TestRmForceDetach(t *testing.T) {
	s := rewired(t)
	forecast := *book(t, s, "other").Fits
	web, api := demo("web", 2), demo("api", 1)
	web.TaskTemplate.Networks = append(web.TaskTemplate.Networks, swarm.NetworkAttachmentConfig{Target: "other"})
	web.UpdateConfig.Order = swarm.UpdateOrderStopFirst // no address of "other" is left for a third task
	create(t, s, web, api)
	docknet := s.Network(t, "docknet")

	r := s.Swarmnet("rm", "--force-detach", "docknet")
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: "no terminal to ask on"})
	assert.Assert(t, s.Network(t, "docknet") != nil)
	assert.Equal(t, len(networksOf(t, s, "web")), 2)

	r = rewire(s, "rm", "--yes", "--force-detach", "docknet")
	r.Assert(t, icmd.Success)
	assert.Equal(t, r.Stdout(), "docknet\n")
	assert.Assert(t, s.Network(t, docknet.ID) == nil)
	assert.DeepEqual(t, networksOf(t, s, "web"), []swarm.NetworkAttachmentConfig{{Target: s.Network(t, "other").ID}})
	assert.Equal(t, len(networksOf(t, s, "api")), 0)
	allRunning(t, s, web)
	allRunning(t, s, api)

	s.Docker("service", "rm", "web").Assert(t, icmd.Success)
	free(t, s, "other")
	assert.Equal(t, *book(t, s, "other").Fits, forecast)
	s.Docker("service", "create", "--detach", "--no-resolve-image", "--name", "fill", "--network", "other",
		"--replicas", strconv.Itoa(forecast), demoImage).Assert(t, icmd.Success)
	s.WaitRunning(t, "fill", forecast)
}
