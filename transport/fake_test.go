package transport

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// fake is a server at the other end of a pipe, controlled by the test. The messages are
// distinguished by their senders: m0@example.org is the sender of message 0.
type fake struct {
	caps []string
	// answer returns the reply; "bye " before it makes the server hang up after it, "cut" hangs
	// up without a reply, "lost" stays silent. "" is the usual reply. At BODY and BDAT "cut
	// after" accepts the message and hangs up.
	answer func(ask) string
	// refuse, if set, returns the error of dialling a connection.
	refuse func(connection int) error

	mu          sync.Mutex
	connections int // connections opened so far
	open        map[net.Conn]bool
	dialled     int // open on the client's side
	most        int // maximum open at the same time
	serving     sync.WaitGroup
	ledger      []entry
}

// ask is a command that needs a reply.
type ask struct {
	connection int    // from 1
	message    int    // number of earlier MAILs on this connection
	recipient  int    // number of earlier RCPTs in this transaction
	verb       string // CONNECT for the greeting, BODY for the end of DATA
	line       string
	from       string // local part of the sender
	ahead      bool   // more input was available when it was read
}

// entry is a message that the server accepted.
type entry struct {
	connection int
	from       string // local part of the sender
	to         []string
	data       string
}

func (f *fake) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.connections++
	if f.refuse != nil {
		if err := f.refuse(f.connections); err != nil {
			return nil, err
		}
	}
	if f.open == nil {
		f.open = map[net.Conn]bool{}
	}
	client, server := net.Pipe()
	f.open[server] = true
	f.dialled++
	f.most = max(f.most, f.dialled)
	s := &fakeSession{f: f, conn: server, r: bufio.NewReaderSize(server, 64<<10), at: ask{connection: f.connections}}
	f.serving.Go(func() {
		s.serve()
		server.Close()
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.open, server)
	})
	return &fakeClient{Conn: client, f: f}, nil
}

// fakeClient counts the client's open connections.
type fakeClient struct {
	net.Conn
	f      *fake
	closed sync.Once
}

func (c *fakeClient) Close() error {
	c.closed.Do(func() {
		c.f.mu.Lock()
		defer c.f.mu.Unlock()
		c.f.dialled--
	})
	return c.Conn.Close()
}

// hangUp cuts all connections.
func (f *fake) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.open {
		conn.Close()
	}
}

func (f *fake) took() []entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]entry(nil), f.ledger...)
}

// fakeSession is one connection.
type fakeSession struct {
	f       *fake
	conn    net.Conn
	r       *bufio.Reader
	at      ask
	to      []string
	mailed  bool // a transaction is open
	started int  // number of MAILs
}

func (s *fakeSession) serve() {
	if !s.reply("CONNECT", "", "220 fake") {
		return
	}
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return
		}
		s.at.ahead = s.r.Buffered() > 0
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		if !s.command(verb, rest, line) {
			return
		}
	}
}

// command handles a command; false ends the connection.
func (s *fakeSession) command(verb, rest, line string) bool {
	yes := "250 ok"
	switch verb {
	case "EHLO":
		yes = "250-fake\r\n"
		for _, c := range s.f.caps {
			yes += "250-" + c + "\r\n"
		}
		yes += "250 X"
	case "MAIL":
		_, rest, _ = strings.Cut(rest, "<")
		s.at.from, _, _ = strings.Cut(rest, "@")
		s.at.message, s.at.recipient = s.started, 0
		s.started++
		s.to = nil
	case "RSET":
		s.mailed = false
	case "RCPT":
		if !s.mailed {
			yes = "503 no sender"
		}
	case "DATA":
		if yes = "354 go"; !s.mailed || len(s.to) == 0 {
			yes = "503 no recipients"
		}
	case "BDAT":
		n, _ := strconv.Atoi(strings.TrimSuffix(rest, " LAST"))
		chunk := make([]byte, n)
		if _, err := io.ReadFull(s.r, chunk); err != nil {
			return false
		}
		if !s.mailed || len(s.to) == 0 {
			yes = "503 no recipients"
		}
		return s.body("BDAT", line, yes, string(chunk))
	case "QUIT":
		_ = s.reply(verb, line, "221 bye")
		return false
	}
	return s.reply(verb, line, yes)
}

// reply sends a positive reply, or the test's reply.
func (s *fakeSession) reply(verb, line, yes string) bool {
	s.at.verb, s.at.line = verb, line
	said := ""
	if s.f.answer != nil && !strings.HasPrefix(yes, "503") {
		said = s.f.answer(s.at)
	}
	switch said {
	case "cut":
		return false
	case "lost": // as if the command had not arrived
		return true
	}
	said, bye := strings.CutPrefix(said, "bye ")
	if said == "" {
		said = yes
	}
	switch good := said[0] == '2'; {
	case verb == "MAIL":
		s.mailed = good
	case verb == "RCPT":
		s.at.recipient++
		if good {
			_, to, _ := strings.Cut(line, "<")
			to, _, _ = strings.Cut(to, ">")
			s.to = append(s.to, to)
		}
	}
	if _, err := io.WriteString(s.conn, said+"\r\n"); err != nil || bye {
		return false
	}
	if said[0] != '3' {
		return true
	}
	var b strings.Builder
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
	return s.body("BODY", "", "250 queued", b.String())
}

// body receives a message and replies.
func (s *fakeSession) body(verb, line, yes, data string) bool {
	s.at.verb, s.at.line = verb, line
	said := yes
	if s.f.answer != nil && yes[0] == '2' {
		if other := s.f.answer(s.at); other != "" {
			said = other
		}
	}
	word := strings.TrimPrefix(said, "bye ")
	if word[0] == '2' || word == "cut after" {
		s.f.mu.Lock()
		s.f.ledger = append(s.f.ledger, entry{s.at.connection, s.at.from, s.to, data})
		s.f.mu.Unlock()
	}
	s.mailed = false
	if word == "cut" || word == "cut after" {
		return false
	}
	if word == "lost" {
		return true
	}
	_, err := io.WriteString(s.conn, word+"\r\n")
	return err == nil && word == said
}

// transport returns a transport to the fake.
func (f *fake) transport(t testing.TB, o Options) *SMTP {
	t.Helper()
	o.LocalName = "client.example.org"
	s, err := Open("smtp+notls://mail.example.org", o)
	if err != nil {
		t.Fatal(err)
	}
	s.cfg.Dialer = f.dial
	t.Cleanup(func() {
		_ = s.Close()
		f.hangUp()
		f.serving.Wait()
	})
	return s
}

// text is a message.
type text string

func (m text) Size() int64         { return int64(len(m)) }
func (m text) EightBit() bool      { return false }
func (m text) NeedsSMTPUTF8() bool { return false }
func (m text) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, string(m))
	return int64(n), err
}

func addr(t testing.TB, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// mails returns n messages, each to the given recipients.
func mails(t testing.TB, n int, to ...string) []smtpclient.Transaction {
	t.Helper()
	if len(to) == 0 {
		to = []string{"a@example.net"}
	}
	var rcpt []smtp.Address
	for _, s := range to {
		rcpt = append(rcpt, addr(t, s))
	}
	list := make([]smtpclient.Transaction, n)
	for i := range list {
		envelope, err := smtp.NewEnvelope(addr(t, fmt.Sprintf("m%d@example.org", i)), rcpt...)
		if err != nil {
			t.Fatal(err)
		}
		list[i] = smtpclient.Transaction{Envelope: envelope, Content: text(fmt.Sprintf("Subject: %d\r\n\r\nhello\r\n", i))}
	}
	return list
}

func each(list []smtpclient.Transaction) iter.Seq[smtpclient.Transaction] {
	return func(yield func(smtpclient.Transaction) bool) {
		for _, t := range list {
			if !yield(t) {
				return
			}
		}
	}
}

// sendAll collects the results, and checks that each place has one.
func sendAll(t testing.TB, ctx context.Context, s *SMTP, list []smtpclient.Transaction) []smtpclient.Result {
	t.Helper()
	results := make([]smtpclient.Result, len(list))
	seen := make([]bool, len(list))
	for i, r := range s.SendAll(ctx, each(list)) {
		if i < 0 || i >= len(list) || seen[i] {
			t.Fatalf("place %d is repeated or invalid", i)
		}
		seen[i], results[i] = true, r
		if len(r.Outcomes) != list[i].Envelope.Len() {
			t.Errorf("message %d: %d outcomes for %d recipients", i, len(r.Outcomes), list[i].Envelope.Len())
		}
	}
	for i, ok := range seen {
		if !ok {
			t.Errorf("message %d has no result", i)
		}
	}
	return results
}

// agrees compares the results with the server's record, recipient by recipient.
func agrees(t testing.TB, f *fake, results []smtpclient.Result) {
	t.Helper()
	copies := map[string]int{}
	for _, e := range f.took() {
		for _, to := range e.to {
			copies[e.from+" "+to]++
		}
	}
	for i, r := range results {
		for _, o := range r.Outcomes {
			n := copies[fmt.Sprintf("m%d %s", i, o.Recipient)]
			right := n == 0
			switch o.Status {
			case smtp.Accepted:
				right = n == 1
			case smtp.Unknown:
				right = n <= 1
			case "":
				right = false
			}
			if !right {
				t.Errorf("message %d: %s, and accepted by the server %d times", i, o, n)
			}
		}
	}
}

// count returns the number of recipients with a status.
func count(results []smtpclient.Result, status smtp.Status) int {
	n := 0
	for _, r := range results {
		for _, o := range r.Outcomes {
			if o.Status == status {
				n++
			}
		}
	}
	return n
}
