package cli

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// progressFrom is the size from which an upload is worth a bar.
const progressFrom = 1_000_000

// redraw is the shortest time between two drawings.
const redraw = 100 * time.Millisecond

// bar is a progress bar on standard error. The zero bar shows nothing.
type bar struct {
	a     *app
	start time.Time

	mu    sync.Mutex // set may be called from another goroutine than clear
	drawn time.Time
}

// showsProgress reports whether somebody watches who wants to see it.
func (a *app) showsProgress(s *sendFlags) bool {
	return a.StderrWidth > 0 && !s.quiet && !s.json && !s.transcript && s.quitAfter == ""
}

// progress makes a bar when more than 1 MB travels and somebody watches.
func (a *app) progress(s *sendFlags, j *job) *bar {
	if !a.showsProgress(s) || j.size <= progressFrom {
		return &bar{}
	}
	return &bar{a: a, start: a.Now()}
}

// set draws the bar, at most ten times a second. total is the size of the form
// in which the message is sent, which may be smaller than the one composed.
func (b *bar) set(sent, total int64) {
	if b.a == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.a.Now()
	if sent < total && !b.drawn.IsZero() && now.Sub(b.drawn) < redraw {
		return
	}
	b.drawn = now
	b.a.errf("\r%s\x1b[K", b.line(sent, total, now.Sub(b.start)))
}

// line is what the bar looks like.
func (b *bar) line(sent, total int64, elapsed time.Duration) string {
	const cells = 24
	full := int(sent * cells / total)
	parts := []string{
		fmt.Sprintf("%3d%%", sent*100/total),
		fmt.Sprintf("  %s / %s", size(sent), size(total)),
	}
	if sent == total {
		parts = append(parts, "  "+b.a.T("waiting for the server"))
	} else if elapsed > time.Second && sent > 0 {
		left := time.Duration(float64(elapsed) * float64(total-sent) / float64(sent))
		parts = append(parts, fmt.Sprintf("  %s/s", size(int64(float64(sent)/elapsed.Seconds()))),
			"  "+b.a.T("%s left", b.a.roughly(left)))
	}
	return b.a.barLine(strings.Repeat("█", full)+strings.Repeat("░", cells-full)+" ", parts)
}

// barLine joins the parts of a bar that the terminal has a place for: a line
// that wraps could not be drawn over.
func (a *app) barLine(line string, parts []string) string {
	if a.StderrWidth <= columns(line)+columns(parts[0]) {
		line = ""
	}
	for _, part := range parts {
		if columns(line)+columns(part) >= a.StderrWidth {
			break
		}
		line += part
	}
	return line
}

// clear takes the bar away again.
func (b *bar) clear() {
	if b.a == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.drawn.IsZero() {
		b.a.errf("\r\x1b[K")
		b.drawn = time.Time{}
	}
}
