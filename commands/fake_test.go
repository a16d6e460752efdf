package commands

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/flags"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/client"
	"gotest.tools/v3/assert"
)

// fakeEngine is a manager's engine in memory. Calls that a test does not
// expect are nil and panic.
type fakeEngine struct {
	client.APIClient

	info     system.Info
	nodes    []swarm.Node
	services []swarm.Service
	tasks    []swarm.Task
	networks []network.Summary
	secrets  []swarm.Secret
	configs  []swarm.Config
	version  types.Version
	// down is the error of every call, for an engine that does not answer.
	down error

	networkList   func() ([]network.Summary, error)
	networkCreate func(name string, o network.CreateOptions) (string, error)
	networkRemove func(id string) error
	swarmInit     func(swarm.InitRequest) (string, error)
}

// newFakeEngine returns a swarm of a manager and two workers with its ingress
// network.
func newFakeEngine() *fakeEngine {
	node := func(id, name, addr string, role swarm.NodeRole) swarm.Node {
		return swarm.Node{
			ID: id, Spec: swarm.NodeSpec{Role: role, Availability: swarm.NodeAvailabilityActive},
			Description: swarm.NodeDescription{Hostname: name},
			Status:      swarm.NodeStatus{State: swarm.NodeStateReady, Addr: addr},
		}
	}
	manager := node("id-n1", "n1", "10.77.0.11", swarm.NodeRoleManager)
	manager.ManagerStatus = &swarm.ManagerStatus{Leader: true, Reachability: swarm.ReachabilityReachable, Addr: "10.77.0.11:2377"}
	f := &fakeEngine{
		nodes: []swarm.Node{manager, node("id-n2", "n2", "10.77.0.12", swarm.NodeRoleWorker), node("id-n3", "n3", "10.77.0.13", swarm.NodeRoleWorker)},
		networks: []network.Summary{
			{
				ID: "id-ingress", Name: "ingress", Scope: "swarm", Driver: "overlay", Ingress: true,
				IPAM:    network.IPAM{Driver: "default", Config: []network.IPAMConfig{{Subnet: "10.0.0.0/24", Gateway: "10.0.0.1"}}},
				Options: map[string]string{"com.docker.network.driver.overlay.vxlanid_list": "4096"},
			},
			{ID: "id-bridge", Name: "bridge", Scope: "local", Driver: "bridge", IPAM: network.IPAM{Config: []network.IPAMConfig{{Subnet: "172.17.0.0/16"}}}},
		},
		version: types.Version{Version: "20.10.24", APIVersion: "1.41", Os: "linux", KernelVersion: "6.1.0"},
	}
	f.info.Name = "n1"
	f.info.Swarm = swarm.Info{
		LocalNodeState: swarm.LocalNodeStateActive, ControlAvailable: true, NodeID: "id-n1", NodeAddr: "10.77.0.11",
		Cluster: &swarm.ClusterInfo{ID: "id-cluster", DefaultAddrPool: []string{"10.0.0.0/8"}, SubnetSize: 24, DataPathPort: 4789},
	}
	return f
}

func (f *fakeEngine) Ping(context.Context) (types.Ping, error) {
	return types.Ping{APIVersion: "1.41", OSType: "linux"}, f.down
}
func (f *fakeEngine) NegotiateAPIVersionPing(types.Ping)                   {}
func (f *fakeEngine) NegotiateAPIVersion(context.Context)                  {}
func (f *fakeEngine) ClientVersion() string                                { return "1.41" }
func (f *fakeEngine) DaemonHost() string                                   { return "unix:///fake.sock" }
func (f *fakeEngine) Info(context.Context) (system.Info, error)            { return f.info, f.down }
func (f *fakeEngine) ServerVersion(context.Context) (types.Version, error) { return f.version, f.down }

func (f *fakeEngine) NodeList(context.Context, swarm.NodeListOptions) ([]swarm.Node, error) {
	return f.nodes, f.down
}

func (f *fakeEngine) ServiceList(context.Context, swarm.ServiceListOptions) ([]swarm.Service, error) {
	return f.services, f.down
}

func (f *fakeEngine) TaskList(context.Context, swarm.TaskListOptions) ([]swarm.Task, error) {
	return f.tasks, f.down
}

func (f *fakeEngine) SecretList(context.Context, swarm.SecretListOptions) ([]swarm.Secret, error) {
	return f.secrets, f.down
}

func (f *fakeEngine) ConfigList(context.Context, swarm.ConfigListOptions) ([]swarm.Config, error) {
	return f.configs, f.down
}

func (f *fakeEngine) NetworkList(context.Context, network.ListOptions) ([]network.Summary, error) {
	if f.networkList != nil {
		return f.networkList()
	}
	return f.networks, f.down
}

func (f *fakeEngine) NetworkCreate(_ context.Context, name string, o network.CreateOptions) (network.CreateResponse, error) {
	id, err := f.networkCreate(name, o)
	return network.CreateResponse{ID: id}, err
}

func (f *fakeEngine) NetworkRemove(_ context.Context, id string) error { return f.networkRemove(id) }

func (f *fakeEngine) SwarmInit(_ context.Context, r swarm.InitRequest) (string, error) {
	return f.swarmInit(r)
}

// run executes "docker swarmnet ARGS" with the real CLI object on a fake
// engine.
func run(t *testing.T, f client.APIClient, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	return runUntil(context.Background(), t, f, args...)
}

// runUntil is run for a command that ends with ctx.
func runUntil(ctx context.Context, t *testing.T, f client.APIClient, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	for _, v := range []string{"DOCKER_CONTEXT", "DOCKER_HOST"} {
		t.Setenv(v, "")
	}
	var out, errs bytes.Buffer
	dockerCLI, err := command.NewDockerCli(command.WithAPIClient(f), command.WithOutputStream(&out), command.WithErrorStream(&errs),
		command.WithInputStream(io.NopCloser(strings.NewReader(""))))
	assert.NilError(t, err)
	assert.NilError(t, dockerCLI.Initialize(flags.NewClientOptions()))
	root := NewRoot(dockerCLI)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(args)
	err = root.ExecuteContext(ctx)
	return out.String(), errs.String(), err
}

// errDown is what the client says of an engine that does not run.
var errDown = client.ErrorConnectionFailed("unix:///fake.sock") //nolint:staticcheck // the very error of the client
