package apply

import (
	"context"
	"fmt"
	"slices"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/stack"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// failure is why a stack did not come up, in words.
type failure struct {
	msg, next string
	timedOut  bool
}

// restoration is what taking a stack back has come to.
type restoration struct {
	// restored are IDs of services that were written back and were up before.
	restored []string
	// created is what is to be removed.
	created stack.Parts
	// kept are services that somebody else has changed since.
	kept []string
	errs []error
}

// takeBack brings the stack to what it was before the deployment, and returns
// the error that tells of both.
func (r *stackRun) takeBack(ctx context.Context, f failure) error {
	look := f.next
	if look == "" {
		look = fmt.Sprintf("Run 'docker -c %s stack ps --no-trunc %s' to see its tasks.", r.Plan.Context, text.Clean(r.Plan.Stack))
	}
	kept := problem.Failed
	if f.timedOut {
		kept = problem.TimedOut
	}
	switch {
	case len(r.done) == 0:
		return problem.New("%s\n\nNothing was changed.", f.msg).WithNext("%s", look).WithCode(kept)
	case r.Leave:
		return problem.New("%s\n\nThe stack was left as it is (--on-failure leave): %s.", f.msg, r.did()).WithNext("%s", look).WithCode(kept)
	}
	back := r.rollBack(ctx, "")
	if len(back.errs) > 0 {
		return r.notRestored(ctx, f, back)
	}
	// Also after a deadline: what was asked cannot come true any more.
	p := problem.New("%s\n\n%s", f.msg, back.how()).WithCode(problem.RolledBack)
	p.Next = f.next
	return p
}

// rollBack undoes what was done, also after the command's time is over, and
// shows that it does; why may be empty.
func (r *stackRun) rollBack(ctx context.Context, why string) *restoration {
	// Going back may take as long as going forth, task by task.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(restoreTime, r.Timeout))
	defer cancel()
	object := "stack " + r.Plan.Stack
	r.sink.On(event.Event{Object: object, Kind: event.Working, State: "rolling back", Detail: why})
	back := r.restore(ctx)
	r.back = len(back.errs) == 0
	if r.back {
		r.sink.On(event.Event{Object: object, Kind: event.Warning, State: "rolled back"})
	} else {
		r.sink.On(event.Event{Object: object, Kind: event.Bad, State: "not rolled back"})
	}
	return back
}

// restore undoes what was done: new services go first, since those that are
// written back may need their ports and addresses; networks, configs and
// secrets go last, when nobody uses them any more.
func (r *stackRun) restore(ctx context.Context) *restoration {
	back := &restoration{}
	for _, w := range slices.Backward(r.done) {
		switch {
		case w.removed: // after what took its place, which was done later
			back.add(r.recreate(ctx, w, back))
		case w.Kind == plan.Service && w.Action != plan.Update:
			back.add(r.removeNew(ctx, w, back))
		case w.Action == plan.Create:
			back.note(w)
		}
	}
	for _, w := range r.done {
		if w.Kind == plan.Service && w.Action == plan.Update {
			back.add(r.restoreOne(ctx, w, back))
		}
	}
	if len(back.errs) == 0 && len(back.restored) > 0 {
		back.add(restored(ctx, r.e, back.restored, r.sink))
	}
	for _, w := range r.done {
		if w.Action == plan.Update && w.Kind != plan.Service {
			back.add(r.restoreLabels(ctx, w))
		}
	}
	back.add(RemoveParts(ctx, r.e, back.created, "", r.sink))
	return back
}

// how says what the stack is like when all went well.
func (b *restoration) how() string {
	if len(b.kept) > 0 {
		return "The stack is as it was before, except for what somebody else has changed since: " + list(b.kept) + "."
	}
	return "The stack is as it was before."
}

func (b *restoration) add(err error) {
	if err != nil {
		b.errs = append(b.errs, err)
	}
}

// note remembers an object that is to be removed.
func (b *restoration) note(w written) {
	switch w.Kind {
	case plan.Network:
		b.created.Networks = append(b.created.Networks, swarm.Network{ID: w.ID, Name: w.Name})
	case plan.Config:
		b.created.Configs = append(b.created.Configs, plan.Object{ID: w.ID, Name: w.Name})
	case plan.Secret:
		b.created.Secrets = append(b.created.Secrets, plan.Object{ID: w.ID, Name: w.Name})
	case plan.Service:
		b.created.Services = append(b.created.Services, swarm.Service{ID: w.ID, Name: w.Name})
	}
}

// mine tells whether a service still is as this deployment has left it. The
// swarm's own roll-back of an update is no change of somebody else.
func (r *stackRun) mine(ctx context.Context, w written) (mine, there bool, err error) {
	var now swarm.Service
	err = answered(ctx, r.sink, func() (err error) { now, err = r.e.Service(ctx, w.ID); return err })
	if engine.IsNotFound(err) {
		return false, false, nil
	}
	if err != nil {
		return false, true, err
	}
	for _, spec := range []swarm.Service{w.made, w.before} {
		if spec.ID == "" {
			continue
		}
		same, err := engine.SameSpec(now, spec)
		if same || err != nil {
			return same, true, err
		}
	}
	return w.made.ID == "", true, nil // not read back after it was written
}

func (r *stackRun) removeNew(ctx context.Context, w written, back *restoration) error {
	mine, there, err := r.mine(ctx, w)
	switch {
	case err != nil:
		return about(w.Step, err)
	case !there:
		return nil
	case !mine:
		back.kept = append(back.kept, w.Resource.String())
		return nil
	}
	back.note(w)
	r.sink.On(event.Event{Object: "service " + w.Name, Kind: event.Working, State: "removing"})
	return answered(ctx, r.sink, func() error { return r.e.RemoveResource(ctx, plan.Service, w.ID) })
}

func (r *stackRun) restoreOne(ctx context.Context, w written, back *restoration) error {
	mine, there, err := r.mine(ctx, w)
	switch {
	case err != nil:
		return about(w.Step, err)
	case !there:
		back.kept = append(back.kept, w.Resource.String()+" (removed)")
		return nil
	case !mine:
		back.kept = append(back.kept, w.Resource.String())
		return nil
	}
	r.sink.On(event.Event{Object: "service " + w.Name, Kind: event.Working, State: "restoring"})
	if err := answered(ctx, r.sink, func() error { return r.e.RestoreService(ctx, w.before) }); err != nil {
		return about(w.Step, err)
	}
	if r.wasUp(w.before) {
		back.restored = append(back.restored, w.ID)
	} else {
		r.sink.On(event.Event{Object: "service " + w.Name, Kind: event.Good, State: "restored"})
	}
	return nil
}

// wasUp tells whether a service had all its tasks before. One that had not, or
// whose tasks are meant to end, is not waited for when it is written back.
func (r *stackRun) wasUp(before swarm.Service) bool {
	running := 0
	for _, t := range r.Observed.Tasks {
		if t.ServiceID != before.ID || t.Desired.Ended() {
			continue
		}
		if t.State != swarm.TaskRunning {
			return false
		}
		running++
	}
	return !before.Mode.Job() && (before.Mode.PerNode() || running >= int(min(before.Replicas, 1<<31-1))) //nolint:gosec // bounded in the same expression
}

// recreate makes a service anew that had to give way to one of another mode.
func (r *stackRun) recreate(ctx context.Context, w written, back *restoration) error {
	for _, sv := range back.created.Services {
		if sv.Name == w.Name { // its name and ports are free when its tasks have ended
			if err := tasksGone(ctx, r.e, []swarm.Service{sv}, "", r.sink); err != nil {
				return about(w.Step, err)
			}
		}
	}
	r.sink.On(event.Event{Object: "service " + w.Name, Kind: event.Working, State: "restoring"})
	if err := answered(ctx, r.sink, func() error { return r.e.RecreateService(ctx, w.before) }); err != nil {
		return about(w.Step, err)
	}
	r.sink.On(event.Event{Object: "service " + w.Name, Kind: event.Good, State: "restored"})
	return nil
}

func (r *stackRun) restoreLabels(ctx context.Context, w written) error {
	objects := r.Observed.Secrets
	if w.Kind == plan.Config {
		objects = r.Observed.Configs
	}
	for _, o := range objects {
		if o.ID == w.ID {
			return answered(ctx, r.sink, func() error { return r.e.RestoreLabels(ctx, w.Kind, o) })
		}
	}
	return nil
}
