package imapclient

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"
)

// command is a command being built. The part before each synchronizing literal
// is one chunk.
type command struct {
	tag    string
	chunks [][]byte // the last one is still being built
	free   int64    // a literal up to this size needs no continuation request
}

// command starts a new command.
func (c *conn) command(words string) *command {
	c.tag++
	tag := "y" + strconv.Itoa(c.tag)
	return &command{tag: tag, chunks: [][]byte{[]byte(tag + " " + words)}, free: c.caps.withoutAsking()}
}

// text adds octets unchanged.
func (m *command) text(s string) {
	last := len(m.chunks) - 1
	m.chunks[last] = append(m.chunks[last], s...)
}

// astring adds a string as an argument: quoted, or as a literal if it contains
// octets that can't be quoted (RFC 9051 section 4.3). A NUL is allowed in
// neither.
func (m *command) astring(s string) error {
	quotable := len(s) <= 1024
	for i := 0; i < len(s); i++ {
		if s[i] == 0 {
			return fmt.Errorf("a NUL can't be sent over IMAP")
		}
		quotable = quotable && s[i] >= ' ' && s[i] < 0x7f
	}
	if quotable {
		m.text(` "` + escape(s) + `"`)
		return nil
	}
	m.text(" ")
	m.literal(int64(len(s)))
	m.text(s)
	return nil
}

// literal announces a literal. Its octets follow as text.
func (m *command) literal(size int64) {
	if size <= m.free {
		m.text("{" + strconv.FormatInt(size, 10) + "+}\r\n")
		return
	}
	m.text("{" + strconv.FormatInt(size, 10) + "}\r\n")
	m.chunks = append(m.chunks, nil)
}

// ask sends a command and reads the answer to it.
func (c *conn) ask(m *command) (Reply, error) {
	m.text("\r\n")
	reply, err := c.begin(m)
	if err != nil || !reply.IsZero() {
		return reply, err
	}
	if reply, err := c.write(m, m.chunks[len(m.chunks)-1]); err != nil || !reply.IsZero() {
		return reply, err
	}
	return c.answer(m.tag)
}

// begin sends a command up to its last chunk. A non-zero reply means that the
// server refused it before the end.
func (c *conn) begin(m *command) (Reply, error) {
	c.alert = ""
	c.allow()
	for _, chunk := range m.chunks[:len(m.chunks)-1] {
		if reply, err := c.write(m, chunk); err != nil || !reply.IsZero() {
			return reply, err
		}
		if _, reply, err := c.next(m.tag); err != nil || !reply.IsZero() {
			return reply, err
		}
	}
	return Reply{}, nil
}

// write sends octets of a command. A server may state a reason before it closes
// the connection, so a reply is read even after a write error.
func (c *conn) write(m *command, b []byte) (Reply, error) {
	_, err := c.rw.Write(b)
	if err == nil {
		return Reply{}, nil
	}
	err = c.explain(err)
	c.hearOut()
	if reply, readErr := c.answer(m.tag); readErr == nil && reply.Status != "OK" {
		return reply, nil
	}
	return Reply{}, err
}

// hearOut allows a little time to read the server's last responses.
func (c *conn) hearOut() {
	_ = c.raw.SetReadDeadline(time.Now().Add(min(c.patience, time.Second))) // as in allow
}

// answer reads up to the reply to a command. If the server sent BYE and closed
// the connection, that is the reply.
func (c *conn) answer(tag string) (Reply, error) {
	for {
		text, reply, err := c.next(tag)
		if err != nil || !reply.IsZero() {
			return reply, err
		}
		if text != nil {
			return Reply{}, fmt.Errorf("%w: it asks for more than the command has", ErrMalformed)
		}
	}
}

// next reads up to a continuation request (then text is not nil) or the reply
// to the command.
func (c *conn) next(tag string) (text []byte, reply Reply, err error) {
	for {
		got, err := c.read()
		switch {
		case err != nil && !c.bye.IsZero():
			return nil, c.withAlert(c.bye), nil
		case err != nil:
			return nil, Reply{}, notEnd(err)
		}
		c.heard = c.cfg.now()
		switch got.tag {
		case "*":
			c.untagged(got.rest)
		case "+":
			return append([]byte{}, bytes.TrimSpace(got.rest)...), Reply{}, nil
		case tag:
			reply, ok := c.status(got.rest)
			if !ok || reply.Status == "PREAUTH" || reply.Status == "BYE" {
				return nil, Reply{}, fmt.Errorf("%w: the answer to a command is neither OK nor NO nor BAD", ErrMalformed)
			}
			return nil, c.withAlert(reply), nil
		default:
			return nil, Reply{}, fmt.Errorf("%w: it answers a command that was not sent", ErrMalformed)
		}
	}
}

// withAlert adds the alert that the server sent with its refusal.
func (c *conn) withAlert(r Reply) Reply {
	if r.Status != "OK" && c.alert != r.Text {
		r.Alert = c.alert
	}
	return r
}

// notEnd converts io.EOF of a connection, so that it is not taken for the end
// of a file.
func notEnd(err error) error {
	if err == io.EOF {
		return fmt.Errorf("the server hung up: %w", io.ErrUnexpectedEOF)
	}
	return err
}
