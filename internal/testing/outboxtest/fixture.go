package outboxtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// patience bounds the wait for something that must happen.
const patience = time.Minute

// lease is the lease of the tests' workers.
const lease = 30 * time.Second

// testContent is a message of arbitrary octets.
type testContent struct {
	octets              []byte
	eight, utf8, binary bool
	size                int64  // the reported size, if not the real one
	fail                error  // returned after the octets
	during              func() // called in the middle
}

func (c *testContent) Size() int64 {
	if c.size != 0 {
		return c.size
	}
	return int64(len(c.octets))
}
func (c *testContent) EightBit() bool      { return c.eight }
func (c *testContent) NeedsSMTPUTF8() bool { return c.utf8 }
func (c *testContent) IsBinary() bool      { return c.binary }

func (c *testContent) WriteTo(w io.Writer) (int64, error) {
	first, err := w.Write(c.octets[:len(c.octets)/2])
	if err != nil {
		return int64(first), err
	}
	if c.during != nil {
		c.during()
	}
	second, err := w.Write(c.octets[len(c.octets)/2:])
	if err == nil {
		err = c.fail
	}
	return int64(first + second), err
}

// newText returns content of the given size, different for each size, with NUL, bare LF and bare CR.
func newText(size int) *testContent {
	octets := make([]byte, size)
	for i := range octets {
		octets[i] = byte(i*7 + i>>8 + size)
	}
	copy(octets, "A: b\r\n\r\n\x00\n\r\xff.\r\n")
	return &testContent{octets: octets, eight: true, binary: true}
}

func address(s string) smtp.Address {
	if s == "" {
		return smtp.Address{}
	}
	a, err := smtp.ParseAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

func envelope(from string, to ...string) smtp.Envelope {
	var all []smtp.Address
	for _, s := range to {
		all = append(all, address(s))
	}
	e, err := smtp.NewEnvelope(address(from), all...)
	if err != nil {
		panic(err)
	}
	return e
}

// newLetter returns an ordinary message of account "a".
func newLetter(to ...string) outbox.NewMessage {
	if len(to) == 0 {
		to = []string{"to@example.org"}
	}
	return outbox.NewMessage{
		Account: "a", Envelope: envelope("from@example.org", to...), MessageID: "<1@example.org>", Subject: "Hello",
		Content: newText(300),
	}
}

// newRefusal returns an answer with every field set.
func newRefusal(text string) queue.Answer {
	return queue.Answer{
		Stage:    smtp.StageRcpt,
		Reply:    smtp.Reply{Code: 550, Enhanced: smtp.EnhancedCode{Class: 5, Subject: 1, Detail: 1}, Lines: []string{text, "zweite Zeile: 不存在"}},
		Err:      "read: connection reset",
		Class:    "mailbox",
		ServerID: "4bXyZ9",
	}
}

// fixture is a store under test with the operations of the tests. An error ends the test.
type fixture struct {
	*testing.T
	ctx   context.Context
	store outbox.Store
	clock *Clock
}

func newFixture(t *testing.T, store outbox.Store, clock *Clock) *fixture {
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return &fixture{T: t, ctx: t.Context(), store: store, clock: clock}
}

func (s *fixture) must(what string, err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

// is fails unless err is want.
func (s *fixture) is(what string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// same fails unless both have the same fields.
func (s *fixture) same(what string, want, got any) {
	s.Helper()
	if d := lineDifference(flatten(want, nil), flatten(got, nil)); d != "" {
		s.Errorf("%s:%s", what, d)
	}
}

func (s *fixture) enqueue(n outbox.NewMessage) queue.ID {
	s.Helper()
	r, err := s.store.Enqueue(s.ctx, n)
	s.must("Enqueue", err)
	if r.Duplicate || r.ID < 1 {
		s.Fatalf("Enqueue returned %+v", r)
	}
	return r.ID
}

func (s *fixture) join(owner string) {
	s.Helper()
	s.must("Join", s.store.Join(s.ctx, queue.Worker{Owner: owner, Host: "host-" + owner, PID: 7}, lease))
}

func (s *fixture) claim(c outbox.Claim) outbox.Batch {
	s.Helper()
	batch, err := s.store.Claim(s.ctx, c)
	s.must("Claim", err)
	return batch
}

// leases claims n recipients of account "a" and fails if there are fewer.
func (s *fixture) leases(owner string, n int) []outbox.Lease {
	s.Helper()
	var all []outbox.Lease
	for _, item := range s.claim(outbox.Claim{Owner: owner, Account: "a", Recipients: n}).Items {
		for _, r := range item.Recipients {
			all = append(all, outbox.Lease{ID: item.ID, N: r.N, Token: r.Token})
		}
	}
	if len(all) != n {
		s.Fatalf("claimed %d recipients, want %d", len(all), n)
	}
	return all
}

func (s *fixture) mark(owner string, leases ...outbox.Lease) []outbox.Lease {
	s.Helper()
	lost, err := s.store.Mark(s.ctx, owner, leases)
	s.must("Mark", err)
	return lost
}

func (s *fixture) settle(l outbox.Lease, to queue.State) (stale bool) {
	s.Helper()
	all, err := s.store.Settle(s.ctx, []outbox.Settlement{{Lease: l, State: to, After: time.Minute, Answer: newRefusal(string(to))}})
	s.must("Settle", err)
	return len(all) > 0
}

func (s *fixture) sweep() outbox.Swept {
	s.Helper()
	swept, err := s.store.Sweep(s.ctx)
	s.must("Sweep", err)
	return swept
}

func (s *fixture) show(id queue.ID) queue.Entry {
	s.Helper()
	e, err := s.store.Show(s.ctx, id)
	s.must("Show", err)
	return e
}

// status returns the status of a message's first recipient.
func (s *fixture) status(id queue.ID) queue.Recipient {
	s.Helper()
	return s.show(id).Recipients[0]
}

// kinds returns the kinds of a message's events.
func (s *fixture) kinds(id queue.ID) string {
	s.Helper()
	var all []string
	for _, e := range s.show(id).Events {
		all = append(all, string(e.Kind))
	}
	return strings.Join(all, " ")
}

func (s *fixture) change(v queue.Verb, ids ...queue.ID) {
	s.Helper()
	_, err := s.store.Change(s.ctx, outbox.Change{Verb: v, Filter: queue.Filter{IDs: ids}})
	s.must(string(v), err)
}

func (s *fixture) body(id queue.ID) []byte {
	s.Helper()
	r, err := s.store.Body(s.ctx, id)
	s.must("Body", err)
	octets, err := io.ReadAll(r)
	s.must("read the body", errors.Join(err, r.Close()))
	return octets
}

func (s *fixture) sameBody(what string, want *testContent, got []byte) {
	s.Helper()
	if !bytes.Equal(want.octets, got) {
		s.Errorf("%s: the body of %d octets came back changed, with %d", what, len(want.octets), len(got))
	}
}

// events returns all events after a cursor, read by limit at a time.
func (s *fixture) events(after queue.Cursor, limit int) ([]queue.Event, queue.Cursor) {
	s.Helper()
	var all []queue.Event
	for range 100_000 {
		some, next, err := s.store.Events(s.ctx, after, limit)
		s.must("Events", err)
		if len(some) > limit {
			s.Fatalf("Events returned %d, more than %d", len(some), limit)
		}
		if len(some) == 0 {
			return all, next
		}
		all, after = append(all, some...), next
	}
	s.Fatal("the events have no end")
	return nil, ""
}

// woken waits until a channel is closed.
func (s *fixture) woken(what string, wake <-chan struct{}) {
	s.Helper()
	select {
	case <-wake:
	case <-time.After(patience):
		s.Errorf("%s: Wake was not closed", what)
	}
}

// reach enqueues a message and brings its only recipient into a state, with a lease whose token is
// 1. The owner is a worker of its own.
func (s *fixture) reach(state queue.State) (l outbox.Lease, owner string) {
	s.Helper()
	n := newLetter()
	n.Account = fmt.Sprintf("%s-%d", state, s.clock.Now().UnixNano())
	n.Expires = s.clock.Now().Add(time.Hour)
	id := s.enqueue(n)
	owner = fmt.Sprintf("owner of %d", id)
	s.join(owner)
	batch := s.claim(outbox.Claim{Owner: owner, Account: n.Account, Recipients: 1})
	if len(batch.Items) != 1 || batch.Items[0].ID != id || batch.Items[0].Recipients[0].Token != 1 {
		s.Fatalf("Claim returned %+v", batch)
	}
	l = outbox.Lease{ID: id, Token: 1}
	switch state {
	case queue.Leased:
	case queue.Sending:
		s.mark(owner, l)
	case queue.Held:
		s.change(queue.Hold, id)
	case queue.Cancelled:
		s.change(queue.Cancel, id)
	case queue.Expired:
		s.settle(l, queue.Queued)
		s.clock.Set(n.Expires)
		s.sweep()
	default:
		s.settle(l, state)
	}
	if got := s.status(id).State; got != state {
		s.Fatalf("reached %s, want %s", got, state)
	}
	s.clock.Advance(time.Millisecond) // no two messages have the same account
	return l, owner
}
