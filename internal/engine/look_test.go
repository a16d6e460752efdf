package engine

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/client"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	model "github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// fakeAPI answers a look. A nil part is refused as an engine outside a swarm does.
type fakeAPI struct {
	client.APIClient
	calls    atomic.Int32
	info     system.Info
	infoErr  error
	networks []network.Summary
	nodes    []swarm.Node
	services []swarm.Service
	tasks    []swarm.Task
	refuse   error
}

func (f *fakeAPI) NegotiateAPIVersion(context.Context) {}

func (f *fakeAPI) ClientVersion() string { return "1.51" }

func (f *fakeAPI) Info(context.Context) (system.Info, error) {
	f.calls.Add(1)
	return f.info, f.infoErr
}

func (f *fakeAPI) NetworkList(context.Context, network.ListOptions) ([]network.Summary, error) {
	f.calls.Add(1)
	return f.networks, nil
}

func (f *fakeAPI) NodeList(context.Context, swarm.NodeListOptions) ([]swarm.Node, error) {
	f.calls.Add(1)
	return f.nodes, f.refuse
}

func (f *fakeAPI) ServiceList(context.Context, swarm.ServiceListOptions) ([]swarm.Service, error) {
	f.calls.Add(1)
	return f.services, f.refuse
}

func (f *fakeAPI) TaskList(_ context.Context, o swarm.TaskListOptions) ([]swarm.Task, error) {
	f.calls.Add(1)
	if !o.Filters.ExactMatch("runtime", "attachment") {
		return nil, errors.New("attachment tasks were not asked for")
	}
	return f.tasks, f.refuse
}

func manager() *fakeAPI {
	return &fakeAPI{
		info: system.Info{
			Name: "one", ServerVersion: "28.5.2", OSType: "linux",
			Swarm: swarm.Info{
				NodeID: "n1", LocalNodeState: swarm.LocalNodeStateActive, ControlAvailable: true,
				RemoteManagers: []swarm.Peer{{NodeID: "n1", Addr: "192.168.9.1:2377"}},
				Cluster:        &swarm.ClusterInfo{ID: "cl", DefaultAddrPool: []string{"10.0.0.0/8"}, SubnetSize: 24, DataPathPort: 4789},
			},
		},
		networks: []network.Summary{{
			ID: "net", Name: "docknet", Scope: "swarm", Driver: "overlay", Attachable: true,
			IPAM:    network.IPAM{Config: []network.IPAMConfig{{Subnet: "10.0.1.0/24", Gateway: "10.0.1.1/24", AuxAddress: map[string]string{"r": "10.0.1.9"}}}},
			Options: map[string]string{model.OptVNI: "4097"},
		}},
		nodes: []swarm.Node{{ID: "n1", Description: swarm.NodeDescription{Hostname: "one"}, ManagerStatus: &swarm.ManagerStatus{Leader: true, Addr: "192.168.9.1:2377"}}},
		services: []swarm.Service{{
			ID: "s", Spec: swarm.ServiceSpec{
				Annotations:  swarm.Annotations{Name: "web"},
				TaskTemplate: swarm.TaskSpec{Networks: []swarm.NetworkAttachmentConfig{{Target: "net", Aliases: []string{"www"}}}},
			},
			Endpoint: swarm.Endpoint{VirtualIPs: []swarm.EndpointVirtualIP{{NetworkID: "net", Addr: "10.0.1.2/24"}}},
		}},
		tasks: []swarm.Task{
			{ID: "t", ServiceID: "s", Slot: 1, Status: swarm.TaskStatus{State: swarm.TaskStateRunning}, NetworksAttachments: []swarm.NetworkAttachment{{Network: swarm.Network{ID: "net"}, Addresses: []string{"10.0.1.3/24"}}}},
			{ID: "a", Spec: swarm.TaskSpec{Runtime: swarm.RuntimeNetworkAttachment, NetworkAttachmentSpec: &swarm.NetworkAttachmentSpec{ContainerID: "c0ffee"}}},
		},
	}
}

func TestLook(t *testing.T) {
	f := manager()
	s, err := New("east", f).Look(context.Background())
	assert.NilError(t, err)
	assert.Check(t, is.Equal(f.calls.Load(), int32(5)), "one look is five calls")
	assert.Check(t, is.Equal(s.Context, "east"))
	assert.Check(t, is.Equal(s.Cluster.DefaultAddrPool[0].String(), "10.0.0.0/8"))
	assert.Check(t, is.Equal(s.Networks[0].Subnets[0].Gateway.String(), "10.0.1.1"))
	assert.Check(t, s.Networks[0].Allocated())
	assert.Check(t, is.Equal(s.Services[0].VIPs[0].Addr.String(), "10.0.1.2/24"))
	assert.Check(t, is.Equal(s.Services[0].EndpointMode, "vip"))
	assert.Check(t, is.Len(s.Tasks, 1))
	assert.Check(t, is.Len(s.Attachments, 1))
	assert.Check(t, is.Equal(s.Attachments[0].ContainerID, "c0ffee"))
	assert.Check(t, s.Nodes[0].Leader)
	assert.NilError(t, RequireManager(s))
}

func TestLookKeepsApartWhatCouldNotBeRead(t *testing.T) {
	f := manager()
	f.refuse = errors.New("Error response from daemon: rpc error: code = Unavailable desc = no leader")
	s, err := New("east", f).Look(context.Background())
	assert.NilError(t, err)
	assert.Check(t, is.Len(s.Unread, 3))
	assert.Check(t, is.ErrorContains(s.UnreadErr("nodes"), `no leader (context "east")`))
	assert.Check(t, is.Len(s.Networks, 1))
}

func TestLookUnreachable(t *testing.T) {
	f := manager()
	f.infoErr = client.ErrorConnectionFailed("tcp://192.168.9.1:2375") //nolint:staticcheck // the only way to make this error outside the client
	_, err := New("east", f).Look(context.Background())
	assert.Check(t, is.ErrorContains(err, `cannot reach the engine of context "east"`))
	assert.Check(t, is.ErrorContains(err, "docker context inspect east"))
}

func TestRequireManagerNamesTheNextCommand(t *testing.T) {
	for _, tc := range []struct {
		doc     string
		cluster model.Cluster
		want    string
	}{
		{"no swarm", model.Cluster{State: model.StateInactive}, "docker -c east swarm init"},
		{"worker", model.Cluster{State: model.StateActive, Managers: []string{"192.168.9.1:2377"}}, "192.168.9.1:2377"},
		{"locked", model.Cluster{State: model.StateLocked}, "docker -c east swarm unlock"},
		{"error", model.Cluster{State: model.StateError, Error: "certificate \x1b[31mexpired"}, `in state "error": certificate  [31mexpired`},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			err := RequireManager(&model.Snapshot{Context: "east", Cluster: tc.cluster})
			assert.Check(t, is.ErrorContains(err, tc.want))
			var p *problem.Error
			assert.Assert(t, errors.As(err, &p))
		})
	}
}

func TestExplain(t *testing.T) {
	e := New("east", nil)
	assert.NilError(t, e.Explain(nil))
	assert.Equal(t, e.Explain(context.Canceled), context.Canceled)
	assert.ErrorContains(t, e.Explain(context.DeadlineExceeded), "did not answer in time")
	told := problem.New("once")
	assert.Equal(t, e.Explain(told), error(told), "what is explained already stays")
}
