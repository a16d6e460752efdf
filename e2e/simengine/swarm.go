package simengine

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
)

// The sizes of a swarm of scale 1.
const (
	nodes    = 200
	networks = 1000
	services = 5000
	replicas = 4
)

// born is when everything was made, so that answers are the same in every run.
const born = "2026-01-02T03:04:05.678901234Z"

// New makes up a swarm: every service is on a network of its own stack, some
// on the shared network "proxy" too, some publish a port; every tenth has a
// task that ended. All addresses are given out one after another, as swarmkit
// does.
func New(o Options) *Engine {
	if o.Scale <= 0 {
		o.Scale = 1
	}
	if o.API == "" {
		o.API = "1.51"
	}
	e := &Engine{options: o, api: o.API, inUse: map[string]int{}, calls: map[string]int{}}
	b := &builder{Engine: e, blocks: map[string]*block{}}
	b.at, _ = time.Parse(time.RFC3339Nano, born)
	b.addNodes(o.size(nodes))
	b.addInfo()
	b.addNetwork("ingress", "10.255.0.0/16", nil).Ingress = true
	b.addNetwork("proxy", "10.254.0.0/20", nil).Attachable = true
	count := o.size(networks) - len(e.Networks)
	for i := range count {
		stack := map[string]string{"com.docker.stack.namespace": stackName(i)}
		b.addNetwork(stackName(i)+"_default", fmt.Sprintf("10.%d.%d.0/24", i/256, i%256), stack)
	}
	for i := range o.size(services) {
		b.addService(i, i%count)
	}
	b.addAttachments()
	for _, n := range e.Networks {
		e.inUse[n.ID] = b.blocks[n.ID].inUse() + o.Leaked[n.Name]
	}
	return e
}

func (o Options) size(at1 int) int { return max(3, int(float64(at1)*o.Scale)) }

func stackName(i int) string { return fmt.Sprintf("stack%04d", i) }

type builder struct {
	*Engine
	at     time.Time
	blocks map[string]*block // by network ID
}

// block is the address keeping of one network.
type block struct {
	prefix netip.Prefix
	last   netip.Addr
	held   int
	lbs    map[string]bool // by node ID
}

// inUse counts network and broadcast address, gateway, who holds an address,
// and the load balancers.
func (b *block) inUse() int { return 3 + b.held + len(b.lbs) }

func (b *block) next() string {
	b.last = b.last.Next()
	b.held++
	return netip.PrefixFrom(b.last, b.prefix.Bits()).String()
}

// id makes an ID of 25 letters and digits, as swarmkit's are.
func (b *builder) id(kind string, i int) string {
	x := uint64(b.options.Index)<<48 | uint64(kind[0])<<40 | uint64(i)
	var s strings.Builder
	for s.Len() < 25 {
		// splitmix64, so that the first letters tell objects apart.
		x += 0x9e3779b97f4a7c15
		z := (x ^ x>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		s.WriteString(strconv.FormatUint(z^z>>31, 36))
	}
	return s.String()[:25]
}

func (b *builder) meta(i int) swarm.Meta {
	return swarm.Meta{Version: swarm.Version{Index: uint64(100 + i)}, CreatedAt: b.at, UpdatedAt: b.at}
}

func (b *builder) engineVersion() string {
	if b.reports() {
		return "29.1.0"
	}
	return "28.5.2"
}

func (b *builder) addNodes(n int) {
	for i := range n {
		ip := fmt.Sprintf("192.168.%d.%d", (b.options.Index*8+i/250)%256, i%250+1)
		node := swarm.Node{ID: b.id("node", i), Meta: b.meta(i)}
		node.Spec = swarm.NodeSpec{Role: swarm.NodeRoleWorker, Availability: swarm.NodeAvailabilityActive}
		node.Status = swarm.NodeStatus{State: swarm.NodeStateReady, Addr: ip}
		node.Description.Hostname = fmt.Sprintf("swarm%d-node%04d", b.options.Index, i)
		node.Description.Platform = swarm.Platform{Architecture: "x86_64", OS: "linux"}
		node.Description.Resources = swarm.Resources{NanoCPUs: 8e9, MemoryBytes: 32 << 30}
		node.Description.Engine.EngineVersion = b.engineVersion()
		for _, p := range []string{"Log/json-file", "Network/bridge", "Network/host", "Network/macvlan", "Network/null", "Network/overlay", "Volume/local"} {
			kind, name, _ := strings.Cut(p, "/")
			node.Description.Engine.Plugins = append(node.Description.Engine.Plugins, swarm.PluginDescription{Type: kind, Name: name})
		}
		if i < min(3, n) {
			node.Spec.Role = swarm.NodeRoleManager
			node.ManagerStatus = &swarm.ManagerStatus{Leader: i == 0, Reachability: swarm.ReachabilityReachable, Addr: ip + ":2377"}
		}
		b.Nodes = append(b.Nodes, node)
	}
}

func (b *builder) addInfo() {
	manager := b.Nodes[0]
	b.Info.ID, b.Info.Name = b.id("engine", 0), manager.Description.Hostname
	b.Info.ServerVersion, b.Info.OSType, b.Info.KernelVersion = b.engineVersion(), "linux", "6.1.0"
	b.Info.Architecture, b.Info.NCPU, b.Info.MemTotal = "x86_64", 8, 32<<30
	b.Info.Swarm = swarm.Info{
		NodeID: manager.ID, NodeAddr: manager.Status.Addr, LocalNodeState: swarm.LocalNodeStateActive, ControlAvailable: true,
		Nodes: len(b.Nodes), Managers: 3,
		Cluster: &swarm.ClusterInfo{ID: b.id("cluster", 0), Meta: b.meta(0), DefaultAddrPool: []string{"10.0.0.0/8"}, SubnetSize: 24, DataPathPort: 4789},
	}
	for _, n := range b.Nodes {
		if n.ManagerStatus != nil {
			b.Info.Swarm.RemoteManagers = append(b.Info.Swarm.RemoteManagers, swarm.Peer{NodeID: n.ID, Addr: n.ManagerStatus.Addr})
		}
	}
}

func (b *builder) addNetwork(name, subnet string, labels map[string]string) *network.Inspect {
	i := len(b.Networks)
	prefix := netip.MustParsePrefix(subnet)
	gateway := prefix.Addr().Next()
	n := network.Inspect{
		Name: name, ID: b.id("network", i), Created: b.at, Scope: "swarm", Driver: "overlay", EnableIPv4: true, Labels: labels,
		IPAM:    network.IPAM{Driver: "default", Config: []network.IPAMConfig{{Subnet: subnet, Gateway: gateway.String()}}},
		Options: map[string]string{"com.docker.network.driver.overlay.vxlanid_list": strconv.Itoa(4096 + i)},
	}
	b.blocks[n.ID] = &block{prefix: prefix, last: gateway, lbs: map[string]bool{}}
	if name == "ingress" {
		for _, node := range b.Nodes {
			b.blocks[n.ID].lbs[node.ID] = true
		}
	}
	b.Networks = append(b.Networks, n)
	return &b.Networks[i]
}

// addService adds a service of the stack's network, its address and its tasks.
func (b *builder) addService(i, stack int) {
	name := fmt.Sprintf("%s_app%d", stackName(stack), i)
	spec := swarm.ServiceSpec{Annotations: swarm.Annotations{Name: name, Labels: map[string]string{"com.docker.stack.namespace": stackName(stack)}}}
	spec.TaskTemplate.ContainerSpec = &swarm.ContainerSpec{
		Image:  "registry.example.com/team/application:1.2.3@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		Labels: spec.Labels, Env: []string{"LOG_LEVEL=info", "LISTEN=:8080"},
	}
	spec.TaskTemplate.Networks = []swarm.NetworkAttachmentConfig{{Target: b.Networks[2+stack].ID, Aliases: []string{fmt.Sprint("app", i)}}}
	on := []*network.Inspect{&b.Networks[2+stack]}
	if i%20 == 0 {
		spec.TaskTemplate.Networks = append(spec.TaskTemplate.Networks, swarm.NetworkAttachmentConfig{Target: b.Networks[1].ID})
		on = append(on, &b.Networks[1])
	}
	spec.EndpointSpec = &swarm.EndpointSpec{Mode: swarm.ResolutionModeVIP}
	if i%25 == 1 {
		spec.EndpointSpec.Mode = swarm.ResolutionModeDNSRR
	}
	var ports []swarm.PortConfig
	if i%50 == 0 {
		ports = []swarm.PortConfig{{Protocol: swarm.PortConfigProtocolTCP, TargetPort: 8080, PublishedPort: uint32(30000 + i/50), PublishMode: swarm.PortConfigPublishModeIngress}}
		spec.EndpointSpec.Ports = ports
		on = append(on, &b.Networks[0])
	}
	want := uint64(replicas)
	if i%10 == 0 {
		want--
	}
	spec.Mode.Replicated = &swarm.ReplicatedService{Replicas: &want}
	s := swarm.Service{ID: b.id("service", i), Meta: b.meta(i), Spec: spec, Endpoint: swarm.Endpoint{Spec: *spec.EndpointSpec, Ports: ports}}
	s.ServiceStatus = &swarm.ServiceStatus{RunningTasks: want, DesiredTasks: want}
	if spec.EndpointSpec.Mode == swarm.ResolutionModeVIP {
		for _, n := range on {
			s.Endpoint.VirtualIPs = append(s.Endpoint.VirtualIPs, swarm.EndpointVirtualIP{NetworkID: n.ID, Addr: b.blocks[n.ID].next()})
		}
	}
	b.Services = append(b.Services, s)
	for slot := range replicas {
		b.addTask(s, on, slot+1, i*replicas+slot, uint64(slot) < want)
	}
}

// addTask adds a task; one that is not live has ended, and the next task of its
// slot took its place and addresses.
func (b *builder) addTask(s swarm.Service, on []*network.Inspect, slot, i int, live bool) {
	node := b.Nodes[(i*7)%len(b.Nodes)].ID
	t := swarm.Task{ID: b.id("task", i), Meta: b.meta(i), Spec: s.Spec.TaskTemplate, ServiceID: s.ID, Slot: slot, NodeID: node, DesiredState: swarm.TaskStateRunning}
	t.Labels = s.Spec.Labels
	t.Status = swarm.TaskStatus{
		Timestamp: b.at, State: swarm.TaskStateRunning, Message: "started",
		ContainerStatus: &swarm.ContainerStatus{ContainerID: strings.Repeat(b.id("container", i), 3)[:64], PID: 1000 + i},
	}
	if !live {
		t.Slot, t.DesiredState = 1, swarm.TaskStateShutdown
		t.Status.State, t.Status.Err = swarm.TaskStateFailed, "task: non-zero exit (1)"
		t.CreatedAt = b.at.Add(-time.Hour)
	}
	for _, n := range on {
		block := b.blocks[n.ID]
		address := netip.PrefixFrom(block.prefix.Addr().Next().Next(), block.prefix.Bits()).String()
		if live {
			address = block.next()
			block.lbs[node] = true
		}
		t.NetworksAttachments = append(t.NetworksAttachments, swarm.NetworkAttachment{Network: b.swarmNetwork(n), Addresses: []string{address}})
	}
	b.Tasks = append(b.Tasks, t)
}

// addAttachments puts a "docker run" container of every tenth node on "proxy".
func (b *builder) addAttachments() {
	proxy := &b.Networks[1]
	for i := 0; i < len(b.Nodes); i += 10 {
		t := swarm.Task{ID: b.id("attachment", i), Meta: b.meta(i), NodeID: b.Nodes[i].ID, DesiredState: swarm.TaskStateRunning}
		t.Spec.NetworkAttachmentSpec = &swarm.NetworkAttachmentSpec{ContainerID: strings.Repeat(b.id("run", i), 3)[:64]}
		t.Spec.Runtime = swarm.RuntimeNetworkAttachment
		t.Status = swarm.TaskStatus{Timestamp: b.at, State: swarm.TaskStateRunning, Message: "started"}
		t.NetworksAttachments = []swarm.NetworkAttachment{{Network: b.swarmNetwork(proxy), Addresses: []string{b.blocks[proxy.ID].next()}}}
		b.blocks[proxy.ID].lbs[t.NodeID] = true
		b.Attachments = append(b.Attachments, t)
	}
}

// swarmNetwork is a network as tasks carry it.
func (b *builder) swarmNetwork(n *network.Inspect) swarm.Network {
	config := swarm.IPAMConfig{Subnet: n.IPAM.Config[0].Subnet, Gateway: n.IPAM.Config[0].Gateway}
	return swarm.Network{
		ID: n.ID, Meta: swarm.Meta{Version: swarm.Version{Index: 50}, CreatedAt: n.Created, UpdatedAt: n.Created},
		Spec: swarm.NetworkSpec{
			Annotations: swarm.Annotations{Name: n.Name, Labels: n.Labels}, DriverConfiguration: &swarm.Driver{Name: "overlay"},
			Attachable: n.Attachable, Ingress: n.Ingress, Scope: "swarm", IPAMOptions: &swarm.IPAMOptions{Driver: swarm.Driver{Name: "default"}},
		},
		DriverState: swarm.Driver{Name: "overlay", Options: n.Options},
		IPAMOptions: &swarm.IPAMOptions{Driver: swarm.Driver{Name: "default"}, Configs: []swarm.IPAMConfig{config}},
	}
}
