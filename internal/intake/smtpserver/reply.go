package smtpserver

import (
	"errors"
	"strconv"
	"strings"

	"github.com/yanmail/yan/internal/intake/admission"
)

// maxReply bounds a line of a reply without its line end (RFC 5321 section 4.5.3.1.5).
const maxReply = 510

// replyBuffer collects replies. They are written before the session waits for the client, and
// before a message is kept.
type replyBuffer struct {
	session *clientSession
	data    []byte
	err     error // of a write; the connection can't be used any more
}

func (b *replyBuffer) drop() { b.data = nil }

func (b *replyBuffer) flush() error {
	if b.err != nil || len(b.data) == 0 {
		return b.err
	}
	c := b.session
	_ = c.conn.SetWriteDeadline(c.o.Now().Add(c.o.Limits.Write)) // pipes may have no deadline
	_, b.err = c.conn.Write(b.data)
	b.data = b.data[:0]
	if cap(b.data) > smallBuffer {
		b.data = nil
	}
	return b.err
}

// reply adds a reply of one line.
func (c *clientSession) reply(code int, enhanced, text string) {
	if enhanced != "" && text != "" {
		text = enhanced + " " + text
	}
	c.out.data = appendReplyLine(c.out.data, code, ' ', text)
	if len(c.out.data) > maxPendingReplies {
		_ = c.out.flush() // the next read fails with the same error
	}
}

// maxPendingReplies bounds the replies to commands that arrived together.
const maxPendingReplies = 4 << 10

// replyLines adds a reply of several lines.
func (c *clientSession) replyLines(code int, lines []string) {
	for i, line := range lines {
		separator := byte('-')
		if i == len(lines)-1 {
			separator = ' '
		}
		c.out.data = appendReplyLine(c.out.data, code, separator, line)
	}
}

// appendReplyLine writes a line of ASCII that is no longer than maxReply.
func appendReplyLine(b []byte, code int, separator byte, text string) []byte {
	begun := len(b)
	b = strconv.AppendInt(b, int64(code), 10)
	b = append(b, separator)
	for _, r := range text {
		if len(b)-begun >= maxReply {
			break
		}
		if r < ' ' || r > '~' {
			r = '?'
		}
		b = append(b, byte(r))
	}
	return append(b, '\r', '\n')
}

// refusalReply is a negative reply: which rule refuses, what happened, what to do.
type refusalReply struct {
	code     int
	enhanced string
	rule     string
	what     string
	todo     string
}

// text is what happened, what to do and the rule, which a long text does not push out.
func (r refusalReply) text() string {
	text := r.what
	if r.todo != "" {
		text += "; " + r.todo
	}
	rule := " (rule: " + r.rule + ")"
	if most := maxReply - len("550 5.7.123 ") - len(rule); len(text) > most {
		text = strings.ToValidUTF8(text[:most-3], "") + "..."
	}
	return text + rule
}

// refuse adds a negative reply.
func (c *clientSession) refuse(r refusalReply) { c.reply(r.code, r.enhanced, r.text()) }

// misuse refuses a command with a wrong form or in a wrong order. A client that makes many such
// mistakes is not an SMTP client.
func (c *clientSession) misuse(code int, enhanced, rule, what, todo string) error {
	c.refuse(refusalReply{code, enhanced, rule, what, todo})
	if c.errors++; c.errors < c.o.Limits.Errors {
		return nil
	}
	c.log.Warn("SMTP: ended a session: too many wrong commands")
	c.refuse(refusalReply{421, "4.7.0", "errors", "too many wrong commands", "connect again with an SMTP client"})
	return errDone
}

// replyTo returns the reply to an error of package admission or of the outbox.
func replyTo(err error) refusalReply {
	if r, ok := errors.AsType[*admission.Refusal](err); ok {
		said := refusalReply{code: r.Reply.Code, enhanced: r.Reply.Enhanced.String(), rule: r.Rule}
		if r.Err != nil {
			said.what = oneLine(r.Err.Error())
		}
		if r.Hint != nil {
			said.todo = oneLine(r.Hint.Error())
		}
		if said.code < 400 || said.code > 599 {
			said.code, said.enhanced = 554, "5.7.1"
		}
		return said
	}
	answer := admission.Reply(err)
	said := refusalReply{code: answer.Code, enhanced: answer.Enhanced.String(), rule: ruleStore, what: oneLine(answer.Text()), todo: "the log of yan says more"}
	switch answer.Code {
	case 452:
		said.rule, said.todo = ruleSpace, "try again later, or free space"
	case 554:
		said.rule, said.todo = "key", "use another Yan-Key"
	}
	return said
}

// Rules that are no client's fault.
const (
	ruleStore = "store"
	ruleSpace = "space"
)

// oneLine keeps a reply one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
