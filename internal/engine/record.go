package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// APIClient is the client that docker/cli's commands work with.
type APIClient = client.APIClient

// ServiceRequest is what "docker service create" would have asked the engine
// for: the desired state of one service.
type ServiceRequest struct {
	// Missing are objects that the service names and the swarm lacks. A
	// request with missing objects cannot be carried out.
	Missing []deploy.Missing
	// Networks are the service's networks as the swarm resolved their names.
	Networks []deploy.NetworkRef

	spec          swarm.ServiceSpec
	auth          string
	queryRegistry bool
	// unpinned tells that the registry did not answer for the image's digest.
	unpinned bool
}

// Service returns the desired state in the model; it has no ID.
func (r *ServiceRequest) Service() model.Service { return specOf(r.spec) }

// errRecorded ends docker's command at the call that would have changed the
// swarm. It never reaches a user.
var errRecorded = errors.New("recorded")

// RecordService runs docker's own "service create" (run, with the client it is
// given) and returns what it would have created. Nothing is changed: the
// client answers every question from the engine, and stops at the creation.
func (e *Engine) RecordService(run func(APIClient) error) (*ServiceRequest, error) {
	rec := &recorder{APIClient: e.api, request: &ServiceRequest{}}
	if err := run(rec); !errors.Is(err, errRecorded) {
		if err == nil {
			err = errors.New("docker's service create did not come to a creation")
		}
		return nil, e.Explain(err)
	}
	return rec.request, nil
}

// recorder is a client whose ServiceCreate only remembers. An object that a
// lookup does not find is remembered too and answered as if it were there, so
// that one run finds all that is missing.
type recorder struct {
	client.APIClient
	request *ServiceRequest
}

func (r *recorder) ServiceCreate(_ context.Context, spec swarm.ServiceSpec, opts swarm.ServiceCreateOptions) (swarm.ServiceCreateResponse, error) {
	r.request.spec, r.request.auth, r.request.queryRegistry = spec, opts.EncodedRegistryAuth, opts.QueryRegistry
	return swarm.ServiceCreateResponse{}, errRecorded
}

func (r *recorder) NetworkInspect(ctx context.Context, ref string, opts network.InspectOptions) (network.Inspect, error) {
	n, err := r.APIClient.NetworkInspect(ctx, ref, opts)
	if IsNotFound(err) {
		var ok bool
		if n, ok, err = r.listed(ctx, ref); err == nil && !ok {
			r.miss("network", ref)
			return network.Inspect{ID: ref, Name: ref}, nil
		}
	}
	if err != nil {
		return n, err
	}
	r.request.Networks = append(r.request.Networks, deploy.NetworkRef{Ref: ref, ID: n.ID, Name: n.Name, Driver: n.Driver, Ingress: n.Ingress})
	return n, nil
}

// listed looks for a swarm network in the list: engines 29.0 to 29.7 answer
// 404 for any swarm network asked by name while a single one is unallocated
// (moby commit 1b7bdd064c).
func (r *recorder) listed(ctx context.Context, ref string) (network.Inspect, bool, error) {
	list, err := r.APIClient.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("scope", "swarm"))}) //nolint:staticcheck // the engine's, not one that is recorded
	if err != nil {
		return network.Inspect{}, false, err
	}
	for _, n := range list {
		if n.Scope == "swarm" && (n.ID == ref || n.Name == ref) {
			return n, true, nil
		}
	}
	return network.Inspect{}, false, nil
}

func (r *recorder) SecretList(ctx context.Context, opts swarm.SecretListOptions) ([]swarm.Secret, error) {
	list, err := r.APIClient.SecretList(ctx, opts)
	if err != nil {
		return nil, err
	}
	for _, name := range opts.Filters.Get("name") {
		if !slices.ContainsFunc(list, func(s swarm.Secret) bool { return s.Spec.Name == name }) {
			r.miss("secret", name)
			list = append(list, swarm.Secret{ID: name, Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: name}}})
		}
	}
	return list, nil
}

func (r *recorder) ConfigList(ctx context.Context, opts swarm.ConfigListOptions) ([]swarm.Config, error) {
	list, err := r.APIClient.ConfigList(ctx, opts)
	if err != nil {
		return nil, err
	}
	for _, name := range opts.Filters.Get("name") {
		if !slices.ContainsFunc(list, func(c swarm.Config) bool { return c.Spec.Name == name }) {
			r.miss("config", name)
			list = append(list, swarm.Config{ID: name, Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: name}}})
		}
	}
	return list, nil
}

func (r *recorder) miss(kind, name string) {
	m := deploy.Missing{Kind: kind, Name: name}
	if !slices.Contains(r.request.Missing, m) {
		r.request.Missing = append(r.request.Missing, m)
	}
}
