package faultproxy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// sessionTracker follows one session closely enough to know its current place.
type sessionTracker struct {
	mu      sync.Mutex
	replies int
	due     int // replies that the server owes for the data it got, including the greeting

	line    []byte // of a command, so far
	verb    string // of the last command
	granted bool   // a 354 came: a message with dots follows
	more    bool   // a chunk came that was not the last one
	chunk   int64  // octets of BDAT that are still to come
	inChunk bool
	tail    []byte // the last octets of a message with dots
	bodies  []int64
}

// processClient processes the client's octets up to the next place that matters, and returns their number,
// at least 1. next returns the nearest octet of a message at which a fault is due, or -1.
func (t *sessionTracker) processClient(p []byte, next func(message int, octets int64) int64, show func(string)) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.inChunk:
		n := t.limitToFault(p, min(t.chunk, int64(len(p))), next)
		t.add(n)
		if t.chunk -= n; t.chunk == 0 {
			t.inChunk = false
			t.due++
		}
		return int(n)
	case t.granted:
		n := t.limitToFault(p, int64(len(p)), next)
		end := t.findDotEnd(p[:n])
		t.add(end)
		return int(end)
	}
	at := bytes.IndexByte(p, '\n') + 1
	if at == 0 {
		t.line = append(t.line, p...)
		return len(p)
	}
	t.line = append(t.line, p[:at]...)
	line := strings.TrimRight(string(t.line), "\r\n")
	t.line = t.line[:0]
	show(line)
	t.command(line)
	return at
}

// limitToFault limits a stretch of a message to the next fault.
func (t *sessionTracker) limitToFault(p []byte, most int64, next func(int, int64) int64) int64 {
	so := t.bodies[len(t.bodies)-1]
	if at := next(len(t.bodies), so+1); at > 0 {
		most = min(most, at-so)
	}
	return most
}

func (t *sessionTracker) add(n int64) { t.bodies[len(t.bodies)-1] += n }

func (t *sessionTracker) command(line string) {
	t.verb, _, _ = strings.Cut(strings.ToUpper(line), " ")
	if t.verb != "BDAT" {
		t.due++
		return
	}
	words := strings.Fields(line)
	if len(words) < 2 {
		return
	}
	size, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return
	}
	if !t.more {
		t.bodies = append(t.bodies, 0)
	}
	t.more = len(words) < 3
	t.chunk, t.inChunk = size, size > 0
	if size == 0 {
		t.due++
	}
}

// findDotEnd looks for the end of a message after a 354. It returns how many octets belong to the
// message.
func (t *sessionTracker) findDotEnd(p []byte) int64 {
	end := []byte("\r\n.\r\n")
	border := append(slices.Clone(t.tail), p[:min(len(p), len(end)-1)]...)
	at := bytes.Index(border, end) - len(t.tail)
	if !bytes.Contains(border, end) {
		if at = bytes.Index(p, end); at < 0 {
			last := append(t.tail, p[max(0, len(p)-len(end)+1):]...)
			t.tail = slices.Clone(last[max(0, len(last)-len(end)+1):])
			return int64(len(p))
		}
	}
	t.granted, t.tail = false, nil
	t.due++
	return int64(at + len(end))
}

// processReply processes the last line of a reply. It returns the reply's number and the number of replies
// due so far.
func (t *sessionTracker) processReply(line []byte) (number, due int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.replies++
	if t.verb == "DATA" && bytes.HasPrefix(line, []byte("354")) && !t.granted && !t.inChunk {
		// The client may send the message as soon as it has this reply. The tail represents the
		// line end before a message that consists of its dot only.
		t.granted, t.tail = true, []byte("\r\n")
		t.bodies = append(t.bodies, 0)
	}
	return t.replies, t.due
}

// place returns the last message and its octets so far.
func (t *sessionTracker) place() (message int, octets int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.bodies) == 0 {
		return 0, 0
	}
	return len(t.bodies), t.bodies[len(t.bodies)-1]
}

func (t *sessionTracker) seen() Seen {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Seen{Replies: t.replies, Messages: append([]int64(nil), t.bodies...)}
}

// transcript keeps the last lines of a transcript.
type transcript struct {
	mu    sync.Mutex
	lines []string
}

const recordLines = 400

func (r *transcript) add(conn int, side, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) == 2*recordLines {
		r.lines = append(r.lines[:0], r.lines[recordLines:]...)
	}
	r.lines = append(r.lines, fmt.Sprintf("%d %s: %s", conn, side, strings.TrimRight(text, "\r\n")))
}

func (r *transcript) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines[max(0, len(r.lines)-recordLines):], "\n")
}
