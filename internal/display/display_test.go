package display

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"

	"github.com/swarmnet/docker-swarmnet/internal/event"
)

func TestUnknownMode(t *testing.T) {
	_, err := New(Options{Mode: "fancy"})
	assert.Error(t, err, `--progress "fancy": use auto, tty, plain, json, quiet`)
}

func TestLinesOnlyOnChange(t *testing.T) {
	var out bytes.Buffer
	d, err := New(Options{Out: &out, Mode: Auto})
	assert.NilError(t, err)
	for _, state := range []string{"pending", "pending", "running", "pending"} {
		d.On(event.Event{Object: "task web.1", State: state, Detail: "on \x1b[31mn1"})
	}
	d.Close()
	assert.Equal(t, out.String(), "task web.1 pending on  [31mn1\ntask web.1 running on  [31mn1\ntask web.1 pending on  [31mn1\n")
}

func TestQuietKeepsWarnings(t *testing.T) {
	var out bytes.Buffer
	d, err := New(Options{Out: &out, Mode: Quiet, Terminal: true})
	assert.NilError(t, err)
	d.On(event.Event{Object: "service web", State: "starting"})
	d.On(event.Event{Object: "service web", Kind: event.Warning, State: "warning", Detail: "image not pinned"})
	d.On(event.Event{Object: "service web", Kind: event.Good, State: "up"})
	assert.Equal(t, out.String(), "service web warning image not pinned\n")
}

func TestJSONLines(t *testing.T) {
	var out bytes.Buffer
	d, err := New(Options{Out: &out, Mode: JSON, Terminal: true})
	assert.NilError(t, err)
	d.On(event.Event{Object: "task web.1", Parent: "service web", Kind: event.Bad, State: "failed", Detail: `exit "1"`})
	var got map[string]string
	assert.NilError(t, json.Unmarshal(out.Bytes(), &got))
	assert.DeepEqual(t, got, map[string]string{
		"object": "task web.1", "parent": "service web", "kind": "bad", "state": "failed", "detail": `exit "1"`,
	})
}

func TestBoardTree(t *testing.T) {
	var b board
	b.put(event.Event{Object: "task web.1", Parent: "service web", State: "running", Kind: event.Good, Detail: "on n1"}, time.Second)
	b.put(event.Event{Object: "service web", State: "starting", Detail: "1 of 2 tasks"}, time.Second)
	b.put(event.Event{Object: "task web.2", Parent: "service web", State: "rejected", Kind: event.Bad, Detail: "on n2: no such image"}, 2*time.Second)
	got := b.render(view{width: 60, at: 3 * time.Second})
	assert.DeepEqual(t, got, []string{
		" ⠋ service web starting 1 of 2 tasks                  2.0s",
		"    ✔ task web.1 running on n1                        0.0s",
		"    ✘ task web.2 rejected on n2: no such image        0.0s",
	})
}

// Whatever the events and the window, no line is wider than the window (it
// would wrap, and the next drawing would start at the wrong line), none holds a
// control character, and there are no more than fit.
func TestBoardFits(t *testing.T) {
	var b board
	for i := range 40 {
		name := strings.Repeat("x", i)
		b.put(event.Event{Object: "task " + name, Parent: "service web", Kind: event.Kind(i % 5), State: "st\rate", Detail: strings.Repeat("d", i*3)}, time.Duration(i)*time.Second)
	}
	b.put(event.Event{Object: "service web", State: "starting"}, 0)
	for width := 1; width < 140; width += 3 {
		for height := 1; height < 60; height += 7 {
			out := b.render(view{width: width, height: height, at: time.Hour})
			assert.Assert(t, len(out) <= max(height, 2), "%d lines in %d", len(out), height)
			for _, l := range out {
				assert.Assert(t, runes(l) <= width, "%q is wider than %d", l, width)
				assert.Assert(t, !strings.ContainsAny(l, "\r\n\x1b"), "%q", l)
			}
		}
	}
}

// Failures are what the reader must see when not everything fits.
func TestBoardHidesWhatIsGood(t *testing.T) {
	var b board
	b.put(event.Event{Object: "service web", State: "starting"}, 0)
	for i := range 30 {
		b.put(event.Event{Object: "task " + string(rune('a'+i)), Parent: "service web", Kind: event.Good, State: "running"}, 0)
	}
	b.put(event.Event{Object: "task bad", Parent: "service web", Kind: event.Bad, State: "failed"}, 0)
	out := strings.Join(b.render(view{width: 80, height: 10}), "\n")
	assert.Check(t, is.Contains(out, "task bad failed"))
	assert.Check(t, is.Contains(out, "… and "))
}

// syncBuffer may be written and read side by side.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func TestLiveEndsWithLastState(t *testing.T) {
	var out syncBuffer
	d, err := New(Options{Out: &out, Mode: Auto, Terminal: true, Size: func() (uint, uint) { return 5, 40 }})
	assert.NilError(t, err)
	var g sync.WaitGroup
	for i := range 8 {
		g.Add(1)
		go func() {
			defer g.Done()
			d.On(event.Event{Object: "task " + string(rune('a'+i)), Kind: event.Good, State: "running"})
		}()
	}
	g.Wait()
	d.Close()
	d.Close() // a second time does nothing
	for i := range 8 {
		assert.Check(t, is.Contains(out.b.String(), "task "+string(rune('a'+i))+" running"))
	}
	assert.Check(t, strings.HasSuffix(out.b.String(), "\n\x1b[J"))
}
