package faults

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Run is what came of one engine's part of the score.
type Run struct {
	Engine string // its version
	// IPVS tells whether the kernel can carry virtual addresses. Where it
	// cannot, every service with one has a true finding of that.
	IPVS    bool
	Results []Result
	Healthy []HealthyRun
}

// A HealthyRun is one check of a swarm in which nothing is wrong.
type HealthyRun struct {
	Engine, Swarm, State string
	Commit               string // of the plugin
	// Took is how long check ran, in seconds.
	Took float64
	// Alarms are errors and warnings, Notes the codes of notes.
	Alarms, Notes []string
	// IPVS counts findings of a kernel without IPVS, which are true.
	IPVS    int
	Trouble string
}

// Name is the version of the engine that most of the run was on, or what the lab
// calls it where nothing came of the run.
func (run Run) Name(label string) string {
	for _, h := range run.Healthy {
		return h.Engine
	}
	of := map[string]int{}
	for _, r := range run.Results {
		of[r.Engine]++
	}
	best := label
	for _, engine := range slices.Sorted(maps.Keys(of)) {
		if of[engine] > of[best] {
			best = engine
		}
	}
	return best
}

// A Score is what all runs come to.
type Score struct {
	Visible, Detected, First int
	Asked, Explained         int
	Healed                   int
	NeedsProbe, NeedsEngine  int
	Alarms, Trouble          int
	Healthy, HealthyAlarms   int
	// Verdict and Took are medians in seconds.
	Verdict, Took float64
}

// Sum returns the score of the runs.
func Sum(runs []Run) Score {
	var s Score
	var verdicts, took []float64
	for _, run := range runs {
		for _, r := range run.Results {
			s.add(r)
			if r.Detected {
				verdicts = append(verdicts, r.Verdict)
				took = append(took, r.Took)
			}
		}
		for _, h := range run.Healthy {
			if h.Trouble != "" {
				s.Trouble++
				continue
			}
			s.Healthy++
			s.HealthyAlarms += len(h.Alarms)
			took = append(took, h.Took)
		}
	}
	s.Verdict, s.Took = median(verdicts), median(took)
	return s
}

func (s *Score) add(r Result) {
	s.Alarms += len(r.Alarms)
	switch {
	case r.Trouble != "" && !r.Detected:
		s.Trouble++
		return
	case r.Kind == NeedsProbe:
		s.NeedsProbe++
		return
	case r.Kind == NeedsEngine:
		s.NeedsEngine++
		return
	}
	s.Visible++
	s.Detected += count(r.Detected)
	s.First += count(r.First)
	s.Asked += count(r.Asked)
	s.Explained += count(r.Explained)
	s.Healed += count(r.Healed)
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// String is the score in a few lines.
func (s Score) String() string {
	return fmt.Sprintf(`detected            %s of the faults that the API shows
cause named first   %s by check, %s by explain
found no more       %s after the runbook's fix
needs probe         %d faults that no API shows, needs newer engine %d
false alarms        %d with faults, %d in %d healthy runs
time to verdict     %.1f s median from the fault; a run of check takes %.2f s
not tried           %d
`, share(s.Detected, s.Visible), share(s.First, s.Visible), share(s.Explained, s.Asked), share(s.Healed, s.Visible),
		s.NeedsProbe, s.NeedsEngine, s.Alarms, s.HealthyAlarms, s.Healthy, s.Verdict, s.Took, s.Trouble)
}

func share(n, of int) string {
	if of == 0 {
		return "0 of 0"
	}
	return fmt.Sprintf("%d of %d (%.0f %%)", n, of, 100*float64(n)/float64(of))
}

// Markdown is the page docs/score.md.
func Markdown(runs []Run) string {
	var b strings.Builder
	s := Sum(runs)
	b.WriteString("# How often check is right\n\nWritten by `make score`: each fault of [the catalogue](../e2e/faults) is put into a real swarm of this machine, " +
		"`docker swarmnet check`\nis asked until it names it, the fault is healed as its [runbook](runbooks/README.md) says, and check is asked again.\n\n")
	b.WriteString("| | |\n|---|---|\n")
	row := func(what, value string) { fmt.Fprintf(&b, "| %s | %s |\n", what, value) }
	row("Commits of the code that was tried, with the number of results", commits(runs))
	row("Faults put in, of those in the catalogue (for each engine)", fmt.Sprintf("%d of %d", s.Visible+s.NeedsProbe+s.NeedsEngine, len(runs)*len(Catalogue())))
	row("Faults that the API shows, detected", share(s.Detected, s.Visible))
	row("Their code stood first among all that was new", share(s.First, s.Visible))
	row("`explain` named the right step as the first broken one", share(s.Explained, s.Asked))
	row("Not found any more after the fix", share(s.Healed, s.Visible))
	row("Faults that need a probe: put in, check said nothing wrong", fmt.Sprint(s.NeedsProbe))
	row("Faults that need a newer engine to show", fmt.Sprint(s.NeedsEngine))
	row("False alarms with faults", fmt.Sprint(s.Alarms))
	row("Healthy runs", fmt.Sprint(s.Healthy))
	row("False alarms in healthy runs (error or warning)", fmt.Sprint(s.HealthyAlarms))
	row("Median time from the fault being in to its name", fmt.Sprintf("%.1f s", s.Verdict))
	row("Median time of one run of check", fmt.Sprintf("%.2f s", s.Took))
	row("Not tried, for trouble with the sandbox", fmt.Sprint(s.Trouble))
	b.WriteString("\n## What counts\n\n" + rules)
	for _, run := range runs {
		b.WriteString(run.table())
	}
	b.WriteString(healthyTable(runs))
	b.WriteString(unmadeTable())
	return b.String()
}

// unmadeTable has a row for each code that no fault gives.
func unmadeTable() string {
	var b strings.Builder
	b.WriteString("\n## Codes without a fault\n\nThe rules of these have unit tests only.\n\n| Code | Why no sandbox here can be brought to it |\n|---|---|\n")
	for _, u := range Unmades() {
		fmt.Fprintf(&b, "| %s | %s |\n", u.Code, u.Why)
	}
	return b.String()
}

// commits says which states of the code the results are of, the most frequent
// first, as a run of one fault after a change replaces that result only.
func commits(runs []Run) string {
	of := map[string]int{}
	for _, run := range runs {
		for _, r := range run.Results {
			of[r.Commit]++
		}
		for _, h := range run.Healthy {
			of[h.Commit]++
		}
	}
	return counts(of)
}

const rules = `- **Detected**: check has the fault's code, for the object at fault, within two minutes.
- **First**: of all findings that were not there before the fault, one of its code stands first in check's output.
- **False alarm**: an error or warning, new with the fault, that is neither its code nor a true consequence that the
  catalogue names (a node that is down leaves its services short of tasks). In a healthy run: any error or warning.
- **SN417** (the kernel has no IPVS) is true for every service with a virtual address where the machine's kernel lacks
  it, and is then no false alarm.
- **Needs probe**: the API shows nothing of it (a firewall between nodes, an MTU, an entry lost in a node's tables).
  The fault was really put in, and check was held to silence about anything else. (On a kernel without IPVS the rules
  of the routing mesh are missing already.)
- **Times** are of the machine that ran it and of whatever else ran there. They are no benchmark; that is
  [here](benchmark.md).
`

func (run Run) table() string {
	var b strings.Builder
	ipvs := "with IPVS"
	if !run.IPVS {
		ipvs = "without IPVS"
	}
	fmt.Fprintf(&b, "\n## Engine %s, a kernel %s\n\n| Fault | What | Code | Verdict | First | Explain | Healed |\n|---|---|---|---|---|---|---|\n", run.Engine, ipvs)
	for _, r := range run.Results {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.Fault, r.Is, r.Code, r.verdict(), r.only(r.First), r.explained(), yes(r.Healed))
	}
	for _, r := range run.Results {
		if r.Ahead != "" {
			fmt.Fprintf(&b, "\nBefore %s of %s stood %s\n", r.Code, r.Fault, r.Ahead)
		}
		for _, alarm := range r.Alarms {
			fmt.Fprintf(&b, "\nFalse alarm with %s: %s\n", r.Fault, alarm)
		}
	}
	return b.String()
}

func (r Result) verdict() string {
	switch {
	case r.Detected:
		return fmt.Sprintf("%.1f s", r.Verdict)
	case r.Trouble != "":
		return "not tried"
	case r.Kind != Visible:
		return string(r.Kind)
	default:
		return "**missed**"
	}
}

// only is yes or no for a fault that check can find.
func (r Result) only(ok bool) string {
	if r.Kind != Visible {
		return ""
	}
	return yes(ok)
}

func (r Result) explained() string {
	if !r.Asked {
		return ""
	}
	return yes(r.Explained)
}

func yes(ok bool) string {
	if ok {
		return "yes"
	}
	return "**no**"
}

// healthyTable has a row for each swarm of the healthy runs.
func healthyTable(runs []Run) string {
	type line struct {
		runs, ipvs int
		alarms     []string
		notes      map[string]int
	}
	lines := map[string]*line{}
	for _, run := range runs {
		for _, h := range run.Healthy {
			key := run.Engine + ", " + h.Swarm
			if lines[key] == nil {
				lines[key] = &line{notes: map[string]int{}}
			}
			l := lines[key]
			l.runs++
			l.ipvs += h.IPVS
			for _, a := range h.Alarms {
				l.alarms = append(l.alarms, h.State+": "+a)
			}
			for _, n := range h.Notes {
				l.notes[n]++
			}
		}
	}
	var b strings.Builder
	b.WriteString("\n## Healthy runs\n\nNotes are advice (no health check, one manager, a network nobody is on yet), counted here to show how many there are.\n\n" +
		"| Engine, swarm | Runs | False alarms | SN417, true | Notes |\n|---|---|---|---|---|\n")
	for _, key := range slices.Sorted(maps.Keys(lines)) {
		l := lines[key]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %s |\n", key, l.runs, len(l.alarms), l.ipvs, counts(l.notes))
	}
	for _, key := range slices.Sorted(maps.Keys(lines)) {
		for _, a := range lines[key].alarms {
			fmt.Fprintf(&b, "\nFalse alarm on %s: %s\n", key, a)
		}
	}
	return b.String()
}

// counts lists codes with how often they came, the most frequent first.
func counts(of map[string]int) string {
	codes := slices.SortedFunc(maps.Keys(of), func(a, b string) int {
		return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b))
	})
	var words []string
	for _, c := range codes {
		words = append(words, fmt.Sprintf("%s %d", c, of[c]))
	}
	return strings.Join(words, ", ")
}
