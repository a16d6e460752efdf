//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// deploy runs it for the demo image on docknet; flags come last.
func deploy(s *harness.Swarm, name, image string, flags ...string) *icmd.Result {
	args := []string{"deploy", "--name", name, "--network", "docknet", "--no-resolve-image", "--restart-delay", "1s"}
	return s.Swarmnet(append(append(args, flags...), image)...)
}

// TestDeployRefusedBeforehand: what cannot work is told at once, and nothing
// has changed.
func TestDeployRefusedBeforehand(t *testing.T) {
	s := docknet(t)
	service(t, s, "web", 1, "--publish", "published=8088,target=8080")
	s.Docker("network", "create", "-d", "overlay", "--subnet", "10.90.2.0/29", "tiny").Assert(t, icmd.Success)
	for _, tc := range []struct {
		doc   string
		flags []string
		want  string
	}{
		{"network missing", []string{"--network", "absent"}, "docker swarmnet create absent"},
		{"no node", []string{"--constraint", "node.hostname==nowhere"}, "node.hostname==nowhere"},
		{"secret missing", []string{"--secret", "absent"}, `secret "absent"`},
		{"config missing", []string{"--config", "absent"}, `config "absent"`},
		{"port taken", []string{"--publish", "published=8088,target=8080"}, `service "web"`},
		{"too few addresses", []string{"--network", "tiny", "--replicas", "9"}, "at most 2 replicas fit"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			r := deploy(s, "other", demoImage, tc.flags...)
			assert.Check(t, s.Service(t, "other") == nil)
			r.Assert(t, icmd.Expected{ExitCode: 1, Err: tc.want})
			assert.Check(t, is.Contains(r.Stderr(), "nothing was changed"))
			assert.Check(t, is.Equal(r.Stdout(), ""))
		})
	}
}

// TestDeployThatDoesNotComeUp: each ends with the cause, the task, its node and
// the error, and the service is gone again.
func TestDeployThatDoesNotComeUp(t *testing.T) {
	s := docknet(t)
	onN2 := []string{"--constraint", "node.hostname==" + s.Nodes[1].Hostname}
	for _, tc := range []struct {
		doc, image string
		flags      []string
		want       string
	}{
		{"it cannot start", demoImage, []string{"--entrypoint", "/nosuch"}, "/nosuch"},
		{"image missing", "swarmnet/absent", nil, "No such image"},
		// The image has no shell: the check cannot but fail. An engine tells of
		// it only when the container then ends with another code than 0.
		{"unhealthy", demoImage, []string{"--health-cmd", "true", "--health-interval", "1s", "--health-retries", "1", "--stop-signal", "SIGKILL"}, "health"},
		{"deadline", demoImage, []string{"--health-cmd", "true", "--health-start-period", "1h", "--timeout", "5s"}, "within 5s"},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			r := deploy(s, "web", tc.image, append(tc.flags, onN2...)...)
			assert.Check(t, s.Service(t, "web") == nil, "it is still there")
			r.Assert(t, icmd.Expected{ExitCode: 4, Err: tc.want})
			assert.Check(t, is.Contains(r.Stderr(), "web.1 on "+s.Nodes[1].Hostname))
			assert.Check(t, is.Equal(r.Stdout(), ""))
		})
	}
	t.Run("left on request", func(t *testing.T) {
		r := deploy(s, "web", "swarmnet/absent", append(onN2, "--on-failure", "leave")...)
		assert.Check(t, s.Service(t, "web") != nil)
		r.Assert(t, icmd.Expected{ExitCode: 1, Err: "No such image"})
	})
}

// TestDeployUpdates: equal is left alone; what does not come up is put back as
// it was.
func TestDeployUpdates(t *testing.T) {
	s := docknet(t)
	deploy(s, "web", demoImage).Assert(t, icmd.Success)
	before := running(t, s, "web")
	again := deploy(s, "web", demoImage)
	again.Assert(t, icmd.Success)
	assert.Equal(t, running(t, s, "web").ID, before.ID)
	assert.Check(t, is.Contains(again.Stderr(), "unchanged"))
	assert.Equal(t, strings.TrimSpace(again.Stdout()), s.Service(t, "web").ID)

	r := deploy(s, "web", demoImage, "--entrypoint", "/nosuch", "--label", "tier=front")
	now := s.Service(t, "web")
	assert.Equal(t, len(now.Spec.TaskTemplate.ContainerSpec.Command), 0)
	assert.Equal(t, now.Spec.Labels["tier"], "")
	r.Assert(t, icmd.Expected{ExitCode: 4, Err: "/nosuch"})
	s.WaitRunning(t, "web", 1)
}
