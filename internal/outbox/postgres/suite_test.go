package postgres_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/internal/testing/pgtest"
)

func TestMain(m *testing.M) {
	if at := os.Getenv("YAN_TEST_VICTIM"); at != "" {
		runVictim(at, os.Getenv("YAN_TEST_POINT"))
		return
	}
	os.Exit(pgtest.Main(m))
}

// openStore opens the outbox in a database, and closes it after the test.
func openStore(t testing.TB, url string, o outbox.Options, settings postgres.TestSettings) *postgres.Store {
	t.Helper()
	s, err := postgres.OpenWith(context.Background(), url, o, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestSuite(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	outboxtest.Run(t, func(t *testing.T, clock *outboxtest.Clock) outbox.Store {
		clock.Single()
		return openStore(t, server.Database(t), outbox.Options{Now: clock.Now}, postgres.TestSettings{})
	})
}

// With a limit this small nearly every body is a large one.
func TestSuiteLarge(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	outboxtest.Run(t, func(t *testing.T, clock *outboxtest.Clock) outbox.Store {
		clock.Single()
		return openStore(t, server.Database(t), outbox.Options{Now: clock.Now, InlineBytes: 1}, postgres.TestSettings{})
	})
}

func TestSuiteShared(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	outboxtest.RunShared(t, func(t *testing.T, clock *outboxtest.Clock) (one, other outbox.Store) {
		clock.Single()
		url := server.Database(t)
		o := outbox.Options{Now: clock.Now}
		return openStore(t, url, o, postgres.TestSettings{}), openStore(t, url, o, postgres.TestSettings{})
	})
}

func TestSuiteReopen(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	outboxtest.RunReopen(t, func(t *testing.T, clock *outboxtest.Clock) (outbox.Store, func() outbox.Store) {
		clock.Single()
		url := server.Database(t)
		again := func() outbox.Store { return openStore(t, url, outbox.Options{Now: clock.Now}, postgres.TestSettings{}) }
		return again(), again
	})
}

func TestSuiteCopied(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t, pgtest.Options{Careless: true})
	outboxtest.RunCopied(t, func(t *testing.T, clock *outboxtest.Clock) (outbox.Store, func() outbox.Store) {
		clock.Single()
		o, settings := outbox.Options{Now: clock.Now}, postgres.TestSettings{Careless: true}
		url := server.Database(t)
		return openStore(t, url, o, settings), func() outbox.Store { return openStore(t, copyDatabase(t, url), o, settings) }
	})
}

// copyDatabase copies a database, which accepts no connections meanwhile.
func copyDatabase(t *testing.T, url string) string {
	t.Helper()
	name := url[strings.LastIndex(url, "/")+1:]
	name, _, _ = strings.Cut(name, "?")
	conn, err := pgx.Connect(t.Context(), strings.Replace(url, "/"+name, "/postgres", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for _, sql := range []string{
		"alter database " + name + " allow_connections false",
		"select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '" + name + "'",
		"create database " + name + "_copy template " + name,
		"alter database " + name + "_copy allow_connections true",
		"alter database " + name + " allow_connections true",
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	return strings.Replace(url, "/"+name, "/"+name+"_copy", 1)
}

func TestSuiteRandom(t *testing.T) {
	t.Parallel()
	server := pgtest.Own(t, pgtest.Options{Careless: true})
	for seed := range uint64(4) {
		clock := outboxtest.NewClock().Single()
		store := openStore(t, server.Database(t), outbox.Options{Now: clock.Now, InlineBytes: 1000}, postgres.TestSettings{Careless: true})
		outboxtest.Random(t, seed, outboxtest.Fewer(600), store, clock)
	}
}

func TestSuiteIn(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	outboxtest.RunIn(t, func(t *testing.T, clock *outboxtest.Clock) (outbox.Store, outboxtest.Begin) {
		clock.Single()
		url := server.Database(t)
		begin := func() (outbox.CallerTx, func() error, func() error) {
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			end := func(how func(context.Context) error) func() error {
				return func() error { return errors.Join(how(context.Background()), conn.Close(context.Background())) }
			}
			return pgxCallerTx{tx}, end(tx.Commit), end(tx.Rollback)
		}
		return openStore(t, url, outbox.Options{Now: clock.Now}, postgres.TestSettings{}), begin
	})
}

// pgxCallerTx is a transaction of a caller that uses pgx.
type pgxCallerTx struct{ tx pgx.Tx }

func (c pgxCallerTx) Exec(ctx context.Context, statement string, args ...any) error {
	_, err := c.tx.Exec(ctx, statement, args...)
	return err
}

func (c pgxCallerTx) QueryRow(ctx context.Context, statement string, args []any, into ...any) (bool, error) {
	err := c.tx.QueryRow(ctx, statement, args...).Scan(into...)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
