package sendcmd

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/sending"
)

// showsProgress reports whether to show progress: only on a terminal, and if no other output
// interferes.
func (a *sendCommand) showsProgress(s *sendFlags) bool {
	return a.StderrWidth > 0 && !s.quiet && !s.json && !s.transcript && s.QuitAfter == ""
}

// runBar shows the progress of a run on standard error: one large message by its octets, several by
// messages. The zero value shows nothing.
type runBar struct {
	a     *sendCommand // nil if no bar is shown for several messages
	one   *console.Bar // the bar of a single message; nil if none is shown
	start time.Time
	total int
	work  int64 // sum of workOf over all messages

	mu      sync.Mutex // other goroutines report progress
	done    int
	worked  int64
	partly  map[*sending.Outgoing]int64 // octets sent so far of large messages in flight
	drawn   time.Time
	visible bool
}

// overhead is the cost of a message besides its octets, expressed in octets. The bar and the
// remaining time use it.
const overhead = 4 << 10

func workOf(j *sending.Outgoing) int64 { return j.Size + overhead }

// startBar starts the progress display, if there is a terminal. A single message has none up to 1 MB.
func (b *runBar) startBar(a *sendCommand, s *sendFlags, todo []*sending.Outgoing) {
	if !a.showsProgress(s) {
		return
	}
	if len(todo) == 1 {
		if todo[0].Size > console.ProgressFrom {
			b.one = &console.Bar{A: a.Console, Start: a.Now()}
		}
		return
	}
	b.a, b.start, b.total, b.partly = a, a.Now(), len(todo), map[*sending.Outgoing]int64{}
	for _, j := range todo {
		b.work += workOf(j)
	}
}

// progressFunc returns the callback for the progress of a message; nil if none is shown.
func (b *runBar) progressFunc(j *sending.Outgoing) func(sent, size int64) {
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

// countSettled counts a message whose outcome is known.
func (b *runBar) countSettled(j *sending.Outgoing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.a == nil {
		return
	}
	b.done++
	b.worked += workOf(j)
	delete(b.partly, j)
}

// printAround hides the bar while print writes to the terminal.
func (b *runBar) printAround(onTerminal bool, print func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if onTerminal {
		b.hide()
	}
	print()
	b.draw()
}

// clear removes the bar.
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
	b.a.Errf("\r%s\x1b[K", b.barLine(now.Sub(b.start)))
}

// barLine returns the bar, shortened to the width of the terminal.
func (b *runBar) barLine(elapsed time.Duration) string {
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
		parts = append(parts, "  "+b.a.T("%s/s", formatRate(b.done, elapsed)), "  "+b.a.T("%s left", b.a.Roughly(left)))
	}
	return b.a.BarLine(strings.Repeat("█", full)+strings.Repeat("░", cells-full)+" ", parts)
}
