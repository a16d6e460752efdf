package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/stackfile"
)

// StackRequest is what "docker stack deploy" would ask the engine for: the
// desired state of a stack, ready to be compared and carried out.
type StackRequest struct {
	name     string
	networks map[string]network.CreateOptions
	secrets  map[string]swarm.SecretSpec
	configs  map[string]swarm.ConfigSpec
	services map[string]*ServiceRequest
	depends  map[string][]string
	external []string

	// ids are those of objects that are there, or have been made since, which
	// several steps may do side by side.
	mu  sync.Mutex
	ids map[plan.Resource]string
}

// NewStackRequest makes a request of a stack's file.
func NewStackRequest(st *stackfile.Stack) *StackRequest {
	r := &StackRequest{
		name: st.Name, networks: st.Networks, external: st.External,
		secrets: map[string]swarm.SecretSpec{}, configs: map[string]swarm.ConfigSpec{},
		services: map[string]*ServiceRequest{}, depends: map[string][]string{},
		ids: map[plan.Resource]string{},
	}
	for _, s := range st.Secrets {
		r.secrets[s.Name] = s
	}
	for _, c := range st.Configs {
		r.configs[c.Name] = c
	}
	for _, sv := range st.Services {
		r.services[sv.Spec.Name] = &ServiceRequest{spec: sv.Spec}
		r.depends[sv.Spec.Name] = sv.DependsOn
	}
	return r
}

// own makes copies of the services, since one stack may be asked of several
// engines, and each has IDs of its own.
func (r *StackRequest) own() error {
	for name, s := range r.services {
		raw, err := json.Marshal(s.spec)
		if err != nil {
			return err
		}
		made := &ServiceRequest{}
		if err := json.Unmarshal(raw, &made.spec); err != nil {
			return err
		}
		r.services[name] = made
	}
	return nil
}

// Name returns the stack's name.
func (r *StackRequest) Name() string { return r.name }

// Service returns the request of one service, with the IDs of all networks,
// secrets and configs that are known by now.
func (r *StackRequest) Service(name string) (*ServiceRequest, bool) {
	s, ok := r.services[name]
	if ok {
		r.bind(&s.spec)
	}
	return s, ok
}

// Learn notes the ID of an object, for services that name it.
func (r *StackRequest) Learn(res plan.Resource, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[res] = id
}

// bind puts IDs in the place of names.
func (r *StackRequest) bind(spec *swarm.ServiceSpec) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := func(kind plan.Kind, name, now string) string {
		if id, ok := r.ids[plan.Resource{Kind: kind, Name: name}]; ok {
			return id
		}
		return now
	}
	for i, n := range spec.TaskTemplate.Networks {
		spec.TaskTemplate.Networks[i].Target = known(plan.Network, n.Target, n.Target)
	}
	c := spec.TaskTemplate.ContainerSpec
	if c == nil {
		return
	}
	for _, ref := range c.Secrets {
		ref.SecretID = known(plan.Secret, ref.SecretName, ref.SecretID)
	}
	for _, ref := range c.Configs {
		ref.ConfigID = known(plan.Config, ref.ConfigName, ref.ConfigID)
	}
	if p := c.Privileges; p != nil && p.CredentialSpec != nil && p.CredentialSpec.Config != "" {
		p.CredentialSpec.Config = known(plan.Config, p.CredentialSpec.Config, p.CredentialSpec.Config)
	}
}

// LookStack takes a snapshot and reads secrets and configs, as far as the
// request or the removal of what it lacks (prune) needs them: five to seven
// calls, whatever the size of the swarm, and one for each of docker's own
// networks ("host") that the stack names.
func (e *Engine) LookStack(ctx context.Context, r *StackRequest, prune bool) (*plan.Observed, error) {
	o := &plan.Observed{}
	var secretErr, configErr error
	var more []func(context.Context) error
	if prune || r.needs(plan.Secret) {
		more = append(more, func(ctx context.Context) error { o.Secrets, secretErr = e.Secrets(ctx); return nil })
	}
	if prune || r.needs(plan.Config) {
		more = append(more, func(ctx context.Context) error { o.Configs, configErr = e.Configs(ctx); return nil })
	}
	predefined := make([]network.Inspect, len(r.external))
	for i, name := range r.external {
		if container.NetworkMode(name).IsUserDefined() {
			continue // stands in the list
		}
		more = append(more, func(ctx context.Context) (err error) {
			predefined[i], err = e.api.NetworkInspect(ctx, name, network.InspectOptions{Scope: "swarm"})
			if IsNotFound(err) {
				err = nil // the swarm says so itself when the service is made
			}
			return err
		})
	}
	var err error
	if o.Snapshot, err = e.look(ctx, more...); err != nil {
		return nil, err
	}
	if o.Cluster.Manager {
		for _, u := range []model.Unread{{What: "secrets", Err: secretErr}, {What: "configs", Err: configErr}} {
			if u.Err != nil {
				o.Unread = append(o.Unread, u)
			}
		}
	}
	for i, n := range predefined {
		if n.ID != "" {
			r.Learn(plan.Resource{Kind: plan.Network, Name: r.external[i]}, n.ID)
		}
	}
	return o, nil
}

// needs tells whether a service of the stack uses an object of the kind, or the
// stack has one.
func (r *StackRequest) needs(kind plan.Kind) bool {
	if kind == plan.Secret && len(r.secrets) > 0 || kind == plan.Config && len(r.configs) > 0 {
		return true
	}
	for _, s := range r.services {
		c := s.spec.TaskTemplate.ContainerSpec
		if c != nil && (kind == plan.Secret && len(c.Secrets) > 0 || kind == plan.Config && len(c.Configs) > 0) {
			return true
		}
	}
	return false
}

// Secrets lists the swarm's secrets; no engine shows what is in them.
func (e *Engine) Secrets(ctx context.Context) ([]plan.Object, error) {
	list, err := e.api.SecretList(ctx, swarm.SecretListOptions{})
	if err != nil {
		return nil, e.Explain(err)
	}
	return convert(list, func(s swarm.Secret) plan.Object {
		o := secretObject(s.Spec)
		o.ID, o.Version, o.Content = s.ID, s.Version.Index, ""
		return o
	}), nil
}

// Configs lists the swarm's configs.
func (e *Engine) Configs(ctx context.Context) ([]plan.Object, error) {
	list, err := e.api.ConfigList(ctx, swarm.ConfigListOptions{})
	if err != nil {
		return nil, e.Explain(err)
	}
	return convert(list, func(c swarm.Config) plan.Object {
		o := configObject(c.Spec)
		o.ID, o.Version = c.ID, c.Version.Index
		return o
	}), nil
}

func secretObject(s swarm.SecretSpec) plan.Object {
	return plan.Object{Name: s.Name, Labels: s.Labels, Content: contentOf(s.Data), Driver: driverOf(s.Driver), Template: driverOf(s.Templating)}
}

func configObject(c swarm.ConfigSpec) plan.Object {
	return plan.Object{Name: c.Name, Labels: c.Labels, Content: contentOf(c.Data), Template: driverOf(c.Templating)}
}

func contentOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// driverOf is a driver with its options, for comparing.
func driverOf(d *swarm.Driver) string {
	if d == nil || d.Name == "" {
		return ""
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return d.Name
	}
	return string(raw)
}
