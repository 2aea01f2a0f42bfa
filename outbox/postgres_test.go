package outbox_test

import (
	"context"
	"database/sql"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/yanmail/yan/internal/testing/pgtest"
	"github.com/yanmail/yan/outbox"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// EnqueueTx works in PostgreSQL with transactions of package pgx and of database/sql.
func TestEnqueueTxInPostgreSQL(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	for name, begin := range map[string]func(*testing.T, string) func() callerTransaction{
		"pgx": func(t *testing.T, url string) func() callerTransaction {
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
			return func() callerTransaction { return byPgx(t, conn) }
		},
		"database/sql": func(t *testing.T, url string) func() callerTransaction {
			db := byURL(t, url)
			return func() callerTransaction { return bySQL(t, db) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := server.Database(t)
			box := openOutbox(t, url)
			db := byURL(t, url)
			if _, err := db.ExecContext(t.Context(), "CREATE TABLE orders (name TEXT)"); err != nil {
				t.Fatal(err)
			}
			testTransactional(t, box, begin(t, url), func() int { return countRows(t, db) })
		})
	}
}

func byURL(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func byPgx(t *testing.T, conn *pgx.Conn) callerTransaction {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return callerTransaction{outbox.Pgx(tx), func(s string) error { _, err := tx.Exec(t.Context(), s); return err },
		func() error { return tx.Commit(t.Context()) }, func() error { return tx.Rollback(t.Context()) }}
}
