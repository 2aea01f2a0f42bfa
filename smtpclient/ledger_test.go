package smtpclient_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
)

// ledger is a server with an exact record. The addresses control it: a local part that begins with
// "no" is refused, "later" deferred, "bye" answered with 421 and a closed connection; messages
// from sender "body" are refused. It keeps a transaction open whose BDAT failed, as RFC 3030
// allows.
//
// It can be cut off after any octet of either side. It still processes all input received until
// then, like a server whose replies are lost.
type ledger struct {
	caps []string
	lmtp bool
	cut  cut
	// holds says that no reply is sent before the client has sent everything: to the client it
	// looks like a server behind a slow link.
	holds    bool
	stays    bool // after a 421
	stubborn bool // refuses RSET, and doesn't end a failed transaction

	mu    sync.Mutex
	whole map[string]bool     // subjects of completely received messages
	books map[string][]string // subject -> recipients for which it was accepted
	wrong []string            // violations by the client
}

func newLedger(caps ...string) *ledger {
	return &ledger{caps: caps, cut: uncut, whole: map[string]bool{}, books: map[string][]string{}}
}

// cutConn is a connection that ends after a number of octets.
type cutConn struct {
	net.Conn
	cut            cut
	received, sent int
	dead           bool
	holds          bool
	held           []byte
}

var errCut = errors.New("cut")

func (c *cutConn) Read(p []byte) (int, error) {
	if c.holds && len(c.held) > 0 {
		held := c.held
		c.held = nil
		if _, err := c.say(held); err != nil {
			return 0, io.EOF
		}
	}
	if c.dead {
		return 0, io.EOF
	}
	if c.cut.received == 0 {
		c.end()
		return 0, io.EOF
	}
	if c.cut.received > 0 {
		p = p[:min(len(p), c.cut.received-c.received)]
	}
	n, err := c.Conn.Read(p)
	if c.received += n; c.received == c.cut.received {
		c.end()
	}
	return n, err
}

func (c *cutConn) Write(p []byte) (int, error) {
	if c.holds {
		c.held = append(c.held, p...)
		return len(p), nil
	}
	return c.say(p)
}

func (c *cutConn) say(p []byte) (int, error) {
	if c.dead {
		return 0, errCut
	}
	if c.cut.sent >= 0 && c.sent+len(p) >= c.cut.sent {
		p = p[:c.cut.sent-c.sent]
		_, _ = c.Conn.Write(p)
		c.end()
		return 0, errCut
	}
	n, err := c.Conn.Write(p)
	c.sent += n
	if err != nil {
		c.end()
	}
	return n, err
}

func (c *cutConn) end() {
	c.dead = true
	_ = c.Conn.Close()
}

// session is the state of one connection.
type session struct {
	l      *ledger
	r      *bufio.Reader
	conn   *cutConn
	open   bool
	from   string
	to     []string
	failed bool // a BDAT of this transaction was refused
	quit   bool
}

func (l *ledger) serve(conn net.Conn) {
	c := &cutConn{Conn: conn, cut: l.cut, holds: l.holds}
	s := &session{l: l, conn: c, r: bufio.NewReader(c)}
	s.say("220 ledger")
	for over := false; !over; over = s.command() && (!l.stays || c.dead || s.quit) {
	}
	// So that the client sees an end and not a reset.
	if c.holds && len(c.held) > 0 {
		_, _ = c.say(c.held)
	}
	c.end()
}

func (s *session) say(reply string) { _, _ = io.WriteString(s.conn, reply+"\r\n") }

func (s *session) wrong(format string, args ...any) {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	s.l.wrong = append(s.l.wrong, fmt.Sprintf(format, args...))
}

// command handles one command and reports whether the session is over.
func (s *session) command() (over bool) {
	line, err := s.r.ReadString('\n')
	if err != nil {
		s.quit = true
		return true
	}
	verb, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	switch verb {
	case "EHLO", "LHLO":
		s.say("250-ledger\r\n250-" + strings.Join(append(s.l.caps, "X"), "\r\n250-") + "\r\n250 END")
	case "MAIL":
		return s.mail(rest)
	case "RCPT":
		return s.rcpt(rest)
	case "DATA":
		return s.data()
	case "BDAT":
		return s.bdat(rest)
	case "RSET":
		if s.l.stubborn {
			s.say("502 5.5.1 no")
			return false
		}
		s.clear()
		s.say("250 reset")
	case "QUIT":
		s.say("221 bye")
		s.quit = true
		return true
	default:
		s.wrong("said %q", line)
		s.say("500 what")
	}
	return false
}

func (s *session) clear() { s.open, s.from, s.to, s.failed = false, "", nil, false }

// verdict returns the reply that an address requests.
func verdict(path string) (reply string, closing bool) {
	address := strings.TrimLeft(path[strings.IndexByte(path, '<')+1:], "")
	switch {
	case strings.HasPrefix(address, "no"):
		return "550 5.1.1 no", false
	case strings.HasPrefix(address, "later"):
		return "450 4.2.1 later", false
	case strings.HasPrefix(address, "bye"):
		return "421 4.3.2 closing", true
	}
	return "250 ok", false
}

func (s *session) mail(rest string) bool {
	if s.open {
		s.wrong("MAIL %s inside a transaction from %s", rest, s.from)
		s.say("503 5.5.1 nested MAIL command")
		return false
	}
	reply, closing := verdict(rest)
	s.say(reply)
	if reply[0] == '2' {
		s.open, s.from = true, rest
	}
	return closing
}

func (s *session) rcpt(rest string) bool {
	if !s.open {
		s.say("503 5.5.1 need MAIL")
		return false
	}
	reply, closing := verdict(rest)
	s.say(reply)
	if reply[0] == '2' {
		s.to = append(s.to, rest[strings.IndexByte(rest, '<')+1:strings.IndexByte(rest, '>')])
	}
	return closing
}

func (s *session) data() bool {
	if len(s.to) == 0 {
		s.say("503 5.5.1 need RCPT")
		return false
	}
	s.say("354 go")
	message, err := readDots(s.r)
	if err != nil {
		return true
	}
	over := s.message(message)
	s.clear()
	return over
}

func (s *session) bdat(rest string) bool {
	n, err := strconv.Atoi(strings.TrimSuffix(rest, " LAST"))
	if err != nil {
		s.wrong("BDAT %s", rest)
		return true
	}
	chunk := make([]byte, n)
	if _, err := io.ReadFull(s.r, chunk); err != nil {
		return true
	}
	if len(s.to) == 0 || s.failed {
		s.take(string(chunk), nil)
		s.say("554 5.5.1 no valid recipients")
		return false
	}
	s.failed = true
	over := s.message(string(chunk))
	if !s.failed {
		s.clear()
	}
	return over
}

// message decides about a whole message and replies.
func (s *session) message(message string) (over bool) {
	reply, replies := "250 2.0.0 queued", 1
	if s.l.lmtp {
		replies = len(s.to)
	}
	switch {
	case strings.Contains(s.from, "<body"):
		s.take(message, nil)
		reply = "554 5.6.0 no such words"
	case strings.Contains(s.from, "<last"):
		s.take(message, nil)
		reply, replies, over = "421 4.3.2 closing", 1, true
	default:
		s.take(message, s.to)
		s.failed = false
	}
	for range replies {
		s.say(reply)
	}
	return over
}

// take records a message.
func (s *session) take(message string, to []string) {
	subject, _, _ := strings.Cut(strings.TrimPrefix(message, "Subject: "), "\r\n")
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	s.l.whole[subject] = true
	s.l.books[subject] = append(s.l.books[subject], to...)
}
