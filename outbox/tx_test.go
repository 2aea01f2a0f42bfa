package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/sandboxtest"
)

// callerTransaction is a transaction of the caller, in the outbox's database.
type callerTransaction struct {
	outbox.Tx
	exec             func(statement string) error
	commit, rollback func() error
}

func bySQL(t *testing.T, db *sql.DB) callerTransaction {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return callerTransaction{outbox.SQL(tx), func(s string) error { _, err := tx.ExecContext(t.Context(), s); return err }, tx.Commit, tx.Rollback}
}

// testTransactional tests that the changes of a transaction and the message in it are kept
// together, or neither is.
func testTransactional(t *testing.T, box *outbox.Outbox, begin func() callerTransaction, rows func() int) {
	t.Helper()
	o := outbox.EnqueueOptions{Account: "a", Key: "order 1"}
	enqueue := func(tx callerTransaction, text string) (outbox.Receipt, error) {
		if err := tx.exec("INSERT INTO orders VALUES ('x')"); err != nil {
			t.Fatal(err)
		}
		m := testMessage("me@qq.com")
		m.Text = text
		return box.EnqueueTx(t.Context(), tx, m, o)
	}
	kept := func() int {
		page, err := box.List(t.Context(), queue.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		return len(page.Entries)
	}
	tx := begin()
	if _, err := enqueue(tx, "x"); err != nil {
		t.Fatal(err)
	}
	if err := tx.rollback(); err != nil {
		t.Fatal(err)
	}
	if kept() != 0 || rows() != 0 {
		t.Errorf("after a rollback: %d messages, %d rows", kept(), rows())
	}

	tx = begin()
	first, err := enqueue(tx, "x")
	if err != nil || first.Duplicate || first.Account != "a" || first.MessageID == "" {
		t.Fatal(first, err)
	}
	if err := tx.commit(); err != nil {
		t.Fatal(err)
	}
	if kept() != 1 || rows() != 1 {
		t.Errorf("after a commit: %d messages, %d rows", kept(), rows())
	}

	tx = begin()
	if again, err := enqueue(tx, "x"); err != nil || !again.Duplicate || again.ID != first.ID {
		t.Errorf("again: %+v, %v", again, err)
	}
	if err := tx.commit(); err != nil {
		t.Fatal(err)
	}
	tx = begin()
	if _, err := enqueue(tx, "another text"); !errors.Is(err, queue.ErrConflict) {
		t.Errorf("another message under the key: %v", err)
	}
	if err := tx.rollback(); err != nil {
		t.Fatal(err)
	}
	if kept() != 1 || rows() != 2 {
		t.Errorf("in the end: %d messages, %d rows", kept(), rows())
	}
	entry, err := box.Show(t.Context(), first.ID)
	if err != nil || entry.MessageID != first.MessageID || !entry.HasBody || entry.Recipients[0].State != queue.Queued {
		t.Errorf("kept %+v, %v", entry, err)
	}
}

func countRows(t *testing.T, db *sql.DB) int {
	t.Helper()
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM orders").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func openOutbox(t *testing.T, where string) *outbox.Outbox {
	t.Helper()
	box, err := outbox.Open(t.Context(), where, outbox.Options{Accounts: new(account.File), MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return box
}

func TestEnqueueTxInSQLite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.db")
	box := openOutbox(t, path)
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_txlock=immediate&_pragma=busy_timeout(60000)&_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE orders (name TEXT)"); err != nil {
		t.Fatal(err)
	}
	testTransactional(t, box, func() callerTransaction { return bySQL(t, db) }, func() int { return countRows(t, db) })
}

// A delivery in progress sends a message that another transaction commits.
func TestDeliverSeesACommit(t *testing.T) {
	t.Parallel()
	server := sandboxtest.Start(t, "plain")
	f, secrets := sandboxAccount(t, server)
	path := filepath.Join(t.TempDir(), "app.db")
	box, err := outbox.Open(t.Context(), path, outbox.Options{Accounts: f, Secrets: secrets, MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	working, stop := context.WithCancel(ctx)
	defer stop()
	delivered := make(chan error, 1)
	go func() { delivered <- box.Deliver(working) }()
	cursor, err := box.Cursor(ctx)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_txlock=immediate&_pragma=busy_timeout(60000)&_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx := bySQL(t, db)
	if _, err := box.EnqueueTx(ctx, tx, testMessage(""), outbox.EnqueueOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := tx.commit(); err != nil {
		t.Fatal(err)
	}
	for e, err := range box.Watch(ctx, cursor) {
		if err != nil {
			t.Fatal(err)
		}
		if e.State == queue.HandedOver {
			break
		}
	}
	stop()
	if err := <-delivered; err != nil {
		t.Error(err)
	}
	if n := len(server.Messages()); n != 1 {
		t.Errorf("%d messages arrived", n)
	}
}

// A transaction of database/sql carries out the store's statements, and the caller commits it
// or not.
func TestSQL(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "app.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)"); err != nil {
		t.Fatal(err)
	}
	begin := func() *sql.Tx {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return tx
	}
	tx := begin()
	wrapped := outbox.SQL(tx)
	if err := wrapped.Exec(t.Context(), "INSERT INTO t (id, name) VALUES (?, ?)", 1, "one"); err != nil {
		t.Fatal(err)
	}
	var name string
	if found, err := wrapped.QueryRow(t.Context(), "SELECT name FROM t WHERE id = ?", []any{1}, &name); err != nil || !found || name != "one" {
		t.Errorf("%v, %v, %q", found, err, name)
	}
	if found, err := wrapped.QueryRow(t.Context(), "SELECT name FROM t WHERE id = ?", []any{2}, &name); err != nil || found {
		t.Errorf("a missing message: %v, %v", found, err)
	}
	if found, err := wrapped.QueryRow(t.Context(), "SELECT nothing FROM nowhere", nil, &name); err == nil || found {
		t.Errorf("what makes no sense: %v, %v", found, err)
	}
	if err := wrapped.Exec(t.Context(), "INSERT INTO nowhere VALUES (1)"); err == nil {
		t.Error("what makes no sense is done")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows after the rollback, %v", n, err)
	}
}
