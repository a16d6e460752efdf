package commands

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/docker/cli/cli/command"
	"github.com/morikuni/aec"

	"github.com/swarmnet/docker-swarmnet/internal/core/check"
	"github.com/swarmnet/docker-swarmnet/internal/core/swarm"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

// mark is how a severity looks: a sign of its own beside its colour.
func mark(s check.Severity) (string, aec.ANSI) {
	switch s {
	case check.Error:
		return "✘", aec.RedF
	case check.Warning:
		return "!", aec.YellowF
	default:
		return "·", aec.CyanF
	}
}

// writeTable prints the findings for people: context by context, group by
// group, a line each, and one line at the end that says what was looked at.
func (v verdict) writeTable(dockerCLI command.Cli, all bool) error {
	out := dockerCLI.Out()
	colour := out.IsTerminal() && os.Getenv("NO_COLOR") == "" // no-color.org
	// A tabwriter writes every cell by itself.
	lines := bufio.NewWriter(out)
	w := tabwriter.NewWriter(lines, 0, 1, 2, ' ', 0)
	heading := ""
	for _, f := range v.report.Findings {
		if f.Severity == check.Note && !all {
			continue
		}
		if h := v.heading(f.Context, f.Rule.Group); h != heading {
			heading = h
			_, _ = fmt.Fprintf(w, "%s\n", h)
		}
		sign, paint := mark(f.Severity)
		if colour {
			// Every mark has the same number of invisible characters, so columns hold.
			sign = paint.Apply(sign)
		}
		_, _ = fmt.Fprintf(w, "%s %s\t%s %s\t%s → %s\n", sign, f.Rule.Code, f.Kind, f.Object, f.Text, f.Next)
	}
	if all && len(v.report.Unknown) > 0 {
		_, _ = fmt.Fprintf(w, "could not be told\n")
		for _, u := range v.report.Unknown {
			_, _ = fmt.Fprintf(w, "? %s\t%s\t%s\n", u.Rule.Code, v.told(u), u.Why)
		}
	}
	for _, f := range v.looks.failed {
		_, _ = fmt.Fprintf(w, "✘ -\tcontext %s\t%s\n", text.Clean(f.name), reason(f.err))
	}
	_ = w.Flush() // an error is kept by the writer below
	_, _ = fmt.Fprintln(lines, v.summary(all))
	return lines.Flush()
}

func (v verdict) heading(context, group string) string {
	if v.looks.several {
		return text.Clean(context) + ": " + group
	}
	return group
}

func (v verdict) told(u check.Unknown) string {
	if v.looks.several && u.Context != "" {
		return text.Clean(u.Context) + ": " + u.Rule.Name
	}
	return u.Rule.Name
}

// summary says what was looked at and what came of it: "52 rules over 3 nodes,
// 4 networks, 7 services and 12 tasks in 0.2s: 1 error, no warnings, 3 notes".
func (v verdict) summary(all bool) string {
	var nodes, networks, services, tasks int
	for _, at := range v.looks.swarms {
		nodes += len(at.s.Nodes)
		networks += overlays(at.s)
		services += len(at.s.Services)
		tasks += len(at.s.Tasks)
	}
	counts := []string{
		howMany(v.report.Count(check.Error), "error"), howMany(v.report.Count(check.Warning), "warning"), howMany(v.report.Count(check.Note), "note"),
	}
	if n := len(v.report.Unknown); n > 0 {
		counts = append(counts, fmt.Sprintf("%d not told", n))
	}
	if v.ignored > 0 {
		counts = append(counts, fmt.Sprintf("%d ignored", v.ignored))
	}
	s := fmt.Sprintf("%s over %s, %s, %s and %s in %s: %s", howMany(v.report.Rules, "rule"), howMany(nodes, "node"), howMany(networks, "network"),
		howMany(services, "service"), howMany(tasks, "task"), v.took.Round(10*time.Millisecond), strings.Join(counts, ", "))
	if !all && v.report.Count(check.Note)+len(v.report.Unknown) > 0 {
		s += " (--all shows all)"
	}
	return s
}

func overlays(s *swarm.Snapshot) int {
	n := 0
	for _, net := range s.Networks {
		if net.Overlay() {
			n++
		}
	}
	return n
}

func howMany(n int, word string) string {
	switch n {
	case 0:
		return "no " + word + "s"
	case 1:
		return "1 " + word
	default:
		return fmt.Sprintf("%d %ss", n, word)
	}
}

func checkTable() format.Table {
	return format.Table{Names: format.Names{
		"Kind": "KIND", "Context": "CONTEXT", "Code": "CODE", "Name": "NAME", "Group": "GROUP", "Severity": "SEVERITY",
		"ObjectKind": "OBJECT KIND", "Object": "OBJECT", "Text": "TEXT", "Next": "NEXT", "Runbook": "RUNBOOK",
	}}
}

// checkRow is an object of the JSON of "check": a finding, or with Kind
// "unknown" what could not be told and why.
type checkRow struct {
	format.Header `json:"-"`

	Kind       string
	Context    string
	Code       string
	Name       string
	Group      string
	Severity   string
	ObjectKind string
	Object     string
	Text       string
	Next       string
	Runbook    string
}

// summaryRow is the last object of the JSON.
type summaryRow struct {
	format.Header `json:"-"`

	Kind                                    string
	Rules, Errors, Warnings, Notes, Unknown int
	Ignored                                 int
	Seconds                                 float64
}

// rows are the findings, and for JSON all else that there is to tell.
func (v verdict) rows(whole bool) []format.Row {
	var rows []format.Row
	for _, f := range v.report.Findings {
		rows = append(rows, &checkRow{
			Kind: "finding", Context: text.Clean(f.Context), Code: f.Rule.Code, Name: f.Rule.Name, Group: f.Rule.Group,
			Severity: string(f.Severity), ObjectKind: f.Kind, Object: f.Object, Text: f.Text, Next: f.Next, Runbook: runbookOf(f.Rule),
		})
	}
	if !whole {
		return rows
	}
	for _, u := range v.report.Unknown {
		rows = append(rows, &checkRow{
			Kind: "unknown", Context: text.Clean(u.Context), Code: u.Rule.Code, Name: u.Rule.Name, Group: u.Rule.Group,
			Severity: string(u.Rule.Severity), Text: u.Why, Runbook: runbookOf(u.Rule),
		})
	}
	for _, f := range v.looks.failed {
		rows = append(rows, failedRowOf(f, checkTable().Names))
	}
	return append(rows, &summaryRow{
		Kind: "summary", Rules: v.report.Rules, Errors: v.report.Count(check.Error), Warnings: v.report.Count(check.Warning),
		Notes: v.report.Count(check.Note), Unknown: len(v.report.Unknown), Ignored: v.ignored, Seconds: v.took.Seconds(),
	})
}

func runbookOf(r check.Rule) string { return "docker swarmnet runbook " + r.Code }

// suites is the report for CI servers: a suite for each context, a case for
// each rule, and for each finding one of its own. A finding less bad than
// --fail-on is no failure.
func (v verdict) suites(rules []check.Rule) []format.Suite {
	var out []format.Suite
	for _, at := range v.looks.swarms {
		suite := format.Suite{Name: text.Clean(at.s.Context), Time: fmt.Sprintf("%.3f", v.took.Seconds())}
		for _, rule := range rules {
			for _, c := range v.cases(at.s.Context, rule) {
				suite.Add(c)
			}
		}
		out = append(out, suite)
	}
	for _, f := range v.looks.failed {
		suite := format.Suite{Name: text.Clean(f.name), Time: "0.000"}
		suite.Add(format.Case{Class: "context", Name: text.Clean(f.name), Error: &format.Reason{Message: reason(f.err), Text: text.Lines(f.err.Error())}})
		out = append(out, suite)
	}
	return out
}

func (v verdict) cases(context string, rule check.Rule) []format.Case {
	name := rule.Code + " " + rule.Name
	var out []format.Case
	for _, f := range v.report.Findings {
		if f.Rule.Code != rule.Code || f.Context != context {
			continue
		}
		c := format.Case{Class: rule.Group, Name: fmt.Sprintf("%s: %s %s", name, f.Kind, f.Object)}
		said := fmt.Sprintf("%s: %s", f.Severity, f.Text)
		if v.failOn != "" && f.Severity.AtLeast(v.failOn) {
			c.Failure = &format.Reason{Message: said, Text: f.Next}
		} else {
			c.Output = said + "\n" + f.Next
		}
		out = append(out, c)
	}
	if len(out) > 0 {
		return out
	}
	c := format.Case{Class: rule.Group, Name: name}
	for _, u := range v.report.Unknown {
		if u.Rule.Code == rule.Code && (u.Context == context || u.Context == "") {
			c.Skipped = &format.Reason{Message: u.Why}
		}
	}
	return []format.Case{c}
}

func ruleTable() format.Table {
	return format.Table{
		Default: "table {{.Code}}\t{{.Name}}\t{{.Severity}}\t{{.Title}}",
		Names: format.Names{
			"Code": "CODE", "Name": "NAME", "Group": "GROUP", "Severity": "SEVERITY", "Title": "FINDS", "Reads": "READS", "Why": "WHY", "Runbook": "RUNBOOK",
		},
	}
}

// ruleRow is a line of "check --list" and an object of its JSON.
type ruleRow struct {
	format.Header `json:"-"`

	Code, Name, Group, Severity, Title string
	Reads                              format.List
	Why, Runbook                       string
}

func listRules(dockerCLI command.Cli, userFormat string, rules []check.Rule) error {
	rows := make([]format.Row, 0, len(rules))
	for _, r := range rules {
		rows = append(rows, &ruleRow{
			Code: r.Code, Name: r.Name, Group: r.Group, Severity: string(r.Severity), Title: r.Title,
			Reads: r.Reads, Why: r.Why, Runbook: runbookOf(r),
		})
	}
	return ruleTable().Write(dockerCLI.Out(), userFormat, false, rows)
}
