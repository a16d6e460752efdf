package commands

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/check"
	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
)

// newDownNodeEngine is a swarm with an error (a node is down) and notes.
func newDownNodeEngine() *fakeEngine {
	f := newFakeEngine()
	f.nodes[2].Status.State = swarm.NodeStateDown
	return f
}

// codeOf is the exit code of a command, 0 for no error.
func codeOf(err error) int {
	var p *problem.Error
	switch {
	case err == nil:
		return problem.Done
	case errors.As(err, &p) && p.Code != 0:
		return p.Code
	default:
		return problem.Failed
	}
}

func TestCheckExitCodesAreTheSameInAllFormats(t *testing.T) {
	down := newFakeEngine()
	down.down = errDown
	for _, tc := range []struct {
		doc  string
		f    *fakeEngine
		args []string
		want int
	}{
		{"nothing", newFakeEngine(), nil, problem.Done},
		{"notes that count", newFakeEngine(), []string{"--fail-on", "note"}, problem.Findings},
		{"an error", newDownNodeEngine(), nil, problem.Findings},
		{"an error that does not count", newDownNodeEngine(), []string{"--fail-on", "never"}, problem.Done},
		{"ignored", newDownNodeEngine(), []string{"--ignore", "SN105=n*"}, problem.Done},
		{"another object ignored", newDownNodeEngine(), []string{"--ignore", "node-down=n1"}, problem.Findings},
		{"not looked for", newDownNodeEngine(), []string{"--only", "SN201,networks"}, problem.Done},
		{"not of this network", newDownNodeEngine(), []string{"ingress"}, problem.Done},
		{"no such network", newFakeEngine(), []string{"nonet"}, problem.Failed},
		{"no such code", newFakeEngine(), []string{"--only", "SN999"}, problem.Usage},
		{"no such severity", newFakeEngine(), []string{"--fail-on", "bad"}, problem.Usage},
		{"no engine", down, nil, problem.Failed},
	} {
		for _, format := range []string{"table", "json", "junit"} {
			t.Run(tc.doc+" "+format, func(t *testing.T) {
				_, _, err := run(t, tc.f, append([]string{"check", "--format", format}, tc.args...)...)
				assert.Equal(t, codeOf(err), tc.want, "%v", err)
			})
		}
	}
}

func TestCheckPrintsALineForEachFinding(t *testing.T) {
	out, _, _ := run(t, newDownNodeEngine(), "check")
	assert.Check(t, is.Contains(out, "cluster\n✘ SN105  node n3  the node is down → docker node inspect --pretty id-n3\n"))
	assert.Check(t, is.Contains(out, "1 error, no warnings, 1 note"))
	assert.Check(t, !strings.Contains(out, "SN104"), "notes are counted")
	out, _, _ = run(t, newDownNodeEngine(), "check", "--all")
	assert.Check(t, is.Contains(out, "· SN104"))
	assert.Check(t, is.Contains(out, "? SN203"))
}

// A text from the swarm neither moves the cursor nor breaks the XML.
func TestCheckPrintsHostileNamesSafely(t *testing.T) {
	f := newFakeEngine()
	f.networks = append(f.networks, network.Summary{
		ID: "bad", Name: "evil\x1b[2J<&", Scope: "swarm", Driver: "overlay", Options: map[string]string{"encrypted": "\x07false"},
	})
	for _, format := range []string{"table", "json", "junit"} {
		out, _, _ := run(t, f, "check", "--all", "--format", format)
		assert.Check(t, !strings.ContainsAny(out, "\x1b\x07"), format)
		if format == "junit" {
			assert.NilError(t, xml.Unmarshal([]byte(out), new(struct{})))
		}
	}
}

func TestCheckTellsASwarmThatIsNone(t *testing.T) {
	f := newFakeEngine()
	f.info.Swarm = swarm.Info{LocalNodeState: swarm.LocalNodeStateInactive}
	out, _, err := run(t, f, "check")
	assert.Equal(t, codeOf(err), problem.Findings)
	assert.Check(t, is.Contains(out, "SN102"))
}

func TestCheckJUnitNamesAnEngineThatDoesNotAnswer(t *testing.T) {
	f := newFakeEngine()
	f.down = errDown
	out, _, _ := run(t, f, "check", "--format", "junit")
	assert.Check(t, is.Contains(out, `errors="1"`))
}

// Every code has a runbook, under its name.
func TestEveryCodeHasARunbook(t *testing.T) {
	pages, err := allRunbooks()
	assert.NilError(t, err)
	byCode := map[string]string{}
	for _, p := range pages {
		if p.Code != "" {
			byCode[p.Code] = p.Name
		}
	}
	for _, r := range check.Rules() {
		assert.Check(t, is.Equal(byCode[r.Code], r.Name), "the runbook of %s", r.Code)
		delete(byCode, r.Code)
	}
	assert.Check(t, is.Len(byCode, 0), "runbooks of codes that are none")
}

func TestExplain(t *testing.T) {
	f := newFakeEngine()
	one := uint64(0)
	f.services = []swarm.Service{{ID: "s1", Spec: swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: "web"}, Mode: swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &one}},
	}}}
	out, _, err := run(t, f, "explain", "web")
	assert.Equal(t, codeOf(err), problem.Findings)
	assert.Check(t, is.Contains(out, "✘ exists"))
	assert.Check(t, is.Contains(out, "Fix:   docker service scale web=1"))
	out, _, err = run(t, f, "explain", "--format", "json", "web")
	assert.Equal(t, codeOf(err), problem.Findings)
	assert.Check(t, is.Contains(out, `"Step":"exists","Status":"broken"`))
	_, _, err = run(t, f, "explain", "nobody")
	assert.Equal(t, codeOf(err), problem.Failed)
	assert.ErrorContains(t, err, `service "nobody" not found`)
}
