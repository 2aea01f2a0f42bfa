package smtpclient

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/yanmail/yan/smtp"
)

// body sends the message after a 354, ends it with the dot, and reads what the
// server makes of it.
func (x *transaction) body() {
	start := time.Now()
	if err := x.write(true); err != nil {
		x.bodyLost(err)
		return
	}
	x.sentNote(start)
	x.end(smtp.StageBody)
}

// chunk sends the message as one BDAT LAST, together with the commands before
// it, if any. Replies to those are read while the message is being written.
func (x *transaction) chunk(cmds []command) {
	data, shown := render(append(cmds, command{line: fmt.Sprintf("BDAT %d LAST", x.Content.Size())}))
	for _, s := range shown {
		x.c.w.event(Sent, s, 0)
	}
	start := time.Now()
	written := make(chan error, 1)
	go func() {
		err := x.c.w.send(x.c.cfg.Timeouts.Command, data)
		if err == nil {
			err = x.write(false)
		}
		written <- err
	}()
	stage, err := x.replies(cmds)
	if err != nil {
		// The connection was lost, or cut by the writer, before all of the
		// envelope was answered. What the writer managed decides.
		x.c.lost(stage, err)
		if werr := <-written; werr == nil {
			x.settle(smtp.Unknown, smtp.StageBody, err)
		} else if errors.Is(werr, ErrContent) {
			x.notTried(smtp.StageBody, werr)
		} else {
			x.notTried(stage, err)
		}
		return
	}
	if err := <-written; err != nil {
		x.bodyLost(err)
		return
	}
	x.sentNote(start)
	x.end(smtp.StageBody)
}

func (x *transaction) sentNote(start time.Time) {
	x.c.w.notef("message sent, %d octets in %s", x.Content.Size(), time.Since(start).Round(time.Microsecond))
}

// bodyLost settles a message whose last octet was not sent. The server may
// have said why before it hung up.
func (x *transaction) bodyLost(err error) {
	if errors.Is(err, ErrContent) {
		x.notTried(smtp.StageBody, x.c.lost(smtp.StageBody, err))
		return
	}
	reply, readErr := x.c.w.reply(x.c.cfg.Timeouts.Quit)
	lost := x.c.lost(smtp.StageBody, err)
	if readErr == nil && (reply.Transient() || reply.Permanent()) {
		x.final = reply
		x.decide(smtp.StageBody, reply)
		return
	}
	x.notTried(smtp.StageBody, lost)
}

// end reads the reply to the whole message: one, or with LMTP one for each
// recipient that was accepted (RFC 2033 section 4.2). From here on a lost
// connection means that nobody knows.
func (x *transaction) end(stage smtp.Stage) {
	if !x.anyPending() {
		// A chunk travelled with an envelope that was refused; its reply says
		// only that.
		if reply, err := x.c.w.reply(x.c.cfg.Timeouts.DataEnd); err != nil {
			x.c.lost(stage, err)
		} else {
			x.note421(reply)
		}
		return
	}
	for i := range x.outcomes {
		o := &x.outcomes[i]
		if o.Status != "" {
			continue
		}
		reply, err := x.c.w.reply(x.c.cfg.Timeouts.DataEnd)
		if err == nil && reply.Intermediate() {
			err = fmt.Errorf("%w: %d in answer to the message", smtp.ErrMalformedReply, reply.Code)
		}
		if err != nil {
			x.closing = smtp.Reply{}
			x.settle(smtp.Unknown, stage, x.c.lost(stage, err).Err)
			return
		}
		x.final = reply
		x.note421(reply)
		if !x.c.cfg.LMTP {
			x.decide(stage, reply)
			break
		}
		o.Status, o.Stage, o.Reply = smtp.StatusOf(reply), stage, reply
	}
	x.c.dirty = false
}

// write hands the message to the kernel, with the dot that ends DATA when
// dots is set. An error that wraps ErrContent is the message's own: the
// connection has then been cut, so that no end can follow.
func (x *transaction) write(dots bool) error {
	blocks := &blockWriter{w: x.c.w, timeout: x.c.cfg.Timeouts.DataBlock, progress: x.Progress}
	lines := &lineWriter{w: bufio.NewWriterSize(blocks, blockSize), dots: dots, lineStart: true, limit: x.Content.Size()}
	_, err := x.Content.WriteTo(lines)
	if blocks.err != nil {
		return blocks.err
	}
	if err == nil {
		err = lines.finish()
	}
	if err != nil {
		x.c.w.cut()
		return fmt.Errorf("%w: %w", ErrContent, err)
	}
	if dots {
		_, _ = lines.w.WriteString(".\r\n") // its error stays for Flush
	}
	return lines.w.Flush()
}

// blockSize is what goes to the kernel at once: two TLS records.
const blockSize = 32 << 10

// blockWriter writes blocks to the connection. Each has its own time-out, so
// that an upload which makes progress is never cut off.
type blockWriter struct {
	w        *wire
	timeout  time.Duration
	progress func(int64)
	sent     int64
	err      error // the first error of the connection
}

func (b *blockWriter) Write(p []byte) (int, error) {
	b.w.allowWrite(b.timeout)
	n, err := b.w.conn.Write(p)
	b.w.sentNow()
	b.sent += int64(n)
	if b.progress != nil {
		b.progress(b.sent)
	}
	if err != nil && b.err == nil {
		b.err = b.w.explain(err)
	}
	return n, err
}

// lineWriter passes a message on, stuffs dots (RFC 5321 section 4.5.2), and
// refuses what would let the server see other lines than we do: a CR or LF
// that stands alone (RFC 5321 section 2.3.8; "SMTP smuggling").
type lineWriter struct {
	w         *bufio.Writer
	dots      bool
	limit     int64 // the announced size
	n         int64
	lineStart bool // the next octet begins a line
	cr        bool // the last octet was a CR
}

var (
	errBareCR  = errors.New("a CR that is not followed by an LF")
	errBareLF  = errors.New("an LF that is not preceded by a CR")
	errTooLong = errors.New("it is longer than announced")
	errShort   = errors.New("it is shorter than announced")
	errNoEnd   = errors.New("it does not end with CRLF")
)

func (l *lineWriter) Write(p []byte) (int, error) {
	if l.n+int64(len(p)) > l.limit {
		return 0, errTooLong
	}
	total := len(p)
	for len(p) > 0 {
		line, rest := p, []byte(nil)
		end := bytes.IndexByte(p, '\n')
		if end >= 0 {
			line, rest = p[:end+1], p[end+1:]
		}
		if err := l.check(line, end >= 0); err != nil {
			return 0, err
		}
		if l.dots && l.lineStart && line[0] == '.' {
			_ = l.w.WriteByte('.') // bufio keeps its error for the next line
		}
		if _, err := l.w.Write(line); err != nil {
			return 0, err
		}
		l.n += int64(len(line))
		l.lineStart = end >= 0
		l.cr = line[len(line)-1] == '\r'
		p = rest
	}
	return total, nil
}

// check looks at one line, or the part of one that a Write brought.
func (l *lineWriter) check(line []byte, ended bool) error {
	if l.cr && line[0] != '\n' {
		return errBareCR
	}
	body := line
	if ended {
		body = line[:len(line)-1]
		switch {
		case len(body) == 0 && !l.cr, len(body) > 0 && body[len(body)-1] != '\r':
			return errBareLF
		case len(body) > 0:
			body = body[:len(body)-1]
		}
	} else if body[len(body)-1] == '\r' {
		body = body[:len(body)-1]
	}
	if bytes.IndexByte(body, '\r') >= 0 {
		return errBareCR
	}
	return nil
}

// finish checks that the message was what it had promised to be.
func (l *lineWriter) finish() error {
	switch {
	case l.n != l.limit:
		return fmt.Errorf("%w: %d of %d octets", errShort, l.n, l.limit)
	case l.n > 0 && !l.lineStart:
		return errNoEnd
	}
	return nil
}
