package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	dockerswarm "github.com/docker/docker/api/types/swarm"

	"github.com/swarmnet/docker-swarmnet/internal/core/plan"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/engine"
	"github.com/swarmnet/docker-swarmnet/internal/stackfile"
)

// shopSwarm is a swarm in memory that the stack "shop" is deployed on: a network
// "shop_net", a config "shop_conf", and services "shop_web" and "shop_api" with
// one task each. Who deploys writes the image "new".
type shopSwarm struct {
	name string
	// bad are services whose new tasks fail, stuck those whose new tasks never start.
	bad, stuck string
	// refuse is what every write of a service is refused with, refuseRestore what
	// its roll-back is.
	refuse, refuseRestore error
	// meddle runs once before the first look at tasks, as another operator would.
	meddle func(*shopSwarm)

	mu       sync.Mutex
	services map[string]swarm.Service
	objects  map[string]string // "kind name" by ID
	writes   []string
}

func imageSpec(name, image string) dockerswarm.ServiceSpec {
	return dockerswarm.ServiceSpec{
		Annotations:  dockerswarm.Annotations{Name: name},
		TaskTemplate: dockerswarm.TaskSpec{ContainerSpec: &dockerswarm.ContainerSpec{Image: image}},
	}
}

func (f *shopSwarm) put(name, image string) {
	id := f.name + "-" + name
	f.services[id] = swarm.Service{
		ID: id, Name: name, Mode: swarm.Replicated, Replicas: 1, UpdateMonitor: time.Nanosecond, Labels: shopLabels(),
		Version: f.services[id].Version + 1, Spec: imageSpec(name, image),
	}
}

// running returns a swarm on which the stack runs with the image "old"; none of
// it, with fresh.
func running(name string, fresh bool) *shopSwarm {
	f := &shopSwarm{name: name, services: map[string]swarm.Service{}, objects: map[string]string{}}
	if !fresh {
		for _, sv := range []string{"shop_web", "shop_api"} {
			f.put(sv, "old")
		}
		f.objects["n"], f.objects["c"] = "network shop_net", "config shop_conf"
	}
	return f
}

// state is what there is, for comparing.
func (f *shopSwarm) state() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.Collect(maps.Values(f.objects))
	for _, sv := range f.services {
		all = append(all, "service "+sv.Name+" "+f.image(sv))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (f *shopSwarm) image(sv swarm.Service) string {
	spec, _ := sv.Spec.(dockerswarm.ServiceSpec)
	return spec.TaskTemplate.ContainerSpec.Image
}

// site is the deployment of the new image on the swarm as it is now.
func (f *shopSwarm) site() StackSite {
	o, _ := f.LookStack(context.Background(), nil, true)
	d := StackDeployment{
		Request: engine.NewStackRequest(&stackfile.Stack{Name: "shop"}), Observed: o, Desired: plan.Desired{Stack: "shop"},
		Plan: plan.Plan{Context: f.name, Stack: "shop"}, Timeout: time.Second, Again: "docker swarmnet deploy -c f shop",
		Log: func(context.Context, string, int) []string { return []string{"the last words"} },
	}
	for _, r := range []plan.Resource{
		{Kind: plan.Network, Name: "shop_net"},
		{Kind: plan.Config, Name: "shop_conf"},
		{Kind: plan.Service, Name: "shop_api"},
		{Kind: plan.Service, Name: "shop_web"},
	} {
		s := plan.Step{Resource: r, Action: plan.Create}
		for id, object := range f.objects {
			if object == string(r.Kind)+" "+r.Name {
				s.ID, s.Action = id, plan.Unchanged
			}
		}
		for id, sv := range f.services {
			if r.Kind == plan.Service && sv.Name == r.Name {
				s.ID, s.Version, s.Action = id, sv.Version, plan.Update
			}
		}
		d.Plan.Steps = append(d.Plan.Steps, s)
	}
	return StackSite{d, f}
}

func (f *shopSwarm) Look(ctx context.Context) (*swarm.Snapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &swarm.Snapshot{Context: f.name, Cluster: swarm.Cluster{State: swarm.StateActive, Manager: true}, Services: slices.Collect(maps.Values(f.services))}
	for _, sv := range s.Services {
		s.Tasks = append(s.Tasks, f.task(sv))
	}
	s.Networks = f.networks()
	return s, ctx.Err()
}

func (f *shopSwarm) networks() (out []swarm.Network) {
	for id, object := range f.objects {
		if name, ok := strings.CutPrefix(object, "network "); ok {
			out = append(out, swarm.Network{
				ID: id, Name: name, Scope: "swarm", Driver: "overlay", Labels: shopLabels(),
				Subnets: make([]swarm.Subnet, 1), Options: map[string]string{swarm.OptVNI: "4097"},
			})
		}
	}
	return out
}

func (f *shopSwarm) Networks(ctx context.Context) ([]swarm.Network, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.networks(), ctx.Err()
}

func (f *shopSwarm) LookStack(ctx context.Context, _ *engine.StackRequest, _ bool) (*plan.Observed, error) {
	s, err := f.Look(ctx)
	o := &plan.Observed{Snapshot: s}
	for id, object := range f.objects {
		if name, ok := strings.CutPrefix(object, "config "); ok {
			o.Configs = append(o.Configs, plan.Object{ID: id, Name: name})
		}
	}
	return o, err
}

func (f *shopSwarm) task(sv swarm.Service) swarm.Task {
	t := swarm.Task{ID: "t-" + sv.ID, ServiceID: sv.ID, Slot: 1, NodeID: "n", UpToDate: true, State: swarm.TaskRunning, Desired: swarm.TaskRunning}
	if f.image(sv) == "new" && sv.Name == f.stuck {
		t.State = swarm.TaskPreparing
	}
	return t
}

func (f *shopSwarm) WatchServices(ctx context.Context, ids []string) ([]swarm.Service, []swarm.Task, []swarm.Node, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.meddle != nil {
		f.meddle(f)
		f.meddle = nil
	}
	var services []swarm.Service
	var tasks []swarm.Task
	for _, id := range ids {
		sv, ok := f.services[id]
		if !ok {
			continue
		}
		t := f.task(sv)
		if f.image(sv) == "new" && sv.Name == f.bad {
			sv.Update = swarm.UpdateStatus{State: "paused", Message: "update paused due to failure"}
			t.State = swarm.TaskFailed
		}
		services, tasks = append(services, sv), append(tasks, t)
	}
	return services, tasks, []swarm.Node{{ID: "n", Hostname: "n", State: "ready", Availability: "active"}}, ctx.Err()
}

func (f *shopSwarm) Changes(context.Context) <-chan struct{} { return nil }

func (f *shopSwarm) Service(ctx context.Context, id string) (swarm.Service, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if sv, ok := f.services[id]; ok {
		return sv, ctx.Err()
	}
	return swarm.Service{}, fmt.Errorf("no service %s: %w", id, cerrdefs.ErrNotFound)
}

func (f *shopSwarm) MarkUpToDate(context.Context, []string, []swarm.Task) error { return nil }

func (f *shopSwarm) CreateResource(_ context.Context, _ *engine.StackRequest, res plan.Resource) (string, []string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes = append(f.writes, "create "+res.Name)
	id := f.name + "-" + res.Name
	if res.Kind != plan.Service {
		f.objects[id] = string(res.Kind) + " " + res.Name
		return id, nil, nil
	}
	if f.refuse != nil {
		return "", nil, f.refuse
	}
	f.put(res.Name, "new")
	return id, nil, nil
}

func (f *shopSwarm) UpdateResource(_ context.Context, _ *engine.StackRequest, s plan.Step) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return nil, f.refuse
	}
	f.writes = append(f.writes, "update "+s.Name)
	f.put(s.Name, "new")
	return nil, nil
}

func (f *shopSwarm) RestoreService(_ context.Context, before swarm.Service) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes = append(f.writes, "restore "+before.Name)
	if f.refuseRestore != nil {
		return f.refuseRestore
	}
	f.put(before.Name, f.image(before))
	return nil
}

func (f *shopSwarm) RecreateService(context.Context, swarm.Service) error { return nil }

func (f *shopSwarm) RestoreLabels(context.Context, plan.Kind, plan.Object) error { return nil }

func (f *shopSwarm) RemoveResource(_ context.Context, _ plan.Kind, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.services, id)
	delete(f.objects, id)
	return nil
}

func (f *shopSwarm) RemoveNetwork(ctx context.Context, id string) error {
	return f.RemoveResource(ctx, plan.Network, id)
}

var _ StackDeployer = (*shopSwarm)(nil)
