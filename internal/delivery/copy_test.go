package delivery_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/queue"
)

// sentFolder is a mailbox that records the copies.
type sentFolder struct {
	mu     sync.Mutex
	copies []string
	fail   error
	opened int
}

func (f *sentFolder) open(context.Context) (delivery.Mailbox, error) {
	f.opened++
	return f, f.fail
}

func (f *sentFolder) Append(_ context.Context, m delivery.Copy, _ time.Time) error {
	var b bytes.Buffer
	if n, err := m.WriteTo(&b); err != nil || n != m.Size() {
		return errors.Join(err, errors.New("not the size that was said"))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.copies = append(f.copies, b.String())
	return nil
}

func (f *sentFolder) Close() {}

func TestACopyOfEachMessageThatSomebodyGot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "rcpt-450-4.2.1*1")
	folder := &sentFolder{}
	w.route.Mailbox = folder.open
	both := w.enqueue("b@example.org", "c@example.org")
	for range 20 {
		w.enqueue("a@example.org")
	}
	w.enqueue("rcpt-550-5.1.1@example.org")
	w.drain()
	w.want(both, "deferred handed_over")
	w.clock.Advance(2 * time.Minute)
	w.drain()
	w.want(both, "handed_over handed_over")
	if len(folder.copies) != 21 || folder.opened != 1 {
		t.Errorf("%d copies over %d connections", len(folder.copies), folder.opened)
	}
	for _, c := range folder.copies {
		if !strings.Contains(c, "Hello World") {
			t.Errorf("a copy is\n%s", c)
		}
	}
}

func TestAMailboxThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	folder := &sentFolder{fail: errors.New("the mailbox is shut")}
	w.route.Mailbox = folder.open
	for range 5 {
		w.enqueue("a@example.org")
	}
	if drained := w.drain(); drained.Count[queue.HandedOver] != 5 || folder.opened != 1 {
		t.Errorf("%v, asked %d times", drained.Count, folder.opened)
	}
	if n := w.saw(delivery.Copied, ""); n != 5 {
		t.Errorf("%d were told that there is no copy", n)
	}
}
