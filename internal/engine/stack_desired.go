package engine

import (
	"context"
	"maps"
	"slices"
	"time"

	stack "github.com/docker/cli/cli/compose/convert"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"golang.org/x/sync/errgroup"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// How docker stack deploy asks the registry for images (--resolve-image).
const (
	ResolveAlways  = "always"
	ResolveChanged = "changed"
	ResolveNever   = "never"
)

// resolveTime bounds all questions to registries together. An engine without a
// way to the registry takes 40 s and more for a single one.
const resolveTime = 15 * time.Second

// Prepare brings the request to what docker would send now: IDs of what is
// there in the place of names, images as --resolve-image has them. auth returns
// the registry's credentials for an image, and may be nil. The images that no
// registry could tell about are returned; the services with them stay on the
// digest they have.
func (r *StackRequest) Prepare(ctx context.Context, e *Engine, o *plan.Observed, resolve string, auth func(image string) (string, error)) (unresolved []string, err error) {
	if err := r.own(); err != nil {
		return nil, err
	}
	r.know(o)
	asked := map[string][]*ServiceRequest{}
	for name, s := range r.services {
		c := s.spec.TaskTemplate.ContainerSpec
		image := c.Image
		if auth != nil {
			if s.auth, err = auth(image); err != nil {
				return nil, err
			}
		}
		existing, ok := r.existing(o, name)
		if ok && resolve != ResolveAlways && existing.Labels[stack.LabelImage] == image {
			// As docker does: what an earlier deploy has found out stays.
			r.keepImage(s, existing)
			continue
		}
		s.queryRegistry = resolve != ResolveNever
		asked[image] = append(asked[image], s)
	}
	return e.resolveImages(ctx, asked)
}

// keepImage takes over image and platforms of a service that is there.
func (r *StackRequest) keepImage(s *ServiceRequest, existing model.Service) {
	was, ok := existing.Spec.(swarm.ServiceSpec)
	if !ok || was.TaskTemplate.ContainerSpec == nil {
		return
	}
	s.spec.TaskTemplate.ContainerSpec.Image = was.TaskTemplate.ContainerSpec.Image
	if p := was.TaskTemplate.Placement; p != nil {
		placementOf(&s.spec).Platforms = p.Platforms
	}
}

// resolveImages asks for each image once, side by side, within resolveTime.
func (e *Engine) resolveImages(ctx context.Context, asked map[string][]*ServiceRequest) (unresolved []string, err error) {
	limited, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	images := slices.Sorted(maps.Keys(asked))
	failed := make([]bool, len(images))
	var g errgroup.Group
	g.SetLimit(maxParallel)
	for i, image := range images {
		g.Go(func() error {
			services := asked[image]
			warning, err := e.ResolveImage(limited, services[0])
			failed[i] = warning != "" || err != nil
			return nil
		})
	}
	_ = g.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for i, image := range images {
		first := asked[image][0]
		if failed[i] {
			first.unpinned = true
			unresolved = append(unresolved, image)
		}
		for _, s := range asked[image][1:] {
			s.unpinned = first.unpinned
			s.spec.TaskTemplate.ContainerSpec.Image = first.spec.TaskTemplate.ContainerSpec.Image
			if first.queryRegistry && !failed[i] {
				placementOf(&s.spec).Platforms = placementOf(&first.spec).Platforms
			}
		}
	}
	return unresolved, nil
}

// know notes the IDs of what is there.
func (r *StackRequest) know(o *plan.Observed) {
	for _, n := range o.Networks {
		if n.Scope == "swarm" {
			r.ids[plan.Resource{Kind: plan.Network, Name: n.Name}] = n.ID
		}
	}
	for _, s := range o.Secrets {
		r.ids[plan.Resource{Kind: plan.Secret, Name: s.Name}] = s.ID
	}
	for _, c := range o.Configs {
		r.ids[plan.Resource{Kind: plan.Config, Name: c.Name}] = c.ID
	}
}

// existing returns the service of the stack that has the name.
func (r *StackRequest) existing(o *plan.Observed, name string) (model.Service, bool) {
	sv, ok := o.ServiceByName(name)
	return sv, ok && sv.Labels[deploy.LabelStack] == r.name
}

// Desired returns what the request asks for, compared with what is there. It
// comes after Prepare.
func (r *StackRequest) Desired(o *plan.Observed, prune bool) (plan.Desired, error) {
	d := plan.Desired{Stack: r.name, Prune: prune}
	for _, name := range slices.Sorted(maps.Keys(r.networks)) {
		d.Networks = append(d.Networks, networkWish(name, r.networks[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(r.secrets)) {
		d.Secrets = append(d.Secrets, secretObject(r.secrets[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(r.configs)) {
		d.Configs = append(d.Configs, configObject(r.configs[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(r.services)) {
		w, err := r.serviceWish(o, name)
		if err != nil {
			return d, err
		}
		d.Services = append(d.Services, w)
	}
	return d, nil
}

func networkWish(name string, o network.CreateOptions) plan.NetworkWish {
	w := plan.NetworkWish{Driver: o.Driver, Spec: model.NetworkSpec{
		Name: name, Attachable: o.Attachable, Internal: o.Internal, Options: o.Options, Labels: o.Labels,
	}}
	if o.IPAM == nil {
		return w
	}
	w.Spec.IPAMDriver = o.IPAM.Driver
	for _, c := range o.IPAM.Config {
		if s, ok := subnetOf(c); ok {
			w.Spec.Subnets = append(w.Spec.Subnets, s)
		}
	}
	return w
}

func (r *StackRequest) serviceWish(o *plan.Observed, name string) (plan.ServiceWish, error) {
	s, _ := r.Service(name)
	w := plan.ServiceWish{DependsOn: r.depends[name]}
	if c := s.spec.TaskTemplate.ContainerSpec; c != nil {
		for _, ref := range c.Secrets {
			w.Secrets = append(w.Secrets, ref.SecretName)
		}
		for _, ref := range c.Configs {
			w.Configs = append(w.Configs, ref.ConfigName)
		}
	}
	if existing, ok := r.existing(o, name); ok {
		var err error
		if w.Changes, err = s.Against(existing, o.Networks); err != nil {
			return w, err
		}
		w.Existing = &existing
	}
	w.Service = s.Service()
	w.Missing = r.missing(o, w)
	return w, nil
}

// missing lists what a service names and neither the stack nor the swarm has.
func (r *StackRequest) missing(o *plan.Observed, w plan.ServiceWish) []deploy.Missing {
	var out []deploy.Missing
	lacks := func(kind plan.Kind, name string, own bool) {
		if _, there := r.ids[plan.Resource{Kind: kind, Name: name}]; !own && !there {
			out = append(out, deploy.Missing{Kind: string(kind), Name: name})
		}
	}
	for _, a := range w.Service.Networks {
		if _, ok := o.NetworkByID(a.Target); ok || !container.NetworkMode(a.Target).IsUserDefined() || r.made(a.Target) {
			continue
		}
		_, own := r.networks[a.Target]
		lacks(plan.Network, a.Target, own)
	}
	for _, n := range w.Secrets {
		_, own := r.secrets[n]
		lacks(plan.Secret, n, own)
	}
	for _, n := range w.Configs {
		_, own := r.configs[n]
		lacks(plan.Config, n, own)
	}
	return out
}

// made tells whether the ID is that of an object the request knows.
func (r *StackRequest) made(id string) bool {
	for _, known := range r.ids {
		if known == id {
			return true
		}
	}
	return false
}
