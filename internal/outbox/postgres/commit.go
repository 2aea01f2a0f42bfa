package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
)

// errAborted: the connection was lost, and nothing was kept.
var errAborted = localerr.New("lost the connection to the database before the commit: nothing was saved, try again")

// tx is an open transaction.
type tx struct {
	*pgx.Conn
	s *Store
	// now is the time of all changes in it.
	now time.Time
	// xid is its number, by which the server reports its outcome.
	xid string
	// wakes is true if the workers of all stores must be woken.
	wakes bool
	// idle is set if there was nothing to change.
	idle bool
}

// inTx runs do in one transaction. If it returns nil, the changes are on the disk; after
// an error nothing is kept, except after queue.ErrUncertain.
//
// An idle connection may have died. That shows when the transaction begins, and only then it
// is tried once more, on a new connection.
func (s *Store) inTx(ctx context.Context, do func(context.Context, *tx) error) error {
	for again := false; ; again = true {
		conn, err := s.pool.acquireConn(ctx)
		if err != nil {
			return err
		}
		t := &tx{Conn: conn.Conn(), s: s}
		if err = t.beginTx(ctx); err != nil && t.IsClosed() && !again && ctx.Err() == nil {
			conn.Release()
			s.pool.Reset()
			continue
		}
		if err == nil {
			err = t.runIn(ctx, do)
		}
		lost := t.IsClosed()
		conn.Release()
		return s.wrapError(ctx, lost, err)
	}
}

func (t *tx) beginTx(ctx context.Context) error {
	t.s.callHook("begin")
	b := &pgx.Batch{}
	b.Queue("begin")
	if t.s.pool.pooled {
		b.Queue(`select set_config('synchronous_commit', 'on', true), set_config('jit', 'off', true), set_config('enable_hashjoin', 'off', true),
			set_config('enable_mergejoin', 'off', true)`)
	}
	b.Queue("select pg_current_xact_id()::text, coalesce($1::timestamptz, clock_timestamp())", t.s.testClock()).QueryRow(func(row pgx.Row) error {
		return row.Scan(&t.xid, &t.now)
	})
	return t.SendBatch(ctx, b).Close()
}

func (t *tx) runIn(ctx context.Context, do func(context.Context, *tx) error) error {
	done := false
	defer func() {
		if !done { // do panicked: the connection is in an unknown state
			closeConn(t.Conn)
		}
	}()
	err := do(ctx, t)
	done = true
	if err != nil || t.idle {
		if !t.IsClosed() {
			back, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			if _, broken := t.Exec(back, "rollback"); broken != nil {
				closeConn(t.Conn)
			}
		}
		return err
	}
	return t.commitTx(ctx)
}

// commitTx commits the transaction. A commit can't be interrupted, so ctx does not end it; the
// store's patience does.
func (t *tx) commitTx(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.s.patience)
	defer cancel()
	t.s.callHook("before-commit")
	var note pgtype.UUID
	note.Valid = true
	rand.Read(note.Bytes[:])
	// One message to the server, without a prepared statement.
	text := fmt.Sprintf("insert into yan.note (note) values ('%x'); commit", note.Bytes)
	if t.wakes {
		text = notify + "; " + text
	}
	tag, err := t.Exec(ctx, text)
	switch {
	case err == nil && tag.String() == "COMMIT":
		t.s.callHook("after-commit")
		if t.wakes {
			t.s.bell.ringAll() // this process need not wait for the server's notification
		}
		return nil
	case err == nil:
		return localerr.New("the database rolled back instead of committing")
	case isRefusal(err):
		closeConn(t.Conn)
		return err
	}
	closeConn(t.Conn)
	t.s.callHook("lost")
	return t.s.resolveCommit(ctx, t.xid, note, err)
}

// isRefusal reports whether the server said that a statement failed, even a commit. A FATAL
// error says only that the connection ends.
func isRefusal(err error) bool {
	var told *pgconn.PgError
	return errors.As(err, &told) && told.SeverityUnlocalized == "ERROR"
}

// resolveCommit finds out the outcome of a commit whose answer was lost.
//
// The number alone is not enough. A server that crashes forgets the numbers of transactions
// that had nothing on its disk, and reuses them for others, which may have committed by now.
// So the number shows when the transaction has ended, and the note whether it was kept.
func (s *Store) resolveCommit(ctx context.Context, xid string, note pgtype.UUID, why error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		over, kept, err := s.askFate(ctx, xid, note)
		switch {
		case err == nil && kept:
			return nil
		case err == nil && over:
			return localerr.Errorf("%w (%w)", errAborted, why)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return localerr.Errorf("%w (%w)", queue.ErrUncertain, why)
		}
	}
}

// askFate asks the server once.
func (s *Store) askFate(ctx context.Context, xid string, note pgtype.UUID) (over, kept bool, err error) {
	conn, err := s.pool.connectOutside(ctx) // not from the pool, whose connections may all be waiting like this one
	if err != nil {
		return false, false, err
	}
	defer closeConn(conn)
	var status *string
	err = conn.QueryRow(ctx, "select pg_xact_status($1::text::xid8)", xid).Scan(&status)
	switch {
	case err == nil && status != nil && *status == "in progress":
		return false, false, nil
	case err != nil && !isRefusal(err): // the server refuses numbers that it does not know any more
		return false, false, err
	}
	err = conn.QueryRow(ctx, "select exists (select from yan.note where note = $1)", note).Scan(&kept)
	return err == nil, kept, err
}

// withConn runs do, which changes nothing. It runs do again if an idle connection turns out to be
// dead.
func (s *Store) withConn(ctx context.Context, do func(ctx context.Context, conn *pgx.Conn) error) error {
	if err := s.checkOpen(ctx); err != nil {
		return err
	}
	ctx, cancel := withLimit(ctx, 2*s.patience)
	defer cancel()
	for again := false; ; again = true {
		conn, err := s.pool.acquireConn(ctx)
		if err != nil {
			return err
		}
		err = do(ctx, conn.Conn())
		lost := conn.Conn().IsClosed()
		conn.Release()
		if err == nil || !lost || again || ctx.Err() != nil {
			return s.wrapError(ctx, lost, err)
		}
		s.pool.Reset()
	}
}

// withLimit limits the wait for a database that hangs, or for a lock.
func withLimit(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, most, localerr.Errorf("the database did not answer within %v", most))
}

// wrapError translates an error for the caller.
func (s *Store) wrapError(ctx context.Context, lost bool, err error) error {
	if err == nil {
		return nil
	}
	var told *pgconn.PgError
	switch known := errors.As(err, &told); {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return context.Cause(ctx)
	case known && told.Code == diskFull:
		return localerr.Errorf("%w: %w", queue.ErrFull, err)
	case errors.Is(err, errAborted) || errors.Is(err, queue.ErrUncertain) || known && !lost:
		return localerr.Errorf("%s: %w", s.pool.place, err)
	case lost:
		return localerr.Errorf("%s: %w", s.pool.place, localerr.Errorf("%w (%w)", errAborted, err))
	}
	return err
}
