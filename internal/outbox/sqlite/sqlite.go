// Package sqlite keeps an outbox in a file, for one machine and any number of
// processes on it.
package sqlite

import (
	"context"
	"errors"

	"github.com/yanmail/yan/internal/outbox"
)

// Open opens the outbox at path and makes it when there is none. Large bodies
// stand in the folder path + ".spool".
func Open(ctx context.Context, path string, o outbox.Options) (outbox.Store, error) {
	return nil, errors.New("not written yet")
}
