package sqlite_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/sqlite"
	"github.com/yanmail/yan/internal/testing/outboxtest"
)

var (
	seed  = flag.Uint64("seed", 0, "carry out the operations of this seed only; 0 for some")
	seeds = flag.Uint64("seeds", 2, "of how many seeds")
	steps = flag.Int("steps", 1500, "how many random operations of each")
)

func openAt(t *testing.T, path string, clock *outboxtest.Clock) outbox.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), path, outbox.Options{Now: clock.Now, Uptime: clock.Uptime, MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRandom(t *testing.T) {
	t.Parallel()
	from, to := uint64(1), *seeds
	if *seed != 0 {
		from, to = *seed, *seed
	}
	for seed := from; seed <= to; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			clock := outboxtest.NewClock()
			s := openAt(t, filepath.Join(t.TempDir(), "outbox.db"), clock)
			defer func() { _ = s.Close() }()
			outboxtest.Random(t, seed, outboxtest.Fewer(*steps), s, clock)
		})
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	outboxtest.RunReopen(t, func(t *testing.T, clock *outboxtest.Clock) (outbox.Store, func() outbox.Store) {
		path := filepath.Join(t.TempDir(), "outbox.db")
		return openAt(t, path, clock), func() outbox.Store { return openAt(t, path, clock) }
	})
}

func TestShared(t *testing.T) {
	t.Parallel()
	outboxtest.RunShared(t, func(t *testing.T, clock *outboxtest.Clock) (one, other outbox.Store) {
		path := filepath.Join(t.TempDir(), "outbox.db")
		return openAt(t, path, clock), openAt(t, path, clock)
	})
}

func TestCopied(t *testing.T) {
	t.Parallel()
	outboxtest.RunCopied(t, func(t *testing.T, clock *outboxtest.Clock) (outbox.Store, func() outbox.Store) {
		from, to := t.TempDir(), t.TempDir()
		return openAt(t, filepath.Join(from, "outbox.db"), clock), func() outbox.Store {
			if err := os.CopyFS(to, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			return openAt(t, filepath.Join(to, "outbox.db"), clock)
		}
	})
}

// sqlCallerTx is a transaction of database/sql.
type sqlCallerTx struct{ *sql.Tx }

func (c sqlCallerTx) Exec(ctx context.Context, statement string, args ...any) error {
	_, err := c.ExecContext(ctx, statement, args...)
	return err
}

func (c sqlCallerTx) QueryRow(ctx context.Context, statement string, args []any, into ...any) (bool, error) {
	err := c.QueryRowContext(ctx, statement, args...).Scan(into...)
	if err == sql.ErrNoRows {
		return false, nil
	}
	return err == nil, err
}

func TestIn(t *testing.T) {
	t.Parallel()
	outboxtest.RunIn(t, func(t *testing.T, clock *outboxtest.Clock) (outbox.Store, outboxtest.Begin) {
		path := filepath.Join(t.TempDir(), "outbox.db")
		s := openAt(t, path, clock)
		db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return s, func() (tx outbox.CallerTx, commit, rollback func() error) {
			own, err := db.BeginTx(context.Background(), nil)
			if err != nil {
				t.Fatal(err)
			}
			return sqlCallerTx{own}, own.Commit, own.Rollback
		}
	})
}
