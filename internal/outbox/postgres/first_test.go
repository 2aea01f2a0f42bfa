package postgres_test

import (
	"testing"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/outbox/postgres"
	"github.com/yanmail/yan/internal/testing/outboxtest"
	"github.com/yanmail/yan/internal/testing/pgtest"
)

// Several programs that open a missing outbox at once all find it complete, whichever creates
// it.
func TestFirstOpenedByManyAtOnce(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	outboxtest.RunFirst(t, 8, func() func() (outbox.Store, error) {
		url := server.Database(t)
		return func() (outbox.Store, error) { return postgres.Open(t.Context(), url, outbox.Options{}) }
	})
}
