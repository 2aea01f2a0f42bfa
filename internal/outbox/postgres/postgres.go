// Package postgres keeps an outbox in a PostgreSQL database, for any number of machines.
//
//   - migrations/ is the schema, with its reasons.
//   - connect.go has the connections, commit.go the transactions, and the recovery if a
//     connection is lost during a commit.
//   - batch.go lets concurrent operations share a commit.
//   - events.go explains how the events are read without missing late commits.
package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/group"
	"github.com/yanmail/yan/queue"
)

// Store is an outbox in a database.
type Store struct {
	pool     *connPool
	o        outbox.Options
	hook     func(point string)
	patience time.Duration
	bell     *bell

	enqueues *group.Committer[*opBatch[enqueueOp]]
	claims   *group.Committer[*opBatch[claimOp]]
	settles  *group.Committer[*opBatch[settleOp]]

	mu     sync.Mutex
	closed bool
	end    context.CancelFunc // ends the store's goroutines
	tasks  sync.WaitGroup
}

// TestSettings are for tests. The zero value is the normal behaviour.
type TestSettings struct {
	// Hook is called at each of Failpoints, from many goroutines.
	Hook func(point string)
	// Careless accepts a server that does not sync.
	Careless bool
	// Patience limits the time of a commit, and how long the server may be away during one
	// until its caller gets queue.ErrUncertain; 0 means 30 s.
	Patience time.Duration
}

// Failpoints lists the points where TestSettings.Hook is called: before a transaction, before and
// after its commit, after the answer to a commit was lost, and after each chunk of a large
// body.
func Failpoints() []string {
	return []string{"begin", "before-commit", "after-commit", "lost", "chunk"}
}

// Open opens the outbox in the database of a URL (postgres://...), in its schema yan, and
// creates a missing one. The error names host and database, and not the password; it is a
// *queue.NewerError if a newer program created the tables.
func Open(ctx context.Context, url string, o outbox.Options) (outbox.Store, error) {
	s, err := OpenWith(ctx, url, o, TestSettings{})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenWith is Open for tests.
func OpenWith(ctx context.Context, url string, o outbox.Options, settings TestSettings) (*Store, error) {
	p, conn, err := firstConnection(ctx, url, settings.Careless)
	if err != nil {
		return nil, err
	}
	clock := (*time.Time)(nil)
	if o.Now != nil {
		now := o.Now()
		clock = &now
	}
	err = migrateSchema(ctx, conn.Conn(), clock)
	conn.Release()
	if err != nil {
		p.Close()
		var newer *queue.NewerError
		if errors.As(err, &newer) {
			return nil, err
		}
		return nil, localerr.Errorf("%s: creating the tables of the outbox: %w", p.place, err)
	}
	if o.InlineBytes <= 0 {
		o.InlineBytes = chunkBytes
	}
	if settings.Patience <= 0 {
		settings.Patience = 30 * time.Second
	}
	s := &Store{pool: p, o: o, hook: settings.Hook, patience: settings.Patience, bell: newBell()}
	s.enqueues = newLane(s, s.enqueueAll)
	s.claims = newLane(s, s.claimAll)
	s.settles = newLane(s, s.settleAll)
	background, end := context.WithCancel(context.Background())
	s.end = end
	s.tasks.Go(func() { s.listenNotify(background) })
	return s, nil
}

// Close ends the store's goroutines and connections, after the work in progress.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.enqueues.Close()
	s.claims.Close()
	s.settles.Close()
	s.end()
	s.tasks.Wait()
	s.pool.Close()
	return nil
}

// checkOpen returns an error if ctx is done or the store is closed. Every method calls it first.
func (s *Store) checkOpen(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return queue.ErrClosed
	}
	return nil
}

// inOwnTx runs do in a transaction of its own.
func (s *Store) inOwnTx(ctx context.Context, do func(context.Context, *tx) error) error {
	if err := s.checkOpen(ctx); err != nil {
		return err
	}
	// Longer than the longest operation, a Prune of millions of messages.
	ctx, cancel := withLimit(ctx, 20*s.patience)
	defer cancel()
	return s.inTx(ctx, do)
}

func (s *Store) callHook(point string) {
	if s.hook != nil {
		s.hook(point)
	}
}

// testClock returns the time of a test, nil for the database's time.
func (s *Store) testClock() *time.Time {
	if s.o.Now == nil {
		return nil
	}
	now := s.o.Now()
	return &now
}
