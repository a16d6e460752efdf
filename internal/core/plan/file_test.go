package plan

import (
	"strings"
	"testing"

	"gotest.tools/v3/assert"

	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
)

// Whatever has moved on since a plan was written is named, and nothing else.
func TestFileNamesWhatHasMoved(t *testing.T) {
	digests := map[Resource]string{{Service, "web_api"}: "d1", {Config, "web_cf"}: "d2"}
	for _, tc := range []struct {
		doc  string
		edit func(*Desired, *Observed, map[Resource]string)
		want string
	}{
		{"nothing", func(*Desired, *Observed, map[Resource]string) {}, ""},
		{
			"a service was updated", func(_ *Desired, o *Observed, _ map[Resource]string) { o.Services[0].Version = 8 },
			`service "web_api" has been changed in the swarm since (version 8, planned on 7)`,
		},
		{
			"a secret was changed", func(_ *Desired, o *Observed, _ map[Resource]string) { o.Secrets[0].Version = 5 },
			`secret "web_pw" has been changed in the swarm since (version 5, planned on 3)`,
		},
		{
			"a config is gone", func(_ *Desired, o *Observed, _ map[Resource]string) { o.Configs = nil },
			`config "web_cf" has been removed since`,
		},
		{
			"a network is another", func(_ *Desired, o *Observed, _ map[Resource]string) { o.Networks[1].ID = "again" },
			`network "web_front" has been removed and created again since`,
		},
		{"what is to be created is there", func(_ *Desired, o *Observed, _ map[Resource]string) {
			o.Services = append(o.Services, swarm.Service{ID: "x", Name: "web_new", Version: 1})
		}, `service "web_new" has been created since`},
		{"the file asks for something else", func(_ *Desired, _ *Observed, digests map[Resource]string) {
			digests[Resource{Service, "web_api"}] = "d9"
		}, `service "web_api" is asked for in another way than planned (the Compose file, a variable of it or the image's digest has changed)`},
		{
			"a service is no longer in the file", func(d *Desired, _ *Observed, _ map[Resource]string) { d.Services = d.Services[1:] },
			"network \"ingress\" is no longer part of the plan\nservice \"web_api\" is no longer part of the plan",
		},
		{"a service is new in the file", func(d *Desired, _ *Observed, _ map[Resource]string) {
			d.Services = append(d.Services, newService("web_more", func(*swarm.Service) {}))
		}, `service "web_more" was not part of the plan`},
		{
			"a network of others", func(_ *Desired, o *Observed, _ map[Resource]string) { o.Networks[2].ID = "again" },
			`network "shared" has been removed and created again since`,
		},
	} {
		t.Run(tc.doc, func(t *testing.T) {
			file := func() (Desired, *Observed) {
				o := observed()
				d := asIs(o)
				d.Services = append(d.Services, newService("web_new", func(sv *swarm.Service) { sv.Networks = []swarm.Attach{{Target: "shared"}} }))
				return d, o
			}
			d, o := file()
			f := File{Format: FileFormat, Stack: "web", Cluster: "c", Pins: Pinned(Reconcile(d, o), d, o, digests)}
			d, o = file()
			now := map[Resource]string{}
			for k, v := range digests {
				now[k] = v
			}
			tc.edit(&d, o, now)
			for i := range d.Services { // as the engine would find them
				for _, sv := range o.Services {
					if d.Services[i].Existing != nil && sv.Name == d.Services[i].Service.Name {
						d.Services[i].Existing = &sv
					}
				}
				for j, a := range d.Services[i].Service.Networks {
					if a.Target == "front" || a.Target == "shared" {
						at := map[string]int{"front": 1, "shared": 2}[a.Target]
						d.Services[i].Service.Networks = append([]swarm.Attach{}, d.Services[i].Service.Networks...)
						d.Services[i].Service.Networks[j].Target = o.Networks[at].ID
					}
				}
			}
			assert.Equal(t, strings.Join(f.Moved("web", "c", Pinned(Reconcile(d, o), d, o, now)), "\n"), tc.want)
		})
	}
}

func TestFileIsForOneSwarmAndOneStack(t *testing.T) {
	f := File{Format: FileFormat, Stack: "web", Context: "prod", Cluster: "c"}
	assert.DeepEqual(t, f.Moved("web", "other", nil), []string{`the plan is for another swarm (c, planned through context "prod")`})
	assert.DeepEqual(t, f.Moved("shop", "c", nil), []string{`the plan is for stack "web"`})
	f.Format = 2
	assert.DeepEqual(t, f.Moved("web", "c", nil), []string{"the plan is of format 2, and this version of docker swarmnet reads 1"})
}
