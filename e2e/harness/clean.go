package harness

import (
	"context"
	"slices"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/volume"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/poll"
)

// Clean removes services, containers, networks, volumes, secrets and configs from the
// swarm, and waits until their tasks are gone, so that addresses are free and
// no task of one test is seen by the next.
func (s *Swarm) Clean(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	services, err := s.API.ServiceList(ctx, swarm.ServiceListOptions{})
	assert.NilError(t, err)
	for _, svc := range services {
		assert.NilError(t, ignoreGone(s.API.ServiceRemove(ctx, svc.ID)))
	}
	for _, n := range s.Nodes {
		n.removeContainers(ctx, t)
	}
	s.wait(t, func(ctx context.Context) poll.Result {
		tasks, err := s.API.TaskList(ctx, swarm.TaskListOptions{})
		tasks = slices.DeleteFunc(tasks, endedJob)
		if err != nil || len(tasks) > 0 {
			return poll.Continue("%d tasks left, %v", len(tasks), err)
		}
		return poll.Success()
	})
	s.wait(t, s.removeNetworks)
	for _, n := range s.Nodes {
		n.wait(t, n.removeNetworks)
		n.wait(t, n.removeVolumes)
	}
	secrets, err := s.API.SecretList(ctx, swarm.SecretListOptions{})
	assert.NilError(t, err)
	for _, secret := range secrets {
		assert.NilError(t, ignoreGone(s.API.SecretRemove(ctx, secret.ID)))
	}
	configs, err := s.API.ConfigList(ctx, swarm.ConfigListOptions{})
	assert.NilError(t, err)
	for _, config := range configs {
		assert.NilError(t, ignoreGone(s.API.ConfigRemove(ctx, config.ID)))
	}
}

// removeContainers removes what "docker run" started; the containers of tasks
// are the swarm's.
func (n *Node) removeContainers(ctx context.Context, t *testing.T) {
	t.Helper()
	containers, err := n.API.ContainerList(ctx, container.ListOptions{All: true})
	assert.NilError(t, err)
	for _, c := range containers {
		if c.Labels["com.docker.swarm.task.id"] == "" {
			assert.NilError(t, ignoreGone(n.API.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true})))
		}
	}
}

// removeNetworks removes the networks that are not Docker's own. An engine
// lets go of a network a moment after its last task has ended.
func (e *Endpoint) removeNetworks(ctx context.Context) poll.Result {
	networks, err := e.API.NetworkList(ctx, network.ListOptions{})
	if err != nil {
		return poll.Continue("%v", err)
	}
	left := 0
	for _, n := range networks {
		if n.Ingress || n.Name == "docker_gwbridge" || n.Driver == "host" || n.Driver == "null" || n.Name == "bridge" {
			continue
		}
		left++
		if err = e.API.NetworkRemove(ctx, n.ID); errdefs.IsNotFound(err) {
			err = nil
		}
	}
	if left > 0 {
		return poll.Continue("%d networks left on %s, %v", left, e.Context, err)
	}
	return poll.Success()
}

// removeVolumes removes a node's volumes. An engine lets go of one a moment
// after the last container has ended.
func (e *Endpoint) removeVolumes(ctx context.Context) poll.Result {
	left, err := e.API.VolumeList(ctx, volume.ListOptions{})
	if err != nil {
		return poll.Continue("%v", err)
	}
	for _, v := range left.Volumes {
		if err := e.API.VolumeRemove(ctx, v.Name, true); err != nil {
			return poll.Continue("volume %s on %s: %v", v.Name, e.Context, err)
		}
	}
	return poll.Success()
}

// endedJob tells whether a task is one that engine 20.10 keeps in its list for
// ever: of a job that was removed, and at its end.
func endedJob(t swarm.Task) bool {
	return t.JobIteration != nil && slices.Contains([]swarm.TaskState{
		swarm.TaskStateComplete, swarm.TaskStateFailed, swarm.TaskStateRejected, swarm.TaskStateShutdown,
	}, t.Status.State)
}

func ignoreGone(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
