package engine

import (
	"context"
	"net/url"

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
	if c, ok := e.api.(*client.Client); ok && stream(ctx, c, "/tasks?filters="+url.QueryEscape(args), l.read) == nil {
		return l.tasks.all(), l.attachments.all(), nil
	}
	list, err := e.api.TaskList(ctx, swarm.TaskListOptions{Filters: allRuntimes()})
	if err != nil {
		return nil, nil, err
	}
	l = taskLists{}
	for i := range list {
		l.add(listed(&list[i]))
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
	// next is the task that is read.
	next listedTask
}

func (l *taskLists) add(t *listedTask) {
	if t.Spec.NetworkAttachmentSpec != nil || t.Spec.Runtime == swarm.RuntimeNetworkAttachment {
		l.attachments.add(attachmentOf(t))
		return
	}
	l.tasks.add(taskOf(t))
}

// read reads a task of the list.
func (l *taskLists) read(in *input) error {
	l.next = listedTask{}
	err := l.next.read(in)
	l.add(&l.next)
	return err
}

// listedTask is what the model has of a swarm.Task, by the same names.
type listedTask struct {
	ID string
	swarm.Meta
	Spec struct {
		ContainerSpec         *taskContainer
		NetworkAttachmentSpec *swarm.NetworkAttachmentSpec
		Runtime               swarm.RuntimeType
	}
	ServiceID    string
	Slot         int
	NodeID       string
	Status       swarm.TaskStatus
	DesiredState swarm.TaskState
	JobIteration *swarm.Version
	// Networks are its NetworksAttachments.
	Networks []model.TaskNetwork
}

// taskContainer is what the model has of a swarm.ContainerSpec; Stack is the one
// label of it.
type taskContainer struct{ Image, Stack string }

func listed(t *swarm.Task) *listedTask {
	l := &listedTask{
		ID: t.ID, Meta: t.Meta, ServiceID: t.ServiceID, Slot: t.Slot,
		NodeID: t.NodeID, Status: t.Status, DesiredState: t.DesiredState, JobIteration: t.JobIteration,
	}
	if c := t.Spec.ContainerSpec; c != nil {
		l.Spec.ContainerSpec = &taskContainer{Image: c.Image, Stack: c.Labels[deploy.LabelStack]}
	}
	l.Spec.NetworkAttachmentSpec, l.Spec.Runtime = t.Spec.NetworkAttachmentSpec, t.Spec.Runtime
	for _, a := range t.NetworksAttachments {
		l.Networks = append(l.Networks, model.TaskNetwork{
			NetworkID: a.Network.ID, Addrs: prefixes(a.Addresses), Predefined: a.Network.Spec.Labels[predefined] == "true",
		})
	}
	return l
}

// read reads a task as it stands in the list. What is rare is left to
// encoding/json.
func (t *listedTask) read(in *input) error {
	return objectOf(in, &t.ID, &t.Meta, func(name []byte) error {
		switch string(name) {
		case `"Spec"`:
			return t.readSpec(in)
		case `"ServiceID"`:
			return readKnown(in, &t.ServiceID)
		case `"Slot"`:
			return readNumber(in, &t.Slot)
		case `"NodeID"`:
			return readKnown(in, &t.NodeID)
		case `"Status"`:
			return readStatus(in, &t.Status)
		case `"DesiredState"`:
			return readKnown(in, &t.DesiredState)
		case `"NetworksAttachments"`:
			return readEach(in, &t.Networks, readTaskNetwork)
		case `"JobIteration"`:
			return read(in, &t.JobIteration)
		}
		return in.SkipValue()
	})
}

func readStatus(in *input, to *swarm.TaskStatus) error {
	return membersOf(in, func(name []byte) error {
		switch string(name) {
		case `"Timestamp"`:
			return readTime(in, &to.Timestamp)
		case `"State"`:
			return readKnown(in, &to.State)
		case `"Message"`:
			return readKnown(in, &to.Message)
		case `"Err"`:
			return readKnown(in, &to.Err)
		case `"ContainerStatus"`:
			if ok, err := comes(in, '{'); !ok {
				return err
			}
			to.ContainerStatus = &swarm.ContainerStatus{}
			return readContainerStatus(in, to.ContainerStatus)
		case `"PortStatus"`:
			return memberOf(in, "Ports", func() error { return readEach(in, &to.PortStatus.Ports, readPort) })
		}
		return in.SkipValue()
	})
}

func readContainerStatus(in *input, to *swarm.ContainerStatus) error {
	return membersOf(in, func(name []byte) error {
		switch string(name) {
		case `"ContainerID"`:
			return readText(in, &to.ContainerID)
		case `"ExitCode"`:
			return readNumber(in, &to.ExitCode)
		}
		return in.SkipValue()
	})
}

func (t *listedTask) readSpec(in *input) error {
	return membersOf(in, func(name []byte) error {
		switch string(name) {
		case `"ContainerSpec"`:
			if ok, err := comes(in, '{'); !ok {
				return err
			}
			t.Spec.ContainerSpec = &taskContainer{}
			return t.Spec.ContainerSpec.read(in)
		case `"NetworkAttachmentSpec"`:
			return read(in, &t.Spec.NetworkAttachmentSpec)
		case `"Runtime"`:
			return readKnown(in, &t.Spec.Runtime)
		}
		return in.SkipValue()
	})
}

func (c *taskContainer) read(in *input) error {
	return membersOf(in, func(name []byte) error {
		switch string(name) {
		case `"Image"`:
			return readKnown(in, &c.Image)
		case `"Labels"`:
			return memberOf(in, deploy.LabelStack, func() error { return readKnown(in, &c.Stack) })
		}
		return in.SkipValue()
	})
}

func readTaskNetwork(in *input, to *model.TaskNetwork) error {
	return membersOf(in, func(name []byte) error {
		switch string(name) {
		case `"Network"`:
			return readNetworkOfTask(in, to)
		case `"Addresses"`:
			var addresses []string
			err := readEach(in, &addresses, readText[string])
			to.Addrs = prefixes(addresses)
			return err
		}
		return in.SkipValue()
	})
}

func readNetworkOfTask(in *input, to *model.TaskNetwork) error {
	return membersOf(in, func(name []byte) error {
		switch string(name) {
		case `"ID"`:
			return readKnown(in, &to.NetworkID)
		case `"Spec"`:
			return memberOf(in, "Labels", func() error {
				var label string
				err := memberOf(in, predefined, func() error { return readKnown(in, &label) })
				to.Predefined = label == "true"
				return err
			})
		}
		return in.SkipValue()
	})
}
