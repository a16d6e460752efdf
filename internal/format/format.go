// Package format renders results on stdout the way docker does: a table, JSON
// (one object a line) or a Go template. A row is a struct; its fields are the
// placeholders of a template and the keys of JSON.
package format

import (
	"bufio"
	"cmp"
	"io"
	"strings"

	"github.com/docker/cli/cli/command/formatter"

	"github.com/swarmnet/docker-swarmnet/internal/core/text"
)

// Header is to be embedded in every row.
type Header = formatter.HeaderContext

// Names are the column headers of a table by field name.
type Names = formatter.SubHeaderContext

// Table is how one kind of row is printed.
type Table struct {
	// Default is the template of the table, starting with "table ".
	Default string
	// Quiet is the template for -q.
	Quiet string
	Names Names
}

// Row is a struct that embeds Header.
type Row = formatter.SubContext

// Write prints rows in the format that the user asked for: "", "table",
// "json", "table TEMPLATE" or TEMPLATE.
func (t Table) Write(out io.Writer, userFormat string, quiet bool, rows []Row) error {
	f := formatter.Format(userFormat)
	switch {
	case quiet && (userFormat == "" || userFormat == formatter.TableFormatKey):
		f = formatter.Format(t.Quiet)
	case userFormat == "" || userFormat == formatter.TableFormatKey:
		f = formatter.Format(t.Default)
	case userFormat == formatter.JSONFormatKey:
		f = formatter.JSONFormat
	}
	// docker's table writes every cell, and what fills it up, by itself.
	w := bufio.NewWriter(out)
	ctx := formatter.Context{Output: w, Format: f}
	header := &formatter.HeaderContext{Header: t.Names}
	err := ctx.Write(header, func(format func(formatter.SubContext) error) error {
		for _, r := range rows {
			if err := format(r); err != nil {
				return err
			}
		}
		return nil
	})
	return cmp.Or(err, w.Flush())
}

// List is a list of texts from the swarm: joined by commas in a table, an
// array in JSON.
type List []string

// String joins the texts, cleaned for a terminal.
func (l List) String() string {
	out := make([]string, len(l))
	for i, s := range l {
		out[i] = text.Clean(s)
	}
	return strings.Join(out, ",")
}

// Dash stands in a table cell where there is nothing to show.
const Dash = "-"

// ShortID cuts an ID to the twelve characters that docker shows.
func ShortID(id string, noTrunc bool) string {
	if noTrunc || len(id) <= 12 {
		return id
	}
	return id[:12]
}

// Ellipsis cuts a text to width characters.
func Ellipsis(s string, width int, noTrunc bool) string {
	if noTrunc {
		return s
	}
	return formatter.Ellipsis(s, width)
}
