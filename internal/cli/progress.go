package cli

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtpclient"
)

// progressFrom is the size from which an upload is worth a bar.
const progressFrom = 1_000_000

// redraw is the shortest time between two drawings.
const redraw = 100 * time.Millisecond

// bar is a progress bar on standard error. The zero bar shows nothing.
type bar struct {
	a     *app
	start time.Time
	// whole is the size of the message as it was composed, binary that of its
	// form for servers with BINARYMIME, which is smaller; 0 where there is none.
	whole, binary int64

	mu    sync.Mutex // set may be called from another goroutine than clear
	total int64      // of the form that is being sent
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
	b := &bar{a: a, total: j.size, start: a.Now(), whole: j.size}
	if maker, ok := j.content.(interface {
		Binary() (*message.Content, bool)
	}); ok {
		if form, ok := maker.Binary(); ok {
			b.binary = form.Size()
		}
	}
	return b
}

// watch learns from the conversation in which form the message is sent: only
// the connection knows what its server takes.
func (b *bar) watch(e yan.Event) {
	if b.a == nil || b.binary == 0 || e.Direction != smtpclient.Sent || !strings.HasPrefix(e.Text, "MAIL FROM:") {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.total = b.whole; strings.Contains(e.Text, " BODY=BINARYMIME") {
		b.total = b.binary
	}
}

// set draws the bar, at most ten times a second.
func (b *bar) set(sent int64) {
	if b.a == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.a.Now()
	sent = min(sent, b.total) // dots that were stuffed are not of the message
	if sent < b.total && !b.drawn.IsZero() && now.Sub(b.drawn) < redraw {
		return
	}
	b.drawn = now
	b.a.errf("\r%s\x1b[K", b.line(sent, now.Sub(b.start)))
}

// line is what the bar looks like.
func (b *bar) line(sent int64, elapsed time.Duration) string {
	const cells = 24
	full := int(sent * cells / b.total)
	parts := []string{
		fmt.Sprintf("%3d%%", sent*100/b.total),
		fmt.Sprintf("  %s / %s", size(sent), size(b.total)),
	}
	if sent == b.total {
		parts = append(parts, "  "+b.a.T("waiting for the server"))
	} else if elapsed > time.Second && sent > 0 {
		left := time.Duration(float64(elapsed) * float64(b.total-sent) / float64(sent))
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
