package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/sqlite"
	"github.com/yanmail/yan/internal/testing/outboxtest"
)

func TestSuite(t *testing.T) {
	outboxtest.Run(t, func(t *testing.T, clock *outboxtest.Clock) outbox.Store {
		s, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "outbox.db"), outbox.Options{Now: clock.Now, Uptime: clock.Uptime, MinFree: -1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	})
}
