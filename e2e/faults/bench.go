package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"
	"gotest.tools/v3/assert"
	"gotest.tools/v3/icmd"

	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// demo is the image that services of the catalogue run.
const demo = "swarmnet/demo"

// specs are the sandboxes of the catalogue.
func specs() map[Swarm]harness.Spec {
	return map[Swarm]harness.Spec{
		Three:    {Suffix: "three"},
		Managers: {Suffix: "managers", Managers: 3},
		Mixed:    {Suffix: "mixed", Nodes: 2},
		Old:      {Suffix: "old", Nodes: 1, Engine: "bullseye"},
	}
}

// others are the sandboxes beside those of the catalogue that a fault needs.
func others(lab *harness.Lab) map[Swarm]harness.Spec {
	return map[Swarm]harness.Spec{
		Three: {Suffix: "other", Nodes: 1},
		Mixed: {Suffix: "guest", Nodes: 1, Engine: lab.OtherEngine()},
	}
}

// BenchOf returns the bench of a fault, its swarm clean.
func BenchOf(t *testing.T, lab *harness.Lab, f Fault) *Bench {
	t.Helper()
	b := NewBench(t, lab, specs()[f.Swarm])
	if spec, ok := others(lab)[f.Swarm]; ok && strings.Contains(f.Args+f.Setup+f.PutIn, "OTHER") {
		b.Other = lab.Bare(t, spec)
		b.Other.Clean(t)
	}
	return b
}

// NewBench returns a bench on the sandbox of that spec, clean, with the demo
// image on each of its nodes.
func NewBench(t *testing.T, lab *harness.Lab, spec harness.Spec) *Bench {
	t.Helper()
	s := lab.Bare(t, spec)
	s.Clean(t)
	for _, n := range s.Nodes {
		images, err := n.API.ImageList(context.Background(), image.ListOptions{All: true})
		assert.NilError(t, err)
		has := false
		for _, i := range images {
			for _, tag := range i.RepoTags {
				has = has || tag == demo+":latest"
			}
		}
		if !has {
			s.Swarmnet("sandbox", "load", demo, s.Name).Assert(t, icmd.Success)
			break
		}
	}
	temp := t.TempDir()
	return &Bench{
		Swarm: s, Docker: lab.DockerBinary(),
		Plugin: filepath.Join(lab.Config, "cli-plugins", "docker-swarmnet"), Temp: temp,
	}
}

// Engine is the version of the engine that answers.
func (b *Bench) Engine(t *testing.T) string {
	t.Helper()
	v, err := b.Swarm.API.ServerVersion(context.Background())
	assert.NilError(t, err)
	return v.Version
}

// Try runs a fault and leaves the swarm clean. A sandbox in which that fails
// is taken down.
func Try(t *testing.T, lab *harness.Lab, f Fault) Result {
	t.Helper()
	b := BenchOf(t, lab, f)
	r := b.Run(context.Background(), f)
	r.Engine = b.Engine(t)
	if r.unmended || !b.asBefore() {
		t.Logf("%s: the sandbox is made anew: %s", f.Name, r.Trouble)
		lab.Discard(t, b.Swarm)
		return r
	}
	b.Swarm.Clean(t)
	if b.Other != nil {
		b.Other.Clean(t)
	}
	return r
}

// asBefore tells whether every node is there again, ready and active, as often
// as the sandbox has nodes, and manages if it did.
func (b *Bench) asBefore() bool {
	r := b.Swarm.Docker("node", "ls", "--format", "{{.Status}} {{.Availability}} {{.ManagerStatus}}")
	managers := 0
	lines := strings.Split(strings.TrimSpace(r.Stdout()), "\n")
	for _, l := range lines {
		if !strings.HasPrefix(l, "Ready Active") {
			return false
		}
		if strings.Contains(l, "Leader") || strings.Contains(l, "Reachable") {
			managers++
		}
	}
	want := 0
	for _, n := range b.Swarm.Nodes {
		if n.Manager {
			want++
		}
	}
	return r.ExitCode == 0 && len(lines) == len(b.Swarm.Nodes) && managers == want
}

// HasIPVS tells whether this machine's kernel carries virtual addresses.
func HasIPVS() bool {
	_, err := os.Stat("/proc/net/ip_vs")
	return err == nil
}

// Judge tells what is wrong with the result of a fault; empty when nothing is.
func Judge(r Result) string {
	var wrong []string
	if r.Trouble != "" {
		wrong = append(wrong, r.Trouble)
	}
	if r.Kind == Visible && !r.Detected {
		wrong = append(wrong, fmt.Sprintf("check does not find %s", r.Code))
	}
	if r.Asked && !r.Explained {
		wrong = append(wrong, "explain names another step: "+r.Instead)
	}
	for _, a := range r.Alarms {
		wrong = append(wrong, "false alarm: "+a)
	}
	return strings.Join(wrong, "\n")
}
