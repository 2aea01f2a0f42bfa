package smtpclient

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/clienthello"
	"github.com/yanmail/yan/smtp"
)

// wire sends lines and reads replies on one network connection, sets the deadlines, and calls the
// trace. It does not interpret the lines.
type wire struct {
	raw net.Conn // the socket; closing it cuts the connection
	// conn is the connection to use: raw, or TLS over it.
	conn net.Conn
	r    *bufio.Reader

	trace   func(Event)
	redact  redactor
	confirm func(net.Conn) // acknowledgeNow

	// For the next read: its timeout, or the writer that determines it.
	wait   time.Duration
	writer *asyncWrite
	armed  bool // the timeout is running

	// known caches replies by their line; see maxKnown. It is nil until the login is over,
	// because only then all secrets are known.
	known map[string]smtp.Reply

	mu       sync.Mutex // guards the following fields, which an ending context or a writer uses
	ctx      context.Context
	turn     int // number of calls of useContext
	lastSent time.Time
	heard    time.Time // lastSent at the last read that had to wait

	tracing sync.Mutex // held during one event
}

// longAgo returns a deadline in the past: it ends a wait at once.
func longAgo() time.Time { return time.Unix(1, 0) }

func newWire(conn net.Conn, trace func(Event)) *wire {
	return &wire{raw: conn, conn: conn, r: bufio.NewReaderSize(conn, smtp.MaxReplyLine+2),
		trace: trace, confirm: acknowledgeNow, ctx: context.Background()}
}

// useContext makes ctx cancel every wait until release is called.
func (w *wire) useContext(ctx context.Context) (release func()) {
	w.mu.Lock()
	w.ctx = ctx
	w.turn++
	turn := w.turn
	w.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		// A context that ends at the same time as its turn must not disturb the next.
		if w.turn == turn {
			_ = w.raw.SetDeadline(longAgo()) // fails only on a closed socket, which waits for nothing
		}
	})
	return func() {
		stop()
		w.mu.Lock()
		w.ctx = context.Background()
		w.turn++
		w.mu.Unlock()
	}
}

// unlimited is the timeout of a read whose end depends on the concurrent writer.
const unlimited time.Duration = 0

// allowRead and allowWrite set the timeout of the next wait. If the context is done, there is
// none. They are separate because a flight is written and answered at the same time.
func (w *wire) allowRead(d time.Duration)  { w.setDeadline(w.raw.SetReadDeadline, d) }
func (w *wire) allowWrite(d time.Duration) { w.setDeadline(w.raw.SetWriteDeadline, d) }

func (w *wire) setDeadline(set func(time.Time) error, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var deadline time.Time
	if d != unlimited {
		deadline = time.Now().Add(d)
	}
	if w.ctx.Err() != nil {
		deadline = longAgo()
	}
	_ = set(deadline) // fails only on a closed socket; the next read or write reports it
}

// explainError returns the context's error if the context ended a wait.
func (w *wire) explainError(err error) error {
	w.mu.Lock()
	ctx := w.ctx
	w.mu.Unlock()
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w while waiting for the server", context.Cause(ctx))
	}
	return err
}

// upgradeTLS performs the TLS handshake. silence is that of [clienthello.Handshake].
func (w *wire) upgradeTLS(ctx context.Context, cfg *tls.Config, timeout, silence time.Duration) (*tls.Conn, error) {
	w.allowRead(timeout)
	w.allowWrite(timeout)
	conn, err := clienthello.Handshake(ctx, w.raw, cfg, silence)
	if err != nil {
		return nil, w.explainError(err)
	}
	w.conn = conn
	w.r.Reset(conn)
	return conn, nil
}

// sendLines writes command lines, each with its CRLF, in one write. The traced form is passed
// separately, so that no secret gets into a trace.
func (w *wire) sendLines(timeout time.Duration, data []byte, shown ...string) error {
	for _, s := range shown {
		w.traceLine(Sent, s, 0)
	}
	w.allowWrite(timeout)
	_, err := w.conn.Write(data)
	w.sentNow()
	return w.explainError(err)
}

func (w *wire) sentNow() {
	w.mu.Lock()
	w.lastSent = time.Now()
	w.mu.Unlock()
}

// readReplyWithin reads one whole reply within the timeout.
func (w *wire) readReplyWithin(timeout time.Duration) (smtp.Reply, error) {
	w.setReplyTimeout(timeout)
	return w.readReply(replyReading{})
}

// setReplyTimeout sets the timeout of the next reply, which starts when the reply is awaited.
func (w *wire) setReplyTimeout(d time.Duration) { w.wait, w.writer, w.armed = d, nil, false }

// armTimeout starts the timeout of a read that may block, once per reply.
func (w *wire) armTimeout() {
	switch {
	case w.armed:
		return
	case w.writer != nil:
		w.writer.armTimeout(w.wait)
	default:
		w.allowRead(w.wait)
	}
	w.armed = true
}

// replyReading says how a reply is read; the zero value changes nothing.
type replyReading struct {
	// arrived is called when the first line has arrived, before it is traced.
	arrived func()
	// show returns the traced form of a line.
	show func(line string) string
	// keep reports lines that stay unchanged, including secrets.
	keep func(line []byte) bool
}

// readReply reads one whole reply within the timeout. Secrets that the server repeats are removed
// before any other code sees the line.
func (w *wire) readReply(how replyReading) (smtp.Reply, error) {
	var parser smtp.ReplyParser
	for first := true; ; first = false {
		raw, err := w.readLine()
		if err != nil {
			if errors.Is(err, io.EOF) && !first {
				err = io.ErrUnexpectedEOF
			}
			return smtp.Reply{}, w.explainError(err)
		}
		if first && how.arrived != nil {
			how.arrived()
		}
		if reply, ok := w.known[string(raw)]; ok && first {
			w.traceReceived(raw, how.show, nil, true)
			return reply, nil
		}
		line := w.redact.redactOctets(raw)
		parsed := line
		if how.keep != nil && how.keep(raw) {
			parsed = raw
		}
		reply, last, err := parser.Line(parsed)
		if err != nil {
			err = w.redact.redactError(err)
		}
		w.traceReceived(line, how.show, err, first)
		if err != nil {
			return smtp.Reply{}, err
		}
		if last {
			if first && w.known != nil && len(w.known) < maxKnown && reply.Positive() && bytes.Equal(line, raw) {
				w.known[string(line)] = reply
			}
			return reply, nil
		}
	}
}

// maxKnown is the number of cached one-line replies of a connection. Servers answer most commands
// with the same few; replies to messages are often numbered.
const maxKnown = 16

// traceReceived traces a line; quoted if it is not valid SMTP.
func (w *wire) traceReceived(line []byte, show func(string) string, err error, first bool) {
	if w.trace == nil {
		return
	}
	text := ""
	switch {
	case err != nil:
		text = w.redact.redactLine(fmt.Sprintf("%q", line)) // an escape may spell a secret
	case show != nil:
		text = show(smtp.DecodeText(line))
	default:
		text = smtp.DecodeText(line)
	}
	w.traceLine(Received, text, w.waitedSince(first))
}

// readChallenge is readReply for the reply to a line of AUTH: a challenge stays unchanged, because
// the mechanism must answer it exactly.
func (w *wire) readChallenge() (smtp.Reply, error) {
	return w.readReply(replyReading{show: showChallenge, keep: func(line []byte) bool {
		return bytes.HasPrefix(line, []byte("334 ")) || bytes.HasPrefix(line, []byte("334-"))
	}})
}

// hasUnsolicited reports whether there is unsolicited data from the socket. TLS reads ahead, too: a line
// in a TLS record of its own is neither in the socket nor in the buffer, and a read that may not
// block gets it.
func (w *wire) hasUnsolicited() bool {
	if w.r.Buffered() > 0 {
		return true
	}
	if w.conn == w.raw {
		return false
	}
	_ = w.raw.SetReadDeadline(longAgo()) // fails only on a closed socket; the next read reports it
	_, err := w.r.Peek(1)
	return err == nil
}

// readLine reads to the next LF and removes the line end. The buffer limits its length.
func (w *wire) readLine() ([]byte, error) {
	if b, _ := w.r.Peek(w.r.Buffered()); bytes.IndexByte(b, '\n') < 0 {
		w.armTimeout()
		w.acknowledgeReceived()
	}
	b, err := w.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("%w: a line of more than %d bytes", smtp.ErrMalformedReply, smtp.MaxReplyLine)
	case err != nil && len(b) > 0 && errors.Is(err, io.EOF):
		return nil, io.ErrUnexpectedEOF
	case err != nil:
		return nil, err
	}
	return bytes.TrimSuffix(b[:len(b)-1], []byte("\r")), nil
}

// acknowledgeReceived makes the kernel acknowledge received data at once while another reply is awaited: a
// server that sends its replies one by one may delay the next until the last is acknowledged
// (Nagle's algorithm), which a kernel delays by 40 ms if it has nothing to send. It costs a system
// call for each reply that had to be awaited, except the first after a write.
//
// QUIRK: Haraka and Courier.
func (w *wire) acknowledgeReceived() {
	w.mu.Lock()
	first := w.heard != w.lastSent
	w.heard = w.lastSent
	w.mu.Unlock()
	if !first {
		w.confirm(w.raw)
	}
}

// waitedSince returns the time since the last byte sent, for the first line of a reply.
func (w *wire) waitedSince(first bool) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !first || w.lastSent.IsZero() {
		return 0
	}
	return time.Since(w.lastSent)
}

// traceLine traces one line.
func (w *wire) traceLine(d Direction, text string, wait time.Duration) {
	w.traceEvent(Event{Direction: d, Text: text, Wait: wait})
}

// traceEvent sets the time of an event and calls the trace.
func (w *wire) traceEvent(e Event) {
	if w.trace == nil {
		return
	}
	w.tracing.Lock()
	defer w.tracing.Unlock()
	e.At = time.Now()
	w.trace(e)
}

// closeAbruptly closes the socket without any farewell, not even TLS's, so that the server can't take a
// partial message as complete.
func (w *wire) closeAbruptly() { _ = w.raw.Close() }
