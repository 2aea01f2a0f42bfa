package imapclient

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"
)

// commandBuilder is a command being built. The part before each synchronizing literal
// is one chunk.
type commandBuilder struct {
	tag    string
	chunks [][]byte // the last one is still being built
	free   int64    // a literal up to this size needs no continuation request
}

// newCommand starts a new command.
func (c *imapConn) newCommand(words string) *commandBuilder {
	c.tag++
	tag := "y" + strconv.Itoa(c.tag)
	return &commandBuilder{tag: tag, chunks: [][]byte{[]byte(tag + " " + words)}, free: c.caps.nonSyncLimit()}
}

// text adds octets unchanged.
func (m *commandBuilder) text(s string) {
	last := len(m.chunks) - 1
	m.chunks[last] = append(m.chunks[last], s...)
}

// astring adds a string as an argument: quoted, or as a literal if it contains
// octets that can't be quoted (RFC 9051 section 4.3). A NUL is allowed in
// neither.
func (m *commandBuilder) astring(s string) error {
	quotable := len(s) <= 1024
	for i := 0; i < len(s); i++ {
		if s[i] == 0 {
			return fmt.Errorf("a NUL can't be sent over IMAP")
		}
		quotable = quotable && s[i] >= ' ' && s[i] < 0x7f
	}
	if quotable {
		m.text(` "` + escapeQuoted(s) + `"`)
		return nil
	}
	m.text(" ")
	m.literal(int64(len(s)))
	m.text(s)
	return nil
}

// literal announces a literal. Its octets follow as text.
func (m *commandBuilder) literal(size int64) {
	if size <= m.free {
		m.text("{" + strconv.FormatInt(size, 10) + "+}\r\n")
		return
	}
	m.text("{" + strconv.FormatInt(size, 10) + "}\r\n")
	m.chunks = append(m.chunks, nil)
}

// runCommand sends a command and reads the answer to it.
func (c *imapConn) runCommand(m *commandBuilder) (ServerReply, error) {
	m.text("\r\n")
	reply, err := c.beginCommand(m)
	if err != nil || !reply.IsZero() {
		return reply, err
	}
	if reply, err := c.writeCommand(m, m.chunks[len(m.chunks)-1]); err != nil || !reply.IsZero() {
		return reply, err
	}
	return c.readAnswer(m.tag)
}

// beginCommand sends a command up to its last chunk. A non-zero reply means that the
// server refused it before the end.
func (c *imapConn) beginCommand(m *commandBuilder) (ServerReply, error) {
	c.alert = ""
	c.setLimits()
	for _, chunk := range m.chunks[:len(m.chunks)-1] {
		if reply, err := c.writeCommand(m, chunk); err != nil || !reply.IsZero() {
			return reply, err
		}
		if _, reply, err := c.readContinuation(m.tag); err != nil || !reply.IsZero() {
			return reply, err
		}
	}
	return ServerReply{}, nil
}

// writeCommand sends octets of a command. A server may state a reason before it closes
// the connection, so a reply is read even after a write error.
func (c *imapConn) writeCommand(m *commandBuilder, b []byte) (ServerReply, error) {
	_, err := c.rw.Write(b)
	if err == nil {
		return ServerReply{}, nil
	}
	err = c.explainError(err)
	c.awaitLastReply()
	if reply, readErr := c.readAnswer(m.tag); readErr == nil && reply.Status != "OK" {
		return reply, nil
	}
	return ServerReply{}, err
}

// awaitLastReply allows a little time to read the server's last responses.
func (c *imapConn) awaitLastReply() {
	_ = c.raw.SetReadDeadline(time.Now().Add(min(c.patience, time.Second))) // as in allow
}

// readAnswer reads up to the reply to a command. If the server sent BYE and closed
// the connection, that is the reply.
func (c *imapConn) readAnswer(tag string) (ServerReply, error) {
	for {
		text, reply, err := c.readContinuation(tag)
		if err != nil || !reply.IsZero() {
			return reply, err
		}
		if text != nil {
			return ServerReply{}, fmt.Errorf("%w: it asks for more than the command has", ErrMalformed)
		}
	}
}

// readContinuation reads up to a continuation request (then text is not nil) or the reply
// to the command.
func (c *imapConn) readContinuation(tag string) (text []byte, reply ServerReply, err error) {
	for {
		got, err := c.readResponse()
		switch {
		case err != nil && !c.bye.IsZero():
			return nil, c.withAlert(c.bye), nil
		case err != nil:
			return nil, ServerReply{}, notEnd(err)
		}
		c.heard = c.cfg.now()
		switch got.tag {
		case "*":
			c.handleUntagged(got.rest)
		case "+":
			return append([]byte{}, bytes.TrimSpace(got.rest)...), ServerReply{}, nil
		case tag:
			reply, ok := c.parseStatus(got.rest)
			if !ok || reply.Status == "PREAUTH" || reply.Status == "BYE" {
				return nil, ServerReply{}, fmt.Errorf("%w: the answer to a command is neither OK nor NO nor BAD", ErrMalformed)
			}
			return nil, c.withAlert(reply), nil
		default:
			return nil, ServerReply{}, fmt.Errorf("%w: it answers a command that was not sent", ErrMalformed)
		}
	}
}

// withAlert adds the alert that the server sent with its refusal.
func (c *imapConn) withAlert(r ServerReply) ServerReply {
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
