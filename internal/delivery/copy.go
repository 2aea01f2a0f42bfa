package delivery

import (
	"context"
	"io"
	"sync"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// mostCopies limits how many messages wait for their copy before no more are claimed: a slow
// mailbox slows the sending down.
const mostCopies = 64

// copier puts copies of sent messages into the Sent folder, one after the other, over one
// connection. It never retries: a second copy could not be told from the first.
type copier struct {
	c       *accountWorker
	ended   sync.WaitGroup
	mailbox CopyFolder
	err     error // why there is no mailbox; it is not opened again

	mu      sync.Mutex
	changed *sync.Cond
	queue   []outbox.Item
	closed  bool
}

// newCopier starts a copier; it returns nil if no copies are kept.
func newCopier(c *accountWorker) *copier {
	if c.route.Mailbox == nil {
		return nil
	}
	k := &copier{c: c}
	k.changed = sync.NewCond(&k.mu)
	k.ended.Go(func() { c.s.runGuarded("the copier of an account", k.runCopies) })
	return k
}

// addCopy queues a message for its copy. It does not wait, because its caller still has
// settlements for the store.
func (k *copier) addCopy(item outbox.Item) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.queue = append(k.queue, item)
	k.changed.Broadcast()
}

// waitForRoom waits until few messages wait for their copy.
func (k *copier) waitForRoom(ctx context.Context) {
	if k == nil {
		return
	}
	stop := context.AfterFunc(ctx, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.changed.Broadcast()
	})
	defer stop()
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.queue) > mostCopies && ctx.Err() == nil {
		k.changed.Wait()
	}
}

// nextItem waits for the next message to copy; ok is false if there will be none.
func (k *copier) nextItem() (item outbox.Item, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.queue) == 0 && !k.closed {
		k.changed.Wait()
	}
	if len(k.queue) == 0 {
		return item, false
	}
	item, k.queue[0] = k.queue[0], outbox.Item{}
	k.queue = k.queue[1:]
	k.changed.Broadcast()
	return item, true
}

// close returns after all copies are made, or have failed.
func (k *copier) close() {
	if k == nil {
		return
	}
	k.mu.Lock()
	k.closed = true
	k.changed.Broadcast()
	k.mu.Unlock()
	k.ended.Wait()
}

func (k *copier) runCopies() {
	d := k.c.d
	for item, ok := k.nextItem(); ok; item, ok = k.nextItem() {
		err := k.makeCopy(k.c.s.hard, item)
		d.o.Observe(WorkerEvent{Kind: Copied, Account: k.c.account, ID: item.ID, MessageID: item.MessageID, Err: err})
	}
	if k.mailbox != nil {
		k.mailbox.Close()
	}
}

func (k *copier) makeCopy(ctx context.Context, item outbox.Item) error {
	if k.err != nil {
		return k.err
	}
	if there, err := k.hasCopy(ctx, item); there || err != nil {
		return err
	}
	if k.mailbox == nil {
		if k.mailbox, k.err = k.c.route.Mailbox(ctx); k.err != nil {
			return k.err
		}
	}
	return k.mailbox.Append(ctx, storedCopy{k.c.d.o.Store, ctx, item}, k.c.d.o.Now())
}

// hasCopy reports whether a copy was made when other recipients of the message got it.
func (k *copier) hasCopy(ctx context.Context, item outbox.Item) (bool, error) {
	first := true
	own := map[int]bool{}
	for _, r := range item.Recipients {
		own[r.N] = true
		first = first && r.Attempts == 0
	}
	if first {
		return false, nil
	}
	e, err := k.c.d.o.Store.Show(ctx, item.ID)
	for _, r := range e.Recipients {
		if r.State == queue.HandedOver && !own[r.N] {
			return true, nil
		}
	}
	return false, err
}

// storedCopy is a message of the store.
type storedCopy struct {
	store outbox.WorkQueue
	ctx   context.Context
	item  outbox.Item
}

func (m storedCopy) Size() int64 { return m.item.Size }

func (m storedCopy) WriteTo(w io.Writer) (int64, error) {
	if m.item.Body != nil {
		n, err := w.Write(m.item.Body)
		return int64(n), err
	}
	body, err := m.store.Body(m.ctx, m.item.ID)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	return io.Copy(w, body)
}
