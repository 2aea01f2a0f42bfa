package console

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// ProgressFrom is the minimum size of an upload with a progress bar.
const ProgressFrom = 1_000_000

// Redraw is the minimum time between two drawings.
const Redraw = 100 * time.Millisecond

// Bar is a progress bar on standard error. The zero bar shows nothing.
type Bar struct {
	A     *Console
	Start time.Time

	mu    sync.Mutex // Set may be called from another goroutine than Clear
	drawn time.Time
}

// Set draws the bar, at most ten times a second. total is the size of the form
// in which the message is sent, which may be smaller than the composed one.
func (b *Bar) Set(sent, total int64) {
	if b.A == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.A.Now()
	if sent < total && !b.drawn.IsZero() && now.Sub(b.drawn) < Redraw {
		return
	}
	b.drawn = now
	b.A.Errf("\r%s\x1b[K", b.Line(sent, total, now.Sub(b.Start)))
}

// Line returns the bar's text.
func (b *Bar) Line(sent, total int64, elapsed time.Duration) string {
	const cells = 24
	full := int(sent * cells / total)
	parts := []string{
		fmt.Sprintf("%3d%%", sent*100/total),
		fmt.Sprintf("  %s / %s", Size(sent), Size(total)),
	}
	if sent == total {
		parts = append(parts, "  "+b.A.T("waiting for the server"))
	} else if elapsed > time.Second && sent > 0 {
		left := time.Duration(float64(elapsed) * float64(total-sent) / float64(sent))
		parts = append(parts, fmt.Sprintf("  %s/s", Size(int64(float64(sent)/elapsed.Seconds()))),
			"  "+b.A.T("%s left", b.A.Roughly(left)))
	}
	return b.A.BarLine(strings.Repeat("█", full)+strings.Repeat("░", cells-full)+" ", parts)
}

// BarLine joins the parts of a bar that fit the terminal, because a wrapped
// line could not be redrawn.
func (a *Console) BarLine(line string, parts []string) string {
	if a.StderrWidth <= Columns(line)+Columns(parts[0]) {
		line = ""
	}
	for _, part := range parts {
		if Columns(line)+Columns(part) >= a.StderrWidth {
			break
		}
		line += part
	}
	return line
}

// Clear erases the bar.
func (b *Bar) Clear() {
	if b.A == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.drawn.IsZero() {
		b.A.Errf("\r\x1b[K")
		b.drawn = time.Time{}
	}
}
