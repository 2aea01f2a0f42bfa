package main

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

const largeMessage = 1 << 20 // from this size on, the sink's one large buffer is used

// conversation is one connection to the sink.
type conversation struct {
	sink       *sink
	connection net.Conn
	protection protection
	resumed    bool
	loggedIn   bool
	kept       int

	buffer  []byte // for one read
	pending []byte // the unused rest of the read, in buffer
	replies []byte // not yet sent
	message taken
}

func (c *conversation) hold() error {
	c.buffer = make([]byte, 64<<10)
	if c.protection == fromStart {
		if err := c.encrypt(); err != nil {
			return err
		}
	}
	c.reply("220 sink.example ESMTP")
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		verb, arguments, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			c.reply(c.capabilities())
		case "STARTTLS":
			err = c.startTLS()
		case "AUTH":
			err = c.logIn(arguments)
		case "MAIL":
			err = c.mail()
		case "RCPT":
			c.message.recipients++
			c.reply("250 ok")
		case "DATA":
			err = c.data()
		case "BDAT":
			err = c.chunk(arguments)
		case "RSET":
			c.message = taken{}
			c.reply("250 ok")
		case "NOOP":
			c.reply("250 ok")
		case "QUIT":
			c.reply("221 bye")
			return c.flush()
		default:
			return fmt.Errorf("unexpected command %q", line)
		}
		if err != nil {
			return err
		}
	}
}

// reply delays an answer until there is no more input, so that answers to a
// pipelined group are sent together (RFC 2920 section 3.2).
func (c *conversation) reply(line string) { c.replies = append(append(c.replies, line...), '\r', '\n') }

func (c *conversation) flush() error {
	if len(c.replies) == 0 {
		return nil
	}
	_, err := c.connection.Write(c.replies)
	c.replies = c.replies[:0]
	return err
}

// read waits for more input, after sending all pending answers.
func (c *conversation) read(p []byte) (int, error) {
	if err := c.flush(); err != nil {
		return 0, err
	}
	return c.connection.Read(p)
}

// line returns the next command, without its line end.
func (c *conversation) line() (string, error) {
	for {
		if end := bytes.IndexByte(c.pending, '\n'); end >= 0 {
			line := string(bytes.TrimRight(c.pending[:end], "\r"))
			c.pending = c.pending[end+1:]
			return line, nil
		}
		if len(c.pending) == len(c.buffer) {
			return "", errors.New("an endless line")
		}
		// The rest of a line moves to the beginning of the buffer.
		held := copy(c.buffer, c.pending)
		n, err := c.read(c.buffer[held:])
		c.pending = c.buffer[:held+n]
		if n == 0 && err != nil {
			return "", err
		}
	}
}

func (c *conversation) encrypt() error {
	connection := tls.Server(c.connection, c.sink.config)
	c.connection = connection
	if err := connection.Handshake(); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	c.resumed = connection.ConnectionState().DidResume
	return nil
}

func (c *conversation) encrypted() bool {
	_, ok := c.connection.(*tls.Conn)
	return ok
}

func (c *conversation) startTLS() error {
	if c.protection != startTLS || c.encrypted() || len(c.pending) > 0 {
		return errors.New("unexpected STARTTLS")
	}
	c.reply("220 go on")
	if err := c.flush(); err != nil {
		return err
	}
	return c.encrypt()
}

func (c *conversation) logIn(arguments string) error {
	mechanism, initial, has := strings.Cut(arguments, " ")
	if !strings.EqualFold(mechanism, "PLAIN") || !c.encrypted() {
		return fmt.Errorf("unexpected AUTH %s", mechanism)
	}
	if !has {
		c.reply("334 ")
		var err error
		if initial, err = c.line(); err != nil {
			return err
		}
	}
	if initial != base64.StdEncoding.EncodeToString([]byte("\x00"+userName+"\x00"+password)) {
		return errors.New("a wrong password")
	}
	c.loggedIn = true
	c.reply("235 welcome")
	return nil
}

func (c *conversation) capabilities() string {
	lines := []string{"250-sink.example", "250-PIPELINING", "250-8BITMIME"}
	if c.sink.chunking {
		lines = append(lines, "250-CHUNKING")
	}
	switch {
	case c.encrypted():
		lines = append(lines, "250-AUTH PLAIN")
	case c.protection == startTLS:
		lines = append(lines, "250-STARTTLS")
	}
	return strings.Join(append(lines, "250 SIZE 0"), "\r\n")
}

func (c *conversation) mail() error {
	if c.protection != inClear && !c.loggedIn {
		return errors.New("MAIL without AUTH")
	}
	c.message = taken{}
	c.reply("250 ok")
	return nil
}

// data reads the message to its end, directly into its final memory.
func (c *conversation) data() error {
	if c.message.recipients == 0 {
		c.reply("503 no recipients")
		return nil
	}
	c.reply("354 go on")
	// With the line end of DATA in front, an empty message's end is found too.
	data := append(make([]byte, 0, max(8<<10, 2*len(c.pending))), "\r\n"...)
	data = append(data, c.pending...)
	c.pending = nil
	end := []byte("\r\n.\r\n")
	for searched := 0; ; {
		if at := bytes.Index(data[searched:], end); at >= 0 {
			at += searched
			c.pending = c.buffer[:copy(c.buffer, data[at+len(end):])]
			c.message.data, c.message.stuffed = data[2:at+2], true
			c.keep()
			return nil
		}
		searched = max(0, len(data)-len(end)+1)
		if len(data) == cap(data) {
			data = c.grow(data)
		}
		n, err := c.read(data[len(data):min(cap(data), len(data)+len(c.buffer))])
		data = data[:len(data)+n]
		if n == 0 && err != nil {
			return fmt.Errorf("in the middle of a message: %w", noEOF(err))
		}
	}
}

// grow moves a message to a larger buffer.
func (c *conversation) grow(data []byte) []byte {
	if len(data) < largeMessage {
		return append(make([]byte, 0, 4*cap(data)), data...)
	}
	return append(c.sink.room(2*cap(data)), data...)
}

func (c *conversation) chunk(arguments string) error {
	size, last, _ := strings.Cut(arguments, " ")
	n, err := strconv.Atoi(size)
	if err != nil || !c.sink.chunking || n < 0 || c.message.recipients == 0 {
		return fmt.Errorf("unexpected BDAT %q", arguments)
	}
	data := c.message.data
	if cap(data)-len(data) < n {
		bigger := c.room(len(data)+n, len(data) > 0)
		data = append(bigger, data...)
	}
	start := len(data)
	data = data[:start+n]
	held := copy(data[start:], c.pending)
	c.pending = c.pending[held:]
	for start += held; start < len(data); {
		got, err := c.read(data[start:])
		start += got
		if got == 0 && err != nil {
			return fmt.Errorf("in the middle of a chunk: %w", noEOF(err))
		}
	}
	c.message.data = data
	if !strings.EqualFold(last, "LAST") {
		c.reply("250 ok")
		return nil
	}
	c.keep()
	return nil
}

// room returns memory for a chunk; more means that others will follow.
func (c *conversation) room(size int, more bool) []byte {
	if more {
		size *= 2
	}
	if size < largeMessage {
		return make([]byte, 0, size)
	}
	return c.sink.room(size)
}

func (c *conversation) keep() {
	c.sink.mu.Lock()
	c.sink.taken = append(c.sink.taken, c.message)
	c.sink.mu.Unlock()
	c.message = taken{}
	c.kept++
	c.reply("250 ok")
}

// noEOF makes io.EOF an error at a point where a client must not disconnect.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
