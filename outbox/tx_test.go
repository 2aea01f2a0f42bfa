package outbox_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/yanmail/yan/outbox"
)

// A transaction of database/sql does what a store asks of it, and the caller commits
// it or not.
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
		t.Errorf("what is not there: %v, %v", found, err)
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
		t.Errorf("%d rows behind the rollback, %v", n, err)
	}
}
