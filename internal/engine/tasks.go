package engine

import (
	"context"
	"net/url"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// tasks lists all tasks, of services and of "docker run". The list is by far
// the largest answer there is, 30 MB for 20,000 tasks. So only what the model has
// is read: most of the list is the same description of a network once for each
// task on it.
func (e *Engine) tasks(ctx context.Context) ([]model.Task, []model.Attachment, error) {
	args, err := filters.ToJSON(allRuntimes())
	if err != nil {
		return nil, nil, err
	}
	var l taskLists
	if c, ok := e.api.(*client.Client); ok && stream(ctx, c, "/tasks?filters="+url.QueryEscape(args), l.add) == nil {
		return l.tasks.all(), l.attachments.all(), nil
	}
	list, err := e.api.TaskList(ctx, swarm.TaskListOptions{Filters: allRuntimes()})
	if err != nil {
		return nil, nil, err
	}
	l = taskLists{}
	for i := range list {
		l.add(listed(list[i]))
	}
	return l.tasks.all(), l.attachments.all(), nil
}

// allRuntimes asks for attachment tasks too ("docker run" containers on a
// swarm network), which the task list leaves out unless told (moby
// daemon/cluster/filters.go).
func allRuntimes() filters.Args {
	return filters.NewArgs(
		filters.Arg("runtime", "container"),
		filters.Arg("runtime", "plugin"),
		filters.Arg("runtime", "attachment"),
	)
}

// taskLists takes tasks apart from attachments.
type taskLists struct {
	tasks       pieces[model.Task]
	attachments pieces[model.Attachment]
}

func (l *taskLists) add(t listedTask) {
	if t.Spec.NetworkAttachmentSpec != nil || t.Spec.Runtime == swarm.RuntimeNetworkAttachment {
		l.attachments.add(attachmentOf(t))
		return
	}
	l.tasks.add(taskOf(t))
}

// listedTask is what the model has of a swarm.Task, by the same names.
type listedTask struct {
	ID        string
	Version   swarm.Version
	CreatedAt time.Time
	UpdatedAt time.Time
	Spec      struct {
		ContainerSpec         *taskContainer
		NetworkAttachmentSpec *swarm.NetworkAttachmentSpec
		Runtime               swarm.RuntimeType
	}
	ServiceID           string
	Slot                int
	NodeID              string
	Status              swarm.TaskStatus
	DesiredState        swarm.TaskState
	NetworksAttachments []taskNetwork
	JobIteration        *swarm.Version
}

type taskContainer struct {
	Image  string
	Labels stackLabel
}

type taskNetwork struct {
	Network struct {
		ID   string
		Spec struct{ Labels predefinedLabel }
	}
	Addresses []string
}

// Of the labels, which every task repeats, one is read each.
type (
	stackLabel struct {
		Stack string `json:"com.docker.stack.namespace"`
	}
	predefinedLabel struct {
		Predefined string `json:"com.docker.swarm.predefined"`
	}
)

func listed(t swarm.Task) listedTask {
	l := listedTask{
		ID: t.ID, Version: t.Version, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt, ServiceID: t.ServiceID, Slot: t.Slot,
		NodeID: t.NodeID, Status: t.Status, DesiredState: t.DesiredState, JobIteration: t.JobIteration,
	}
	if c := t.Spec.ContainerSpec; c != nil {
		l.Spec.ContainerSpec = &taskContainer{Image: c.Image, Labels: stackLabel{c.Labels[deploy.LabelStack]}}
	}
	l.Spec.NetworkAttachmentSpec, l.Spec.Runtime = t.Spec.NetworkAttachmentSpec, t.Spec.Runtime
	for _, a := range t.NetworksAttachments {
		n := taskNetwork{Addresses: a.Addresses}
		n.Network.ID, n.Network.Spec.Labels = a.Network.ID, predefinedLabel{a.Network.Spec.Labels[predefined]}
		l.NetworksAttachments = append(l.NetworksAttachments, n)
	}
	return l
}
