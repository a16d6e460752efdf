package display

import (
	"fmt"
	"strings"
	"time"

	"github.com/morikuni/aec"

	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// board holds the last event of each object, in the order they first came.
type board struct {
	order []string
	rows  map[string]row
}

type row struct {
	event.Event
	began, ended time.Duration // since the display was opened; ended 0 while working
}

// view is what a drawing depends on beside the events.
type view struct {
	width  int
	height int           // most lines; 0 for all
	at     time.Duration // since the display was opened
	color  bool
}

func (b *board) put(e event.Event, at time.Duration) {
	if b.rows == nil {
		b.rows = make(map[string]row)
	}
	r, known := b.rows[e.Object]
	if !known {
		b.order = append(b.order, e.Object)
		r.began = at
	}
	if e.Parent == "" {
		e.Parent = r.Parent
	}
	if r.Event != e {
		r.ended = 0
	}
	r.Event = e
	if e.Kind != event.Working && r.ended == 0 {
		r.ended = at
	}
	b.rows[e.Object] = r
}

// working tells whether something on the board turns.
func (b *board) working() bool {
	for _, r := range b.rows {
		if r.Kind == event.Working {
			return true
		}
	}
	return false
}

// render draws the objects with those that belong under them. Where they do
// not fit, objects that reached their state give way first, then the last ones,
// and a line says how many are not shown.
func (b *board) render(v view) []string {
	type item struct {
		row
		depth int
	}
	var items []item
	for _, o := range b.order {
		r := b.rows[o]
		if _, ok := b.rows[r.Parent]; ok && r.Parent != o {
			continue // comes with its parent
		}
		items = append(items, item{r, 0})
		for _, c := range b.order {
			if b.rows[c].Parent == o && c != o {
				items = append(items, item{b.rows[c], 1})
			}
		}
	}
	hidden := 0
	if v.height > 0 && len(items) > v.height {
		room := max(v.height-1, 1)
		hidden = len(items) - room
		kept := items[:0:0]
		drop := hidden
		for _, it := range items {
			if drop > 0 && it.depth > 0 && it.Kind == event.Good {
				drop--
				continue
			}
			kept = append(kept, it)
		}
		items = kept[:min(len(kept), room)]
	}
	var out []string
	for _, it := range items {
		out = append(out, v.line(it.row, it.depth))
	}
	if hidden > 0 {
		out = append(out, cut(fmt.Sprintf(" … and %d more", hidden), v.width))
	}
	return out
}

// line is "mark object state detail   seconds", not wider than the terminal.
func (v view) line(r row, depth int) string {
	mark, color := v.mark(r.Kind)
	end := r.ended
	if end == 0 {
		end = v.at
	}
	took := fmt.Sprintf("%.1fs", (end - r.began).Seconds())
	words := plainLine(event.Event{Object: r.Object, State: r.State, Detail: r.Detail})
	body := strings.Repeat("   ", depth) + " " + mark + " " + words
	room := v.width - len(took) - 3
	if room < 20 { // too narrow for both
		body, took = cut(body, v.width-1), ""
	} else {
		body = cut(body, room)
		body += strings.Repeat(" ", room-runes(body)) + " "
	}
	if v.color {
		body = strings.Replace(body, mark, color.Apply(mark), 1)
	}
	return body + took
}

// mark says a kind without colour, too.
func (v view) mark(k event.Kind) (string, aec.ANSI) {
	switch k {
	case event.Good:
		return "✔", aec.GreenF
	case event.Bad:
		return "✘", aec.RedF
	case event.Warning:
		return "!", aec.YellowF
	case event.Note:
		return "•", aec.BlueF
	case event.Working:
	}
	spin := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	return string(spin[int(v.at/frame)%len(spin)]), aec.BlueF
}

func runes(s string) int { return len([]rune(s)) }

// cut shortens to width columns, and shows that it did.
func cut(s string, width int) string {
	r := []rune(text.Clean(s))
	if len(r) <= width {
		return string(r)
	}
	if width < 2 {
		return string(r[:max(width, 0)])
	}
	return string(r[:width-1]) + "…"
}
