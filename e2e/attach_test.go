//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"
	"gotest.tools/v3/poll"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// rewired is a swarm with networks "docknet" and "other", where "docknet" has
// room for everybody, and "other" for two tasks on three nodes and no more.
func rewired(t *testing.T) *harness.Swarm {
	t.Helper()
	s := usual(t)
	s.Load(t, demoImage)
	ok(t, s, "create", "docknet")
	ok(t, s, "create", "--subnet", "10.91.1.0/29", "other")
	return s
}

// networksOf are the networks of a service as its spec has them.
func networksOf(t *testing.T, s *harness.Swarm, name string) []swarm.NetworkAttachmentConfig {
	t.Helper()
	return s.Service(t, name).Spec.TaskTemplate.Networks
}

// rewire runs attach or detach to its end, however long it waits for services.
func rewire(s *harness.Swarm, args ...string) *icmd.Result {
	return icmd.RunCmd(s.Command(append([]string{"swarmnet"}, args...)...), icmd.WithTimeout(6*s.Patience()))
}

// changedBy makes another operator change a service.
func changedBy(t *testing.T, s *harness.Swarm, name string, change func(*swarm.ServiceSpec)) {
	t.Helper()
	eventually(t, s, func() poll.Result { // the swarm may write it in the same moment
		sv := s.Service(t, name)
		change(&sv.Spec)
		if _, err := s.API.ServiceUpdate(context.Background(), sv.ID, sv.Version, sv.Spec, swarm.ServiceUpdateOptions{}); err != nil {
			return poll.Continue("%v", err)
		}
		return poll.Success()
	})
}

// onBoth waits until a service has been written with a second network.
func onBoth(t *testing.T, s *harness.Swarm, name string) {
	t.Helper()
	eventually(t, s, func() poll.Result {
		if n := networksOf(t, s, name); len(n) < 2 {
			return poll.Continue("service %s has %d networks", name, len(n))
		}
		return poll.Success()
	})
}

// TestAttachDetach: on and off again, and what the service had besides keeps its
// order and options. The network has not one address to spare, so that an
// address lost on the way would be missed the second time.
func TestAttachDetach(t *testing.T) {
	s := rewired(t)
	ok(t, s, "create", "third")
	other := s.Network(t, "other")
	web := demo("web", 2)
	web.TaskTemplate.Networks = []swarm.NetworkAttachmentConfig{
		{Target: "third", DriverOpts: map[string]string{"com.example.option": "kept"}},
		{Target: "docknet", Aliases: []string{"second", "first"}},
	}
	create(t, s, web, demo("crowd", 3))
	before := s.Service(t, "web")

	r := s.Swarmnet("attach", "other", "web")
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: "no terminal to ask on"})
	assert.Check(t, is.Contains(r.Stderr(), "restarts 2 tasks"), "it shows first what it asks about")
	assert.Check(t, is.Contains(ok(t, s, "attach", "--dry-run", "--alias", "api", "other", "web"), `is found on network "other" as web, api`))
	r = s.Swarmnet("attach", "--yes", "other", "web", "crowd")
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: "nothing was changed"})
	assert.Check(t, is.Contains(r.Stderr(), `network "other" needs`))
	assert.Equal(t, s.Service(t, "web").Version, before.Version, "nothing was written")

	attached := append(slices.Clone(before.Spec.TaskTemplate.Networks), swarm.NetworkAttachmentConfig{Target: other.ID, Aliases: []string{"api"}})
	for range 2 {
		r = rewire(s, "attach", "--yes", "--alias", "api", "other", "web")
		r.Assert(t, icmd.Success)
		assert.Equal(t, r.Stdout(), "web\n")
		assert.DeepEqual(t, networksOf(t, s, "web"), attached)
		for _, task := range allRunning(t, s, web) {
			assert.Check(t, harness.AddressOn(task, other.ID).IsValid())
		}
		now := s.Service(t, "web").Version
		rewire(s, "attach", "--alias", "api", "other", "web").Assert(t, icmd.Expected{ExitCode: 0, Err: "unchanged"})
		assert.Equal(t, s.Service(t, "web").Version, now)

		rewire(s, "detach", "--yes", "other", "web").Assert(t, icmd.Success)
		assert.DeepEqual(t, networksOf(t, s, "web"), before.Spec.TaskTemplate.Networks)
		free(t, s, "other")
	}
}

// free waits until nobody has an address on a network.
func free(t *testing.T, s *harness.Swarm, name string) {
	t.Helper()
	eventually(t, s, func() poll.Result {
		if l := book(t, s, name); l.Free != l.Usable {
			return poll.Continue("%+v", l)
		}
		return poll.Success()
	})
}

// TestAttachUndone: tasks that cannot start, and tasks that are not healthy in
// time. Either way all services have the networks and tasks they had.
func TestAttachUndone(t *testing.T) {
	s := rewired(t)
	for name, c := range map[string]struct {
		name, err string
		spoil     func(t *testing.T, f harness.Folder)
	}{
		"does not start": {"broken", "did not come up", func(t *testing.T, f harness.Folder) {
			t.Helper()
			f.Remove(t)
		}},
		"is not healthy in time": {"ill", "was not up within 20s", func(t *testing.T, f harness.Folder) {
			t.Helper()
			f.Rename(t, "check", "away")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			api, sick := demo(c.name+"-api", 1), demo(c.name+"-sick", 1)
			folder := watched(t, s, &sick)
			create(t, s, api, sick)
			tasks := allRunning(t, s, sick)
			specs := []swarm.ServiceSpec{s.Service(t, api.Name).Spec, s.Service(t, sick.Name).Spec}
			c.spoil(t, folder)

			r := rewire(s, "attach", "--yes", "--timeout", "20s", "other", api.Name, sick.Name)
			assert.Equal(t, r.ExitCode, 4, "%s", r)
			assert.Equal(t, r.Stdout(), "")
			for _, want := range []string{c.err, "It has its old networks again.", `"` + api.Name + `" of context "` + s.Context + `" had been changed before`} {
				assert.Check(t, is.Contains(r.Stderr(), want))
			}
			for _, spec := range specs {
				assert.DeepEqual(t, s.Service(t, spec.Name).Spec, spec)
			}
			allRunning(t, s, api)
			assert.Equal(t, allRunning(t, s, sick)[0].ID, tasks[0].ID, "its task was never stopped")
			free(t, s, "other")
		})
	}
}

// watched gives a service a health check that passes as long as there is a
// program in a folder, which it returns. A task that was healthy once stays so.
func watched(t *testing.T, s *harness.Swarm, spec *swarm.ServiceSpec) harness.Folder {
	t.Helper()
	folder := s.Folder(t)
	program, err := os.ReadFile(filepath.Join("..", "bin", "docker-swarmnet"))
	assert.NilError(t, err)
	folder.Write(t, "check", program)
	c := spec.TaskTemplate.ContainerSpec
	c.Mounts = []mount.Mount{{Type: mount.TypeBind, Source: folder.Path, Target: "/health"}}
	c.Healthcheck = &container.HealthConfig{
		Test: []string{"CMD", "/health/check", "sandbox", "demo", "--check"}, Interval: 2 * time.Second, Timeout: 30 * time.Second,
		StartPeriod: time.Hour, Retries: 1000,
	}
	return folder
}

// TestAttachInterrupted: the service stays as it was written, and the same
// command goes on waiting for it. What an earlier command began, it leaves.
func TestAttachInterrupted(t *testing.T) {
	s := rewired(t)
	sick := demo("sick", 1)
	folder := watched(t, s, &sick)
	create(t, s, sick)
	folder.Rename(t, "check", "away")
	attach := []string{"swarmnet", "attach", "--yes", "--timeout", "5s", "other", "sick"}
	p := start(t, s.Command("swarmnet", "attach", "--yes", "other", "sick"), false)
	onBoth(t, s, "sick")
	assert.NilError(t, p.cmd.Process.Signal(os.Interrupt))
	assert.Equal(t, p.end(t, s.Patience()), 130, p.output())
	assert.Check(t, is.Contains(p.output(), "docker swarmnet attach"), "it names the command to go on")
	assert.Equal(t, len(networksOf(t, s, "sick")), 2)

	s.Docker(attach...).Assert(t, icmd.Expected{ExitCode: 3, Err: "It was left as it is (its update had begun before this command)"})
	folder.Rename(t, "away", "check")
	rewire(s, "attach", "--yes", "other", "sick").Assert(t, icmd.Success)
	other := s.Network(t, "other")
	assert.Check(t, harness.AddressOn(allRunning(t, s, sick)[0], other.ID).IsValid())
}

// TestAttachSecondOperator: what somebody else changes in the meantime is kept,
// and where that is the networks, it is theirs that stay.
func TestAttachSecondOperator(t *testing.T) {
	s := rewired(t)
	api, web := demo("api", 1), demo("web", 1)
	api.UpdateConfig.Monitor = 5 * time.Second // time for the other operator
	create(t, s, api, web)
	begin := func() *started {
		p := start(t, s.Command("swarmnet", "attach", "--yes", "other", "api", "web"), false)
		onBoth(t, s, "api")
		return p
	}
	p := begin()
	changedBy(t, s, "web", func(spec *swarm.ServiceSpec) { spec.TaskTemplate.ContainerSpec.Env = []string{"COLOUR=blue"} })
	assert.Equal(t, p.end(t, 6*s.Patience()), 0, p.output())
	assert.Equal(t, len(networksOf(t, s, "web")), 2)
	assert.DeepEqual(t, s.Service(t, "web").Spec.TaskTemplate.ContainerSpec.Env, []string{"COLOUR=blue"})
	rewire(s, "detach", "--yes", "other", "api", "web").Assert(t, icmd.Success)

	free(t, s, "other") // their old tasks may be ending still
	docknet := s.Network(t, "docknet").ID
	before, theirs := networksOf(t, s, "api"), []swarm.NetworkAttachmentConfig{{Target: docknet, Aliases: []string{"theirs"}}}
	p = begin()
	changedBy(t, s, "web", func(spec *swarm.ServiceSpec) { spec.TaskTemplate.Networks = theirs })
	assert.Equal(t, p.end(t, 6*s.Patience()), 4, p.output())
	assert.Check(t, is.Contains(p.output(), `somebody else changed the networks of service "web"`))
	assert.DeepEqual(t, networksOf(t, s, "web"), theirs)
	assert.DeepEqual(t, networksOf(t, s, "api"), before)
}

// TestAttachNodeLost: it ends within its time, and its code is true.
func TestAttachNodeLost(t *testing.T) {
	s := rewired(t)
	web := demo("web", 3)
	web.UpdateConfig.Order = swarm.UpdateOrderStopFirst
	web.UpdateConfig.Monitor = 3 * time.Second // the node goes before it is over
	create(t, s, web)
	ok(t, s, "create", "third")
	before := networksOf(t, s, "web")
	p := start(t, s.Command("swarmnet", "attach", "--yes", "--timeout", "1m", "third", "web"), false)
	onBoth(t, s, "web")
	t.Run("lost", func(t *testing.T) {
		s.Fault(t, s.Nodes[2], "stop")
		code := p.end(t, 6*s.Patience()) // a minute, and two to take it back
		switch code {
		case 0:
			assert.Equal(t, len(networksOf(t, s, "web")), 2)
			allRunning(t, s, web)
		case 4:
			assert.DeepEqual(t, networksOf(t, s, "web"), before)
			allRunning(t, s, web)
		case 5:
			assert.Check(t, is.Contains(p.output(), "Taking it back failed"))
			assert.Check(t, is.Contains(p.output(), "docker -c "+s.Context+" service ps"))
		default:
			t.Fatalf("exit code %d: %s", code, p.output())
		}
		t.Logf("exit code %d", code)
	})
}
