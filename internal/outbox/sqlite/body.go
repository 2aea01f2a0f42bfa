package sqlite

import (
	"bytes"
	"context"
	"io"

	"github.com/yanmail/yan/queue"
)

// Body opens the body of a message.
func (s *sqliteStore) Body(ctx context.Context, id queue.ID) (io.ReadCloser, error) {
	var data, hash []byte
	where, size, found := int64(bodyGone), int64(0), false
	err := s.readTx(ctx, func(c *dbConn) error {
		return c.query(ctx, func(r resultRow) error {
			where, hash, data, size, found = r.int(0), bytes.Clone(r.blob(1)), r.blob(2), r.int(3), true
			return nil
		}, "SELECT m.body, m.spool, b.data, m.size FROM message m LEFT JOIN body b ON b.message = m.id WHERE m.id = ?", id)
	})
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, queue.ErrNotFound
	case where == bodyInline && data != nil:
		return io.NopCloser(bytes.NewReader(data)), nil
	case where == bodySpooled:
		return s.openSpooled(hash, size)
	}
	return nil, queue.ErrNoBody
}
