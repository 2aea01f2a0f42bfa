package admission_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

func address(t testing.TB, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func pattern(t testing.TB, s string) admission.Pattern {
	t.Helper()
	p, err := admission.ParsePattern(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// policy grants the same to every peer.
type policy struct {
	grant admission.Grant
	names map[string][]smtp.Address
}

func (p *policy) Grant(peer admission.Peer) (admission.Grant, error) {
	if peer.User == "nobody" {
		return admission.Grant{}, admission.NewRefusal("account", 550, "5.7.1", localerr.New("no account for nobody"), nil)
	}
	return p.grant, nil
}

func (p *policy) Local(name string) ([]smtp.Address, error) {
	if list := p.names[name]; list != nil {
		return list, nil
	}
	return nil, admission.NewRefusal("local", 550, "5.1.1", localerr.Errorf("%q has no address", name), localerr.New("add a line"))
}

func (p *policy) IsLocalDomain(domain string) bool {
	return domain == "" || domain == "localhost" || domain == "box.example"
}

// world is an admission with its policy, its store and its clock.
type world struct {
	*admission.Admission
	policy *policy
	store  outbox.Store
	clock  *outboxtest.Clock
	events []admission.Event
	o      admission.Options
}

func newWorld(t testing.TB) *world {
	t.Helper()
	clock := outboxtest.NewClock()
	w := &world{clock: clock, store: outboxtest.NewModel(clock), policy: &policy{
		grant: admission.Grant{Account: "work", Mailbox: message.Mailbox{Name: "Account", Address: address(t, "me@corp.example")}},
		names: map[string][]smtp.Address{"root": {address(t, "ops@corp.example"), address(t, "ops2@corp.example")}},
	}}
	w.o = admission.Options{Policy: func() admission.Policy { return w.policy }, Store: w.store, Spool: t.TempDir(), Now: clock.Now,
		Observe: func(e admission.Event) { w.events = append(w.events, e) }}
	w.restart()
	return w
}

// restart begins a new process.
func (w *world) restart() { w.Admission = admission.New(w.o) }

var www = admission.Peer{User: "www-data", UID: 33}

// letter is a message with what is needed to be recognized.
const letter = "From: me@corp.example\nTo: a@b.example\nMessage-ID: <1@corp.example>\nSubject: x\n\nhello\n"

// hand hands a message over.
func (w *world) hand(p admission.Peer, from string, to []string, text string) (admission.Accepted, error) {
	t, err := w.Begin(p, from, smtp.DSN{}, 0)
	if err != nil {
		return admission.Accepted{}, err
	}
	for _, one := range to {
		if err := t.Recipient(one, ""); err != nil {
			return admission.Accepted{}, err
		}
	}
	return t.Accept(context.Background(), strings.NewReader(text))
}

// stored returns a message of the outbox and its octets.
func (w *world) stored(t testing.TB, id queue.ID) (queue.Entry, string) {
	t.Helper()
	e, err := w.store.Show(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.store.Body(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, r); err != nil {
		t.Fatal(err)
	}
	return e, b.String()
}

// wantRefusal checks the rule and the reply of an error.
func wantRefusal(t testing.TB, what string, err error, rule string, code int, enhanced string) {
	t.Helper()
	var r *admission.Refusal
	if !errors.As(err, &r) {
		t.Errorf("%s: %v, want a refusal", what, err)
		return
	}
	if r.Rule != rule || r.Reply.Code != code || r.Reply.Enhanced.String() != enhanced || !strings.Contains(r.Reply.Text(), "rule: "+rule) {
		t.Errorf("%s: rule %q, %v; want %q, %d %s", what, r.Rule, r.Reply, rule, code, enhanced)
	}
	if got := admission.Reply(err); got.Code != code {
		t.Errorf("%s: the answer is %v", what, got)
	}
}
