package smtpserver

import (
	"errors"
	"io"
	"strconv"
	"strings"
)

// chunk answers BDAT (RFC 3030 section 2).
func (c *clientSession) chunk(args string) error {
	size, last, ok := splitChunk(args)
	if !ok {
		return c.endChunks()
	}
	c.body = c.newBody()
	m := &chunkBody{arrivingBody: c.body, left: size, last: last}
	if no := c.needRecipients(); no != nil {
		// The octets follow whatever is answered.
		if err := m.drain(); errors.Is(err, errTooMuch) {
			c.refuse(*no)
			return errDone
		} else if err != nil {
			return err
		}
		c.body = nil
		return c.misuse(no.code, no.enhanced, no.rule, no.what, no.todo)
	}
	err := c.take(m)
	if errors.Is(err, errReset) {
		return c.carryOut(m.command)
	}
	return err
}

// endChunks ends the session after a BDAT command that can't be read: how many octets follow, and
// so where the next command begins, is unknown.
func (c *clientSession) endChunks() error {
	c.log.Warn("SMTP: ended a session: a BDAT command is malformed")
	c.refuse(refusalReply{501, "5.5.4", "chunk", "this is not BDAT and a number of octets, with LAST or without", "the connection ends, because text may follow"})
	return errDone
}

// splitChunk reads the argument of BDAT.
func splitChunk(args string) (size int64, last, ok bool) {
	words := strings.Fields(args)
	if len(words) == 0 || len(words) > 2 || len(words) == 2 && !strings.EqualFold(words[1], "LAST") {
		return 0, false, false
	}
	for i := 0; i < len(words[0]); i++ {
		if c := words[0][i]; c < '0' || c > '9' {
			return 0, false, false
		}
	}
	size, err := strconv.ParseInt(words[0], 10, 64)
	return size, len(words) == 2, err == nil
}

// errReset: the client gave up a message between two chunks.
var errReset = errors.New("the client gave up the message")

// chunkBody reads a message that arrives in chunks. Between them it answers commands.
type chunkBody struct {
	*arrivingBody
	left    int64 // octets of this chunk
	last    bool
	command []byte // the one that gave up the message
	whole   bool
}

// Read implements io.Reader.
func (b *chunkBody) Read(p []byte) (int, error) {
	for b.left == 0 {
		if b.last && !b.whole {
			b.whole = true
			return 0, b.finish()
		}
		if b.last {
			return 0, io.EOF
		}
		if b.err == nil {
			b.err = b.next()
		}
		if b.err != nil {
			return 0, b.err
		}
	}
	if len(p) == 0 {
		return 0, b.err
	}
	data, err := b.waiting()
	if err != nil {
		return 0, err
	}
	n := copy(p, data[:min(int64(len(data)), b.left)])
	b.use(n)
	b.left -= int64(n)
	return n, nil
}

// next answers a chunk and reads commands up to the next one.
func (b *chunkBody) next() error {
	c := b.session
	c.reply(250, "2.0.0", "chunk taken")
	for {
		line, err := c.in.line()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if isHTTP(line) {
			return errClientWeb
		}
		verb, args, _ := splitCommand(line)
		switch verb {
		case "BDAT":
			var ok bool
			if b.left, b.last, ok = splitChunk(args); !ok {
				return c.endChunks()
			}
			return nil
		case "RSET", "EHLO", "HELO", "QUIT":
			b.command = append(b.command, line...)
			return errReset
		case "NOOP":
			c.reply(250, "2.0.0", "ok")
		default:
			if err := c.misuse(503, "5.5.1", "order", "a message is arriving in chunks", "send BDAT, or RSET to give it up"); err != nil {
				return err
			}
		}
		if c.commands++; c.commands > c.o.Limits.Commands {
			c.refuse(refusalReply{421, "4.7.0", "commands", "too many commands without a message", "connect again"})
			return errDone
		}
	}
}

// drain reads the rest of the current chunk.
func (b *chunkBody) drain() error {
	if b.left > b.most-b.octets {
		return errTooMuch
	}
	for b.left > 0 {
		data, err := b.waiting()
		if err != nil {
			return err
		}
		n := min(int64(len(data)), b.left)
		b.use(int(n))
		b.left -= n
	}
	return nil
}
