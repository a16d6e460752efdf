package plan

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/deploy"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

func stackLabels(more ...string) map[string]string {
	out := map[string]string{deploy.LabelStack: "web"}
	for _, m := range more {
		k, v, _ := strings.Cut(m, "=")
		out[k] = v
	}
	return out
}

func subnet(s string) []swarm.Subnet { return []swarm.Subnet{{Prefix: netip.MustParsePrefix(s)}} }

// observed is a swarm of three nodes with the stack "web" on it: a network, a
// secret, a config and the services api (port 80, three tasks) and db.
func observed() *Observed {
	s := &swarm.Snapshot{Context: "prod", Engine: swarm.Engine{Name: "n1"}}
	for i := 1; i <= 3; i++ {
		s.Nodes = append(s.Nodes, swarm.Node{ID: fmt.Sprintf("id-n%d", i), Hostname: fmt.Sprintf("n%d", i), State: "ready", Availability: "active", Role: "worker"})
	}
	s.Networks = []swarm.Network{
		{ID: "ing", Name: "ingress", Scope: "swarm", Driver: "overlay", Ingress: true, Subnets: subnet("10.0.0.0/24")},
		{ID: "front", Name: "web_front", Scope: "swarm", Driver: "overlay", Subnets: subnet("10.0.1.0/28"), Labels: stackLabels(), Options: map[string]string{swarm.OptVNI: "4097", swarm.OptMTU: "1400"}},
		{ID: "shared", Name: "shared", Scope: "swarm", Driver: "overlay", Subnets: subnet("10.0.2.0/24")},
		{ID: "br", Name: "local", Scope: "local", Driver: "bridge"},
	}
	s.Services = []swarm.Service{
		{
			ID: "s-api", Name: "web_api", Version: 7, Labels: stackLabels(), Image: "app:1", Mode: swarm.Replicated, Replicas: 3, EndpointMode: "vip", UpdateOrder: "stop-first", UpdateParallel: 1,
			Networks: []swarm.Attach{{Target: "front", Aliases: []string{"api"}}}, Secrets: []string{"sec"}, Configs: []string{"cfg"},
			Ports: []swarm.Port{{Protocol: "tcp", Target: 8080, Published: 80, Mode: "ingress"}},
			VIPs:  []swarm.VIP{{NetworkID: "front", Addr: netip.MustParsePrefix("10.0.1.2/28")}, {NetworkID: "ing", Addr: netip.MustParsePrefix("10.0.0.9/24")}},
		},
		{ID: "s-db", Name: "web_db", Version: 8, Labels: stackLabels(), Image: "db:1", Mode: swarm.Replicated, Replicas: 1, EndpointMode: "vip", UpdateOrder: "stop-first", UpdateParallel: 1, Networks: []swarm.Attach{{Target: "front", Aliases: []string{"db"}}}, VIPs: []swarm.VIP{{NetworkID: "front", Addr: netip.MustParsePrefix("10.0.1.6/28")}}},
		{ID: "s-other", Name: "other_api", Version: 9, Mode: swarm.Replicated, Replicas: 1, EndpointMode: "vip", Networks: []swarm.Attach{{Target: "shared", Aliases: []string{"api"}}}},
	}
	for i := 1; i <= 3; i++ {
		s.Tasks = append(s.Tasks, swarm.Task{
			ID: fmt.Sprintf("t%d", i), ServiceID: "s-api", Slot: i, NodeID: fmt.Sprintf("id-n%d", i), State: swarm.TaskRunning, Desired: swarm.TaskRunning,
			Networks: []swarm.TaskNetwork{{NetworkID: "front", Addrs: []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("10.0.1.%d/28", 2+i))}}, {NetworkID: "ing", Addrs: []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("10.0.0.%d/24", 9+i))}}},
		})
	}
	s.Tasks = append(s.Tasks, swarm.Task{
		ID: "t4", ServiceID: "s-db", Slot: 1, NodeID: "id-n1", State: swarm.TaskRunning, Desired: swarm.TaskRunning,
		Networks: []swarm.TaskNetwork{{NetworkID: "front", Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.1.7/28")}}},
	})
	return &Observed{
		Snapshot: s,
		Secrets:  []Object{{ID: "sec", Version: 3, Name: "web_pw", Labels: stackLabels()}},
		Configs:  []Object{{ID: "cfg", Version: 4, Name: "web_cf", Labels: stackLabels(), Content: "c1"}},
	}
}

// asIs is the file that observed came from.
func asIs(o *Observed) Desired {
	d := Desired{
		Stack:    "web",
		Networks: []NetworkWish{{Driver: "overlay", Spec: swarm.NetworkSpec{Name: "web_front", Labels: stackLabels(), Options: map[string]string{swarm.OptMTU: "1400"}}}},
		Secrets:  []Object{{Name: "web_pw", Labels: stackLabels(), Content: "s1"}},
		Configs:  []Object{{Name: "web_cf", Labels: stackLabels(), Content: "c1"}},
	}
	for _, name := range []string{"web_api", "web_db"} {
		sv, _ := o.ServiceByName(name)
		w := ServiceWish{Wish: deploy.Wish{Service: sv, Existing: &sv}}
		w.Service.ID = ""
		if name == "web_api" {
			w.Secrets, w.Configs, w.DependsOn = []string{"web_pw"}, []string{"web_cf"}, []string{"web_db"}
		}
		d.Services = append(d.Services, w)
	}
	return d
}

func change(field string, restarts bool) []deploy.Change {
	return []deploy.Change{{Field: field, From: "a", To: "b", Restarts: restarts}}
}

func newService(name string, edit func(*swarm.Service)) ServiceWish {
	sv := swarm.Service{Name: name, Labels: stackLabels(), Mode: swarm.Replicated, Replicas: 1, EndpointMode: "vip", Networks: []swarm.Attach{{Target: "front"}}}
	edit(&sv)
	return ServiceWish{Wish: deploy.Wish{Service: sv}}
}

func TestReconcile(t *testing.T) {
	for _, tc := range []struct {
		doc  string
		edit func(*Desired, *Observed)
		// want are the steps that are not "unchanged", one a line.
		want string
	}{
		{"as it is", func(*Desired, *Observed) {}, ""},
		{"new network without a subnet", func(d *Desired, _ *Observed) {
			d.Networks = append(d.Networks, NetworkWish{Driver: "overlay", Spec: swarm.NetworkSpec{Name: "web_back", Labels: stackLabels()}})
			d.Services = append(d.Services, newService("web_new", func(sv *swarm.Service) { sv.Networks = []swarm.Attach{{Target: "web_back", Aliases: []string{"new"}}} }))
		}, `create network "web_back"
create service "web_new": starts 1 task, 3 of 253 free addresses on web_back, gains name new on web_back and web_new on web_back`},
		{
			"network option", func(d *Desired, _ *Observed) { d.Networks[0].Spec.Options = map[string]string{swarm.OptMTU: "1300"} },
			`blocked network "web_front": option com.docker.network.driver.mtu 1400 → 1300`,
		},
		{
			"network option gone", func(d *Desired, _ *Observed) { d.Networks[0].Spec.Options = nil },
			`blocked network "web_front": option com.docker.network.driver.mtu 1400 → none`,
		},
		{"network encrypted with any value", func(d *Desired, _ *Observed) {
			d.Networks[0].Spec.Options = map[string]string{swarm.OptMTU: "1400", swarm.OptEncrypted: "false"}
		}, `blocked network "web_front": encrypted false → true`},
		{"network attachable, internal, subnet, label, driver", func(d *Desired, _ *Observed) {
			d.Networks[0].Driver = "macvlan"
			n := &d.Networks[0].Spec
			n.Attachable, n.Internal, n.Subnets, n.Labels = true, true, subnet("10.9.0.0/24"), stackLabels("x=y")
		}, `blocked network "web_front": driver overlay → macvlan, attachable false → true, internal false → true, subnet 10.0.1.0/28 → 10.9.0.0/24, label x`},
		{
			"network of somebody else", func(d *Desired, _ *Observed) { d.Networks[0].Spec.Name = "shared" },
			`blocked network "shared": stack none → web`,
		},
		{
			"secret's label", func(d *Desired, _ *Observed) { d.Secrets[0].Labels = stackLabels("x=y") },
			`update secret "web_pw": label x; its content cannot be compared: the swarm refuses the deploy if it has changed`,
		},
		{"config's label", func(d *Desired, _ *Observed) { d.Configs[0].Labels = stackLabels("x=y") }, `update config "web_cf": label x`},
		{"config's content", func(d *Desired, _ *Observed) { d.Configs[0].Content = "c2" }, `blocked config "web_cf": content`},
		{"config's template", func(d *Desired, _ *Observed) { d.Configs[0].Template = "golang" }, `blocked config "web_cf": template-driver`},
		{"config under another name", func(d *Desired, _ *Observed) {
			d.Configs[0].Name, d.Configs[0].Content = "web_cf_2", "c2"
			d.Services[0].Configs, d.Services[0].Changes = []string{"web_cf_2"}, []deploy.Change{{Field: "config", Restarts: true}}
			d.Prune = true
			d.Services[0].Service.Configs = []string{"web_cf_2"}
		}, `create config "web_cf_2"
update service "web_api": config; restarts 3 tasks, 1 at a time, stop-first
remove config "web_cf"`},
		{"image", func(d *Desired, _ *Observed) {
			d.Services[0].Changes = []deploy.Change{{Field: "image", From: "app:1", To: "app:2", Restarts: true}}
		}, `update service "web_api": image app:1 → app:2; restarts 3 tasks, 1 at a time, stop-first`},
		{"start first", func(d *Desired, _ *Observed) {
			d.Services[0].Changes = change("image", true)
			d.Services[0].Service.UpdateOrder, d.Services[0].Service.UpdateParallel = "start-first", 0
		}, `update service "web_api": image a → b; restarts 3 tasks, all at once, start-first, 3 of 246 free addresses on ingress, 3 of 4 free addresses on web_front`},
		{"scale", func(d *Desired, _ *Observed) {
			d.Services[0].Service.Replicas, d.Services[0].Changes = 5, change("replicas", false)
		}, `update service "web_api": replicas a → b; starts 2 tasks, 2 of 246 free addresses on ingress, 2 of 4 free addresses on web_front`},
		{"scale down", func(d *Desired, _ *Observed) {
			d.Services[0].Service.Replicas, d.Services[0].Changes = 1, change("replicas", false)
		}, `update service "web_api": replicas a → b; stops 2 tasks`},
		{"another port", func(d *Desired, _ *Observed) {
			d.Services[0].Changes = change("publish", true)
			d.Services[0].Service.Ports = []swarm.Port{{Protocol: "tcp", Target: 8080, Published: 81, Mode: "ingress"}, {Protocol: "udp", Target: 53, Published: 53, Mode: "host"}}
		}, `update service "web_api": publish a → b; restarts 3 tasks, 1 at a time, stop-first, takes port 81/tcp and 53/udp of its nodes, frees port 80/tcp`},
		{"another alias", func(d *Desired, _ *Observed) {
			d.Services[1].Changes = change("network", true)
			d.Services[1].Service.Networks = []swarm.Attach{{Target: "front", Aliases: []string{"postgres"}}}
		}, `update service "web_db": network a → b; restarts 1 task, 1 at a time, stop-first, gains name postgres on web_front, loses name db on web_front`},
		{"mode", func(d *Desired, _ *Observed) {
			d.Services[0].Service.Mode, d.Services[0].Changes = swarm.Global, change("mode", false)
		}, `replace service "web_api": mode a → b; starts 3 tasks, stops 3 tasks; a swarm cannot change the mode of a service: it is removed and made anew, and is away meanwhile`},
		{"service of somebody else", func(d *Desired, _ *Observed) {
			d.Services = append(d.Services, newService("other_api", func(*swarm.Service) {}))
		}, `blocked service "other_api": stack none → web`},
		{"gone from the file", func(d *Desired, _ *Observed) {
			d.Services, d.Networks, d.Secrets, d.Configs = nil, nil, nil, nil
		}, ""},
		{"gone from the file, with prune", func(d *Desired, _ *Observed) {
			d.Services, d.Networks, d.Secrets, d.Configs, d.Prune = nil, nil, nil, nil, true
		}, `remove service "web_api": stops 3 tasks, frees port 80/tcp, loses name api on web_front and web_api on web_front
remove service "web_db": stops 1 task, loses name db on web_front and web_db on web_front
remove network "web_front"
remove secret "web_pw"
remove config "web_cf"`},
		{"pruned network that somebody else uses", func(d *Desired, o *Observed) {
			d.Services, d.Networks, d.Prune = nil, nil, true
			o.Services[2].Networks = append(o.Services[2].Networks, swarm.Attach{Target: "front"})
		}, `remove service "web_api": stops 3 tasks, frees port 80/tcp, loses name api on web_front and web_api on web_front
remove service "web_db": stops 1 task, loses name db on web_front and web_db on web_front`},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			o := observed()
			d := asIs(o)
			tc.edit(&d, o)
			p := Reconcile(d, o)
			var lines []string
			for _, s := range p.Steps {
				if s.Action != Unchanged {
					lines = append(lines, s.String())
				}
			}
			assert.Equal(t, strings.Join(lines, "\n"), tc.want)
			assert.Equal(t, p.Changes(), tc.want != "")
		})
	}
}

func TestReconcileRefusesAllAtOnce(t *testing.T) {
	for _, tc := range []struct {
		doc  string
		edit func(*Desired, *Observed)
		want []string
	}{
		{"missing objects, each once", func(d *Desired, _ *Observed) {
			for i := range d.Services {
				d.Services[i].Missing = []deploy.Missing{{Kind: "network", Name: "nope"}, {Kind: "secret", Name: "nosecret"}}
			}
		}, []string{`network "nope" does not exist`, `secret "nosecret" does not exist`}},
		{"a constraint that no node meets", func(d *Desired, _ *Observed) {
			d.Services = append(d.Services, newService("web_x", func(sv *swarm.Service) { sv.Constraints = []string{"node.role==manager"} }))
		}, []string{`service "web_x": no node can run it`}},
		{"one that runs is not held to it", func(d *Desired, _ *Observed) {
			d.Services[0].Service.Constraints = []string{"node.role==manager"}
		}, nil},
		{"a port of another stack", func(d *Desired, o *Observed) {
			o.Services[2].Ports = []swarm.Port{{Protocol: "tcp", Target: 1, Published: 81, Mode: "ingress"}}
			d.Services = append(d.Services, newService("web_x", func(sv *swarm.Service) {
				sv.Ports = []swarm.Port{{Protocol: "tcp", Target: 1, Published: 81, Mode: "ingress"}}
			}))
		}, []string{`service "web_x": port 81/tcp is published by service "other_api"`}},
		{"a port twice in the file", func(d *Desired, _ *Observed) {
			d.Services = append(d.Services, newService("web_x", func(sv *swarm.Service) {
				sv.Ports = []swarm.Port{{Protocol: "tcp", Target: 1, Published: 80, Mode: "ingress"}}
			}))
		}, []string{`port 80/tcp is published by service "web_api" and by service "web_x"`}},
		{"a port of a service that prune removes later", func(d *Desired, _ *Observed) {
			d.Services, d.Prune = d.Services[1:], true
			d.Services = append(d.Services, newService("web_x", func(sv *swarm.Service) {
				sv.Ports = []swarm.Port{{Protocol: "tcp", Target: 1, Published: 80, Mode: "ingress"}}
			}))
		}, []string{`service "web_x": port 80/tcp is published by service "web_api" already`}},
		{"addresses of several services together", func(d *Desired, _ *Observed) {
			for _, n := range []string{"web_x", "web_y", "web_z"} {
				d.Services = append(d.Services, newService(n, func(sv *swarm.Service) { sv.Replicas = 2 }))
			}
		}, []string{`network "web_front" needs 9 addresses (3 virtual, 6 tasks) and has 4 free for what changes on it (web_x, web_y, web_z), 5 short`}},
		{"addresses of a network still to be made", func(d *Desired, o *Observed) {
			o.Cluster.SubnetSize = 29
			d.Networks = append(d.Networks, NetworkWish{Driver: "overlay", Spec: swarm.NetworkSpec{Name: "web_back", Labels: stackLabels()}})
			d.Services = append(d.Services, newService("web_x", func(sv *swarm.Service) {
				sv.Replicas, sv.Networks = 4, []swarm.Attach{{Target: "web_back"}}
			}))
		}, []string{`network "web_back" needs 8 addresses`, "has 5 free", "3 short"}},
		{"a subnet that is taken, and one twice in the file", func(d *Desired, _ *Observed) {
			for n, s := range map[string]string{"web_a": "10.0.2.0/25", "web_b": "10.8.0.0/24", "web_c": "10.8.0.0/16"} {
				d.Networks = append(d.Networks, NetworkWish{Driver: "overlay", Spec: swarm.NetworkSpec{Name: n, Subnets: subnet(s)}})
			}
		}, []string{`network "web_a": subnet 10.0.2.0/25 overlaps network "shared"`, "of the same file"}},
		{"a local network of the name", func(d *Desired, _ *Observed) {
			d.Networks = append(d.Networks, NetworkWish{Driver: "overlay", Spec: swarm.NetworkSpec{Name: "local"}})
		}, []string{`engine "n1" has a local network of that name`}},
		{"upper and lower case", func(d *Desired, _ *Observed) {
			d.Networks = append(d.Networks, NetworkWish{Driver: "overlay", Spec: swarm.NetworkSpec{Name: "Shared"}})
		}, []string{`does not tell upper from lower case`}},
		{
			"services in a circle", func(d *Desired, _ *Observed) { d.Services[1].DependsOn = []string{"web_api"} },
			[]string{"services web_api, web_db wait for each other"},
		},
		{"ports swapped", func(d *Desired, o *Observed) {
			o.Services[1].Ports = []swarm.Port{{Protocol: "tcp", Target: 1, Published: 81, Mode: "ingress"}}
			db := o.Services[1]
			d.Services[1].Existing = &db
			d.Services[0].DependsOn = nil
			d.Services[0].Service.Ports, d.Services[1].Service.Ports = o.Services[1].Ports, o.Services[0].Ports
			d.Services[0].Changes, d.Services[1].Changes = change("publish", true), change("publish", true)
		}, []string{"services web_api, web_db wait for each other"}},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			o := observed()
			d := asIs(o)
			tc.edit(&d, o)
			err := Reconcile(d, o).Err()
			if tc.want == nil {
				assert.NilError(t, err)
				return
			}
			for _, w := range append(tc.want, `context "prod"`) {
				assert.Check(t, is.ErrorContains(err, w))
			}
		})
	}
}

// A port goes from one service to another only when the first has let it go.
func TestReconcileOrdersAPortHandedOver(t *testing.T) {
	o := observed()
	d := asIs(o)
	d.Services[0].Service.Ports, d.Services[0].Changes = nil, change("publish", true)
	d.Services = append(d.Services, newService("web_a", func(sv *swarm.Service) { sv.Ports = o.Services[0].Ports }))
	p := Reconcile(d, o)
	assert.NilError(t, p.Err())
	assert.Equal(t, p.Steps[len(p.Steps)-1].Name, "web_a")
	s, _ := p.Step(Resource{Service, "web_a"})
	assert.DeepEqual(t, s.DependsOn, []Resource{{Network, "web_front"}, {Service, "web_api"}})
}

func TestReconcileWarnsOfNamesThatClash(t *testing.T) {
	o := observed()
	d := asIs(o)
	assert.Check(t, is.Len(Reconcile(d, o).Warnings, 0))
	d.Services[0].Service.Networks = append(d.Services[0].Service.Networks, swarm.Attach{Target: "shared", Aliases: []string{"api"}})
	d.Services[0].Changes = change("network", true)
	warnings := Reconcile(d, o).Warnings
	assert.Assert(t, is.Len(warnings, 1))
	assert.Check(t, is.Contains(warnings[0], `name "api" on network "shared" is answered by web_api, other_api`))
}

func TestSecretsAreRechecked(t *testing.T) {
	o := observed()
	s, ok := Reconcile(asIs(o), o).Step(Resource{Secret, "web_pw"})
	assert.Check(t, ok && s.Action == Unchanged && s.Recheck && s.ID == "sec" && s.Version == 3)
}
