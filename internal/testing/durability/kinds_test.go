package durability

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/outbox/sqlite"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/internal/testing/pgtest"
)

// storeKind is a store that has to pass the proofs.
type storeKind struct {
	name string
	// every reduces the number of places if all would take too long: only each every-th is used.
	// gang is the number of concurrent courses that pays off.
	every, gang int
	// calls is the stride over a worker's calls in the short form; the thorough form uses all.
	calls int
	// open creates an empty store; its clock is the clock of the options.
	open func(t testing.TB, o outbox.Options, clock *outboxtest.Clock) (outbox.Store, error)
	// place returns the location of an empty store that several processes can open; nil if that is
	// impossible. failpoints are the names that its hook gets.
	place      func(t testing.TB) string
	failpoints []string
}

// takes reports whether the place of a number is used.
func (k storeKind) takes(number int) bool { return number%k.every == 0 }

func storeKinds() []storeKind {
	return []storeKind{
		{name: "model", every: 1, gang: 48, calls: 1, open: func(_ testing.TB, _ outbox.Options, clock *outboxtest.Clock) (outbox.Store, error) {
			return outboxtest.NewModel(clock), nil
		}},
		{name: "sqlite", every: doubledForRace(11), gang: 8, calls: doubledForRace(5), failpoints: sqlite.Failpoints(),
			open: func(t testing.TB, o outbox.Options, _ *outboxtest.Clock) (outbox.Store, error) {
				folder, err := os.MkdirTemp(t.TempDir(), "") // there may be thousands of courses
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
		{name: "postgres", every: doubledForRace(41), gang: 4, calls: doubledForRace(13), failpoints: postgres.Failpoints(),
			open: func(t testing.TB, o outbox.Options, _ *outboxtest.Clock) (outbox.Store, error) {
				return postgres.Open(context.Background(), pgtest.Start(t).Database(t), o)
			},
			place: func(t testing.TB) string { return pgtest.Start(t).Database(t) }},
	}
}

// disposable is a store whose directory is removed when it is closed.
type disposable struct {
	outbox.Store
	folder string
}

func (d disposable) Close() error { return errors.Join(d.Store.Close(), os.RemoveAll(d.folder)) }

// doubledForRace doubles a stride under the race detector, where everything takes ten times as long.
func doubledForRace(n int) int {
	if outboxtest.Race {
		return 2 * n
	}
	return n
}
