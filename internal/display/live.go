package display

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/swarmnet/docker-swarmnet/internal/event"
)

// frame is the time between two drawings: smooth to the eye, and little to
// send over ssh.
const frame = 100 * time.Millisecond

// live draws a tree of objects in place. Events only change the state; one
// goroutine draws, so that a slow terminal holds nobody up.
type live struct {
	o     Options
	began time.Time

	mu    sync.Mutex
	board board
	dirty bool
	drawn int // lines on the screen that belong to us

	stop, stopped chan struct{}
	once          sync.Once
}

func newLive(o Options) *live {
	l := &live{o: o, began: time.Now(), stop: make(chan struct{}), stopped: make(chan struct{})}
	go l.run()
	return l
}

// On takes an event for the next drawing.
func (l *live) On(e event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.board.put(e, time.Since(l.began))
	l.dirty = true
}

// Close draws everything once more, in full.
func (l *live) Close() {
	l.once.Do(func() {
		close(l.stop)
		<-l.stopped
	})
}

func (l *live) run() {
	defer close(l.stopped)
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			l.draw(true)
			return
		case <-tick.C:
			l.draw(false)
		}
	}
}

// draw replaces our lines on the screen. The last drawing may be longer than
// the screen: it is never redrawn.
func (l *live) draw(last bool) {
	height, width := l.size()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.dirty && (last || !l.board.working()) {
		return
	}
	l.dirty = false
	limit := height - 1
	if last {
		limit = 0
	}
	out := l.board.render(view{width: width, height: limit, at: time.Since(l.began), color: l.o.Color})
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", l.drawn)
	}
	for _, line := range out {
		b.WriteString("\r\x1b[K" + line + "\n")
	}
	b.WriteString("\x1b[J")
	l.drawn = len(out)
	_, _ = io.WriteString(l.o.Out, b.String())
}

// size is what fits; a terminal that does not tell is taken for the smallest
// that is common.
func (l *live) size() (height, width int) {
	var h, w uint
	if l.o.Size != nil {
		h, w = l.o.Size()
	}
	if h == 0 {
		h = 24
	}
	if w == 0 {
		w = 80
	}
	return int(min(h, 1000)), int(min(w, 1000)) //nolint:gosec // bounded in the same expression
}
