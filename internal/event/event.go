// Package event is what the acting parts of the program tell while they work:
// which object is in which state. They never draw; a display does.
package event

// Kind groups states into what a reader has to know at a glance.
type Kind int

// The kinds of a state.
const (
	Working Kind = iota // under way
	Good                // reached what was asked
	Bad                 // failed
	Warning             // goes on, but somebody should know
	Note                // for information
)

// Event tells that something is now in a state.
type Event struct {
	// Object is what the event is about, as "kind name": "network docknet",
	// "service web", "task web.1". Events with the same object replace each
	// other on a live display.
	Object string
	// Parent is the object this one belongs under on a live display.
	Parent string
	Kind   Kind
	// State is a short word: "creating", "running", "rolled back".
	State string
	// Detail is a sentence, a node name, an error; may be empty.
	Detail string
}

// Sink takes events. It must be safe for concurrent use and must not block on
// a slow terminal longer than a write does.
type Sink interface {
	On(Event)
}

// Func is a function as a Sink.
type Func func(Event)

// On calls f.
func (f Func) On(e Event) { f(e) }

// Discard takes events and does nothing.
var Discard Sink = Func(func(Event) {})

// In returns a sink whose objects are of a docker context, where several are
// worked on at once.
func In(dockerContext string, sink Sink) Sink {
	return Func(func(e Event) {
		e.Object += " of " + dockerContext
		if e.Parent != "" {
			e.Parent += " of " + dockerContext
		}
		sink.On(e)
	})
}
