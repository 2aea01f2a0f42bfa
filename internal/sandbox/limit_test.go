package sandbox

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/smtp"
)

// hello returns a client on a cleartext connection after EHLO.
func hello(t testing.TB, s *Server) *client {
	t.Helper()
	c := dial(t, s, s.SubmissionAddr())
	c.wantGreeting()
	c.want("250", "EHLO client.example")
	return c
}

// message sends one message and reads its reply.
func (c *client) message(prefix, to string) {
	c.t.Helper()
	c.want("250", "MAIL FROM:<me@example.org>")
	c.want("250", "RCPT TO:<"+to+">")
	c.want("354", "DATA")
	c.want(prefix, "Subject: x", "", "x", ".")
}

func TestLimitsAreOfferedAndEnforced(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Limits: smtp.Limits{Transactions: 3, Recipients: 3, RecipientsDomains: 2}})
	c := dial(t, s, s.SubmissionAddr())
	c.wantGreeting()
	if a := c.want("250", "EHLO client.example"); !strings.Contains(a.raw, "LIMITS MAILMAX=3 RCPTMAX=3 RCPTDOMAINMAX=2\r\n") {
		t.Errorf("offered %q", a.raw)
	}
	c.want("250", "MAIL FROM:<me@example.org>")
	c.want("250", "RCPT TO:<a@one.example>")
	c.want("250", "RCPT TO:<a@Two.example>")
	c.want("452 4.5.3", "RCPT TO:<a@three.example>") // the third domain; although refused, it counts for RCPTMAX
	c.want("452 4.5.3", "RCPT TO:<b@one.example>")
	c.want("250", "RSET")
	c.want("553", "MAIL FROM:<mail-553@example.org>") // a refused MAIL counts for MAILMAX
	c.want("250", "MAIL FROM:<me@example.org>")
	c.want("250", "RSET")
	c.want("421 4.7.0 Too many messages", "MAIL FROM:<me@example.org>")
	c.wantEnd()
	wantViolations(t, s, "RCPTDOMAINMAX is 2", "RCPTMAX is 3", "MAIL number 4, MAILMAX is 3")
}

// A client that said HELO has not seen the limits.
func TestLimitsNotTold(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Limits: smtp.Limits{Transactions: 1}})
	c := dial(t, s, s.SubmissionAddr())
	c.wantGreeting()
	c.want("250", "HELO client.example")
	c.message("250", "a@example.com")
	c.message("250", "a@example.com")
	wantViolations(t, s)
}

func TestMessagesPerConnection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		profile, reply, want string
		ends                 bool
	}{
		{Plain, "", "421 4.7.0 Too many messages in this connection", true},
		{Plain, "452 4.3.2 Too many messages in this connection", "452 4.3.2 Too many", false},
		{"netease", "", "450 MI:DMC 163 smtp10,", false},
	} {
		s := start(t, Config{Profile: test.profile, MessagesPerConnection: Bound{Max: 2, Reply: test.reply}})
		me := "me@" + s.profile.domain
		for range 2 { // each connection has its own count
			c := login(t, s, me)
			for range 2 {
				c.want("250", "MAIL FROM:<"+me+">")
				c.want("250", "RCPT TO:<a@example.com>")
				c.want("354", "DATA")
				c.want("250", "From: "+me, "To: a@example.com", "Subject: x", "", "x", ".")
			}
			c.want(test.want, "MAIL FROM:<"+me+">")
			if test.ends {
				c.wantEnd()
			} else {
				c.want("221", "QUIT")
			}
		}
		if s.Received() != 4 {
			t.Errorf("%d messages", s.Received())
		}
		wantViolations(t, s)
	}
}

func TestConnectionsAtOnceAtTheGreeting(t *testing.T) {
	t.Parallel()
	for profile, want := range map[string]string{Plain: "421 4.7.0 Too many connections", "netease": "421 HL:ICC 163 smtp10,"} {
		s := start(t, Config{Profile: profile, ConnectionsAtOnce: Bound{Max: 1}})
		first := hello(t, s)
		second := dial(t, s, s.SubmissionAddr())
		if a := second.read(patient); !strings.HasPrefix(a.raw, want) {
			t.Errorf("greeted %q, want %q", a.raw, want)
		}
		second.wantEnd()
		second.conn.Close()
		first.want("221", "QUIT")
		first.conn.Close()
		idle(t, s)
		hello(t, s)
	}
}

// QUIRK: Microsoft 365 - sends 432 at the end of the message.
func TestConnectionsAtOnceAtTheMessage(t *testing.T) {
	t.Parallel()
	s := start(t, Config{ConnectionsAtOnce: Bound{Max: 1, Reply: "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"}})
	first, second := hello(t, s), hello(t, s)
	first.message("250", "a@example.com")
	second.message("432 4.3.2 STOREDRV", "a@example.com")
	first.want("221", "QUIT")
	first.wantEnd()
	first.conn.Close()
	connections(t, s, 1)
	second.message("250", "a@example.com")
	if s.Received() != 2 {
		t.Errorf("%d messages", s.Received())
	}
}

// connections waits until n connections are open.
func connections(t testing.TB, s *Server, n int) {
	t.Helper()
	for {
		s.mu.Lock()
		open, changed := len(s.conns), s.ended
		s.mu.Unlock()
		if open == n {
			return
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatalf("%d connections are open", open)
		}
	}
}

func idle(t testing.TB, s *Server) {
	t.Helper()
	if err := s.WaitIdle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// hand is a clock that the test sets.
type hand struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hand) time() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func TestMessageRate(t *testing.T) {
	t.Parallel()
	clock := &hand{now: time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)}
	s := start(t, Config{Now: clock.time, MessageRate: Rate{Bound: Bound{Max: 2}, Window: time.Minute}})
	one, two := hello(t, s), hello(t, s)
	one.message("250", "a@example.com")
	clock.move(30 * time.Second)
	two.message("250", "a@example.com")
	one.want("450 4.7.1 Too many messages", "MAIL FROM:<me@example.org>")
	clock.move(29 * time.Second)
	two.want("450 4.7.1", "MAIL FROM:<me@example.org>")
	clock.move(time.Second) // the first message is a minute old
	two.message("250", "a@example.com")
	one.want("450 4.7.1", "MAIL FROM:<me@example.org>")
	wantViolations(t, s)
}

func TestLimitsOfTheConfigAreChecked(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"negative LIMITS":      {Limits: smtp.Limits{Recipients: -1}},
		"LIMITS beyond digits": {Limits: smtp.Limits{Transactions: 1_000_000}},
		"negative bound":       {MessagesPerConnection: Bound{Max: -1}},
		"no reply":             {ConnectionsAtOnce: Bound{Max: 1, Reply: "too many"}},
		"a positive reply":     {MessagesPerConnection: Bound{Max: 1, Reply: "250 ok"}},
		"two lines":            {MessagesPerConnection: Bound{Max: 1, Reply: "421-a\r\n421 b"}},
		"no window":            {MessageRate: Rate{Bound: Bound{Max: 1}}},
		"no such quirk":        {Quirks: []Quirk{"lunch"}},
	} {
		if s, err := Start(cfg); err == nil {
			s.Close()
			t.Errorf("%s was accepted", name)
		}
	}
}

// wantViolations compares all violations with texts, in order.
func wantViolations(t *testing.T, s *Server, texts ...string) {
	t.Helper()
	got := s.Violations()
	ok := len(got) == len(texts)
	for i := 0; ok && i < len(got); i++ {
		ok = strings.Contains(got[i].Text, texts[i])
	}
	if !ok {
		t.Errorf("violations %v, want %q", got, texts)
	}
}

// A server without ports takes connections from its caller.
func TestServe(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoPorts: true})
	if s.SubmissionAddr()+s.TLSAddr()+s.LMTPAddr() != "" {
		t.Errorf("it listens on %q", s.SubmissionAddr())
	}
	near, far := net.Pipe()
	defer near.Close()
	s.Serve(far)
	c := &client{t: t, s: s, conn: near, in: bufio.NewReader(near)}
	c.wantGreeting()
	if a := c.want("250", "EHLO client.example"); strings.Contains(a.raw, "STARTTLS") {
		t.Errorf("offered %q", a.raw)
	}
	c.message("250", "a@example.com")
	c.want("221", "QUIT")
	if s.Received() != 1 || len(s.Connections()) != 1 {
		t.Errorf("%d messages on %d connections", s.Received(), len(s.Connections()))
	}
}
