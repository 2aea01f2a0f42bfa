package pgtest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = conn.Close(ctx) // the server may be gone
	})
	return conn
}

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	s := Start(t)
	a, b := connect(t, s.Database(t)), connect(t, s.Database(t))
	if _, err := a.Exec(t.Context(), "create table x (n int)"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Exec(t.Context(), "select * from x"); err == nil {
		t.Error("a table of one test is in the database of another")
	}
	for setting, want := range map[string]string{"fsync": "on", "synchronous_commit": "on"} {
		var got string
		if err := a.QueryRow(t.Context(), "show "+setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v", setting, got, err)
		}
	}
}

// Committed data survives a crash, uncommitted data does not, and connections
// are lost.
func TestCrash(t *testing.T) {
	t.Parallel()
	s := Own(t, Options{})
	url := s.Database(t)
	for what, crash := range map[string]func(testing.TB){"stop": s.Stop, "kill": s.Kill} {
		conn := connect(t, url)
		if _, err := conn.Exec(t.Context(), "drop table if exists x; create table x (n int)"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "insert into x values (1)"); err != nil {
			t.Fatal(err)
		}
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "insert into x values (2)"); err != nil {
			t.Fatal(err)
		}
		crash(t)
		if err := tx.Commit(t.Context()); err == nil {
			t.Errorf("%s: the server still answers", what)
		}
		s.Restart(t)
		var sum int
		if err := connect(t, url).QueryRow(t.Context(), "select sum(n) from x").Scan(&sum); err != nil || sum != 1 {
			t.Errorf("%s: got %d, %v", what, sum, err)
		}
	}
}
