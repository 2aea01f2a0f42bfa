package survival

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/outboxtest"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/outbox/sqlite"
	"github.com/yanmail/yan/internal/pgtest"
)

// kind is a store that has to pass the proofs.
type kind struct {
	name string
	// every is which part of the places is gone through where everything would take too
	// long: each so manieth. gang is how many courses are
	// worth to be carried out at a time.
	every, gang int
	// calls is which part of a worker's calls the short form goes through; the thorough
	// one has all.
	calls int
	// open makes one that is empty; the clock is that of the options.
	open func(t testing.TB, o outbox.Options, clock *outboxtest.Clock) (outbox.Store, error)
	// place is where an empty one can be opened by several processes, nil where that
	// is not possible; failpoints are those of their hook.
	place      func(t testing.TB) string
	failpoints []string
}

// takes reports whether the place of a number is gone through.
func (k kind) takes(number int) bool { return number%k.every == 0 }

func kinds() []kind {
	return []kind{
		{name: "model", every: 1, gang: 48, calls: 1, open: func(_ testing.TB, _ outbox.Options, clock *outboxtest.Clock) (outbox.Store, error) {
			return outboxtest.NewModel(clock), nil
		}},
		{name: "sqlite", every: twice(11), gang: 8, calls: twice(5), failpoints: sqlite.Failpoints(),
			open: func(t testing.TB, o outbox.Options, _ *outboxtest.Clock) (outbox.Store, error) {
				folder, err := os.MkdirTemp(t.TempDir(), "") // a course may be one of thousands
				if err != nil {
					return nil, err
				}
				store, err := sqlite.Open(context.Background(), filepath.Join(folder, "outbox.db"), o)
				if err != nil {
					return nil, err
				}
				return disposable{store, folder}, nil
			},
			place: func(t testing.TB) string { return filepath.Join(t.TempDir(), "outbox.db") }},
		{name: "postgres", every: twice(41), gang: 4, calls: twice(13), failpoints: postgres.Failpoints(),
			open: func(t testing.TB, o outbox.Options, _ *outboxtest.Clock) (outbox.Store, error) {
				return postgres.Open(context.Background(), pgtest.Start(t).Database(t), o)
			},
			place: func(t testing.TB) string { return pgtest.Start(t).Database(t) }},
	}
}

// disposable is a store whose folder goes with it.
type disposable struct {
	outbox.Store
	folder string
}

func (d disposable) Close() error { return errors.Join(d.Store.Close(), os.RemoveAll(d.folder)) }

// twice is how wide a stride is: under the race detector, where everything takes ten
// times as long, it is two of them.
func twice(n int) int {
	if outboxtest.Race {
		return 2 * n
	}
	return n
}
