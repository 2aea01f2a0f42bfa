package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/transport"
)

// poisonReplies returns replies that may be about the whole account, each at a stage of a
// transaction, as words for magic recipients of the sandbox, or for senders at MAIL.
func poisonReplies() []string {
	return []string{
		"rcpt-421-4.3.2+Closing_connection",
		"rcpt-554-5.7.1+Relay_access_denied",
		"rcpt-454-4.7.1+Relay_access_denied",
		"rcpt-550-5.4.5+Daily_user_sending_limit_exceeded",
		"rcpt-530-5.7.0+Authentication_required",
		"mail-421-4.3.2+Closing_connection",
		"mail-530-5.7.0+Authentication_required",
		"mail-550-5.4.5+Daily_user_sending_limit_exceeded",
		"data-421-4.3.2+Closing_connection",
		"data-550-5.4.5+Daily_user_sending_limit_exceeded",
		"body-421-4.3.2+Closing_connection",
		"body-550-5.4.5+Daily_user_sending_limit_exceeded",
	}
}

// enqueuePoison enqueues a message that gets a reply.
func (w *testWorld) enqueuePoison(word, domain string) queue.ID {
	w.t.Helper()
	at := word // once for each message
	from, to := "me@example.org", "a@"+domain
	if word[:4] == "mail" {
		from = at + "@" + domain
	} else {
		to = at + "@" + domain
	}
	content, err := message.Compose(&message.Message{From: from, To: []string{to}, Subject: "Hello", Text: "Hello World\n"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = content.Close() })
	envelope, err := content.Envelope()
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := w.model.Enqueue(w.t.Context(), outbox.NewMessage{Account: account, Envelope: envelope, MessageID: content.MessageID(), Content: content})
	if err != nil {
		w.t.Fatal(err)
	}
	return r.ID
}

// pausedFor returns the rest of the account's pause in the store.
func (w *testWorld) pausedFor() time.Duration {
	w.t.Helper()
	stats, err := w.model.Stats(w.t.Context())
	if err != nil || len(stats.Accounts) != 1 {
		w.t.Fatalf("%+v, %v", stats, err)
	}
	return stats.Accounts[0].PausedFor
}

// openTo returns an Open function for a server.
func openTo(server string) func(context.Context, int) (delivery.TransactionSender, error) {
	return func(_ context.Context, connections int) (delivery.TransactionSender, error) {
		return transport.Open(server, transport.Options{MaxConnections: connections})
	}
}

// A reply inside a transaction is about that transaction: one message that gets it is
// deferred, counts an attempt, and is tried after the others, which are handed over.
func TestOneMessageDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	for _, word := range poisonReplies() {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.route.ReportFrom = mustAddress(t, "me@example.org")
			bad := w.enqueuePoison(word, "elsewhere.test")
			var good []queue.ID
			for n := range 5 {
				good = append(good, w.enqueueTo(fmt.Sprintf("g%d@example.net", n)))
			}
			w.mustDrain()
			for _, id := range good {
				w.wantStates(id, "handed_over")
			}
			w.wantStates(bad, "deferred")
			e, err := w.model.Show(t.Context(), bad)
			if err != nil {
				t.Fatal(err)
			}
			if r := e.Recipients[0]; r.Attempts != 1 || r.Due.Sub(w.clock.Now()) < 50*time.Second {
				t.Errorf("%d tries, due in %v", r.Attempts, r.Due.Sub(w.clock.Now()))
			}
			if left := w.pausedFor(); left != 0 {
				t.Errorf("the account is paused for %v", left)
			}
		})
	}
}

// If another message gets the same and none is accepted, the reply is about the account.
func TestTwoMessagesThatMeetTheSamePauseTheAccount(t *testing.T) {
	t.Parallel()
	for _, word := range poisonReplies() {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.route.ReportFrom = mustAddress(t, "me@example.org")
			first, second := w.enqueuePoison(word, "elsewhere.test"), w.enqueuePoison(word, "another.test")
			third := w.enqueueTo("g@example.net")
			w.mustDrain()
			w.wantStates(first, "deferred")
			w.wantStates(second, "deferred")
			if state := w.statesOf(third); state != "queued" && state != "handed_over" { // it may be in flight already
				t.Errorf("the third is %s", state)
			}
			if w.pausedFor() <= 0 || w.countEvents(delivery.Paused, "") != 1 {
				t.Errorf("paused for %v, said %d times", w.pausedFor(), w.countEvents(delivery.Paused, ""))
			}
			// They are tried after the third when the account is resumed.
			if err := w.model.Resume(t.Context(), account); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(2 * time.Hour)
			w.mustDrain()
			w.wantStates(third, "handed_over")
		})
	}
}

// Replies to messages to one domain are about that domain, up to a number of messages.
func TestManyToOneDomainPauseTheAccountInTheEnd(t *testing.T) {
	t.Parallel()
	for n, pauses := range map[int]bool{2: false, 3: false, 4: true} {
		w := newWorld(t)
		for range n {
			w.enqueuePoison("rcpt-554-5.7.1+Relay_access_denied", "elsewhere.test")
		}
		w.mustDrain()
		if paused := w.pausedFor() > 0; paused != pauses {
			t.Errorf("%d messages to one domain: paused %v, want %v", n, paused, pauses)
		}
	}
}

// A fault that may be on this machine does not pause the account on others: settings and
// secrets, name resolution and network. A server's reply does.
func TestALocalFaultRestsHereOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		kind    delivery.WorkerEventKind
		disturb func(*testWorld, *delivery.Options)
	}{
		{"no route", delivery.NoRoute, func(_ *testWorld, o *delivery.Options) {
			o.Route = func(context.Context, string) (delivery.Route, error) {
				return delivery.Route{}, errors.New("no password file")
			}
		}},
		{"no secret", delivery.NoRoute, func(w *testWorld, o *delivery.Options) {
			route := w.route
			route.Open = func(context.Context, int) (delivery.TransactionSender, error) {
				return nil, errors.New("the command failed")
			}
			o.Route = func(context.Context, string) (delivery.Route, error) { return route, nil }
		}},
		{"no such host", delivery.Paused, func(w *testWorld, o *delivery.Options) {
			route := w.route
			route.Open = openTo("smtp+notls://host.invalid:25")
			o.Route = func(context.Context, string) (delivery.Route, error) { return route, nil }
		}},
		{"no server", delivery.Paused, func(w *testWorld, o *delivery.Options) {
			route := w.route
			route.Open = openTo("smtp+notls://127.0.0.1:1")
			o.Route = func(context.Context, string) (delivery.Route, error) { return route, nil }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var ids []queue.ID
			for range 4 {
				ids = append(ids, w.enqueueTo("a@example.org"))
			}
			sick := w.opts
			c.disturb(w, &sick)
			d := delivery.New(sick)
			if _, err := d.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := w.countEvents(c.kind, ""); n != 1 {
				t.Errorf("said %d times", n)
			}
			if left := w.pausedFor(); left != 0 {
				t.Errorf("the account is paused for all, for %v", left)
			}
			if rests := d.Status().Rests; len(rests) != 1 || rests[0].Account != account || rests[0].Answer.Err == "" {
				t.Errorf("the rest is not to be seen: %+v", rests)
			}
			for _, id := range ids {
				w.wantStates(id, "queued")
			}
			w.mustDrain() // as another machine
			for _, id := range ids {
				w.wantStates(id, "handed_over")
			}
			d.Reload()
			if rests := d.Status().Rests; len(rests) != 0 {
				t.Errorf("it still rests after a reload: %+v", rests)
			}
		})
	}
}

// 'yan queue resume' ends a pause of this process, too, which the outbox does not know.
func TestResumeEndsARestOfThisProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.enqueueTo("a@example.org")
	route, broken := w.route, atomic.Bool{}
	broken.Store(true)
	w.opts.Route = func(context.Context, string) (delivery.Route, error) {
		if broken.Load() {
			return delivery.Route{}, errors.New("no password file")
		}
		return route, nil
	}
	w.opts.After = func(time.Duration) <-chan time.Time { return nil } // no time passes
	ctx, cancel := context.WithCancel(t.Context())
	d, ended := delivery.New(w.opts), make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	w.waitFor("the account rests", func() bool { return len(d.Status().Rests) == 1 })
	broken.Store(false)
	if err := w.model.Resume(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	w.waitFor("the message is sent", func() bool { return w.statesOf(id) == "handed_over" })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
