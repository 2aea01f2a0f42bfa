package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// sink is an SMTP server that accepts every message and keeps it, so that it
// can be checked after the clock has stopped. It does as little as possible,
// and the same for every contender.
type sink struct {
	chunking  bool
	config    *tls.Config
	listeners map[protection]net.Listener

	connections sync.WaitGroup
	mu          sync.Mutex
	open        map[net.Conn]bool
	taken       []taken
	ended       []connected
	failures    []error
	large       []byte // reused memory for a large message; nil while in use
}

// taken is one message as received; dot-stuffed if it came by DATA.
type taken struct {
	recipients int
	data       []byte
	stuffed    bool
}

// connected is the record of a connection that has ended.
type connected struct {
	Resumed  bool // its TLS session was resumed
	Messages int
}

// startSink listens on free loopback ports: cleartext, STARTTLS with AUTH, and
// TLS from the first byte with AUTH. It offers PIPELINING, and CHUNKING if
// requested.
func startSink(chunking bool, certificate tls.Certificate) (*sink, error) {
	s := &sink{chunking: chunking, config: &tls.Config{Certificates: []tls.Certificate{certificate}},
		listeners: map[protection]net.Listener{}, open: map[net.Conn]bool{}}
	for _, protection := range []protection{inClear, startTLS, fromStart} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.close()
			return nil, fmt.Errorf("start the sink: %w", err)
		}
		s.listeners[protection] = listener
		s.connections.Go(func() { s.accept(listener, protection) })
	}
	return s, nil
}

func (s *sink) accept(listener net.Listener, protection protection) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return // closed
		}
		s.mu.Lock()
		s.open[connection] = true
		s.mu.Unlock()
		s.connections.Go(func() { s.serve(connection, protection) })
	}
}

func (s *sink) addresses() map[protection]string {
	addresses := map[protection]string{}
	for protection, listener := range s.listeners {
		addresses[protection] = listener.Addr().String()
	}
	return addresses
}

// take returns the arrivals since the last call.
func (s *sink) take() arrivals {
	s.mu.Lock()
	messages, a := s.taken, arrivals{Connections: s.ended, Open: len(s.open), Count: len(s.taken)}
	if err := errors.Join(s.failures...); err != nil {
		a.Failure = err.Error()
	}
	s.taken, s.ended, s.failures = nil, nil, nil
	s.mu.Unlock()
	for _, m := range messages {
		a.Messages = append(a.Messages, parseMessage(m))
		s.giveBack(m.data)
	}
	return a
}

// reserve allocates memory for a large message. It touches the memory now, so
// that the first sender does not wait for it.
func (s *sink) reserve(size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cap(s.large) < size {
		s.large = make([]byte, size)
		for i := range s.large {
			s.large[i] = 1
		}
	}
}

// room returns empty memory for a large message of at least this size.
func (s *sink) room(size int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cap(s.large) < size {
		return make([]byte, 0, size)
	}
	large := s.large[:0]
	s.large = nil
	return large
}

func (s *sink) giveBack(data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cap(data) >= largeMessage && cap(data) > cap(s.large) {
		s.large = data
	}
}

func (s *sink) close() {
	for _, listener := range s.listeners {
		listener.Close()
	}
	s.mu.Lock()
	for connection := range s.open {
		connection.Close()
	}
	s.mu.Unlock()
	s.connections.Wait()
}

func (s *sink) serve(connection net.Conn, protection protection) {
	c := &conversation{sink: s, connection: connection, protection: protection}
	err := c.hold()
	c.connection.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, connection)
	s.ended = append(s.ended, connected{Resumed: c.resumed, Messages: c.kept})
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		s.failures = append(s.failures, fmt.Errorf("sink: %w", err))
	}
}
