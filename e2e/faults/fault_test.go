package faults

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/core/check"
)

func TestCatalogueIsWhole(t *testing.T) {
	names := map[string]bool{}
	visible, hidden, inCI := 0, 0, 0
	for _, f := range Catalogue() {
		assert.Check(t, !names[f.Name], "%s stands there twice", f.Name)
		names[f.Name] = true
		assert.Check(t, f.Is != "" && f.PutIn != "" && (f.Heal != "" || f.Kind == NeedsEngine), f.Name)
		assert.Check(t, (f.Explain == "") == (f.Broken == ""), f.Name)
		for _, code := range append(slices.Clone(f.Follows), f.Code) {
			_, known := check.RuleOf(code)
			assert.Check(t, known || code == "" && f.Kind == NeedsProbe, "%s: no code %q", f.Name, code)
		}
		_, known := specs()[f.Swarm]
		assert.Check(t, known, "%s: no sandbox %q", f.Name, f.Swarm)
		visible += count(f.Kind == Visible)
		hidden += count(f.Kind == NeedsProbe)
		inCI += count(f.CI)
	}
	assert.Check(t, visible >= 40, "%d faults that the API shows", visible)
	assert.Check(t, hidden >= 10, "%d faults that need a probe", hidden)
	assert.Check(t, inCI >= 10, "%d faults run with the scenarios", inCI)
}

// Every code has a fault, or the page of the score says why it has none.
func TestEveryCodeHasAFault(t *testing.T) {
	for _, r := range check.Rules() {
		has := slices.ContainsFunc(Catalogue(), func(f Fault) bool { return f.Code == r.Code })
		unmade := slices.ContainsFunc(Unmades(), func(u Unmade) bool { return u.Code == r.Code })
		assert.Check(t, has != unmade, "%s: fault %v", r.Code, has)
		assert.Check(t, !unmade || strings.Contains(Markdown(nil), "| "+r.Code+" |"), "%s is not on the page", r.Code)
	}
}

// The scripts are read by bash as they are run, without running anything.
func TestScriptsCanBeRead(t *testing.T) {
	var all strings.Builder
	all.WriteString(prelude)
	for _, f := range Catalogue() {
		for i, s := range []string{f.Setup, f.PutIn, f.Heal, f.Restore} {
			// A function each, so that one which is not whole is not mended by the next.
			fmt.Fprintf(&all, "\n%s_%d() {\n:\n%s\n}\n", f.Name, i, s)
		}
	}
	for i, s := range HealthyStates() {
		fmt.Fprintf(&all, "\nstate_%d() {\n:\n%s\n}\n", i, s.Script)
	}
	read := exec.Command("bash", "-n")
	read.Stdin = strings.NewReader(all.String())
	out, err := read.CombinedOutput()
	assert.NilError(t, err, "%s", out)
}

// Healthy states are told apart by name.
func TestHealthyStatesAreWhole(t *testing.T) {
	names := map[string]bool{}
	for _, s := range HealthyStates() {
		assert.Check(t, !names[s.Name], "%s stands there twice", s.Name)
		names[s.Name] = true
	}
}

func TestSum(t *testing.T) {
	got := Sum([]Run{{
		Results: []Result{
			{Kind: Visible, Detected: true, First: true, Asked: true, Explained: true, Healed: true, Verdict: 3, Took: 0.2},
			{Kind: Visible, Detected: true, Asked: true, Healed: true, Verdict: 1, Took: 0.1, Alarms: []string{"x"}},
			{Kind: Visible},
			{Kind: Visible, Trouble: "no sandbox"},
			{Kind: NeedsProbe},
			{Kind: NeedsEngine},
		},
		Healthy: []HealthyRun{{Took: 0.3}, {Took: 0.3, Alarms: []string{"y"}}, {Trouble: "no sandbox"}},
	}})
	assert.DeepEqual(t, got, Score{
		Visible: 3, Detected: 2, First: 1, Asked: 2, Explained: 1, Healed: 2, NeedsProbe: 1, NeedsEngine: 1,
		Alarms: 1, Trouble: 2, Healthy: 2, HealthyAlarms: 1, Verdict: 3, Took: 0.3,
	})
}

func TestMarkdownTellsWhatWentWrong(t *testing.T) {
	page := Markdown([]Run{{
		Engine: "26.1.5", Results: []Result{
			{Fault: "seen", Commit: "abc", Kind: Visible, Code: "SN201", Detected: true, First: true, Verdict: 1.5},
			{Fault: "not seen", Kind: Visible, Code: "SN202", Alarms: []string{"SN105 error"}},
			{Fault: "hidden", Kind: NeedsProbe},
		},
		Healthy: []HealthyRun{{Swarm: "3 nodes", State: "empty", Alarms: []string{"SN404 error"}, Notes: []string{"SN104"}}},
	}})
	for _, want := range []string{
		"detected | 1 of 2 (50 %)", "number of results | ", "abc 1 |", "| seen |  | SN201 | 1.5 s | yes |", "| not seen |  | SN202 | **missed** |",
		"False alarm with not seen: SN105 error", "| hidden |  |  | needs probe |", "False alarm on 26.1.5, 3 nodes: empty: SN404 error", "SN104 1",
	} {
		assert.Check(t, is.Contains(page, want))
	}
	assert.Check(t, !regexp.MustCompile(`(?m) $`).MatchString(page), "blanks at the end of a line")
}

func TestJudge(t *testing.T) {
	assert.Equal(t, Judge(Result{Kind: Visible, Detected: true}), "")
	assert.Equal(t, Judge(Result{Kind: NeedsProbe}), "")
	assert.Equal(t, Judge(Result{Kind: Visible, Code: "SN201"}), "check does not find SN201")
	assert.Check(t, is.Contains(Judge(Result{Kind: NeedsProbe, Alarms: []string{"SN105 error"}}), "false alarm: SN105 error"))
}
