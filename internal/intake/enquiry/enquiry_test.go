//go:build unix

package enquiry_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/intake/enquiry"
	"github.com/yanmail/yan/internal/intake/peeruser"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// rules is a Policy: bob may not send, and root is the only local name.
type rules struct{}

func (rules) Grant(p admission.Peer) (admission.Grant, error) {
	if p.User == "bob" {
		return admission.Grant{}, admission.NewRefusal("account", 550, "5.7.1", localerr.New("no account for bob"), localerr.New("ask root"))
	}
	return admission.Grant{Account: "work"}, nil
}

func (rules) Local(name string) ([]smtp.Address, error) {
	if name != "root" {
		return nil, admission.NewRefusal("local", 550, "5.1.1", localerr.New("unknown name"), nil)
	}
	return []smtp.Address{parse("ops@example.com"), parse("b@example.com")}, nil
}

func (rules) IsLocalDomain(domain string) bool { return domain == "" || domain == "localhost" }

func parse(s string) smtp.Address {
	a, err := smtp.ParseAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

// world is a daemon's socket where user says who asks.
type world struct {
	t      *testing.T
	store  *outboxtest.Model
	mu     sync.Mutex // guards user
	user   peeruser.User
	woken  int
	client *enquiry.Enquirer
	socket string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, store: outboxtest.NewModel(outboxtest.NewClock()), socket: filepath.Join(t.TempDir(), "s")}
	l, err := net.Listen("unix", w.socket)
	if err != nil {
		t.Fatal(err)
	}
	s := enquiry.NewServer(enquiry.Options{List: w.store.List, Policy: func() admission.Policy { return rules{} }, Wake: func() { w.woken++ },
		User: func(net.Conn) (peeruser.User, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.user.Name == "" {
				return peeruser.User{}, peeruser.ErrUnsupported
			}
			return w.user, nil
		}})
	ended := make(chan error)
	go func() { ended <- s.Serve(l) }()
	w.client = enquiry.Dial(w.socket)
	t.Cleanup(func() {
		w.client.Close()
		_ = s.Close()
		<-ended
	})
	return w
}

func (w *world) as(name string, uid int) *world {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.user = peeruser.User{Name: name, UID: uid}
	return w
}

// text is a Content.
type text struct{ string }

func (c text) Size() int64       { return int64(len(c.string)) }
func (text) EightBit() bool      { return false }
func (text) NeedsSMTPUTF8() bool { return false }
func (c text) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, c.string)
	return int64(n), err
}

// keep enqueues a message of a user.
func (w *world) keep(user string, uid int, to ...string) queue.ID {
	w.t.Helper()
	var list []smtp.Address
	for _, s := range to {
		list = append(list, parse(s))
	}
	e, err := smtp.NewEnvelope(parse("me@example.com"), list...)
	if err != nil {
		w.t.Fatal(err)
	}
	got, err := w.store.Enqueue(w.t.Context(), outbox.NewMessage{Account: "work", Envelope: e, Content: text{"Subject: x\r\n\r\n" + user + "\r\n"},
		Tags: []string{admission.Peer{User: user, UID: uid}.Tag()}})
	if err != nil {
		w.t.Fatal(err)
	}
	return got.ID
}

func (w *world) list() string {
	w.t.Helper()
	var b strings.Builder
	if err := w.client.Messages(context.Background(), func(m enquiry.Waiting) {
		fmt.Fprintf(&b, "%s→%s ", m.From, m.Recipients[0].Address)
	}); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// A user sees its own messages, and root those of all.
func TestOwnMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.keep("alice", 1000, "a1@example.com")
	w.keep("bob", 1001, "b1@example.com")
	w.keep("alice", 1000, "a2@example.com", "a3@example.com")
	for _, c := range []struct {
		name string
		uid  int
		want string
	}{
		{"alice", 1000, "me@example.com→a1@example.com me@example.com→a2@example.com"},
		{"bob", 1001, "me@example.com→b1@example.com"},
		{"carol", 1002, ""},
		{"root", 0, "me@example.com→a1@example.com me@example.com→b1@example.com me@example.com→a2@example.com"},
	} {
		if got := w.as(c.name, c.uid).list(); got != c.want {
			t.Errorf("%s sees %q, want %q", c.name, got, c.want)
		}
	}
	if got := w.as("", 0).list(); !strings.Contains(got, "403") {
		t.Errorf("an unknown user sees %q", got)
	}
}

// The list has every page, and no finished message.
func TestManyMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t).as("alice", 1000)
	for i := range 450 {
		w.keep("alice", 1000, fmt.Sprintf("a%d@example.com", i))
	}
	done := w.keep("alice", 1000, "done@example.com")
	if _, err := w.store.Change(t.Context(), outbox.Change{Verb: queue.Cancel, Filter: queue.Filter{IDs: []queue.ID{done}}}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(w.list()); len(got) != 450 || got[449] != "me@example.com→a449@example.com" {
		t.Errorf("%d messages", len(got))
	}
}

func TestRoute(t *testing.T) {
	t.Parallel()
	w := newWorld(t).as("alice", 1000)
	for to, want := range map[string]string{
		"x@example.org":  "work [x@example.org]",
		"root":           "work [ops@example.com b@example.com]",
		"root@localhost": "work [ops@example.com b@example.com]",
		"nobody":         "550 local: unknown name",
	} {
		r, err := w.client.Route(t.Context(), to)
		got := fmt.Sprint(r.Account, " ", r.Addresses)
		if r.Refusal != "" {
			got = fmt.Sprintf("%d %s: %s", r.Code, r.Rule, r.Refusal)
		}
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", to, got, err, want)
		}
	}
	if r, err := w.as("bob", 1001).client.Route(t.Context(), "root"); err != nil || r.Refusal != "no account for bob; ask root" {
		t.Errorf("bob: %+v, %v", r, err)
	}
}

func TestWake(t *testing.T) {
	t.Parallel()
	w := newWorld(t).as("alice", 1000)
	if err := w.client.Wake(t.Context()); err != nil || w.woken != 1 {
		t.Errorf("woken %d times, %v", w.woken, err)
	}
}

// Nothing else is answered.
func TestOtherRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t).as("alice", 1000)
	c := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", w.socket)
	}}}
	defer c.CloseIdleConnections()
	for request, want := range map[string]int{"GET /status": 404, "POST /reload": 404, "POST /messages": 405, "GET /messages?after=x": 400, "GET /route": 400, "GET /wake": 405} {
		method, path, _ := strings.Cut(request, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, "http://yan"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: %d, want %d", request, answer.StatusCode, want)
		}
	}
}
