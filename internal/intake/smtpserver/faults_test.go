package smtpserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/stores"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// breakage is what happens to a connection at a place.
type breakage int

const (
	cut      breakage = iota // the client closes it
	reset                    // with a reset, which loses what is on the way
	halfOpen                 // the client ends its side and still reads
	stopped                  // the server stops
)

// brokenPlace is a breakage after a number of octets of one direction; -1 is never.
type brokenPlace struct {
	how      breakage
	up, down int
}

func (b brokenPlace) String() string {
	return fmt.Sprintf("%s up %d down %d", [...]string{"cut", "reset", "half", "stop"}[b.how], b.up, b.down)
}

// breakingConn is a client's connection that breaks at a place.
type breakingConn struct {
	*net.TCPConn
	place brokenPlace
	stop  func()
}

var errBroken = errors.New("the connection broke")

func (b *breakingConn) happen() {
	switch b.place.how {
	case cut:
		_ = b.Close()
	case reset:
		_ = b.SetLinger(0)
		_ = b.Close()
	case halfOpen:
		_ = b.CloseWrite()
	case stopped:
		b.stop()
	}
}

// Write writes until the place is reached. After a stop of the server, and of one side, the client
// goes on as if nothing had happened.
func (b *breakingConn) Write(p []byte) (n int, err error) {
	if b.place.up < 0 || b.place.up > len(p) {
		b.place.up = max(b.place.up-len(p), -1)
		return b.TCPConn.Write(p)
	}
	n, err = b.TCPConn.Write(p[:b.place.up])
	rest := p[n:]
	b.place.up = -1
	b.happen()
	switch b.place.how {
	case stopped:
		_, _ = b.TCPConn.Write(rest) // it may be refused
		return len(p), nil
	case halfOpen:
		return len(p), nil
	}
	return n, errors.Join(err, errBroken)
}

// Read reads up to the place, and breaks the connection when it is asked for more.
func (b *breakingConn) Read(p []byte) (n int, err error) {
	if b.place.down == 0 {
		b.place.down = -1
		b.happen()
		if b.place.how == cut || b.place.how == reset {
			return 0, errBroken
		}
	}
	if b.place.down > 0 {
		p = p[:min(len(p), b.place.down)]
		defer func() { b.place.down -= n }()
	}
	return b.TCPConn.Read(p)
}

// testMessage is a message of a client, and how it is sent.
type testMessage struct {
	serial    int
	text      string
	recipient string
	hasID     bool
	chunks    int  // 0 sends it with DATA
	pipelined bool // the envelope, or with chunks all, is written at once
}

// opening, the text and its end, as written at once or step by step.
func (m testMessage) steps() []string {
	steps := []string{"EHLO client.test\r\n", "MAIL FROM:<me@example.com>\r\n", "RCPT TO:<" + m.recipient + ">\r\n"}
	if m.chunks == 0 {
		steps = append(steps, "DATA\r\n", strings.TrimPrefix(strings.ReplaceAll("\r\n"+m.text, "\r\n.", "\r\n.."), "\r\n")+".\r\n")
		if m.pipelined {
			steps = []string{steps[0], steps[1] + steps[2] + steps[3], steps[4]}
		}
		return steps
	}
	rest := m.text
	for i := range m.chunks {
		part, last := rest[:len(rest)/(m.chunks-i)], ""
		if rest = rest[len(part):]; i == m.chunks-1 {
			last = " LAST"
		}
		steps = append(steps, fmt.Sprintf("BDAT %d%s\r\n%s", len(part), last, part))
	}
	if m.pipelined {
		steps = []string{steps[0], strings.Join(steps[1:], "")}
	}
	return steps
}

// belief is what a client knows about its message after an attempt.
type belief int

const (
	unsure  belief = iota // no answer: it will send again
	sure                  // 250
	refused               // 5yz
)

// attempt sends a message once. A client that reads a reply it does not expect gives up.
func (m testMessage) attempt(conn io.ReadWriteCloser) (belief, string) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	if said, ok := readReply(r); !ok || !strings.HasPrefix(said, "220 ") {
		return unsure, said
	}
	said := ""
	for i, step := range m.steps() {
		if _, err := io.WriteString(conn, step); err != nil && i < len(m.steps())-1 {
			return unsure, "write: " + err.Error()
		}
		n := 1
		if m.pipelined && i == 1 {
			if n = 2 + m.chunks; m.chunks == 0 {
				n = 3
			}
		}
		for range n {
			var ok bool
			if said, ok = readReply(r); !ok {
				return unsure, said
			}
			switch said[0] {
			case '4':
				return unsure, said
			case '5':
				return refused, said
			}
		}
	}
	_, _ = io.WriteString(conn, "QUIT\r\n") // the message is answered
	if strings.HasPrefix(said, "250 2.0.0 kept as ") && strings.HasSuffix(said, "\r\n") {
		return sure, said
	}
	return unsure, said
}

func readReply(r *bufio.Reader) (last string, ok bool) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return line, false
		}
		if len(line) < 6 || line[3] != '-' {
			return line, len(line) > 5
		}
	}
}

// faultRange carries out courses on one server with a real outbox.
type faultRange struct {
	store    *faultyStore
	server   *Server
	listener *net.TCPListener
	dialing  sync.Mutex
	sessions sync.WaitGroup
	log      *logLines
}

func newFaultRange(t *testing.T, change func(admissionDesk) admissionDesk) *faultRange {
	t.Helper()
	store, err := stores.Open(context.Background(), t.TempDir()+"/outbox.db", outbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &faultRange{store: &faultyStore{Store: store}, log: &logLines{}}
	o := localOptions()
	o.Limits.Connections, o.Limits.PerPeer = 1<<20, 1<<20
	mailbox, err := smtp.ParseAddress("me@example.com")
	if err != nil {
		t.Fatal(err)
	}
	o.Admission = admission.New(admission.Options{Policy: func() admission.Policy { return faultPolicy{mailbox: mailbox} }, Store: f.store, Spool: t.TempDir()})
	f.server = New(o)
	if change != nil {
		f.server.desk = change(f.server.desk)
	}
	if f.listener, err = net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.listener.Close() })
	return f
}

// faultPolicy lets one account send everything.
type faultPolicy struct {
	admission.Policy
	mailbox smtp.Address
}

func (p faultPolicy) Grant(admission.Peer) (admission.Grant, error) {
	every, err := admission.ParsePattern("*")
	return admission.Grant{Account: "work", Mailbox: message.Mailbox{Address: p.mailbox}, From: []admission.Pattern{every}}, err
}
func (p faultPolicy) IsLocalDomain(string) bool { return false }

// faultyStore is an outbox whose answers get lost at random: "full" keeps nothing, "uncertain" has
// kept the message.
type faultyStore struct {
	outbox.Store
	mu   sync.Mutex
	turn int
}

func (s *faultyStore) Enqueue(ctx context.Context, m outbox.NewMessage) (outbox.EnqueueResult, error) {
	s.mu.Lock()
	s.turn++
	turn := s.turn
	s.mu.Unlock()
	switch turn % 20 {
	case 7:
		return outbox.EnqueueResult{}, queue.ErrFull
	case 13:
		if _, err := s.Store.Enqueue(ctx, m); err != nil {
			return outbox.EnqueueResult{}, err
		}
		return outbox.EnqueueResult{}, queue.ErrUncertain
	}
	return s.Store.Enqueue(ctx, m)
}

// connect opens a connection whose session ends when stop is called.
func (f *faultRange) connect(place brokenPlace) (*breakingConn, error) {
	f.dialing.Lock()
	defer f.dialing.Unlock()
	conn, err := net.DialTCP("tcp", nil, f.listener.Addr().(*net.TCPAddr))
	if err != nil {
		return nil, err
	}
	far, err := f.listener.Accept()
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute)) // only if the session hangs
	ctx, stop := context.WithCancel(context.Background())
	f.sessions.Go(func() {
		defer stop()
		f.server.ServeConn(ctx, far)
	})
	return &breakingConn{TCPConn: conn, place: place, stop: stop}, nil
}

// course is a message that a client sends until it is sure, with a breakage in each attempt but
// those after the last.
type faultCourse struct {
	message testMessage
	places  []brokenPlace
	believe belief
	said    []string
}

// run sends the message. An attempt without a breakage is repeated too: the store may fail.
func (f *faultRange) run(c *faultCourse) error {
	for try := range len(c.places) + 5 {
		place := brokenPlace{up: -1, down: -1}
		if try < len(c.places) {
			place = c.places[try]
		}
		conn, err := f.connect(place)
		if err != nil {
			return err
		}
		var said string
		c.believe, said = c.message.attempt(conn)
		_ = conn.SetLinger(0) // no port stays blocked for a minute
		c.said = append(c.said, fmt.Sprintf("%s: %q", place, said))
		if c.believe != unsure {
			return nil
		}
	}
	return nil
}

// contradictions compares what the clients believe with the outbox.
func (f *faultRange) contradictions(courses []*faultCourse) (all []string, err error) {
	f.sessions.Wait()
	kept := map[string][]string{} // the texts of the outbox by subject
	for before := queue.ID(0); ; {
		page, err := f.store.List(context.Background(), queue.Filter{Limit: 500, Before: before})
		if err != nil {
			return nil, err
		}
		for _, e := range page.Entries {
			body, err := f.store.Body(context.Background(), e.ID)
			if err != nil {
				return nil, err
			}
			text, err := io.ReadAll(body)
			if err = errors.Join(err, body.Close()); err != nil {
				return nil, err
			}
			kept[e.Subject] = append(kept[e.Subject], string(text))
			before = e.ID
		}
		if !page.More {
			break
		}
	}
	for _, c := range courses {
		texts := kept[fmt.Sprintf("course %d", c.message.serial)]
		wrong := ""
		_, body, _ := strings.Cut(c.message.text, "\r\n\r\n")
		for _, text := range texts {
			if !strings.HasSuffix(text, "\r\n\r\n"+body) {
				wrong = fmt.Sprintf("a message of %d octets is kept as one of %d with another end", len(c.message.text), len(text))
			}
		}
		switch {
		case wrong != "":
		case c.believe != sure:
			wrong = "the client could not send it"
		case len(texts) == 0:
			wrong = "the client is sure, but nothing is kept"
		case len(texts) > 1 && c.message.hasID:
			wrong = fmt.Sprintf("kept %d times", len(texts))
		}
		if wrong != "" {
			all = append(all, fmt.Sprintf("course %d, %+v: %s\n  %s", c.message.serial, c.places, wrong, strings.Join(c.said, "\n  ")))
		}
	}
	return all, nil
}
