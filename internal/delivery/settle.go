package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// mostSettled limits the settlements of one call.
const mostSettled = 1024

// settler writes settlements to the store, concurrently with the sending: a known result must
// reach the store, however long the store takes.
type settler struct {
	c *accountWorker

	mu      sync.Mutex
	changed *sync.Cond
	queue   []pendingSettlement
	closed  bool
	ended   sync.WaitGroup
}

// pendingSettlement is a settlement and its event.
type pendingSettlement struct {
	settlement outbox.Settlement
	event      WorkerEvent
}

func newSettler(c *accountWorker) *settler {
	s := &settler{c: c}
	s.changed = sync.NewCond(&s.mu)
	s.ended.Go(func() { c.s.runGuarded("the settler of an account", s.runWrites) })
	return s
}

// addSettlements queues settlements.
func (s *settler) addSettlements(p *queuedMessage, settlements []outbox.Settlement) {
	now := s.c.d.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, settlement := range settlements {
		r := p.recipientAt(settlement.N)
		attempt := r.Attempts + 1
		if settlement.State == queue.Queued || settlement.State == queue.Held {
			attempt = 0
		}
		s.queue = append(s.queue, pendingSettlement{settlement, WorkerEvent{Kind: Settled, Account: s.c.account, ID: p.item.ID, N: r.N,
			MessageID: p.item.MessageID, Domain: r.Address.ASCIIDomain(), State: settlement.State, Attempt: attempt,
			Answer: settlement.Answer, Size: p.item.Size, Count: 1, Began: p.since, Took: now.Sub(p.since), Waited: now.Sub(p.item.Created)}})
	}
	s.changed.Broadcast()
}

// waitForRoom waits until few settlements are queued.
func (s *settler) waitForRoom(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changed.Broadcast()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > mostUnsettled && ctx.Err() == nil {
		s.changed.Wait()
	}
}

// close returns after all settlements are written, or have failed.
func (s *settler) close() {
	s.mu.Lock()
	s.closed = true
	s.changed.Broadcast()
	s.mu.Unlock()
	s.ended.Wait()
}

func (s *settler) runWrites() {
	for {
		batch := s.nextBatch()
		if len(batch) == 0 {
			return
		}
		s.writeBatch(batch)
	}
}

// nextBatch waits for settlements and returns the queued ones; none if there will be no more.
func (s *settler) nextBatch() []pendingSettlement {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) == 0 && !s.closed {
		s.changed.Wait()
	}
	n := min(len(s.queue), mostSettled)
	batch := s.queue[:n:n]
	s.queue = s.queue[n:]
	if len(s.queue) == 0 {
		s.queue = nil
	}
	s.changed.Broadcast()
	return batch
}

// writeBatch writes a batch to the store. While the store fails, it tries again. It gives up only if
// the process must end; the recipients are in doubt then.
func (s *settler) writeBatch(batch []pendingSettlement) {
	d := s.c.d
	settlements := make([]outbox.Settlement, len(batch))
	for i := range batch {
		settlements[i] = batch[i].settlement
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.c.s.hard))
	defer cancel()
	stop := context.AfterFunc(s.c.s.hard, func() {
		select {
		case <-d.o.After(d.o.Grace):
			cancel()
		case <-ctx.Done():
		}
	})
	defer stop()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		stale, err := d.o.Store.Settle(ctx, settlements)
		if d.recordUse(err) {
			s.reportBatch(batch, stale)
			break
		}
		if d.fatalError() != nil || ctx.Err() != nil {
			break
		}
		select {
		case <-d.o.After(pause):
		case <-ctx.Done():
		}
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.c.leased -= len(batch)
	s.c.rate.addCount(d.o.Now(), len(batch))
}

// reportBatch reports the settlements that the store accepted.
func (s *settler) reportBatch(batch []pendingSettlement, stale []outbox.Lease) {
	d := s.c.d
	late := make(map[outbox.Lease]bool, len(stale))
	for _, l := range stale {
		late[l] = true
	}
	d.mu.Lock()
	for i := range batch {
		if state := batch[i].settlement.State; state != queue.Queued && !late[batch[i].settlement.Lease] {
			d.count[state]++
		}
	}
	d.mu.Unlock()
	for i := range batch {
		if !late[batch[i].settlement.Lease] {
			d.o.Observe(batch[i].event)
		}
	}
}
