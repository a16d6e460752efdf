package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/pkg/stdcopy"

	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// RemoveService removes a service; one that is gone already is no error.
func (e *Engine) RemoveService(ctx context.Context, id string) error {
	err := e.api.ServiceRemove(ctx, id)
	if IsNotFound(err) {
		return nil
	}
	return e.Explain(err)
}

// Service reads one service.
func (e *Engine) Service(ctx context.Context, id string) (model.Service, error) {
	s, _, err := e.api.ServiceInspectWithRaw(ctx, id, swarm.ServiceInspectOptions{})
	if err != nil {
		return model.Service{}, e.Explain(err)
	}
	return serviceOf(s), nil
}

// ServiceNames lists the names of the swarm's services.
func (e *Engine) ServiceNames(ctx context.Context) ([]string, error) {
	list, err := e.api.ServiceList(ctx, swarm.ServiceListOptions{})
	if err != nil {
		return nil, e.Explain(err)
	}
	return convert(list, func(s swarm.Service) string { return s.Spec.Name }), nil
}

// RestoreService writes a spec that was read from the service before, over
// whatever stands there now.
func (e *Engine) RestoreService(ctx context.Context, before model.Service) error {
	now, _, err := e.api.ServiceInspectWithRaw(ctx, before.ID, swarm.ServiceInspectOptions{})
	if err != nil {
		return e.Explain(err)
	}
	spec, ok := before.Spec.(swarm.ServiceSpec)
	if !ok {
		return fmt.Errorf("service %q: the spec to restore is not one of this engine's", before.Name)
	}
	from := swarm.RegistryAuthFromPreviousSpec
	if now.PreviousSpec == nil { // the swarm itself has rolled it back, or it was never updated
		from = swarm.RegistryAuthFromSpec
	}
	_, err = e.api.ServiceUpdate(ctx, before.ID, now.Version, spec, swarm.ServiceUpdateOptions{RegistryAuthFrom: from})
	return e.Explain(err)
}

// RecreateService makes a service anew as it was read before; it has another ID.
func (e *Engine) RecreateService(ctx context.Context, before model.Service) error {
	spec, ok := before.Spec.(swarm.ServiceSpec)
	if !ok {
		return fmt.Errorf("service %q: the spec to restore is not one of this engine's", before.Name)
	}
	_, err := e.api.ServiceCreate(ctx, spec, swarm.ServiceCreateOptions{})
	return e.Explain(err)
}

// WatchServices reads the services with these IDs, their tasks and all nodes, in
// four calls. A service that is gone is left out. Tasks say whether they are
// of the service's present spec.
func (e *Engine) WatchServices(ctx context.Context, ids []string) ([]model.Service, []model.Task, []model.Node, error) {
	want := make([]filters.KeyValuePair, 0, len(ids))
	for _, id := range ids {
		want = append(want, filters.Arg("id", id))
	}
	services, err := e.api.ServiceList(ctx, swarm.ServiceListOptions{Filters: filters.NewArgs(want...)})
	if err != nil {
		return nil, nil, nil, e.Explain(err)
	}
	all, err := e.api.TaskList(ctx, swarm.TaskListOptions{Filters: tasksOfServices(ids)})
	if err != nil {
		return nil, nil, nil, e.Explain(err)
	}
	var l taskLists
	for i := range all {
		l.add(listed(&all[i]))
	}
	tasks := l.tasks.all()
	if err := e.MarkUpToDate(ctx, ids, tasks); err != nil {
		return nil, nil, nil, err
	}
	nodes, err := e.api.NodeList(ctx, swarm.NodeListOptions{})
	if err != nil {
		return nil, nil, nil, e.Explain(err)
	}
	return convert(services, serviceOf), tasks, convert(nodes, nodeOf), nil
}

func tasksOfServices(ids []string) filters.Args {
	args := filters.NewArgs()
	for _, id := range ids {
		args.Add("service", id)
	}
	return args
}

// MarkUpToDate notes on tasks of the services with these IDs whether they are
// of the service's present spec, in one call.
func (e *Engine) MarkUpToDate(ctx context.Context, ids []string, tasks []model.Task) error {
	// The filter of docker/cli's own progress (cli/command/service/progress).
	args := tasksOfServices(ids)
	args.Add("_up-to-date", "true")
	current, err := e.api.TaskList(ctx, swarm.TaskListOptions{Filters: args})
	if err != nil {
		return e.Explain(err)
	}
	fresh := make(map[string]bool, len(current))
	for i := range current {
		fresh[current[i].ID] = true
	}
	for i := range tasks {
		tasks[i].UpToDate = fresh[tasks[i].ID]
	}
	return nil
}

// Changes returns a channel that gets a value when something in the swarm
// changed (services, nodes, networks), closed when the stream of events ends.
// Tasks have no events of their own, except for containers of the engine that
// is asked, so whoever waits for tasks must also look from time to time.
func (e *Engine) Changes(ctx context.Context) <-chan struct{} {
	out := make(chan struct{}, 1)
	msgs, errs := e.api.Events(ctx, events.ListOptions{Filters: filters.NewArgs(
		filters.Arg("type", "service"), filters.Arg("type", "node"), filters.Arg("type", "network"), filters.Arg("type", "container"),
	)})
	go func() {
		defer close(out)
		for {
			select {
			case <-ctx.Done():
				return
			case <-errs: //nolint:errcheck // why the stream ended makes no difference to who waits
				return
			case <-msgs:
				select {
				case out <- struct{}{}:
				default:
				}
			}
		}
	}()
	return out
}

// TaskLog returns the last lines of a task's log, cleaned for a terminal. It
// is evidence beside an error: where it cannot be had, the result is nil.
func (e *Engine) TaskLog(ctx context.Context, taskID string, lines int) []string {
	r, err := e.api.TaskLogs(ctx, taskID, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(lines)})
	if err != nil {
		return nil
	}
	defer func() { _ = r.Close() }()
	raw, err := io.ReadAll(io.LimitReader(r, 256<<10))
	if err != nil && len(raw) == 0 {
		return nil
	}
	var out bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &out, bytes.NewReader(raw)); err != nil {
		// A container with a terminal has one raw stream.
		out.Reset()
		out.Write(raw)
	}
	s := strings.TrimRight(text.Lines(out.String()), "\n ")
	if s == "" {
		return nil
	}
	all := strings.Split(s, "\n")
	return all[max(0, len(all)-lines):]
}
