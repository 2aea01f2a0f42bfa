package outboxtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

var enqueueRules = []contractRule{
	{"a message comes back as it was given", testRoundTrip},
	{"a message with nothing but what it must have comes back so", testLeastMessage},
	{"addresses come back as they were given", testAddresses},
	{"a thousand recipients keep their places", testThousand},
	{"IDs count up from 1", testIdsCountUp},
	{"a key makes a message one of its kind in its account", testKeys},
	{"a message that can't be read is not kept", testUnreadable},
	{"not before and expires have their defaults", testDefaults},
	{"a message may begin held", testBeginHeld},
	{"a name that can't be shown is refused", testBadNames},
	{"a context that is over changes nothing", testContextOver},
	{"a context that ends meanwhile leaves all or nothing", testContextEnds},
	{"behind Close everything is ErrClosed", testClosed},
}

func testRoundTrip(s *fixture) {
	now := s.clock.Now()
	e, err := envelope("absender@bücher.example", "one@example.org", "two@example.org").WithDSN(smtp.DSN{
		Return: "HDRS", EnvelopeID: "id +=1", Notify: []string{"FAILURE", "DELAY"},
	})
	s.must("WithDSN", err)
	body := newText(500)
	body.utf8 = true
	n := outbox.NewMessage{
		Account: "work", Key: "ключ 'one' \"two\" %_", Fingerprint: [32]byte{1, 0, 255, 31: 9}, Envelope: e,
		MessageID: "<x+y@example.org>", Subject: "Grüße, 你好 \U0001F600 'quoted' \\", Content: body,
		NotBefore: now.Add(90 * time.Minute).In(time.FixedZone("", 3600)), Expires: now.Add(50*time.Hour + 7*time.Millisecond),
		Priority: queue.High, Tags: []string{"news", "with space, and comma", "標籤", "a"}, ReportOn: 12345678901,
	}
	id := s.enqueue(n)
	want := queue.Entry{
		ID: id, Account: n.Account, Key: n.Key, From: e.From(), MessageID: n.MessageID, Subject: n.Subject, Size: 500, HasBody: true,
		Created: now, NotBefore: n.NotBefore, Expires: n.Expires, Priority: n.Priority, Tags: n.Tags, ReportOn: n.ReportOn, Total: 2,
	}
	for i, a := range e.To() {
		want.Recipients = append(want.Recipients, queue.Recipient{N: i, Address: a, State: queue.Queued, Due: n.NotBefore, Updated: now})
	}
	page, err := s.store.List(s.ctx, queue.Filter{})
	s.must("List", err)
	s.same("List", []queue.Entry{want}, page.Entries)
	want.Events = []queue.Event{{ID: id, N: -1, Account: n.Account, Kind: queue.EventEnqueued, State: queue.Queued, At: now}}
	s.same("Show", want, s.show(id))

	s.clock.Set(n.NotBefore)
	s.join("w")
	batch := s.claim(outbox.Claim{Owner: "w", Account: "work", Recipients: 9, Bytes: 1 << 20})
	s.same("Claim", outbox.Batch{Items: []outbox.Item{{
		ID: id, Account: n.Account, From: e.From(), DSN: e.DSN(), MessageID: n.MessageID, Size: 500, EightBit: true, UTF8: true,
		Binary: true, ReportOn: n.ReportOn, Created: now, Expires: n.Expires, Body: body.octets,
		Recipients: []outbox.LeasedRecipient{{N: 0, Address: e.To()[0], Token: 1}, {N: 1, Address: e.To()[1], Token: 1}},
	}}}, batch)
	s.sameBody("Body", body, s.body(id))
	if got := s.show(id).Created.Location(); got != time.UTC && got != time.Local {
		s.Errorf("Created is in %v", got)
	}
}

func testLeastMessage(s *fixture) {
	now := s.clock.Now()
	id := s.enqueue(outbox.NewMessage{Envelope: envelope("", "to@example.org"), Content: &testContent{octets: []byte("x")}})
	s.same("Show", queue.Entry{
		ID: id, Size: 1, HasBody: true, Created: now, Expires: now.Add(outbox.Lifetime), Total: 1,
		Recipients: []queue.Recipient{{Address: address("to@example.org"), State: queue.Queued, Due: now, Updated: now}},
		Events:     []queue.Event{{ID: id, N: -1, Kind: queue.EventEnqueued, State: queue.Queued, At: now}},
	}, s.show(id))
	if e := s.show(id); e.Tags != nil || !e.From.IsZero() || !e.NotBefore.IsZero() {
		s.Errorf("Show returned tags %#v, from %v, not before %v", e.Tags, e.From, e.NotBefore)
	}
	s.join("w")
	batch := s.claim(outbox.Claim{Owner: "w", Recipients: 1, Bytes: 1})
	s.same("Claim", outbox.Batch{Items: []outbox.Item{{
		ID: id, Size: 1, Created: now, Expires: now.Add(outbox.Lifetime), Body: []byte("x"),
		Recipients: []outbox.LeasedRecipient{{Address: address("to@example.org"), Token: 1}},
	}}}, batch)
	if !batch.Items[0].DSN.IsZero() || !batch.Items[0].From.IsZero() {
		s.Errorf("Claim returned %+v", batch.Items[0])
	}
}

func testAddresses(s *fixture) {
	to := []string{
		"ordinary@example.org", "UPPER.lower@Example.ORG", "用户@例子.广告", "ü@bücher.example", "ascii@bücher.example",
		"ascii@xn--bcher-kva.test", `"with@and\"quote"@example.org`, "a'b%c_d*e{}|~@example.org", "user@[127.0.0.1]", "user@[IPv6:::1]",
		strings.Repeat("l", 64) + "@" + strings.Repeat("d", 60) + ".example",
	}
	for _, from := range append(to, "") {
		n := newLetter(to...)
		n.Envelope = envelope(from, to...)
		id := s.enqueue(n)
		e := s.show(id)
		s.same("From", n.Envelope.From(), e.From)
		if len(e.Recipients) != len(to) {
			s.Fatalf("%d recipients came back, want %d", len(e.Recipients), len(to))
		}
		for i, a := range n.Envelope.To() {
			if got := e.Recipients[i].Address; got != a {
				s.Errorf("recipient %d came back as %#v, want %#v", i, got, a)
			}
		}
	}
}

func testThousand(s *fixture) {
	var to []string
	for i := range 1000 {
		to = append(to, fmt.Sprintf("r%d@example.org", (i*7919)%1000))
	}
	id := s.enqueue(newLetter(to...))
	e := s.show(id)
	if len(e.Recipients) != 1000 || e.Total != 1000 {
		s.Fatalf("Show returned %d recipients of %d", len(e.Recipients), e.Total)
	}
	page, err := s.store.List(s.ctx, queue.Filter{})
	s.must("List", err)
	if got := page.Entries[0]; len(got.Recipients) != 20 || got.Total != 1000 {
		s.Errorf("List returned %d recipients of %d", len(got.Recipients), got.Total)
	}
	s.join("w")
	items := s.claim(outbox.Claim{Owner: "w", Account: "a", Recipients: 700}).Items
	items = append(items, s.claim(outbox.Claim{Owner: "w", Account: "a", Recipients: 700}).Items...)
	if len(items) != 2 || len(items[0].Recipients) != 700 || len(items[1].Recipients) != 300 {
		s.Fatalf("two claims of 700 returned %d items", len(items))
	}
	for i, r := range append(items[0].Recipients, items[1].Recipients...) {
		if r.N != i || r.Address != address(to[i]) || e.Recipients[i].N != i || e.Recipients[i].Address != address(to[i]) {
			s.Fatalf("recipient %d: claimed %d %s, shown %d %s; want %s", i, r.N, r.Address, e.Recipients[i].N, e.Recipients[i].Address, to[i])
		}
	}
}

func testIdsCountUp(s *fixture) {
	var last queue.ID
	for range 20 {
		id := s.enqueue(newLetter())
		if id <= last {
			s.Fatalf("after %d came %d", last, id)
		}
		last = id
	}
}

func testKeys(s *fixture) {
	n := newLetter()
	n.Key, n.Fingerprint = "k", [32]byte{1}
	first := s.enqueue(n)
	again := func(what string) {
		s.Helper()
		r, err := s.store.Enqueue(s.ctx, n)
		s.must(what, err)
		s.same(what, outbox.EnqueueResult{ID: first, Duplicate: true}, r)
	}
	again("the same one again")
	other := n
	other.Fingerprint = [32]byte{2}
	conflict := func(what string) {
		s.Helper()
		r, err := s.store.Enqueue(s.ctx, other)
		s.is(what, err, queue.ErrConflict)
		s.same(what, outbox.EnqueueResult{}, r)
	}
	conflict("another fingerprint")
	n.Subject = "Not looked at" // not part of the fingerprint
	again("another subject")

	elsewhere := other
	elsewhere.Account = "b"
	s.enqueue(elsewhere)
	upper := other
	upper.Key = "K"
	s.enqueue(upper)
	without := other
	without.Key = ""
	s.enqueue(without)
	s.enqueue(without)

	s.change(queue.Cancel, first)
	again("when it is finished")
	conflict("when it is finished")
	_, err := s.store.Prune(s.ctx, outbox.Retention{})
	s.must("Prune", err)
	s.enqueue(other)
}

func testUnreadable(s *fixture) {
	broken := errors.New("broken")
	long, short, failing, none, nobody := newLetter(), newLetter(), newLetter(), newLetter(), newLetter()
	c := *newText(300)
	c.size = 299
	long.Content = &c
	d := *newText(300)
	d.size = 301
	short.Content = &d
	e := *newText(300_000)
	e.fail = broken
	failing.Content = &e
	none.Content = nil
	nobody.Envelope = smtp.Envelope{}
	for what, n := range map[string]outbox.NewMessage{
		"more than its size": long, "less than its size": short, "fails": failing, "no content": none, "no recipients": nobody,
	} {
		r, err := s.store.Enqueue(s.ctx, n)
		if err == nil {
			s.Errorf("%s: enqueued as %d", what, r.ID)
		}
		if what == "fails" {
			s.is(what, err, broken)
		}
	}
	id := s.enqueue(newLetter())
	page, err := s.store.List(s.ctx, queue.Filter{})
	s.must("List", err)
	if len(page.Entries) != 1 || page.Entries[0].ID != id {
		s.Errorf("there are %d messages, want 1", len(page.Entries))
	}
}

func testDefaults(s *fixture) {
	now := s.clock.Now()
	for _, test := range []struct{ notBefore, expires, due, wantExpires time.Time }{
		{time.Time{}, time.Time{}, now, now.Add(outbox.Lifetime)},
		{now.Add(time.Hour), time.Time{}, now.Add(time.Hour), now.Add(time.Hour + outbox.Lifetime)},
		{now.Add(-time.Hour), time.Time{}, now, now.Add(outbox.Lifetime)},
		{time.Time{}, now.Add(time.Minute), now, now.Add(time.Minute)},
		{now.Add(time.Hour), now.Add(time.Minute), now.Add(time.Hour), now.Add(time.Minute)},
	} {
		n := newLetter()
		n.NotBefore, n.Expires = test.notBefore, test.expires
		e := s.show(s.enqueue(n))
		s.same("NotBefore", test.notBefore, e.NotBefore)
		s.same("Expires", test.wantExpires, e.Expires)
		s.same("Due", test.due, e.Recipients[0].Due)
	}
}

func testBeginHeld(s *fixture) {
	n := newLetter("one@example.org", "two@example.org")
	n.Hold, n.NotBefore = true, s.clock.Now().Add(time.Hour)
	id := s.enqueue(n)
	e := s.show(id)
	for _, r := range e.Recipients {
		if r.State != queue.Held || !r.Due.IsZero() {
			s.Errorf("it is %s, due %v", r.State, r.Due)
		}
	}
	if len(e.Events) != 1 || e.Events[0].State != queue.Held {
		s.Errorf("events are %+v", e.Events)
	}
	s.clock.Advance(2 * time.Hour)
	s.join("w")
	s.leases("w", 0)
	s.change(queue.Release, id)
	if st := s.status(id); st.State != queue.Queued || !st.Due.Equal(n.NotBefore) {
		s.Errorf("after the release: %s, due %v", st.State, st.Due)
	}
	s.leases("w", 2)
}

// calls returns every method that takes a context, with valid arguments.
func calls(store outbox.Store, l outbox.Lease) map[string]func(context.Context) error {
	settlement := outbox.Settlement{Lease: l, State: queue.HandedOver}
	return map[string]func(context.Context) error{
		"Enqueue": func(ctx context.Context) error { _, err := store.Enqueue(ctx, newLetter()); return err },
		"Join": func(ctx context.Context) error {
			return store.Join(ctx, queue.Worker{Owner: "another"}, lease)
		},
		"Renew": func(ctx context.Context) error { return store.Renew(ctx, "w", time.Hour) },
		"Leave": func(ctx context.Context) error { return store.Leave(ctx, "w") },
		"Claim": func(ctx context.Context) error {
			_, err := store.Claim(ctx, outbox.Claim{Owner: "w", Account: "a", Recipients: 1})
			return err
		},
		"Mark": func(ctx context.Context) error { _, err := store.Mark(ctx, "w", []outbox.Lease{l}); return err },
		"Settle": func(ctx context.Context) error {
			_, err := store.Settle(ctx, []outbox.Settlement{settlement})
			return err
		},
		"Body": func(ctx context.Context) error {
			r, err := store.Body(ctx, l.ID)
			if err == nil {
				err = r.Close()
			}
			return err
		},
		"Slots": func(ctx context.Context) error { _, err := store.Slots(ctx, "w", "a", 1, 1); return err },
		"Pause": func(ctx context.Context) error {
			_, err := store.Pause(ctx, outbox.Pause{Account: "a", For: lease})
			return err
		},
		"Resume": func(ctx context.Context) error { return store.Resume(ctx, "a") },
		"Sweep":  func(ctx context.Context) error { _, err := store.Sweep(ctx); return err },
		"Due":    func(ctx context.Context) error { _, err := store.Due(ctx); return err },
		"Unreported": func(ctx context.Context) error {
			_, err := store.Unreported(ctx, 1)
			return err
		},
		"Reported": func(ctx context.Context) error { return store.Reported(ctx, []outbox.PendingReport{{ID: l.ID}}) },
		"List":     func(ctx context.Context) error { _, err := store.List(ctx, queue.Filter{}); return err },
		"Show":     func(ctx context.Context) error { _, err := store.Show(ctx, l.ID); return err },
		"Change": func(ctx context.Context) error {
			_, err := store.Change(ctx, outbox.Change{Verb: queue.Hold})
			return err
		},
		"Stats":  func(ctx context.Context) error { _, err := store.Stats(ctx); return err },
		"Events": func(ctx context.Context) error { _, _, err := store.Events(ctx, "", 1); return err },
		"Prune":  func(ctx context.Context) error { _, err := store.Prune(ctx, outbox.Retention{}); return err },
	}
}

func testContextOver(s *fixture) {
	s.enqueue(newLetter())
	s.join("w")
	l := s.leases("w", 1)[0]
	s.enqueue(newLetter())
	before := flatten(s.everything(), nil)
	over, cancel := context.WithCancel(s.ctx)
	cancel()
	for name, call := range calls(s.store, l) {
		s.is(name, call(over), context.Canceled)
		if d := lineDifference(before, flatten(s.everything(), nil)); d != "" {
			s.Fatalf("%s changed the outbox:%s", name, d)
		}
	}
	why := errors.New("why")
	because, cancelBecause := context.WithCancelCause(s.ctx)
	cancelBecause(why)
	if err := calls(s.store, l)["Enqueue"](because); !errors.Is(err, why) && !errors.Is(err, context.Canceled) {
		s.Errorf("Enqueue: got error %v", err)
	}
}

// everything returns the whole visible state of an outbox.
func (s *fixture) everything() []any {
	s.Helper()
	page, err := s.store.List(s.ctx, queue.Filter{Limit: 1 << 20})
	s.must("List", err)
	stats, err := s.store.Stats(s.ctx)
	s.must("Stats", err)
	stats.Bytes, stats.Free = 0, 0
	due, err := s.store.Due(s.ctx)
	s.must("Due", err)
	unreported, err := s.store.Unreported(s.ctx, 1<<20)
	s.must("Unreported", err)
	events, _ := s.events("", 1000)
	return []any{page, stats, due, unreported, events}
}

func testContextEnds(s *fixture) {
	for size := 100; size < 1_000_000; size *= 5 {
		ctx, cancel := context.WithCancel(s.ctx)
		n := newLetter()
		c := newText(size)
		c.during = cancel
		n.Content, n.Key = c, fmt.Sprint(size)
		r, err := s.store.Enqueue(ctx, n)
		page, listErr := s.store.List(s.ctx, queue.Filter{Key: n.Key})
		s.must("List", listErr)
		switch {
		case err == nil && (len(page.Entries) != 1 || page.Entries[0].ID != r.ID):
			s.Errorf("%d octets: enqueued, but List returned %+v", size, page)
		case err == nil:
			s.sameBody("Body", c, s.body(r.ID))
		case len(page.Entries) != 0 || !errors.Is(err, context.Canceled):
			s.Errorf("%d octets: error %v, but List returned %+v", size, err, page)
		}
		cancel()
	}
}

func testClosed(s *fixture) {
	id := s.enqueue(newLetter())
	s.join("w")
	all := calls(s.store, outbox.Lease{ID: id})
	if len(all) != 21 {
		s.Errorf("%d methods are called, not all", len(all))
	}
	s.must("Close", s.store.Close())
	for name, call := range all {
		s.is(name, call(s.ctx), queue.ErrClosed)
	}
	s.must("Close again", s.store.Close())
}
