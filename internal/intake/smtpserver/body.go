package smtpserver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/yanmail/yan/internal/telemetry/redact"
)

// data answers DATA.
func (c *clientSession) data(args string) error {
	if args != "" {
		return c.misuse(501, "5.5.4", "syntax", "DATA has no arguments", "leave them out")
	}
	if err := c.needRecipients(); err != nil {
		return c.misuse(err.code, err.enhanced, err.rule, err.what, err.todo)
	}
	c.reply(354, "", "end the message with a line that is a single dot")
	c.body = c.newBody()
	return c.take(&dotBody{arrivingBody: c.body})
}

// needRecipients returns the refusal of a message without recipients.
func (c *clientSession) needRecipients() *refusalReply {
	switch {
	case c.open == nil:
		return &refusalReply{503, "5.5.1", "order", "MAIL comes first", "send MAIL, and see whether it is accepted"}
	case c.taken == 0:
		return &refusalReply{554, "5.5.1", "recipient", "no recipient was accepted", "see the replies to RCPT"}
	}
	return nil
}

// take lets package admission read and keep a message, and answers.
func (c *clientSession) take(m messageText) error {
	body := c.body
	defer func() { c.body = nil }()
	// The stop of the server must not break off a commit. Only its limit does, which begins with
	// the last octet.
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.ctx))
	defer cancel()
	var limit *time.Timer
	body.ended = func() { limit = time.AfterFunc(c.o.Limits.Commit, cancel) }
	kept, err := c.open.Accept(ctx, m)
	if limit != nil {
		limit.Stop()
	}
	c.endTransaction()
	if body.err != nil { // the client is gone, slow or has changed its mind; nothing was kept
		return body.err
	}
	if err != nil {
		drained := m.drain()
		if drained == nil || errors.Is(drained, errTooMuch) {
			c.turnDown(err, "message")
		}
		if errors.Is(drained, errTooMuch) {
			return errDone
		}
		return drained
	}
	c.commands = 0
	c.log.Info("SMTP: kept a message", slog.Int64("id", int64(kept.ID)), slog.String("peer", c.peer.String()), slog.Int64("octets", body.octets),
		slog.Bool("again", kept.Duplicate))
	c.o.Count("", kept.Duplicate)
	c.reply(250, "2.0.0", "kept as "+strconv.FormatInt(int64(kept.ID), 10))
	return nil
}

// turnDown answers with an error of package admission. The log has its rule, not its text, which
// may contain an address.
func (c *clientSession) turnDown(err error, stage string) {
	r := replyTo(err)
	level := slog.LevelInfo
	fields := []any{slog.String("stage", stage), slog.Int("code", r.code), ruleField(r.rule), slog.String("peer", c.peer.String())}
	if r.rule == ruleStore || r.rule == ruleSpace {
		level = slog.LevelError
		fields = append(fields, slog.String("error", redact.Text(err.Error())))
	}
	c.log.Log(c.ctx, level, "SMTP: refused", fields...)
	c.o.Count(r.rule, false)
	c.refuse(r)
}

func ruleField(rule string) slog.Attr { return slog.String("rule", rule) }

// messageText is the text of a message while it arrives.
type messageText interface {
	io.Reader
	// drain reads the rest of a message that was refused.
	drain() error
}

// arrivingBody has what both ways of sending a message share.
type arrivingBody struct {
	session *clientSession
	begun   time.Time
	octets  int64 // that have arrived
	most    int64 // that may arrive, accepted or not
	err     error // why no more can arrive
	ended   func()
}

// maxDrain is how much more than its size is read of a message, so that a client which did not heed
// SIZE can read the reply.
const maxDrain = 64 << 20

var errTooMuch = errors.New("the rest of the message is too long")

// newBody begins a message. What is far beyond the allowed size ends the session.
func (c *clientSession) newBody() *arrivingBody {
	return &arrivingBody{session: c, begun: c.o.Now(), most: c.size + maxDrain}
}

// deadline returns when more octets must have arrived.
func (b *arrivingBody) deadline() time.Time {
	l := b.session.o.Limits
	t := b.session.o.Now().Add(l.Block)
	if last := b.begun.Add(l.Message + time.Duration(b.octets>>10)*time.Second); last.Before(t) {
		t = last
	}
	return t
}

// waiting returns octets that have arrived.
func (b *arrivingBody) waiting() ([]byte, error) {
	if b.err == nil && b.octets > b.most {
		b.err = errTooMuch
	}
	if b.err != nil {
		return nil, b.err
	}
	data, err := b.session.in.message(b.deadline())
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // RFC 5321 section 4.1.1.4: the message has no end
	}
	b.err = err
	return data, err
}

// use removes octets from the buffer.
func (b *arrivingBody) use(n int) {
	b.session.in.first += n
	b.octets += int64(n)
}

// finish is called once, after the last octet. What was answered before must not wait for the
// commit.
func (b *arrivingBody) finish() error {
	_ = b.session.out.flush() // the message is whole: it is kept, even if the client is gone
	if b.ended != nil {
		b.ended()
	}
	return io.EOF
}

// dotBody reads a message after DATA: it removes the dots that the client has added, and ends at
// CR LF "." CR LF. No other sequence ends it, or counts as a line end for the dot.
type dotBody struct {
	*arrivingBody
	state dotState
}

type dotState uint8

const (
	atLine     dotState = iota // after CR LF, or at the beginning
	afterDot                   // after CR LF "."
	afterDotCR                 // after CR LF "." CR
	afterCR
	inLine
	atEnd
)

// Read implements io.Reader.
func (d *dotBody) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if d.state == atEnd {
			return n, io.EOF
		}
		if n > 0 && d.session.in.first == d.session.in.last {
			return n, nil
		}
		data, err := d.waiting()
		if err != nil {
			return n, err
		}
		wrote, used := d.step(p[n:], data)
		n += wrote
		d.use(used)
		if d.state == atEnd {
			return n, d.finish()
		}
	}
	return n, nil
}

// step moves octets to p until one of the two ends, or the message.
func (d *dotBody) step(p, data []byte) (wrote, used int) {
	for wrote < len(p) && used < len(data) {
		octet := data[used]
		switch d.state {
		case inLine:
			n := bytes.IndexByte(data[used:], '\r') + 1
			if n == 0 {
				n = len(data) - used
			} else if n <= len(p)-wrote {
				d.state = afterCR
			}
			n = copy(p[wrote:], data[used:used+n])
			wrote, used = wrote+n, used+n
			continue
		case afterDot:
			if octet == '\r' {
				d.state = afterDotCR
				used++
				continue
			}
			d.state = inLine
		case afterDotCR:
			if octet == '\n' {
				d.state = atEnd
				return wrote, used + 1
			}
			p[wrote] = '\r' // the octet is read again
			wrote++
			d.state = afterCR
			continue
		case atLine:
			if octet == '.' {
				d.state = afterDot
				used++
				continue
			}
			d.state = inLine
		case afterCR:
			d.state = inLine
			if octet == '\n' {
				d.state = atLine
			}
		}
		if octet == '\r' {
			d.state = afterCR
		}
		p[wrote] = octet
		wrote, used = wrote+1, used+1
	}
	return wrote, used
}

func (d *dotBody) drain() error {
	_, err := io.Copy(io.Discard, d)
	return err
}
