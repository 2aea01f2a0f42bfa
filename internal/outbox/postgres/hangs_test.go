package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/testing/pgtest"
	"github.com/yanmail/yan/queue"
)

// Neither reads nor changes wait for ever for a database that does not answer, here because of
// another session's lock.
func TestADatabaseThatHangs(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t).Database(t)
	s := openStore(t, url, outbox.Options{}, postgres.TestSettings{Patience: 100 * time.Millisecond})
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"message", "delivery", "worker", "account", "event", "tally", "fact"} {
		if _, err := tx.Exec(t.Context(), "lock table yan."+table+" in access exclusive mode"); err != nil {
			t.Fatal(err)
		}
	}
	calls := map[string]func() error{
		"List":   func() error { _, err := s.List(t.Context(), queue.Filter{}); return err },
		"Show":   func() error { _, err := s.Show(t.Context(), 1); return err },
		"Stats":  func() error { _, err := s.Stats(t.Context()); return err },
		"Due":    func() error { _, err := s.Due(t.Context()); return err },
		"Events": func() error { _, _, err := s.Events(t.Context(), "", 1); return err },
		"Body":   func() error { _, err := s.Body(t.Context(), 1); return err },
		"Join":   func() error { return s.Join(t.Context(), queue.Worker{Owner: "w"}, time.Minute) },
		"Change": func() error {
			_, err := s.Change(t.Context(), outbox.Change{Verb: queue.Hold, Filter: queue.Filter{IDs: []queue.ID{1}}})
			return err
		},
		"Resume": func() error { return s.Resume(t.Context(), "a") },
		"Prune":  func() error { _, err := s.Prune(t.Context(), outbox.Retention{}); return err },
		"Adopt":  func() error { _, err := s.Adopt(t.Context(), false); return err },
	}
	results := make(chan string, len(calls))
	for name, call := range calls {
		go func() {
			if err := call(); err == nil || !strings.Contains(err.Error(), "did not answer within") {
				results <- name + ": " + errorText(err)
				return
			}
			results <- ""
		}()
	}
	for range calls {
		if wrong := <-results; wrong != "" {
			t.Error(wrong)
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stats(t.Context()); err != nil {
		t.Error(err)
	}
}

func errorText(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}
