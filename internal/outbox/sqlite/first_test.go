package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/testing/outboxtest"
)

// Several programs that open a missing outbox at once all find it complete, whichever creates
// it.
func TestFirstOpenedByManyAtOnce(t *testing.T) {
	t.Parallel()
	outboxtest.RunFirst(t, 30, func() func() (outbox.Store, error) {
		path := filepath.Join(t.TempDir(), "outbox.db")
		return func() (outbox.Store, error) { return Open(t.Context(), path, outbox.Options{MinFree: -1}) }
	})
}
