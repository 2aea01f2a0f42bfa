package delivery_test

import (
	"context"
	"crypto/sha256"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// datedFolder is a Sent folder in which each message is found, with a time of arrival.
type datedFolder struct {
	arrived func() time.Time
	opened  *atomic.Int64
	looked  *atomic.Int64
	stalls  bool
}

func (f datedFolder) openFolder(context.Context) (delivery.SentFolder, error) {
	f.opened.Add(1)
	return f, nil
}

func (f datedFolder) Find(ctx context.Context, _ string) (delivery.FoundCopy, error) {
	f.looked.Add(1)
	if f.stalls {
		<-ctx.Done()
		return delivery.FoundCopy{}, ctx.Err()
	}
	return delivery.FoundCopy{Found: true, Arrived: f.arrived()}, nil
}

func (datedFolder) Close() {}

func newFolder(arrived func() time.Time) datedFolder {
	return datedFolder{arrived: arrived, opened: &atomic.Int64{}, looked: &atomic.Int64{}}
}

// enqueueAgain enqueues a message with the Message-ID of another one.
func (w *testWorld) enqueueAgain(id queue.ID, account, to string) queue.ID {
	w.t.Helper()
	e, err := w.model.Show(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	content := composeMessage(w.t, to)
	envelope, err := content.Envelope()
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := w.model.Enqueue(w.t.Context(), outbox.NewMessage{Account: account, Envelope: envelope, MessageID: e.MessageID, Content: content,
		Key: to, Fingerprint: sha256.Sum256([]byte(to))})
	if err != nil {
		w.t.Fatal(err)
	}
	return r.ID
}

// A copy proves a doubtful transaction only if it can't be from another one: regardless of the
// state of another message with this Message-ID, and of when the copy arrived.
func TestACopyProvesItsOwnTransactionOnly(t *testing.T) {
	t.Parallel()
	now := func(w *testWorld) func() time.Time { return w.clock.Now }
	for _, c := range []struct {
		name    string
		before  func(w *testWorld, id queue.ID)
		arrived func(w *testWorld) func() time.Time
		proves  bool
	}{
		{"no other message", func(*testWorld, queue.ID) {}, now, true},
		{"another that waits", func(w *testWorld, id queue.ID) { w.enqueueAgain(id, "other", "b@example.org") }, now, true},
		{"another that was handed over", func(w *testWorld, id queue.ID) {
			w.enqueueAgain(id, account, "b@example.org")
			w.sendOne(1, queue.HandedOver)
		}, now, false},
		{"another that is in doubt", func(w *testWorld, id queue.ID) {
			w.enqueueAgain(id, account, "b@example.org")
			w.sendOne(1, queue.InDoubt)
		}, now, false},
		{"another that was deferred", func(w *testWorld, id queue.ID) {
			w.enqueueAgain(id, account, "b@example.org")
			w.sendOne(1, queue.Deferred)
		}, now, false},
		{"another that was refused", func(w *testWorld, id queue.ID) {
			w.enqueueAgain(id, account, "b@example.org")
			w.sendOne(1, queue.Failed)
		}, now, false},
		{"a copy from before the mark", func(*testWorld, queue.ID) {}, func(w *testWorld) func() time.Time {
			at := w.clock.Now().Add(-2 * time.Second)
			return func() time.Time { return at }
		}, false},
		{"a copy of the second of the mark", func(*testWorld, queue.ID) {}, func(w *testWorld) func() time.Time {
			at := w.clock.Now().Truncate(time.Second)
			return func() time.Time { return at }
		}, true},
		{"a copy of which nobody knows when it came", func(*testWorld, queue.ID) {}, func(*testWorld) func() time.Time {
			return func() time.Time { return time.Time{} }
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.enqueueTo("a@example.org")
			w.sendOne(1, queue.InDoubt)
			f := newFolder(c.arrived(w))
			c.before(w, id)
			w.route.Sent = f.openFolder
			w.route.Keeps = true // a copy, of any transaction, never proves that there is none
			w.route.Open = func(context.Context, int) (delivery.TransactionSender, error) { return nil, context.Canceled }
			w.startReconciling()
			w.advanceUntil("four looks", func() bool { return w.statesOf(id) != "in_doubt" || f.looked.Load() > 8 })
			want := "in_doubt"
			if c.proves {
				want = "handed_over"
			}
			w.wantStates(id, want)
		})
	}
}

// The doubts of an account are checked over one connection.
func TestDoubtsOfAnAccountShareAConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 30 {
		w.enqueueTo("a@example.org")
		w.sendOne(1, queue.InDoubt)
	}
	f := newFolder(w.clock.Now)
	w.route.Sent = f.openFolder
	w.startReconciling()
	w.advanceUntil("the end of all doubts", func() bool { return w.allAre(queue.HandedOver, 30) })
	if opened, looked := f.opened.Load(), f.looked.Load(); opened > looked/2 {
		t.Errorf("%d connections for %d looks", opened, looked)
	}
}

// A mailbox that does not answer delays neither sweeps nor other accounts.
func TestASlowMailboxDelaysNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 6 {
		w.enqueueTo("a@example.org")
		w.sendOne(1, queue.InDoubt)
	}
	slow := newFolder(w.clock.Now)
	slow.stalls = true
	w.route.Sent = slow.openFolder
	w.opts.Now, w.opts.Lease, w.opts.After = w.clock.Now, 30*time.Hour, verySoon // so that the lease does not lapse
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- delivery.New(w.opts).Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	w.advanceUntil("a look", func() bool { return slow.looked.Load() > 0 })
	content := composeMessage(t, "late@example.org")
	envelope, err := content.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.model.Enqueue(t.Context(), outbox.NewMessage{Account: "nobody", Envelope: envelope, MessageID: content.MessageID(), Content: content,
		NotBefore: w.clock.Now().Add(time.Hour), Expires: w.clock.Now().Add(2 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.model.Pause(t.Context(), outbox.Pause{Account: "nobody", For: 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	w.advanceBy(time.Hour, "what has had its time to expire", func() bool { return w.statesOf(r.ID) == "expired" })
	if n := slow.looked.Load(); n != 1 {
		t.Errorf("the mailbox was asked %d times meanwhile", n)
	}
}
