package commands

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/core/migrate"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// migrationJSON is a plan as --format json shows it.
type migrationJSON struct {
	Context       string
	Network       string
	ID            string
	NewName       string
	Twin          string `json:",omitempty"`
	Changes       []string
	Subnets       []string
	Steps         []string
	Services      []migratedServiceJSON
	Addresses     []migrate.Need
	OtherStacks   []string
	Notes         []string
	LeastDuration string
}

type migratedServiceJSON struct {
	Name, Stack     string
	Tasks, Restarts int
	Order           string
	Gap             bool
}

// showMigration writes the plan for people, or as one line of JSON.
func showMigration(out io.Writer, p migrate.Plan, format string) error {
	if format == "json" {
		return json.NewEncoder(out).Encode(migrationOf(p))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "network %s of context %s\n", text.Clean(p.Old.Name), p.Context)
	migrationSection(&b, "changes", p.Changes)
	services := make([]string, 0, len(p.Services))
	for _, sv := range p.Services {
		line := fmt.Sprintf("%s: %s, each restarts %s (%s)", text.Clean(sv.Name), text.Count(sv.Tasks, "task"), text.Count(sv.Restarts, "time"), sv.Order)
		if sv.Tasks == 0 {
			line = text.Clean(sv.Name) + ": no tasks, restarts nothing"
		}
		services = append(services, line)
	}
	migrationSection(&b, "services", services)
	migrationSection(&b, "steps", p.Steps)
	needs := make([]string, 0, len(p.Needs))
	for _, n := range p.Needs {
		needs = append(needs, fmt.Sprintf("%s needs at most %d (%s) and has %d", text.Clean(n.Network), n.Needed, n.Detail, n.Free))
	}
	migrationSection(&b, "free addresses", needs)
	migrationSection(&b, "note", p.Notes)
	if len(p.OtherStacks) > 0 {
		migrationSection(&b, "restarts services of stacks", []string{text.Clean(strings.Join(p.OtherStacks, ", "))})
	}
	if p.Least > 0 {
		fmt.Fprintf(&b, "takes at least %s\n", p.Least.Round(time.Second))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func migrationSection(b *strings.Builder, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "%s:\n", title)
	for i, line := range lines {
		mark := "-"
		if title == "steps" {
			mark = fmt.Sprintf("%d.", i+1)
		}
		fmt.Fprintf(b, "  %s %s\n", mark, line)
	}
}

func migrationOf(p migrate.Plan) migrationJSON {
	out := migrationJSON{
		Context: p.Context, Network: p.Old.Name, ID: p.Old.ID, NewName: p.Job.Goal.Name, Twin: p.Job.Twin,
		Changes: p.Changes, Steps: p.Steps, Addresses: p.Needs, OtherStacks: p.OtherStacks, Notes: p.Notes, LeastDuration: p.Least.String(),
	}
	for _, sub := range p.Job.Goal.Subnets {
		out.Subnets = append(out.Subnets, sub.Prefix.String())
	}
	for _, sv := range p.Services {
		out.Services = append(out.Services, migratedServiceJSON{Name: sv.Name, Stack: sv.Stack, Tasks: sv.Tasks, Restarts: sv.Restarts, Order: sv.Order, Gap: sv.Gap})
	}
	return out
}

// migrationQuestion is what is asked before a migration begins.
func migrationQuestion(p migrate.Plan) string {
	tasks := 0
	for _, sv := range p.Services {
		tasks += sv.Tasks * sv.Restarts
	}
	q := fmt.Sprintf("This replaces network %q of context %q and restarts tasks of %s (%s in all)", text.Clean(p.Old.Name), p.Context,
		text.Count(len(p.Services), "service"), text.Count(tasks, "restart"))
	if len(p.OtherStacks) > 0 {
		q += ", of stacks " + text.Clean(strings.Join(p.OtherStacks, ", ")) + " too"
	}
	return q + ". Continue?"
}
