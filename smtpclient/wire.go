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

	"github.com/yanmail/yan/smtp"
)

// wire sends lines and reads replies on one network connection, keeps the
// deadlines, and shows the conversation to the trace. It knows nothing of what
// the lines mean.
type wire struct {
	raw net.Conn // the socket; closing it cuts the connection
	// conn is what is spoken on: raw, or TLS over it.
	conn net.Conn
	r    *bufio.Reader

	trace  func(Event)
	redact redactor

	mu       sync.Mutex // guards the two below, which a context's end touches
	ctx      context.Context
	stop     func() bool
	lastSent time.Time
}

// longAgo is a deadline that has passed: it ends a wait at once.
func longAgo() time.Time { return time.Unix(1, 0) }

func newWire(conn net.Conn, trace func(Event)) *wire {
	return &wire{raw: conn, conn: conn, r: bufio.NewReaderSize(conn, smtp.MaxReplyLine+2),
		trace: trace, ctx: context.Background()}
}

// under makes ctx cancel every wait until release is called.
func (w *wire) under(ctx context.Context) (release func()) {
	w.mu.Lock()
	w.ctx = ctx
	w.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		_ = w.raw.SetDeadline(longAgo()) // fails only on a closed socket, which waits for nothing
	})
	return func() {
		stop()
		w.mu.Lock()
		w.ctx = context.Background()
		w.mu.Unlock()
	}
}

// allowRead and allowWrite give the next wait its time. A context that is
// over leaves none. They are apart because a large flight is written and
// answered at the same time.
func (w *wire) allowRead(d time.Duration)  { w.allow(w.raw.SetReadDeadline, d) }
func (w *wire) allowWrite(d time.Duration) { w.allow(w.raw.SetWriteDeadline, d) }

func (w *wire) allow(set func(time.Time) error, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	deadline := time.Now().Add(d)
	if w.ctx.Err() != nil {
		deadline = longAgo()
	}
	_ = set(deadline) // fails only on a closed socket; the next read or write says so
}

// explain names the context as the cause when it ended a wait.
func (w *wire) explain(err error) error {
	w.mu.Lock()
	ctx := w.ctx
	w.mu.Unlock()
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w while waiting for the server", context.Cause(ctx))
	}
	return err
}

// upgrade puts TLS on the connection and does the handshake.
func (w *wire) upgrade(ctx context.Context, cfg *tls.Config, timeout time.Duration) (*tls.Conn, error) {
	conn := tls.Client(w.raw, cfg)
	w.allowRead(timeout)
	w.allowWrite(timeout)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, w.explain(err)
	}
	w.conn = conn
	w.r.Reset(conn)
	return conn, nil
}

// send writes command lines, each with its CRLF, in one write. What is shown
// of them is given separately, so that no secret can slip into a trace.
func (w *wire) send(timeout time.Duration, data []byte, shown ...string) error {
	for _, s := range shown {
		w.event(Sent, s, 0)
	}
	w.allowWrite(timeout)
	_, err := w.conn.Write(data)
	w.sentNow()
	return w.explain(err)
}

func (w *wire) sentNow() {
	w.mu.Lock()
	w.lastSent = time.Now()
	w.mu.Unlock()
}

// reply reads one whole reply within the timeout.
func (w *wire) reply(timeout time.Duration) (smtp.Reply, error) {
	return w.replyShown(timeout, func(line string) string { return line })
}

// replyShown is reply with a say in what the trace sees of each line.
func (w *wire) replyShown(timeout time.Duration, show func(string) string) (smtp.Reply, error) {
	var parser smtp.ReplyParser
	w.allowRead(timeout)
	for first := true; ; first = false {
		line, err := w.line()
		if err != nil {
			if errors.Is(err, io.EOF) && !first {
				err = io.ErrUnexpectedEOF
			}
			return smtp.Reply{}, w.explain(err)
		}
		line = []byte(w.redact.line(string(line)))
		reply, last, err := parser.Line(line)
		if err != nil {
			w.event(Received, fmt.Sprintf("%q", line), w.waited(first))
			return smtp.Reply{}, err
		}
		w.event(Received, show(smtp.DecodeText(line)), w.waited(first))
		if last {
			return reply, nil
		}
	}
}

// line reads to the next LF and takes the line end off. The buffer is what
// bounds it.
func (w *wire) line() ([]byte, error) {
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

// waited is the time since the last byte sent, for the first line of a reply.
func (w *wire) waited(first bool) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !first || w.lastSent.IsZero() {
		return 0
	}
	return time.Since(w.lastSent)
}

// event shows one line to whoever watches.
func (w *wire) event(d Direction, text string, wait time.Duration) {
	if w.trace != nil {
		w.trace(Event{At: time.Now(), Direction: d, Text: text, Wait: wait})
	}
}

func (w *wire) notef(format string, args ...any) {
	if w.trace != nil {
		w.event(Note, fmt.Sprintf(format, args...), 0)
	}
}

// cut closes the socket without any farewell, TLS's included, so that the
// server can't take what it has for complete.
func (w *wire) cut() { _ = w.raw.Close() }
