//go:build e2e

// Package score runs the whole catalogue of faults and all healthy states on
// sandboxes of one engine. "make score" runs it for each engine and writes
// docs/score.md.
package score

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gotest.tools/v3/assert"

	"github.com/swarmnet/docker-swarmnet/e2e/faults"
	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// lab is opened once, by TestMain.
var lab *harness.Lab

func TestMain(m *testing.M) {
	os.Exit(harness.Main(m, func(l *harness.Lab) { lab = l }))
}

// TestScore tries everything, tells what came of it, and fails when the goals
// are missed. With SCORE_PAGE set it writes the results there, together with
// those that earlier runs for other engines left beside it.
func TestScore(t *testing.T) {
	run := faults.Run{Label: os.Getenv("E2E_ENGINE"), IPVS: faults.HasIPVS()}
	for _, f := range faults.Catalogue() {
		t.Run(f.Name, func(t *testing.T) {
			r := faults.Try(t, lab, f)
			run.Results = append(run.Results, r)
			run.Engine = cmpEngine(run.Engine, f, r)
			if wrong := faults.Judge(r); wrong != "" {
				t.Error(wrong)
			}
			t.Logf("verdict %.1f s, check %.2f s, first %v, healed %v", r.Verdict, r.Took, r.First, r.Healed)
		})
	}
	for _, size := range []harness.Spec{
		{Suffix: "one", Nodes: 1}, {Suffix: "two", Nodes: 2}, {Suffix: "three"}, {Suffix: "five", Nodes: 5, Managers: 3},
	} {
		t.Run("healthy-"+size.Suffix, func(t *testing.T) {
			run.Healthy = append(run.Healthy, healthy(t, size)...)
		})
	}
	score := faults.Sum([]faults.Run{run})
	fmt.Printf("\nengine %s\n%s", run.Engine, score)
	if page := os.Getenv("SCORE_PAGE"); page != "" {
		write(t, page, run)
	}
}

// cmpEngine keeps the version that the lab's own sandboxes run.
func cmpEngine(known string, f faults.Fault, r faults.Result) string {
	if known != "" || f.Swarm == faults.Old {
		return known
	}
	return r.Engine
}

// healthy goes through all healthy states on one swarm.
func healthy(t *testing.T, spec harness.Spec) []faults.HealthyRun {
	t.Helper()
	b := faults.NewBench(t, lab, spec)
	name := fmt.Sprintf("%d nodes", max(spec.Nodes, len(b.Swarm.Nodes)))
	if spec.Managers > 1 {
		name += fmt.Sprintf(", %d managers", spec.Managers)
	}
	var runs []faults.HealthyRun
	for _, state := range faults.HealthyStates() {
		if state.Nodes > len(b.Swarm.Nodes) {
			continue
		}
		h := b.Healthy(context.Background(), name, state)
		runs = append(runs, h)
		for _, a := range h.Alarms {
			t.Errorf("%s, %s: false alarm: %s", name, state.Name, a)
		}
		if h.Trouble != "" {
			t.Errorf("%s, %s: %s", name, state.Name, h.Trouble)
		}
	}
	lab.Discard(t, b.Swarm)
	return runs
}

// write keeps this run's results below bin/score and makes the page of all
// that are there.
func write(t *testing.T, page string, run faults.Run) {
	t.Helper()
	dir := filepath.Join(lab.Root, "bin", "score")
	assert.NilError(t, os.MkdirAll(dir, 0o755))
	data, err := json.MarshalIndent(run, "", "\t")
	assert.NilError(t, err)
	assert.NilError(t, os.WriteFile(filepath.Join(dir, run.Engine+".json"), data, 0o644))
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	assert.NilError(t, err)
	var runs []faults.Run
	for _, file := range files {
		data, err := os.ReadFile(file)
		assert.NilError(t, err)
		var r faults.Run
		assert.NilError(t, json.Unmarshal(data, &r), file)
		runs = append(runs, r)
	}
	if !strings.HasPrefix(page, "/") {
		page = filepath.Join(lab.Root, page)
	}
	assert.NilError(t, os.WriteFile(page, []byte(faults.Markdown(runs)), 0o644))
}
