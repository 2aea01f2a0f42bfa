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
	for name, begin := range map[string]func(*testing.T, string) func() transaction{
		"pgx": func(t *testing.T, url string) func() transaction {
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
			return func() transaction { return byPgx(t, conn) }
		},
		"database/sql": func(t *testing.T, url string) func() transaction {
			db := byURL(t, url)
			return func() transaction { return bySQL(t, db) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := server.Database(t)
			box := open(t, url)
			db := byURL(t, url)
			if _, err := db.ExecContext(t.Context(), "CREATE TABLE orders (name TEXT)"); err != nil {
				t.Fatal(err)
			}
			transactional(t, box, begin(t, url), func() int { return count(t, db) })
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

func byPgx(t *testing.T, conn *pgx.Conn) transaction {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return transaction{outbox.Pgx(tx), func(s string) error { _, err := tx.Exec(t.Context(), s); return err },
		func() error { return tx.Commit(t.Context()) }, func() error { return tx.Rollback(t.Context()) }}
}
