package display

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/swarmnet/docker-swarmnet/internal/core/text"
	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// lines writes one line for each change, for logs, pipes and programs.
type lines struct {
	out  io.Writer
	form func(event.Event) string
	only []event.Kind // the kinds it shows; all when empty

	mu   sync.Mutex
	last map[string]string
}

// On writes the event, unless it says what was last written of its object.
func (l *lines) On(e event.Event) {
	if len(l.only) > 0 && !slices.Contains(l.only, e.Kind) {
		return
	}
	line := l.form(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last[e.Object] == line {
		return
	}
	if l.last == nil {
		l.last = make(map[string]string)
	}
	l.last[e.Object] = line
	_, _ = io.WriteString(l.out, line+"\n")
}

// Close has nothing to do: each line was complete.
func (l *lines) Close() {}

func plainLine(e event.Event) string {
	words := []string{e.Object, e.State, e.Detail}
	return text.Clean(strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " "))
}

// jsonLine is an event as programs read it.
func jsonLine(e event.Event) string {
	b, err := json.Marshal(struct {
		Object string `json:"object"`
		Parent string `json:"parent,omitempty"`
		Kind   string `json:"kind"`
		State  string `json:"state"`
		Detail string `json:"detail,omitempty"`
	}{text.Clean(e.Object), text.Clean(e.Parent), kindName(e.Kind), text.Clean(e.State), text.Clean(e.Detail)})
	if err != nil {
		return `{"kind":"bad","state":"cannot be written as JSON"}`
	}
	return string(b)
}

func kindName(k event.Kind) string {
	switch k {
	case event.Good:
		return "good"
	case event.Bad:
		return "bad"
	case event.Warning:
		return "warning"
	case event.Note:
		return "note"
	case event.Working:
	}
	return "working"
}
