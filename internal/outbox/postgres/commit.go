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

	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/queue"
)

// errAborted: the connection was lost and nothing was kept.
var errAborted = sentence.New("the connection to the database was lost before the commit: nothing was kept, try again")

// tx is a transaction that is open.
type tx struct {
	*pgx.Conn
	s *Store
	// now is the time of all that happens in it.
	now time.Time
	// xid is its number, by which the server knows what became of it.
	xid string
	// wakes has the workers of all stores woken.
	wakes bool
	// idle is set by whoever has found nothing to change.
	idle bool
}

// transact carries something out in one transaction. What it returns nil for is
// on the disk; behind an error nothing is kept, except for queue.ErrUncertain.
//
// A connection that was idle may have died meanwhile; that shows when the transaction
// begins, and only then it is tried again, on one that is new.
func (s *Store) transact(ctx context.Context, do func(context.Context, *tx) error) error {
	for again := false; ; again = true {
		conn, err := s.pool.acquire(ctx)
		if err != nil {
			return err
		}
		t := &tx{Conn: conn.Conn(), s: s}
		if err = t.begin(ctx); err != nil && t.IsClosed() && !again && ctx.Err() == nil {
			conn.Release()
			s.pool.Reset()
			continue
		}
		if err == nil {
			err = t.run(ctx, do)
		}
		lost := t.IsClosed()
		conn.Release()
		return s.failed(ctx, lost, err)
	}
}

func (t *tx) begin(ctx context.Context) error {
	t.s.at("begin")
	b := &pgx.Batch{}
	b.Queue("begin")
	if t.s.pool.pooled {
		b.Queue(`select set_config('synchronous_commit', 'on', true), set_config('jit', 'off', true), set_config('enable_hashjoin', 'off', true),
			set_config('enable_mergejoin', 'off', true)`)
	}
	b.Queue("select pg_current_xact_id()::text, coalesce($1::timestamptz, clock_timestamp())", t.s.clock()).QueryRow(func(row pgx.Row) error {
		return row.Scan(&t.xid, &t.now)
	})
	return t.SendBatch(ctx, b).Close()
}

func (t *tx) run(ctx context.Context, do func(context.Context, *tx) error) error {
	done := false
	defer func() {
		if !done { // it panicked: the connection is in the middle of something
			discard(t.Conn)
		}
	}()
	err := do(ctx, t)
	done = true
	if err != nil || t.idle {
		if !t.IsClosed() {
			back, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			if _, broken := t.Exec(back, "rollback"); broken != nil {
				discard(t.Conn)
			}
		}
		return err
	}
	return t.commit(ctx)
}

// commit ends the transaction. Half a commit is no answer: ctx does not end it,
// the store's patience does.
func (t *tx) commit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.s.patience)
	defer cancel()
	t.s.at("before-commit")
	var note pgtype.UUID
	note.Valid = true
	rand.Read(note.Bytes[:])
	// One message to the server, with nothing to be prepared before.
	text := fmt.Sprintf("insert into yan.note (note) values ('%x'); commit", note.Bytes)
	if t.wakes {
		text = notify + "; " + text
	}
	tag, err := t.Exec(ctx, text)
	switch {
	case err == nil && tag.String() == "COMMIT":
		t.s.at("after-commit")
		if t.wakes {
			t.s.bell.ring() // one's own need not wait for the server's word
		}
		return nil
	case err == nil:
		return sentence.New("the database has rolled back instead of committing")
	case refused(err):
		discard(t.Conn)
		return err
	}
	discard(t.Conn)
	t.s.at("lost")
	return t.s.resolve(ctx, t.xid, note, err)
}

// refused reports an error by which the server says that a statement failed, the
// commit too. A FATAL one says only that the connection ends.
func refused(err error) bool {
	var told *pgconn.PgError
	return errors.As(err, &told) && told.SeverityUnlocalized == "ERROR"
}

// resolve finds out what became of a commit whose answer was lost.
//
// The number alone does not tell. A server that crashes forgets the numbers of
// transactions of which nothing was on its disk, and gives them to others, which may
// have committed by the time one asks. So the number tells when the transaction
// is over, and the note whether it is kept.
func (s *Store) resolve(ctx context.Context, xid string, note pgtype.UUID, why error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		over, kept, err := s.fate(ctx, xid, note)
		switch {
		case err == nil && kept:
			return nil
		case err == nil && over:
			return sentence.Errorf("%w (%w)", errAborted, why)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return sentence.Errorf("%w (%w)", queue.ErrUncertain, why)
		}
	}
}

// fate asks once.
func (s *Store) fate(ctx context.Context, xid string, note pgtype.UUID) (over, kept bool, err error) {
	conn, err := s.pool.connect(ctx) // beside the pool, of which every connection may wait like this one
	if err != nil {
		return false, false, err
	}
	defer discard(conn)
	var status *string
	err = conn.QueryRow(ctx, "select pg_xact_status($1::text::xid8)", xid).Scan(&status)
	switch {
	case err == nil && status != nil && *status == "in progress":
		return false, false, nil
	case err != nil && !refused(err): // which it is when the server does not know the number any more
		return false, false, err
	}
	err = conn.QueryRow(ctx, "select exists (select from yan.note where note = $1)", note).Scan(&kept)
	return err == nil, kept, err
}

// read carries out something that changes nothing, again where a connection that was
// idle turns out to be dead.
func (s *Store) read(ctx context.Context, do func(ctx context.Context, conn *pgx.Conn) error) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	ctx, cancel := bounded(ctx, 2*s.patience)
	defer cancel()
	for again := false; ; again = true {
		conn, err := s.pool.acquire(ctx)
		if err != nil {
			return err
		}
		err = do(ctx, conn.Conn())
		lost := conn.Conn().IsClosed()
		conn.Release()
		if err == nil || !lost || again || ctx.Err() != nil {
			return s.failed(ctx, lost, err)
		}
		s.pool.Reset()
	}
}

// bounded ends what a database that hangs, or somebody's lock, would keep waiting for ever.
func bounded(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, most, sentence.Errorf("the database did not answer within %v", most))
}

// failed says an error by what the caller has to know.
func (s *Store) failed(ctx context.Context, lost bool, err error) error {
	if err == nil {
		return nil
	}
	var told *pgconn.PgError
	switch known := errors.As(err, &told); {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return context.Cause(ctx)
	case known && told.Code == diskFull:
		return sentence.Errorf("%w: %w", queue.ErrFull, err)
	case errors.Is(err, errAborted) || errors.Is(err, queue.ErrUncertain) || known && !lost:
		return sentence.Errorf("%s: %w", s.pool.place, err)
	case lost:
		return sentence.Errorf("%s: %w", s.pool.place, sentence.Errorf("%w (%w)", errAborted, err))
	}
	return err
}
