package sendcmd

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/sending"
)

// showsProgress reports whether somebody watches who wants to see it.
func (a *runner) showsProgress(s *sendFlags) bool {
	return a.StderrWidth > 0 && !s.quiet && !s.json && !s.transcript && s.QuitAfter == ""
}

// progress makes a bar when more than 1 MB travels and somebody watches.
func (a *runner) progress(s *sendFlags, j *sending.Message) *console.Bar {
	if !a.showsProgress(s) || j.Size <= console.ProgressFrom {
		return &console.Bar{}
	}
	return &console.Bar{A: a.Console, Start: a.Now()}
}

// runBar is the progress of a run on standard error: of one large message by
// its octets, of several by messages. The zero runBar shows nothing.
type runBar struct {
	a     *runner      // nil where there is nobody to see it, or nothing to show
	one   *console.Bar // where there is one message
	start time.Time
	total int
	work  int64 // of all messages, see workOf

	mu      sync.Mutex // progress is told by other goroutines
	done    int
	worked  int64
	partly  map[*sending.Message]int64 // of large messages that are being sent, in octets
	drawn   time.Time
	visible bool
}

// overhead is what a message costs beside its octets, in octets: the bar and
// the time left go by both.
const overhead = 4 << 10

func workOf(j *sending.Message) int64 { return j.Size + overhead }

// begin shows progress when somebody watches.
func (b *runBar) begin(a *runner, s *sendFlags, todo []*sending.Message) {
	if len(todo) == 1 {
		b.one = a.progress(s, todo[0])
		return
	}
	if !a.showsProgress(s) {
		return
	}
	b.a, b.start, b.total, b.partly = a, a.Now(), len(todo), map[*sending.Message]int64{}
	for _, j := range todo {
		b.work += workOf(j)
	}
}

// progress is what the sender calls while it sends a message; nil where that
// shows nothing.
func (b *runBar) progress(j *sending.Message) func(sent, size int64) {
	switch {
	case b.one != nil:
		return b.one.Set
	case b.a == nil || j.Size <= console.ProgressFrom:
		return nil
	}
	return func(sent, _ int64) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.partly[j] = min(sent, j.Size)
		b.draw()
	}
}

// settle counts a message whose outcome is known.
func (b *runBar) settle(j *sending.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.a == nil {
		return
	}
	b.done++
	b.worked += workOf(j)
	delete(b.partly, j)
}

// around takes the bar away while something else is printed on the terminal.
func (b *runBar) around(onTerminal bool, print func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if onTerminal {
		b.hide()
	}
	print()
	b.draw()
}

// clear takes the bar away.
func (b *runBar) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hide()
}

func (b *runBar) hide() {
	if b.one != nil {
		b.one.Clear()
	}
	if b.visible {
		b.a.Errf("\r\x1b[K")
		b.visible = false
	}
}

// draw shows the bar, at most ten times a second.
func (b *runBar) draw() {
	if b.a == nil || b.done == b.total {
		return
	}
	now := b.a.Now()
	if !b.drawn.IsZero() && now.Sub(b.drawn) < console.Redraw {
		return
	}
	b.drawn, b.visible = now, true
	b.a.Errf("\r%s\x1b[K", b.line(now.Sub(b.start)))
}

// line is what the bar looks like, as far as the terminal has a place for it.
func (b *runBar) line(elapsed time.Duration) string {
	const cells = 24
	worked := b.worked
	for _, sent := range b.partly {
		worked += sent
	}
	full := int(worked * cells / b.work)
	parts := []string{
		fmt.Sprintf("%3d%%", worked*100/b.work),
		"  " + b.a.T("%d of %d messages", b.done, b.total),
	}
	if elapsed > time.Second && worked > 0 {
		left := time.Duration(float64(elapsed) * float64(b.work-worked) / float64(worked))
		parts = append(parts, "  "+b.a.T("%s/s", rate(b.done, elapsed)), "  "+b.a.T("%s left", b.a.Roughly(left)))
	}
	return b.a.BarLine(strings.Repeat("█", full)+strings.Repeat("░", cells-full)+" ", parts)
}
