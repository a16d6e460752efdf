package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/converge"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/wait"
)

const (
	// logLines is how much of a failed task's log an error shows.
	logLines = 10
	// restoreTime bounds the wait for a service that is being restored.
	restoreTime = 2 * time.Minute
)

// TaskLog returns the last lines of a task's log.
type TaskLog func(ctx context.Context, taskID string, lines int) []string

// rollout is a service that was written and is to come up, or to be taken back.
type rollout struct {
	dockerContext string
	// service is the service as it was written.
	service swarm.Service
	// did says what was done to it: "created", "updated".
	did string
	// again is the command that goes on waiting.
	again string
	// left says why a service that does not come up is left as it is; empty when
	// it is taken back.
	left    string
	timeout time.Duration
	log     TaskLog
	// undo takes back what was written and says how, also with an error that came
	// later. It returns errNotOurs when somebody else has changed that since.
	undo func(context.Context) (how string, err error)
}

// errNotOurs tells that what is to be undone was changed by somebody else.
var errNotOurs = errors.New("somebody else has changed it since")

// wait waits until the service is up, and takes it back when it does not come
// up.
func (r rollout) wait(ctx context.Context, w wait.Watcher, sink event.Sink) error {
	limited, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	name := text.Clean(r.service.Name)
	v, err := wait.Service(limited, w, r.service.ID, sink)
	switch {
	case err == nil && v.State == converge.Up:
		return nil
	case ctx.Err() != nil:
		return r.interrupted(v)
	}
	var silent *wait.SilentError
	if errors.As(err, &silent) {
		return r.unknown(v, silent)
	}
	code := problem.RolledBack
	failure := fmt.Sprintf("service %q of context %q did not come up: %s", name, r.dockerContext, text.Clean(v.Reason))
	if err != nil {
		code = problem.TimedOut
		failure = fmt.Sprintf("service %q of context %q was not up within %s: %s", name, r.dockerContext, r.timeout, text.Clean(v.Reason))
	}
	failure += evidence(ctx, r.log, v)
	return r.takeBack(ctx, v, failure, code, sink)
}

// evidence says what happened to each task that failed, with its log's end.
func evidence(ctx context.Context, log TaskLog, v converge.Verdict) string {
	var b strings.Builder
	reports := v.Failures
	if len(reports) == 0 {
		for _, t := range v.Tasks {
			if t.State != swarm.TaskRunning && t.State != swarm.TaskComplete {
				reports = append(reports, t)
			}
		}
	}
	const most = 3
	for i, t := range reports {
		if i == most {
			fmt.Fprintf(&b, "\n  and %d more tasks", len(reports)-most)
			break
		}
		line := t.Name
		if t.Node != "" {
			line += " on " + t.Node
		}
		line += ": " + string(t.State)
		if t.ExitCode != 0 {
			line += fmt.Sprintf(", exit code %d", t.ExitCode)
		}
		if t.Detail != "" {
			line += ": " + t.Detail
		}
		b.WriteString("\n  " + text.Clean(line))
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		for _, l := range log(ctx, t.ID, logLines) {
			b.WriteString("\n    | " + l)
		}
		cancel()
	}
	return b.String()
}

// interrupted leaves everything as it is, as docker does.
func (r rollout) interrupted(v converge.Verdict) error {
	return problem.New("interrupted; service %q of context %q is %s and stays so: %s", text.Clean(r.service.Name), r.dockerContext, r.did, text.Clean(v.Reason)).
		WithNext("%s", r.goOn()).WithCode(problem.Interrupted)
}

// unknown leaves everything as it is: an engine that does not answer cannot
// take anything back.
func (r rollout) unknown(v converge.Verdict, silent *wait.SilentError) error {
	return problem.New("service %q of context %q is %s, and whether it comes up is not known (last seen: %s): %w",
		text.Clean(r.service.Name), r.dockerContext, r.did, text.Clean(v.Reason), silent).WithNext("%s", r.goOn())
}

func (r rollout) goOn() string {
	return fmt.Sprintf("Run the same '%s' again to go on waiting, or 'docker -c %s service ps %s' to look.", r.again, r.dockerContext, text.Clean(r.service.Name))
}

// takeBack undoes what was written, unless somebody else has written since.
// code is that of an error which leaves it.
func (r rollout) takeBack(ctx context.Context, v converge.Verdict, failure string, code int, sink event.Sink) error {
	name := text.Clean(r.service.Name)
	look := fmt.Sprintf("Run 'docker -c %s service ps --no-trunc %s' to see its tasks.", r.dockerContext, name)
	switch {
	case r.left != "":
		if code == problem.RolledBack {
			code = problem.Failed
		}
		return problem.New("%s\n\nIt was left as it is (%s).", failure, r.left).WithNext("%s", look).WithCode(code)
	case v.Cause == converge.CauseRemoved:
		return problem.New("%s", failure).WithCode(problem.Failed)
	case v.Cause == converge.CauseRolledBack:
		return problem.New("%s\n\nThe swarm itself restores it (--update-failure-action rollback).", failure).WithNext("%s", look).WithCode(problem.RolledBack)
	}
	limited, cancel := context.WithTimeout(ctx, restoreTime)
	defer cancel()
	how, err := r.undo(limited)
	switch {
	case err != nil && ctx.Err() != nil:
		if how == "" {
			how = "Whether it is as it was is not known."
		}
		return problem.New("%s\n\nInterrupted while it was being taken back. %s", failure, how).WithNext("%s", look).WithCode(problem.Interrupted)
	case errors.Is(err, errNotOurs):
		return problem.New("%s\n\nIt was left as it is: %w", failure, errNotOurs).WithNext("%s", look).WithCode(problem.Failed)
	case err != nil:
		return problem.New("%s\n\nTaking it back failed: %w", failure, err).WithNext("%s", look).WithCode(problem.RollbackFailed)
	}
	sink.On(event.Event{Object: "service " + name, Kind: event.Warning, State: "rolled back"})
	// Also after a deadline: what was asked cannot come true any more.
	return problem.New("%s\n\n%s", failure, how).WithCode(problem.RolledBack)
}

// restored waits until services that were written back as they were are up.
func restored(ctx context.Context, w wait.Watcher, ids []string, sink event.Sink) error {
	verdicts, err := wait.Services(ctx, w, ids, sink)
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range ids {
		v := verdicts[id]
		if v.State == converge.Failed && v.Cause != converge.CauseRolledBack {
			failed = append(failed, fmt.Errorf("the restored service %q does not come up: %s", text.Clean(v.Service), text.Clean(v.Reason)))
		}
	}
	return errors.Join(failed...)
}
