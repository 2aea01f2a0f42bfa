package sandbox

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/yanmail/yan/smtp"
)

// maxKept limits the messages in memory, in octets; the oldest are dropped
// first.
const maxKept = 512 << 20

// Message is a message that the server took responsibility for.
type Message struct {
	Conn int    // the connection, counted from 1
	ID   string // the queue id of its reply
	Time time.Time
	// TLS reports whether it came over an encrypted connection.
	TLS bool
	// Login is the account, "" without AUTH.
	Login string
	// From is the reverse-path, "" for "<>"; To are the accepted recipients.
	From string
	To   []string
	// Repeated counts the RCPTs that repeat an address; the recipient still
	// gets the message once.
	Repeated int
	// MailParams are the parameters of MAIL, keys in upper case; RcptParams
	// those of each RCPT, in the order of To.
	MailParams map[string]string
	RcptParams []map[string]string
	// Chunked reports whether it came with BDAT instead of DATA.
	Chunked bool
	// Data is the message as received, with CRLF line ends, without the dots
	// that the client added for transparency and without the final dot.
	Data []byte
}

// Violation is a breach of the rules by the client.
type Violation struct {
	Conn  int // the connection, counted from 1
	Stage smtp.Stage
	Text  string
}

// String returns the violation as one line.
func (v Violation) String() string {
	return fmt.Sprintf("connection %d, %s: %s", v.Conn, v.Stage, v.Text)
}

// Connection holds the statistics of one connection.
type Connection struct {
	ID      int // counts from 1
	TLS     bool
	Resumed bool // the TLS session was resumed
	Login   string
	// Turns counts the flights of the client: input that came after the server
	// had answered everything before and had no unread input. A client that
	// waits for a reply is always counted; a flight split into several writes
	// may be counted once for each.
	Turns    int
	Commands int
	Messages int // accepted
	Open     bool
}

// messageStore keeps messages, violations and statistics; all sessions share it.
type messageStore struct {
	mu         sync.Mutex
	messages   []Message
	kept       int // octets in messages
	received   int
	changed    chan struct{} // closed and replaced when a message comes
	violations []Violation
	conns      []*Connection
	limit      int // on kept
	discard    bool
	maildir    *maildir
	committed  func(Message)
}

func newStore(cfg Config) *messageStore {
	s := &messageStore{changed: make(chan struct{}), limit: maxKept, discard: cfg.Discard, committed: cfg.Committed}
	if cfg.Maildir != "" {
		s.maildir = &maildir{root: cfg.Maildir}
	}
	return s
}

// keepMessage stores a message; its error comes from the Maildir.
func (s *messageStore) keepMessage(m Message) error {
	if s.maildir != nil {
		if err := s.maildir.deliver(m); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received++
	if s.committed != nil {
		s.committed(m)
	}
	if !s.discard {
		s.messages = append(s.messages, m)
		s.kept += len(m.Data)
		for s.kept > s.limit && len(s.messages) > 1 {
			s.kept -= len(s.messages[0].Data)
			s.messages = s.messages[1:]
		}
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// waitMessages returns when n messages were received in total.
func (s *messageStore) waitMessages(ctx context.Context, n int) ([]Message, error) {
	for {
		s.mu.Lock()
		received, changed := s.received, s.changed
		s.mu.Unlock()
		if received >= n {
			return s.listMessages(), nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return s.listMessages(), fmt.Errorf("wait for %d messages, %d came: %w", n, received, ctx.Err())
		}
	}
}

func (s *messageStore) listMessages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// maxViolations limits the memory that a faulty client can fill.
const maxViolations = 1000

func (s *messageStore) violation(v Violation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.violations) < maxViolations {
		s.violations = append(s.violations, v)
	}
}

// maxConnections limits the statistics; the oldest are dropped first.
const maxConnections = 10_000

func (s *messageStore) connect(id int) *Connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &Connection{ID: id, Open: true}
	if len(s.conns) == maxConnections {
		s.conns = s.conns[1:]
	}
	s.conns = append(s.conns, c)
	return c
}

// updateConnection changes a connection's statistics.
func (s *messageStore) updateConnection(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}
