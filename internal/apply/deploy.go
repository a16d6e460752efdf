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
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
	"github.com/swarmnet/docker-swarmnet/internal/wait"
)

// ServiceDeployer is what deploying a service needs of an engine beside being
// watched.
type ServiceDeployer interface {
	wait.Watcher
	CreateService(ctx context.Context, r *engine.ServiceRequest) (id string, warnings []string, err error)
	UpdateService(ctx context.Context, before swarm.Service, r *engine.ServiceRequest) (warnings []string, err error)
	RemoveService(ctx context.Context, id string) error
	RestoreService(ctx context.Context, before swarm.Service) error
	Service(ctx context.Context, id string) (swarm.Service, error)
}

// ServiceDeployment is a service to create or update, as decided.
type ServiceDeployment struct {
	Context string
	Request *engine.ServiceRequest
	// Before is the service as it is; nil when it is to be created.
	Before *swarm.Service
	// Detach returns as soon as the swarm has taken the request.
	Detach bool
	// Leave leaves a service that does not come up as it is.
	Leave   bool
	Timeout time.Duration
	// Log returns the last lines of a task's log.
	Log func(ctx context.Context, taskID string, lines int) []string
}

const (
	// logLines is how much of a failed task's log an error shows.
	logLines = 10
	// restoreTime bounds the wait for a service that is being restored.
	restoreTime = 2 * time.Minute
)

// DeployService creates or updates the service, waits until it is up and
// returns its ID. A service that does not come up is taken back.
func DeployService(ctx context.Context, e ServiceDeployer, d ServiceDeployment, sink event.Sink) (string, error) {
	name := d.Request.Service().Name
	id, warnings, err := d.write(ctx, e)
	if err != nil {
		return "", err
	}
	object := "service " + name
	for _, w := range warnings {
		sink.On(event.Event{Object: object, Kind: event.Warning, State: "warning", Detail: text.Clean(w)})
	}
	made, err := e.Service(ctx, id)
	if err != nil && ctx.Err() == nil {
		return id, problem.New("service %q was written, and whether it is up is not known: %w", text.Clean(name), err)
	}
	name = made.Name
	if d.Detach {
		return id, nil
	}
	limited, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	v, err := wait.Service(limited, e, id, sink)
	switch {
	case err == nil && v.State == converge.Up:
		return id, nil
	case ctx.Err() != nil:
		return id, d.interrupted(name, v)
	}
	var silent *wait.SilentError
	if errors.As(err, &silent) {
		return id, d.unknown(name, v, silent)
	}
	code := problem.RolledBack
	failure := fmt.Sprintf("service %q of context %q did not come up: %s", text.Clean(name), d.Context, text.Clean(v.Reason))
	if err != nil {
		code = problem.TimedOut
		failure = fmt.Sprintf("service %q of context %q was not up within %s: %s", text.Clean(name), d.Context, d.Timeout, text.Clean(v.Reason))
	}
	failure += d.evidence(ctx, v)
	return id, d.takeBack(ctx, e, made, v, failure, code, sink)
}

// write creates or updates; a name or a version that somebody else was quicker
// with is an error that says so.
func (d ServiceDeployment) write(ctx context.Context, e ServiceDeployer) (id string, warnings []string, err error) {
	if d.Before == nil {
		id, warnings, err = e.CreateService(ctx, d.Request)
		if engine.IsConflict(err) {
			return "", nil, problem.New("service %q was created by somebody else in this moment: %w", text.Clean(d.Request.Service().Name), err).
				WithNext("Run the command again to compare with what is there.")
		}
		return id, warnings, err
	}
	warnings, err = e.UpdateService(ctx, *d.Before, d.Request)
	if engine.IsOutOfSequence(err) {
		return "", nil, problem.New("service %q was changed by somebody else in this moment, and nothing was changed here: %w", text.Clean(d.Before.Name), err).
			WithNext("Run the command again to compare with what is there.")
	}
	return d.Before.ID, warnings, err
}

// evidence says what happened to each task that failed, with its log's end.
func (d ServiceDeployment) evidence(ctx context.Context, v converge.Verdict) string {
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
		for _, l := range d.Log(ctx, t.ID, logLines) {
			b.WriteString("\n    | " + l)
		}
		cancel()
	}
	return b.String()
}

// interrupted leaves everything as it is, as docker does.
func (d ServiceDeployment) interrupted(name string, v converge.Verdict) error {
	return problem.New("interrupted; service %q of context %q is %s and stays so: %s", text.Clean(name), d.Context, d.did(), text.Clean(v.Reason)).
		WithNext("%s", d.goOn(name)).WithCode(problem.Interrupted)
}

// unknown leaves everything as it is: an engine that does not answer cannot
// take anything back.
func (d ServiceDeployment) unknown(name string, v converge.Verdict, silent *wait.SilentError) error {
	return problem.New("service %q of context %q is %s, and whether it comes up is not known (last seen: %s): %w",
		text.Clean(name), d.Context, d.did(), text.Clean(v.Reason), silent).WithNext("%s", d.goOn(name))
}

func (d ServiceDeployment) did() string {
	if d.Before != nil {
		return "updated"
	}
	return "created"
}

func (d ServiceDeployment) goOn(name string) string {
	return fmt.Sprintf("Run the same 'docker swarmnet deploy' again to go on waiting, or 'docker -c %s service ps %s' to look.", d.Context, text.Clean(name))
}

// takeBack undoes what was written, unless somebody else has written since.
func (d ServiceDeployment) takeBack(ctx context.Context, e ServiceDeployer, made swarm.Service, v converge.Verdict, failure string, code int, sink event.Sink) error {
	name := text.Clean(made.Name)
	look := fmt.Sprintf("Run 'docker -c %s service ps --no-trunc %s' to see its tasks.", d.Context, name)
	switch {
	case d.Leave:
		if code == problem.RolledBack {
			code = problem.Failed
		}
		return problem.New("%s\n\nIt was left as it is (--on-failure leave).", failure).WithNext("%s", look).WithCode(code)
	case v.Cause == converge.CauseRemoved:
		return problem.New("%s", failure).WithCode(problem.Failed)
	case v.Cause == converge.CauseRolledBack:
		return problem.New("%s\n\nThe swarm itself restores it (--update-failure-action rollback).", failure).WithNext("%s", look).WithCode(problem.RolledBack)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTime)
	defer cancel()
	now, err := e.Service(ctx, made.ID)
	if err == nil {
		var mine bool
		if mine, err = engine.SameSpec(now, made); err == nil && !mine {
			return problem.New("%s\n\nSomebody else has changed it since, so it was left as it is.", failure).WithNext("%s", look).WithCode(problem.Failed)
		}
	}
	undone := "It was removed again."
	if err == nil {
		if d.Before == nil {
			err = e.RemoveService(ctx, made.ID)
		} else {
			undone = "It was restored to what it was."
			err = d.restore(ctx, e, sink)
		}
	}
	if err != nil {
		return problem.New("%s\n\nTaking it back failed: %w", failure, err).WithNext("%s", look).WithCode(problem.RollbackFailed)
	}
	sink.On(event.Event{Object: "service " + name, Kind: event.Warning, State: "rolled back"})
	return problem.New("%s\n\n%s", failure, undone).WithCode(code)
}

// restore writes the service back as it was and waits until it is up.
func (d ServiceDeployment) restore(ctx context.Context, e ServiceDeployer, sink event.Sink) error {
	if err := e.RestoreService(ctx, *d.Before); err != nil {
		return err
	}
	v, err := wait.Service(ctx, e, d.Before.ID, sink)
	if err == nil && v.State == converge.Failed && v.Cause != converge.CauseRolledBack {
		err = errors.New("the restored service does not come up: " + text.Clean(v.Reason))
	}
	return err
}
