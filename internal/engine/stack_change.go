package engine

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/swarm"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// CreateResource creates one object of the stack as docker stack deploy does,
// and returns its ID and the engine's warnings. Services that are made or
// updated later find the ID in the request. Steps of different resources may
// be carried out side by side, but for those that depend on each other.
func (e *Engine) CreateResource(ctx context.Context, r *StackRequest, res plan.Resource) (id string, warnings []string, err error) {
	switch res.Kind {
	case plan.Network:
		resp, callErr := e.api.NetworkCreate(ctx, res.Name, r.networks[res.Name])
		id, err = resp.ID, e.Explain(callErr)
	case plan.Secret:
		resp, callErr := e.api.SecretCreate(ctx, r.secrets[res.Name])
		id, err = resp.ID, e.Explain(callErr)
	case plan.Config:
		resp, callErr := e.api.ConfigCreate(ctx, r.configs[res.Name])
		id, err = resp.ID, e.Explain(callErr)
	case plan.Service:
		s, ok := r.Service(res.Name)
		if !ok {
			return "", nil, errNotOfStack(r, res)
		}
		id, warnings, err = e.CreateService(ctx, s)
	default:
		err = errNotOfStack(r, res)
	}
	if err == nil {
		r.Learn(res, id)
	}
	return id, warnings, err
}

// UpdateResource writes one object of the stack over the one that was read at
// the step's version. When somebody has written it in between, the error
// satisfies IsOutOfSequence. Networks are never updated.
func (e *Engine) UpdateResource(ctx context.Context, r *StackRequest, step plan.Step) (warnings []string, err error) {
	version := swarm.Version{Index: step.Version}
	switch step.Kind {
	case plan.Secret:
		return nil, e.Explain(e.api.SecretUpdate(ctx, step.ID, version, r.secrets[step.Name]))
	case plan.Config:
		return nil, e.Explain(e.api.ConfigUpdate(ctx, step.ID, version, r.configs[step.Name]))
	case plan.Service:
		s, ok := r.Service(step.Name)
		if !ok {
			return nil, errNotOfStack(r, step.Resource)
		}
		return e.UpdateService(ctx, model.Service{ID: step.ID, Name: step.Name, Version: step.Version}, s)
	default:
		return nil, errNotOfStack(r, step.Resource)
	}
}

// RemoveResource removes the object with this ID; one that is gone already is
// no error.
func (e *Engine) RemoveResource(ctx context.Context, kind plan.Kind, id string) error {
	var err error
	switch kind {
	case plan.Network:
		err = e.api.NetworkRemove(ctx, id)
	case plan.Secret:
		err = e.api.SecretRemove(ctx, id)
	case plan.Config:
		err = e.api.ConfigRemove(ctx, id)
	case plan.Service:
		err = e.api.ServiceRemove(ctx, id)
	}
	if IsNotFound(err) {
		return nil
	}
	return e.Explain(err)
}

// RestoreLabels gives a secret or a config the labels back that it was read
// with. Nothing else about them ever changes.
func (e *Engine) RestoreLabels(ctx context.Context, kind plan.Kind, before plan.Object) error {
	switch kind {
	case plan.Secret:
		now, _, err := e.api.SecretInspectWithRaw(ctx, before.ID)
		if err != nil {
			return e.Explain(err)
		}
		now.Spec.Labels = before.Labels
		return e.Explain(e.api.SecretUpdate(ctx, before.ID, now.Version, now.Spec))
	case plan.Config:
		now, _, err := e.api.ConfigInspectWithRaw(ctx, before.ID)
		if err != nil {
			return e.Explain(err)
		}
		now.Spec.Labels = before.Labels
		return e.Explain(e.api.ConfigUpdate(ctx, before.ID, now.Version, now.Spec))
	default:
		return fmt.Errorf("%s %q has no labels of its own to restore", kind, before.Name)
	}
}

func errNotOfStack(r *StackRequest, res plan.Resource) error {
	return fmt.Errorf("%s is not one that stack %q can change so", res, r.name)
}
