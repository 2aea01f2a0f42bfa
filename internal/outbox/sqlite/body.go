package sqlite

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"github.com/yanmail/yan/internal/outbox"
)

// Body opens the text of a message.
func (s *store) Body(ctx context.Context, id outbox.ID) (io.ReadCloser, error) {
	var data, hash []byte
	where, found := int64(bodyGone), false
	err := s.read(ctx, func(c *conn) error {
		return c.query(ctx, func(r row) error {
			where, hash, data, found = r.int(0), r.blob(1), r.blob(2), true
			return nil
		}, "SELECT m.body, m.spool, b.data FROM message m LEFT JOIN body b ON b.message = m.id WHERE m.id = ?", id)
	})
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, outbox.ErrNotFound
	case where == bodyInline && data != nil:
		return io.NopCloser(bytes.NewReader(data)), nil
	case where == bodySpooled:
		f, err := os.Open(s.spoolName(hash))
		if errors.Is(err, os.ErrNotExist) {
			return nil, outbox.ErrNoBody
		}
		return f, s.judge(err)
	}
	return nil, outbox.ErrNoBody
}
