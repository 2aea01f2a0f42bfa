// Package postgres keeps an outbox in a PostgreSQL database, for any number of
// machines.
package postgres

import (
	"context"
	"errors"

	"github.com/yanmail/yan/internal/outbox"
)

// Open opens the outbox in the database of a URL (postgres://...), in its schema
// yan, and makes it when there is none.
func Open(ctx context.Context, url string, o outbox.Options) (outbox.Store, error) {
	return nil, errors.New("not written yet")
}
