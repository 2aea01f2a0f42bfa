package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// testTx is a transaction of the caller.
type testTx struct{ *sql.Tx }

func (x testTx) Exec(ctx context.Context, statement string, args ...any) error {
	_, err := x.ExecContext(ctx, statement, args...)
	return err
}

func (x testTx) QueryRow(ctx context.Context, statement string, args []any, into ...any) (bool, error) {
	err := x.QueryRowContext(ctx, statement, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func TestEnqueueIn(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), withSpool(t, Harness{poll: time.Millisecond})
	db, err := sql.Open("sqlite", dsn(s.path, "rw"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, "CREATE TABLE customer_order (id INTEGER PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	both := func(m outbox.NewMessage, commit bool) outbox.EnqueueResult {
		t.Helper()
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.ExecContext(ctx, "INSERT INTO customer_order DEFAULT VALUES"); err != nil {
			t.Fatal(err)
		}
		r, err := s.EnqueueIn(ctx, testTx{tx}, m)
		if err != nil {
			t.Fatal(err)
		}
		if commit {
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		return r
	}
	wake := s.Wake()
	m := testMessage(t, "a body in the spool", "bob@example.com", "carol@example.com")
	m.Key = "order 1"
	lost := both(m, false)
	if _, err := s.Show(ctx, lost.ID); err != queue.ErrNotFound {
		t.Errorf("rolled back, and there: %v", err)
	}
	if _, err := s.Prune(ctx, outbox.Retention{}); err != nil {
		t.Fatal(err)
	}
	if files := spooledFiles(t, s); len(files) != 0 {
		t.Errorf("rolled back, and in the spool: %v", files)
	}
	kept := both(m, true)
	select {
	case <-wake:
	case <-time.After(time.Minute):
		t.Error("no waiter was woken")
	}
	if again := both(m, true); again.ID != kept.ID || !again.Duplicate {
		t.Errorf("%+v", again)
	}
	inline := both(testMessage(t, "short"), true)
	for _, id := range []queue.ID{kept.ID, inline.ID} {
		entry, err := s.Show(ctx, id)
		if err != nil || len(entry.Events) != 1 {
			t.Errorf("%+v, %v", entry, err)
		}
		body, err := s.Body(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		_ = body.Close()
	}
	if other := mustEnqueue(t, s, testMessage(t, "x")); other <= inline.ID {
		t.Errorf("%d after %d", other, inline.ID)
	}
	checkTally(t, s)
	settleRest(t, s)
	checkTally(t, s)
}

// interruptedContent is content that calls do while it is read.
type interruptedContent struct {
	textContent
	do func()
}

func (c interruptedContent) WriteTo(w io.Writer) (int64, error) {
	c.do()
	return c.textContent.WriteTo(w)
}

// Writes of other programs while a message is read do not break the caller's transaction.
func TestEnqueueInBesideOthers(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), newTestStore(t)
	db, err := sql.Open("sqlite", dsn(s.path, "rw"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	m := testMessage(t, "x")
	m.Key = "order 2"
	m.Content = interruptedContent{textContent("x"), func() { mustEnqueue(t, s, testMessage(t, "y")) }}
	r, err := s.EnqueueIn(ctx, testTx{tx}, m)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Show(ctx, r.ID); err != nil {
		t.Error(err)
	}
	checkTally(t, s)
}
