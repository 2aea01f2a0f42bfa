package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/outboxtest"
)

// Several that open an outbox that is not there yet find it made, whoever makes it,
// at whichever moment they look.
func TestFirstOpenedByManyAtOnce(t *testing.T) {
	t.Parallel()
	outboxtest.RunFirst(t, 30, func() func() (outbox.Store, error) {
		path := filepath.Join(t.TempDir(), "outbox.db")
		return func() (outbox.Store, error) { return Open(t.Context(), path, outbox.Options{MinFree: -1}) }
	})
}
