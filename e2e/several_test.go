//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// threeSwarms are three sandboxes, of two engines; of three where E2E_THIRD
// names one more.
func threeSwarms(t *testing.T) (swarms []*harness.Swarm, contexts string) {
	t.Helper()
	swarms = []*harness.Swarm{
		usual(t),
		lab.Swarm(t, harness.Spec{Suffix: "other", Nodes: 1, Engine: lab.OtherEngine()}),
		lab.Swarm(t, harness.Spec{Suffix: "alone", Nodes: 1, Engine: os.Getenv("E2E_THIRD")}),
	}
	var names []string
	for _, s := range swarms {
		names = append(names, s.Context)
	}
	return swarms, strings.Join(names, ",")
}

// subnetOf returns the subnet of a network, which must be allocated.
func subnetOf(t *testing.T, s *harness.Swarm, name string) netip.Prefix {
	t.Helper()
	n := s.Network(t, name)
	assert.Assert(t, n != nil, "network %s of %s", name, s.Context)
	assert.Equal(t, n.Driver, "overlay")
	assert.Assert(t, is.Len(n.IPAM.Config, 1))
	return netip.MustParsePrefix(n.IPAM.Config[0].Subnet)
}

func TestCreateInSeveralSwarms(t *testing.T) {
	swarms, contexts := threeSwarms(t)
	r := swarms[0].Swarmnet("create", "--contexts", contexts, "docknet")
	r.Assert(t, icmd.Success)
	lines := strings.Split(strings.TrimSpace(r.Stdout()), "\n")
	assert.Assert(t, is.Len(lines, 4))
	assert.Check(t, is.DeepEqual(strings.Fields(lines[0]), []string{"CONTEXT", "ID", "SUBNET"}))
	ingress := subnetOf(t, swarms[0], "ingress")
	var taken []netip.Prefix
	for i, s := range swarms {
		p := subnetOf(t, s, "docknet")
		assert.Check(t, is.DeepEqual(strings.Fields(lines[i+1]), []string{s.Context, s.Network(t, "docknet").ID, p.String()}))
		for _, o := range append(taken, ingress) {
			assert.Check(t, !o.Overlaps(p), "%s overlaps %s", p, o)
		}
		taken = append(taken, p)
	}
	again := swarms[0].Swarmnet("create", "--contexts", contexts, "docknet")
	again.Assert(t, icmd.Success)
	assert.Check(t, is.Equal(again.Stdout(), r.Stdout()))

	same := swarms[0].Swarmnet("create", "--contexts", contexts, "--same-subnet", "twin")
	same.Assert(t, icmd.Expected{ExitCode: 0, Err: "Warning: the same subnet"})
	for _, s := range swarms {
		assert.Check(t, is.Equal(subnetOf(t, s, "twin"), subnetOf(t, swarms[0], "twin")))
	}
	pick := swarms[0].Swarmnet("addresses", "--contexts", contexts, "--pick", "/22")
	pick.Assert(t, icmd.Success)
	block := netip.MustParsePrefix(strings.TrimSpace(pick.Stdout()))
	for _, o := range append(taken, ingress, subnetOf(t, swarms[0], "twin")) {
		assert.Check(t, !o.Overlaps(block))
	}

	removesWhatIsFree(t, swarms, contexts)
}

// removesWhatIsFree: a network in use stays, and keeps none of the others.
func removesWhatIsFree(t *testing.T, swarms []*harness.Swarm, contexts string) {
	t.Helper()
	swarms[0].Docker("service", "create", "--detach", "--no-resolve-image", "--name", "web", "--network", "docknet", "--replicas", "0", "swarmnet/demo").Assert(t, icmd.Success)
	r := swarms[0].Swarmnet("rm", "--contexts", contexts, "docknet", "twin")
	r.Assert(t, icmd.Expected{ExitCode: 1, Err: "web"})
	assert.Check(t, is.Equal(strings.Count(r.Stdout(), "docknet"), 3), r.Stdout())
	assert.Check(t, swarms[0].Network(t, "docknet") != nil)
	assert.Check(t, swarms[0].Network(t, "twin") == nil)
	for _, s := range swarms[1:] {
		assert.Check(t, s.Network(t, "docknet") == nil)
	}
	swarms[0].Docker("service", "rm", "web").Assert(t, icmd.Success)
	r = swarms[0].Swarmnet("rm", "--force", "--contexts", contexts, "docknet")
	r.Assert(t, icmd.Success)
	assert.Check(t, swarms[0].Network(t, "docknet") == nil)
}

// TestCreateInSeveralSwarmsIsAllOrNothing: an engine that refuses to create
// takes what the others have made with it.
func TestCreateInSeveralSwarmsIsAllOrNothing(t *testing.T) {
	swarms, contexts := threeSwarms(t)
	addContext(t, swarms[0], "refusing", "host=unix://"+serveRefusing(t, swarms[2], "/networks/create"))
	contexts = strings.Replace(contexts, swarms[2].Context, "refusing", 1)
	r := swarms[0].Swarmnet("create", "--contexts", contexts, "docknet")
	r.Assert(t, icmd.Expected{ExitCode: 4, Err: "not today"})
	assert.Check(t, is.Equal(r.Stdout(), ""))
	for _, s := range swarms {
		assert.Check(t, s.Network(t, "docknet") == nil, "in %s", s.Context)
	}
	// One that cannot be looked at keeps everything from being made.
	addContext(t, swarms[0], "nobody", "host=unix:///nowhere.sock")
	for _, wrong := range []string{"nobody", swarms[0].Nodes[1].Context + "x"} {
		r = swarms[0].Swarmnet("create", "--contexts", swarms[1].Context+","+wrong, "docknet")
		r.Assert(t, icmd.Expected{ExitCode: 1, Err: wrong})
		assert.Check(t, swarms[1].Network(t, "docknet") == nil)
	}
}

// serveRefusing stands before a swarm's engine and refuses calls to paths that
// end like that.
func serveRefusing(t *testing.T, s *harness.Swarm, end string) (socket string) {
	t.Helper()
	return s.Through(t, func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, end) {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = fmt.Fprintln(w, `{"message":"not today"}`)
		return true
	})
}

// TestAttachInSeveralSwarms: a service of the same name in two swarms gets a
// network in both or in neither, and loses it in both.
func TestAttachInSeveralSwarms(t *testing.T) {
	swarms := []*harness.Swarm{usual(t), lab.Swarm(t, harness.Spec{Suffix: "other", Nodes: 1, Engine: lab.OtherEngine()})}
	contexts := swarms[0].Context + "," + swarms[1].Context
	for _, s := range swarms {
		s.Load(t, "swarmnet/demo")
	}
	for _, name := range []string{"front", "back"} {
		swarms[0].Swarmnet("create", "--contexts", contexts, name).Assert(t, icmd.Success)
	}
	for _, s := range swarms {
		s.Swarmnet("deploy", "--name", "web", "--network", "front", "--no-resolve-image", "swarmnet/demo").Assert(t, icmd.Success)
	}
	networks := func() (counts []int) {
		for _, s := range swarms {
			counts = append(counts, len(s.Service(t, "web").Spec.TaskTemplate.Networks))
		}
		return counts
	}
	addContext(t, swarms[0], "refusing", "host=unix://"+serveRefusing(t, swarms[1], "/update"))
	r := swarms[0].Swarmnet("attach", "--yes", "--contexts", swarms[0].Context+",refusing", "back", "web")
	r.Assert(t, icmd.Expected{ExitCode: 4, Err: "not today"})
	assert.DeepEqual(t, networks(), []int{1, 1})

	swarms[0].Swarmnet("attach", "--yes", "--contexts", contexts, "back", "web").Assert(t, icmd.Success)
	assert.DeepEqual(t, networks(), []int{2, 2})
	again := swarms[0].Swarmnet("attach", "--yes", "--contexts", contexts, "back", "web")
	again.Assert(t, icmd.Success)
	assert.Check(t, is.Contains(again.Combined(), "unchanged"))
	swarms[0].Swarmnet("detach", "--yes", "--contexts", contexts, "back", "web").Assert(t, icmd.Success)
	assert.DeepEqual(t, networks(), []int{1, 1})
}

// TestCreateInSeveralSwarmsAtOnce: who creates at the same time, in whatever
// order of the contexts, ends with networks that do not overlap.
func TestCreateInSeveralSwarmsAtOnce(t *testing.T) {
	swarms, contexts := threeSwarms(t)
	names := strings.Split(contexts, ",")
	results := atOnce(4, func(i int) *icmd.Result {
		turned := append(append([]string(nil), names[i%3:]...), names[:i%3]...)
		return swarms[0].Swarmnet("create", "--contexts", strings.Join(turned, ","), fmt.Sprint("net", i))
	})
	for _, r := range results {
		r.Assert(t, icmd.Success)
	}
	var taken []netip.Prefix
	for _, s := range swarms {
		for i := range results {
			p := subnetOf(t, s, fmt.Sprint("net", i))
			for _, o := range taken {
				assert.Check(t, !o.Overlaps(p), "%s overlaps %s", p, o)
			}
			taken = append(taken, p)
		}
	}
}

// TestSeveralContexts: what every command does with contexts that lead to the
// same swarm, to a worker and to nowhere.
func TestSeveralContexts(t *testing.T) {
	s := usual(t)
	other := lab.Swarm(t, harness.Spec{Suffix: "other", Nodes: 1, Engine: lab.OtherEngine()})
	for _, x := range []*harness.Swarm{s, other} {
		x.Swarmnet("create", "docknet").Assert(t, icmd.Success)
	}
	addContext(t, s, "nobody", "host=unix:///nowhere.sock")
	// n1 and n2 are of the first swarm, so it is counted once.
	contexts := strings.Join([]string{s.Context, s.Nodes[0].Context, s.Nodes[1].Context, other.Context, "nobody"}, ",")
	for _, args := range [][]string{{"ls"}, {"ps", "docknet"}, {"inspect", "docknet"}, {"ports"}, {"addresses"}, {"rm", "--force", "nothing"}} {
		r := s.Swarmnet(append(args, "--contexts", contexts)...)
		assert.Check(t, is.Equal(r.ExitCode, 1), "%v: %s", args, r)
		assert.Check(t, is.Contains(r.Combined(), "nobody"), args[0])
		assert.Check(t, is.Equal(strings.Count(r.Stderr(), "counted once"), 2), "%v: %s", args, r.Stderr())
	}
	r := s.Swarmnet("ls", "--contexts", contexts, "--filter", "name=docknet", "--format", "json")
	var from []string
	for _, line := range strings.Split(strings.TrimSpace(r.Stdout()), "\n") {
		var row struct{ Context, Name, Error string }
		assert.NilError(t, json.Unmarshal([]byte(line), &row), line)
		from = append(from, row.Context)
		assert.Check(t, is.Equal(row.Name == "", row.Error != ""))
	}
	assert.DeepEqual(t, from, []string{s.Context, other.Context, "nobody"})

	// Both default swarms begin at the same address.
	r = s.Swarmnet("addresses", "--contexts", s.Context+","+other.Context)
	r.Assert(t, icmd.Success)
	assert.Check(t, is.Contains(r.Stdout(), "network ingress of "+s.Context+" (10.0.0.0/24)"))
	keptContexts(t, s, other)
}

// keptContexts: those in docker's config.json count where a call names none.
func keptContexts(t *testing.T, s, other *harness.Swarm) {
	t.Helper()
	file := filepath.Join(lab.Config, "config.json")
	before, err := os.ReadFile(file)
	if err != nil {
		before = []byte("{}")
	}
	t.Cleanup(func() { assert.Check(t, os.WriteFile(file, before, 0o600)) })
	config := map[string]any{}
	assert.NilError(t, json.Unmarshal(before, &config))
	config["plugins"] = map[string]any{"swarmnet": map[string]string{"contexts": s.Context + "," + other.Context, "avoid": "10.0.0.0/13"}}
	after, err := json.Marshal(config)
	assert.NilError(t, err)
	assert.NilError(t, os.WriteFile(file, after, 0o600))
	here := func(args ...string) *icmd.Result {
		return icmd.RunCmd(lab.Command("", append([]string{"swarmnet"}, args...)...), icmd.WithTimeout(2*s.Patience()))
	}
	r := here("ls", "--filter", "name=docknet", "--format", "{{.Context}}")
	r.Assert(t, icmd.Success)
	assert.DeepEqual(t, strings.Fields(r.Stdout()), []string{s.Context, other.Context})
	r = here("addresses", "--pick", "/24")
	r.Assert(t, icmd.Expected{ExitCode: 0, Out: "10.8.0.0/24"})
	here("create", "kept").Assert(t, icmd.Success)
	for _, x := range []*harness.Swarm{s, other} {
		assert.Check(t, netip.MustParsePrefix("10.8.0.0/13").Contains(subnetOf(t, x, "kept").Addr()))
	}
	// It reaches further than its words, and there is no terminal to ask on.
	here("rm", "kept").Assert(t, icmd.Expected{ExitCode: 1, Err: "--yes"})
	assert.Check(t, s.Network(t, "kept") != nil)
	here("rm", "--yes", "kept").Assert(t, icmd.Success)
	assert.Check(t, other.Network(t, "kept") == nil)
	// A call that names one context means that one.
	r = s.Swarmnet("ls", "--filter", "name=docknet", "-q")
	assert.Check(t, is.Len(strings.Fields(r.Stdout()), 1))
}
