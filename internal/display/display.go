// Package display shows on stderr what the acting parts of the program tell
// while they work: live on a terminal, as terse lines or JSON elsewhere.
package display

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// The modes of --progress.
const (
	Auto  = "auto"  // TTY on a terminal, Plain elsewhere
	TTY   = "tty"   // redrawn in place
	Plain = "plain" // a line when something changes
	JSON  = "json"  // the same, one object a line
	Quiet = "quiet" // warnings and failures only, as plain lines
)

// Modes lists what --progress takes.
func Modes() []string { return []string{Auto, TTY, Plain, JSON, Quiet} }

// Options says where and how to show.
type Options struct {
	Out  io.Writer
	Mode string
	// Terminal tells that Out is a terminal that can move its cursor.
	Terminal bool
	// Size returns the terminal's lines and columns; 0 where unknown. It is
	// asked before each drawing, since people resize windows.
	Size func() (lines, columns uint)
	// Color permits colours. Marks say the same without.
	Color bool
}

// A Display is a sink of events that must be closed.
type Display interface {
	event.Sink
	// Close draws what was last told and leaves the cursor on a line of its own.
	Close()
}

// New opens a display. A mode that it does not know is an error.
func New(o Options) (Display, error) {
	if !slices.Contains(Modes(), o.Mode) {
		return nil, fmt.Errorf("--progress %q: use %s", o.Mode, strings.Join(Modes(), ", "))
	}
	switch {
	case o.Mode == TTY, o.Mode == Auto && o.Terminal:
		return newLive(o), nil
	case o.Mode == JSON:
		return &lines{out: o.Out, form: jsonLine}, nil
	case o.Mode == Quiet:
		return &lines{out: o.Out, form: plainLine, only: []event.Kind{event.Warning, event.Bad}}, nil
	}
	return &lines{out: o.Out, form: plainLine}, nil
}
