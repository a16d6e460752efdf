package commands

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/cli/cli/command"

	"github.com/swarmnet/docker-swarmnet/internal/core/problem"
	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/format"
)

// fail adds a context whose answer is an error.
func (l *looks) fail(name string, err error) { l.failed = append(l.failed, failedContext{name, err}) }

// write prints rows of all contexts. A context without an answer is a row of
// the table, or an object of the JSON, with its reason; where rows have the
// user's own form, or are IDs alone, the reason goes to stderr. The error is
// that of the exit code.
func (l *looks) write(dockerCLI command.Cli, t format.Table, userFormat string, quiet bool, rows []format.Row) error {
	if !l.several {
		return t.Write(dockerCLI.Out(), userFormat, quiet, rows)
	}
	t.Default = strings.Replace(t.Default, "table ", "table {{.Context}}\t", 1)
	shown := !quiet && (userFormat == "" || userFormat == "table" || userFormat == "json")
	if shown && len(l.failed) > 0 {
		if !strings.Contains(t.Default, "{{.Error}}") {
			t.Default += "\t{{.Error}}"
		}
		rows = slices.Clone(rows)
		for _, f := range l.failed {
			rows = append(rows, failedRowOf(f, t.Names))
		}
	}
	if err := t.Write(dockerCLI.Out(), userFormat, quiet, rows); err != nil {
		return err
	}
	return l.err(shown)
}

// err is the error of the contexts that have no answer; shown tells that the
// reasons stand among the results already.
func (l *looks) err(shown bool) error {
	switch {
	case len(l.failed) == 0:
		return nil
	case shown:
		return problem.Silent(problem.Failed)
	}
	var reasons []string
	for _, f := range l.failed {
		reasons = append(reasons, fmt.Sprintf("%s: %s", f.name, reason(f.err)))
	}
	return problem.Join("not every context answered", reasons).WithCode(problem.Failed)
}

// reason is an error in one line, without the next command.
func reason(err error) string {
	msg := err.Error()
	var p *problem.Error
	if errors.As(err, &p) {
		msg = p.Msg
	}
	return text.Clean(strings.Join(strings.Fields(msg), " "))
}

// failedRow is the row of a context that has no answer: a dash in every column
// but the context and the reason.
type failedRow map[string]string

func failedRowOf(f failedContext, names format.Names) failedRow {
	r := failedRow{}
	for column := range names {
		r[column] = format.Dash
	}
	r["Context"], r["Error"] = text.Clean(f.name), reason(f.err)
	return r
}

// FullHeader returns nothing: the table's own names are its header.
func (failedRow) FullHeader() any { return nil }

// MarshalJSON leaves the dashes out.
func (r failedRow) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct{ Context, Error string }{r["Context"], r["Error"]})
}
