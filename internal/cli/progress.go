package cli

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// progressFrom is the size from which an upload is worth a bar.
const progressFrom = 1 << 20

// bar is a progress bar on standard error. The zero bar shows nothing.
type bar struct {
	a     *app
	total int64
	start time.Time
	last  atomic.Int64 // when it was drawn, in nanoseconds since start
}

// progress makes a bar when more than 1 MB travels and somebody watches.
func (a *app) progress(s *sendFlags, size int64) *bar {
	if a.StderrWidth == 0 || s.quiet || s.transcript || size < progressFrom {
		return &bar{}
	}
	b := &bar{a: a, total: size, start: time.Now()}
	b.last.Store(-int64(time.Hour))
	return b
}

// set draws the bar, at most ten times a second.
func (b *bar) set(sent int64) {
	if b.a == nil {
		return
	}
	sent = min(sent, b.total) // dots that were stuffed are not of the message
	elapsed := time.Since(b.start)
	if elapsed.Nanoseconds()-b.last.Load() < int64(100*time.Millisecond) && sent < b.total {
		return
	}
	b.last.Store(elapsed.Nanoseconds())
	const cells = 24
	full := int(sent * cells / b.total)
	line := fmt.Sprintf("[%s%s] %3d%%  %s / %s", strings.Repeat("█", full), strings.Repeat("░", cells-full),
		sent*100/b.total, size(sent), size(b.total))
	if elapsed > time.Second && sent > 0 {
		left := time.Duration(float64(elapsed) * float64(b.total-sent) / float64(sent))
		line += fmt.Sprintf("  %s/s  %s", size(int64(float64(sent)/elapsed.Seconds())), b.a.T("%s left", left.Round(time.Second)))
	}
	b.a.errf("\r%s\x1b[K", line)
}

// clear takes the bar away again.
func (b *bar) clear() {
	if b.a != nil {
		b.a.errf("\r\x1b[K")
	}
}

// size is a number of octets as people read it.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	default:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	}
}
