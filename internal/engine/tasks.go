package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// tasks lists all tasks, of services and of "docker run". The list is by far
// the largest answer there is, 30 MB for 20,000 tasks, so it is turned into the
// model while it comes in. The client module can only read it whole; it is
// asked where the list cannot be had otherwise, and then says why.
func (e *Engine) tasks(ctx context.Context) ([]model.Task, []model.Attachment, error) {
	var l taskLists
	if c, ok := e.api.(*client.Client); ok && e.streamTasks(ctx, c, &l) == nil {
		return l.tasks, l.attachments, nil
	}
	list, err := e.api.TaskList(ctx, swarm.TaskListOptions{Filters: allRuntimes()})
	if err != nil {
		return nil, nil, err
	}
	l = taskLists{}
	for i := range list {
		l.add(list[i])
	}
	return l.tasks, l.attachments, nil
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
	tasks       []model.Task
	attachments []model.Attachment
}

func (l *taskLists) add(t swarm.Task) {
	if t.Spec.NetworkAttachmentSpec != nil || t.Spec.Runtime == swarm.RuntimeNetworkAttachment {
		l.attachments = append(l.attachments, attachmentOf(t))
		return
	}
	l.tasks = append(l.tasks, taskOf(t))
}

// streamTasks reads the list task by task.
func (e *Engine) streamTasks(ctx context.Context, c *client.Client, l *taskLists) error {
	args, err := filters.ToJSON(allRuntimes())
	if err != nil {
		return err
	}
	api := &http.Client{Transport: through(c)}
	defer api.CloseIdleConnections()
	path := "http://localhost/v" + c.ClientVersion() + "/tasks?filters=" + url.QueryEscape(args)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	resp, err := api.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("tasks: %s", resp.Status)
	}
	in := json.NewDecoder(resp.Body)
	if _, err := in.Token(); err != nil {
		return err
	}
	for in.More() {
		var t swarm.Task
		if err := in.Decode(&t); err != nil {
			return err
		}
		l.add(t)
	}
	_, err = in.Token()
	return err
}
