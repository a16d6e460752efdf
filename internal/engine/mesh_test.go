package engine

import (
	"context"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"

	"github.com/swarmnet/docker-swarmnet/internal/core/mesh"
)

// oneService keeps one service, as the swarm does.
type oneService struct {
	updates
	sv swarm.Service
}

func (o *oneService) ServiceInspectWithRaw(context.Context, string, swarm.ServiceInspectOptions) (swarm.Service, []byte, error) {
	return o.sv, nil, nil
}

func (o *oneService) ServiceUpdate(_ context.Context, _ string, _ swarm.Version, spec swarm.ServiceSpec, _ swarm.ServiceUpdateOptions) (swarm.ServiceUpdateResponse, error) {
	o.sv.Spec = spec
	return swarm.ServiceUpdateResponse{}, nil
}

func TestParkAndRestorePorts(t *testing.T) {
	port := func(target, published uint32, mode swarm.PortConfigPublishMode) swarm.PortConfig {
		return swarm.PortConfig{Protocol: "tcp", TargetPort: target, PublishedPort: published, PublishMode: mode}
	}
	api := &oneService{sv: swarm.Service{
		ID: "s",
		Spec: swarm.ServiceSpec{
			Annotations:  swarm.Annotations{Name: "web", Labels: map[string]string{"a": "b"}},
			EndpointSpec: &swarm.EndpointSpec{Mode: "vip", Ports: []swarm.PortConfig{port(80, 8080, "ingress"), port(81, 8181, "host"), port(80, 0, "")}},
		},
		Endpoint: swarm.Endpoint{Ports: []swarm.PortConfig{port(80, 8080, "ingress"), port(81, 8181, "host"), port(80, 30000, "ingress")}},
	}}
	e, ctx := New("east", api), context.Background()
	assert.NilError(t, e.ParkPorts(ctx, "s", "job"))
	assert.DeepEqual(t, api.sv.Spec.EndpointSpec.Ports, []swarm.PortConfig{port(81, 8181, "host")})
	assert.Equal(t, api.sv.Spec.Labels[mesh.LabelJob], "job")

	once := api.sv.Spec.Labels[mesh.LabelPorts]
	assert.NilError(t, e.ParkPorts(ctx, "s", "job"))
	assert.Equal(t, api.sv.Spec.Labels[mesh.LabelPorts], once, "twice is as once")
	api.sv.Spec.EndpointSpec.Ports = append(api.sv.Spec.EndpointSpec.Ports, port(82, 8282, "ingress"))
	assert.NilError(t, e.ParkPorts(ctx, "s", "job"))
	assert.DeepEqual(t, api.sv.Spec.EndpointSpec.Ports, []swarm.PortConfig{port(81, 8181, "host")})

	api.sv.Spec.EndpointSpec.Ports = append(api.sv.Spec.EndpointSpec.Ports, port(90, 9090, "host"))
	for range 2 {
		assert.NilError(t, e.RestorePorts(ctx, "s"))
		assert.DeepEqual(t, api.sv.Spec.EndpointSpec.Ports, []swarm.PortConfig{
			port(80, 8080, "ingress"), port(81, 8181, "host"), port(80, 30000, ""), port(82, 8282, "ingress"), port(90, 9090, "host"),
		})
		assert.DeepEqual(t, api.sv.Spec.Labels, map[string]string{"a": "b", mesh.LabelJob: "job"})
	}
}
