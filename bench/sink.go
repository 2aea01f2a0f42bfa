package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
)

// sink is an SMTP server that takes every message and keeps it, so that what
// arrived can be checked once the clock has stopped. It does as little as a
// server can: the same for every contender.
type sink struct {
	listener net.Listener
	chunking bool

	connections sync.WaitGroup
	mu          sync.Mutex
	open        map[net.Conn]bool
	taken       []taken
	failures    []error
}

// taken is one message as it arrived.
type taken struct {
	from       string
	recipients int
	data       []byte
}

// startSink listens on a free loopback port. It offers PIPELINING, and
// CHUNKING if asked to.
func startSink(chunking bool) (*sink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the sink: %w", err)
	}
	s := &sink{listener: listener, chunking: chunking, open: map[net.Conn]bool{}}
	s.connections.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return // closed
			}
			s.mu.Lock()
			s.open[connection] = true
			s.mu.Unlock()
			s.connections.Go(func() { s.serve(connection) })
		}
	})
	return s, nil
}

func (s *sink) address() string { return s.listener.Addr().String() }

// take returns what arrived since the last call, and the first failure of a
// connection.
func (s *sink) take() ([]taken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	messages, failures := s.taken, s.failures
	s.taken, s.failures = nil, nil
	return messages, errors.Join(failures...)
}

func (s *sink) close() {
	s.listener.Close()
	s.mu.Lock()
	for connection := range s.open {
		connection.Close()
	}
	s.mu.Unlock()
	s.connections.Wait()
}

func (s *sink) serve(connection net.Conn) {
	c := &sinkConnection{sink: s, in: bufio.NewReaderSize(connection, 64<<10), out: bufio.NewWriter(connection)}
	err := c.converse()
	connection.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, connection)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		s.failures = append(s.failures, fmt.Errorf("sink: %w", err))
	}
}

// sinkConnection is one conversation.
type sinkConnection struct {
	sink    *sink
	in      *bufio.Reader
	out     *bufio.Writer
	message taken
}

// reply holds an answer back while commands wait to be read, so that answers
// to a pipelined group leave together (RFC 2920 section 3.2).
func (c *sinkConnection) reply(line string) error {
	if _, err := c.out.WriteString(line + "\r\n"); err != nil {
		return err
	}
	if c.in.Buffered() > 0 {
		return nil
	}
	return c.out.Flush()
}

func (c *sinkConnection) converse() error {
	err := c.reply("220 sink.example ESMTP")
	for err == nil {
		var line []byte
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return err
		}
		command := string(bytes.TrimRight(line, "\r\n"))
		verb, arguments, _ := strings.Cut(command, " ")
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			err = c.reply(c.capabilities())
		case "MAIL":
			c.message = taken{from: arguments}
			err = c.reply("250 ok")
		case "RCPT":
			c.message.recipients++
			err = c.reply("250 ok")
		case "DATA":
			err = c.data()
		case "BDAT":
			err = c.chunk(arguments)
		case "RSET":
			c.message = taken{}
			err = c.reply("250 ok")
		case "NOOP":
			err = c.reply("250 ok")
		case "QUIT":
			if err := c.reply("221 bye"); err != nil {
				return err
			}
			return c.out.Flush()
		default:
			return fmt.Errorf("unexpected command %q", command)
		}
	}
	return err
}

func (c *sinkConnection) capabilities() string {
	lines := []string{"250-sink.example", "250-PIPELINING", "250-8BITMIME"}
	if c.sink.chunking {
		lines = append(lines, "250-CHUNKING")
	}
	return strings.Join(append(lines, "250 SIZE 0"), "\r\n")
}

func (c *sinkConnection) data() error {
	if c.message.recipients == 0 {
		return c.reply("503 no recipients")
	}
	if err := c.reply("354 go on"); err != nil {
		return err
	}
	// Whatever was held back must be out before the client says more.
	if err := c.out.Flush(); err != nil {
		return err
	}
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("in the middle of a message: %w", noEOF(err))
		}
		if line[0] == '.' {
			if bytes.Equal(line, []byte(".\r\n")) {
				return c.keep()
			}
			line = line[1:]
		}
		c.message.data = append(c.message.data, line...)
	}
}

func (c *sinkConnection) chunk(arguments string) error {
	size, last, _ := strings.Cut(arguments, " ")
	n, err := strconv.Atoi(size)
	if err != nil || !c.sink.chunking || n < 0 {
		return fmt.Errorf("unexpected BDAT %q", arguments)
	}
	start := len(c.message.data)
	c.message.data = append(c.message.data, make([]byte, n)...)
	if _, err := io.ReadFull(c.in, c.message.data[start:]); err != nil {
		return fmt.Errorf("in the middle of a chunk: %w", noEOF(err))
	}
	if !strings.EqualFold(last, "LAST") {
		return c.reply("250 ok")
	}
	return c.keep()
}

func (c *sinkConnection) keep() error {
	c.sink.mu.Lock()
	c.sink.taken = append(c.sink.taken, c.message)
	c.sink.mu.Unlock()
	c.message = taken{}
	return c.reply("250 ok")
}

// noEOF makes the end of a connection a failure where a client may not go.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
