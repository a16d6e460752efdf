package deploy

import (
	"fmt"
	"net/netip"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func twoNodes() *swarm.Snapshot {
	node := func(i int, role string) swarm.Node {
		return swarm.Node{ID: fmt.Sprintf("n%d", i), Hostname: fmt.Sprintf("h%d", i), Role: role, State: "ready", Availability: "active", OS: "linux", Arch: "x86_64"}
	}
	return &swarm.Snapshot{
		Context: "prod",
		Engine:  swarm.Engine{Name: "h1"},
		Nodes:   []swarm.Node{node(1, "manager"), node(2, "worker")},
		Networks: []swarm.Network{
			{ID: "ing", Name: "ingress", Scope: "swarm", Driver: "overlay", Ingress: true, Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix("10.0.0.0/24")}}},
			{ID: "net", Name: "docknet", Scope: "swarm", Driver: "overlay", Subnets: []swarm.Subnet{{Prefix: netip.MustParsePrefix("10.0.1.0/29")}}},
			{ID: "gw", Name: "docker_gwbridge", Scope: "local", Driver: "bridge"},
		},
		Services: []swarm.Service{
			{ID: "s1", Name: "web", Mode: swarm.Replicated, Replicas: 1, Ports: []swarm.Port{{Protocol: "tcp", Target: 80, Published: 80, Mode: "ingress"}}},
			{ID: "s2", Name: "dns", Mode: swarm.Replicated, Replicas: 1, Ports: []swarm.Port{{Protocol: "udp", Target: 53, Published: 53, Mode: "host"}}},
		},
		Tasks: []swarm.Task{{ID: "t2", ServiceID: "s2", NodeID: "n2", State: swarm.TaskRunning, Desired: swarm.TaskRunning}},
	}
}

func wish(change func(*Wish)) Wish {
	w := Wish{
		Service:  swarm.Service{Name: "api", Mode: swarm.Replicated, Replicas: 1, EndpointMode: "vip", Networks: []swarm.Attach{{Target: "net"}}},
		Networks: []NetworkRef{{Ref: "docknet", ID: "net", Name: "docknet", Driver: "overlay"}},
	}
	change(&w)
	return w
}

func TestPreflight(t *testing.T) {
	publish := func(protocol string, published uint32, mode string) []swarm.Port {
		return []swarm.Port{{Protocol: protocol, Target: 8080, Published: published, Mode: mode}}
	}
	for _, tc := range []struct {
		doc    string
		change func(*Wish)
		want   []string // parts of the error; none: no error
	}{
		{"nothing in the way", func(*Wish) {}, nil},
		{"no such network", func(w *Wish) { w.Missing = []Missing{{"network", "nope"}} }, []string{`"api" cannot be deployed`, `context "prod"`, `network "nope" does not exist`, "docker swarmnet create nope"}},
		{"network in another case", func(w *Wish) { w.Missing = []Missing{{"network", "DockNet"}} }, []string{`"docknet" does`}},
		{"local network", func(w *Wish) { w.Missing = []Missing{{"network", "docker_gwbridge"}} }, []string{"local to engine"}},
		{"all at once", func(w *Wish) {
			w.Missing = []Missing{{"network", "nope"}, {"secret", "pw"}, {"config", "cf"}}
		}, []string{"\n  - network", "\n  - secret \"pw\" does not exist: run 'docker secret create pw FILE'", "\n  - config"}},
		{"ingress by name", func(w *Wish) { w.Networks = []NetworkRef{{Ref: "ingress", Ingress: true}} }, []string{"routing mesh"}},
		{"port taken in the mesh", func(w *Wish) { w.Service.Ports = publish("tcp", 80, "ingress") }, []string{`port 80/tcp is published by service "web"`}},
		{"host port where the mesh has it", func(w *Wish) { w.Service.Ports = publish("tcp", 80, "host") }, []string{`port 80/tcp is published by service "web"`}},
		{"mesh port where a host has it", func(w *Wish) { w.Service.Ports = publish("udp", 53, "ingress") }, []string{`port 53/udp is published by service "dns"`}},
		{"other protocol", func(w *Wish) { w.Service.Ports = publish("udp", 80, "ingress") }, nil},
		{"own port", func(w *Wish) {
			w.Service.Ports = publish("tcp", 80, "ingress")
			w.Service.Name = "web"
			w.Existing = &swarm.Service{ID: "s1", Name: "web", Mode: swarm.Replicated}
		}, nil},
		{"host port free on one node", func(w *Wish) { w.Service.Ports = publish("udp", 53, "host") }, nil},
		{"host port for two", func(w *Wish) {
			w.Service.Ports = publish("udp", 53, "host")
			w.Service.Replicas = 2
		}, []string{"free on 1 of 2 suitable nodes", `53/udp on h2 is held by service "dns"`}},
		{"dnsrr in the mesh", func(w *Wish) {
			w.Service.EndpointMode = "dnsrr"
			w.Service.Ports = publish("tcp", 8080, "ingress")
		}, []string{"--publish mode=host,target=8080,published=8080"}},
		{"constraint no node meets", func(w *Wish) { w.Service.Constraints = []string{"node.labels.zone == east"} }, []string{`no node can run it: h1, h2: does not meet "node.labels.zone == east"`}},
		{"constraint the swarm refuses", func(w *Wish) { w.Service.Constraints = []string{"node.role=worker"} }, []string{`constraint "node.role=worker"`}},
		{"no replicas, no node needed", func(w *Wish) {
			w.Service.Constraints = []string{"node.labels.zone == east"}
			w.Service.Replicas = 0
		}, nil},
		{"too many for the limit per node", func(w *Wish) {
			w.Service.MaxPerNode = 1
			w.Service.Replicas = 3
		}, []string{"at most 1 per node", "the 2 nodes"}},
		{"not enough addresses", func(w *Wish) { w.Service.Replicas = 6 }, []string{`network "docknet" needs`, "fit"}},
		{"mode cannot change", func(w *Wish) { w.Existing = &swarm.Service{ID: "s9", Name: "api", Mode: swarm.Global} }, []string{"docker service rm api"}},
		{"of a stack", func(w *Wish) {
			w.Existing = &swarm.Service{ID: "s9", Name: "api", Mode: swarm.Replicated, Labels: map[string]string{LabelStack: "shop"}}
		}, []string{`stack "shop"`}},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			err := Preflight(twoNodes(), wish(tc.change), nil)
			if tc.want == nil {
				assert.NilError(t, err)
				return
			}
			for _, part := range tc.want {
				assert.Check(t, is.ErrorContains(err, part))
			}
		})
	}
}

func TestChangeShowsNoSecret(t *testing.T) {
	assert.Equal(t, Words([]Change{{Field: "image", From: "a:1", To: "a:2"}, {Field: "env"}, {Field: "replicas", To: "2"}}),
		"image a:1 → a:2, env, replicas none → 2")
}
