//go:build e2e

// Package score runs the whole catalogue of faults and all healthy states on
// sandboxes of one engine. "make score" runs it for each engine and writes
// docs/score.md.
package score

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gotest.tools/v3/assert"

	"github.com/swarmnet/docker-swarmnet/e2e/faults"
	"github.com/swarmnet/docker-swarmnet/e2e/harness"
)

// lab is opened once, by TestMain.
var lab *harness.Lab

func TestMain(m *testing.M) {
	os.Exit(harness.Main(m, func(l *harness.Lab) { lab = l }))
}

// TestScore tries everything, tells what came of it, and fails where check is
// wrong. With SCORE_PAGE set it keeps each result below bin/score, in place of
// what an earlier run had of it, and writes that page of all that is there.
func TestScore(t *testing.T) {
	begin := time.Now()
	for _, f := range faults.Catalogue() {
		t.Run(f.Name, func(t *testing.T) {
			r := faults.Try(t, lab, f)
			keep(t, "fault-"+f.Name, r)
			if wrong := faults.Judge(r); wrong != "" {
				t.Error(wrong)
			}
			t.Logf("verdict %.1f s, check %.2f s, first %v %s, healed %v", r.Verdict, r.Took, r.First, r.Ahead, r.Healed)
		})
	}
	for _, size := range []harness.Spec{
		{Suffix: "one", Nodes: 1}, {Suffix: "two", Nodes: 2}, {Suffix: "three"}, {Suffix: "five", Nodes: 5, Managers: 3},
	} {
		t.Run("healthy-"+size.Suffix, func(t *testing.T) { healthy(t, size) })
	}
	page := os.Getenv("SCORE_PAGE")
	if page == "" {
		return
	}
	runs := kept(t)
	fmt.Printf("\n%s(in %v)\n", faults.Sum(runs), time.Since(begin).Round(time.Second))
	if !filepath.IsAbs(page) {
		page = filepath.Join(lab.Root, page)
	}
	assert.NilError(t, os.WriteFile(page, []byte(faults.Markdown(runs)), 0o644))
}

// healthy goes through all healthy states on one swarm.
func healthy(t *testing.T, spec harness.Spec) {
	t.Helper()
	b := faults.NewBench(t, lab, spec)
	name := fmt.Sprintf("%d nodes", len(b.Swarm.Nodes))
	if spec.Managers > 1 {
		name += fmt.Sprintf(", %d managers", spec.Managers)
	}
	engine := b.Engine(t)
	for i, state := range faults.HealthyStates() {
		if state.Nodes > len(b.Swarm.Nodes) {
			continue
		}
		h := b.Healthy(context.Background(), name, state)
		h.Engine = engine
		keep(t, fmt.Sprintf("healthy-%s-%02d", spec.Suffix, i), h)
		for _, a := range h.Alarms {
			t.Errorf("%s, %s: false alarm: %s", name, state.Name, a)
		}
		if h.Trouble != "" {
			t.Errorf("%s, %s: %s", name, state.Name, h.Trouble)
		}
	}
	lab.Discard(t, b.Swarm)
}

// results is the folder of the results of all engines.
func results() string { return filepath.Join(lab.Root, "bin", "score") }

// keep writes a result to a file of its name, in a folder of the lab's engine.
func keep(t *testing.T, name string, result any) {
	t.Helper()
	if os.Getenv("SCORE_PAGE") == "" {
		return
	}
	dir := filepath.Join(results(), cmp.Or(os.Getenv("E2E_ENGINE"), "distro"))
	assert.NilError(t, os.MkdirAll(dir, 0o755))
	data, err := json.MarshalIndent(result, "", "\t")
	assert.NilError(t, err)
	assert.NilError(t, os.WriteFile(filepath.Join(dir, name+".json"), data, 0o644))
}

// kept reads all results, an engine's in the order of the catalogue.
func kept(t *testing.T) []faults.Run {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(results(), "*"))
	assert.NilError(t, err)
	var runs []faults.Run
	for _, dir := range dirs {
		run := faults.Run{IPVS: faults.HasIPVS()}
		for _, f := range faults.Catalogue() {
			var r faults.Result
			if read(t, filepath.Join(dir, "fault-"+f.Name+".json"), &r) {
				run.Results = append(run.Results, r)
			}
		}
		files, err := filepath.Glob(filepath.Join(dir, "healthy-*.json"))
		assert.NilError(t, err)
		for _, file := range files {
			var h faults.HealthyRun
			read(t, file, &h)
			run.Healthy = append(run.Healthy, h)
		}
		run.Engine = run.Name(filepath.Base(dir))
		runs = append(runs, run)
	}
	return runs
}

// read fills a result from its file, if there is one.
func read(t *testing.T, file string, result any) bool {
	t.Helper()
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return false
	}
	assert.NilError(t, err)
	assert.NilError(t, json.Unmarshal(data, result), file)
	return true
}
