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

// recordingFolder is a mailbox that records the copies.
type recordingFolder struct {
	mu     sync.Mutex
	copies []string
	fail   error
	opened int
}

func (f *recordingFolder) open(context.Context) (delivery.CopyFolder, error) {
	f.opened++
	return f, f.fail
}

func (f *recordingFolder) Append(_ context.Context, m delivery.Copy, _ time.Time) error {
	var b bytes.Buffer
	if n, err := m.WriteTo(&b); err != nil || n != m.Size() {
		return errors.Join(err, errors.New("not the size that was said"))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.copies = append(f.copies, b.String())
	return nil
}

func (f *recordingFolder) Close() {}

func TestACopyOfEachMessageThatSomebodyGot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "rcpt-450-4.2.1*1")
	folder := &recordingFolder{}
	w.route.Mailbox = folder.open
	both := w.enqueueTo("b@example.org", "c@example.org")
	for range 20 {
		w.enqueueTo("a@example.org")
	}
	w.enqueueTo("rcpt-550-5.1.1@example.org")
	w.mustDrain()
	w.wantStates(both, "deferred handed_over")
	w.clock.Advance(2 * time.Minute)
	w.mustDrain()
	w.wantStates(both, "handed_over handed_over")
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
	folder := &recordingFolder{fail: errors.New("the mailbox is shut")}
	w.route.Mailbox = folder.open
	for range 5 {
		w.enqueueTo("a@example.org")
	}
	if drained := w.mustDrain(); drained.Count[queue.HandedOver] != 5 || folder.opened != 1 {
		t.Errorf("%v, asked %d times", drained.Count, folder.opened)
	}
	if n := w.countEvents(delivery.Copied, ""); n != 5 {
		t.Errorf("%d events say that there is no copy", n)
	}
}
