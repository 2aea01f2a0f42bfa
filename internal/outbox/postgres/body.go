package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// chunkBytes is the size of a chunk of a large body, and the default of Options.InlineBytes.
const chunkBytes = 256 << 10

// connTx is a connection used as an outbox.CallerTx.
type connTx struct{ conn *pgx.Conn }

func (d connTx) Exec(ctx context.Context, statement string, args ...any) error {
	_, err := d.conn.Exec(ctx, statement, args...)
	return err
}

func (d connTx) QueryRow(ctx context.Context, statement string, args []any, into ...any) (found bool, err error) {
	err = d.conn.QueryRow(ctx, statement, args...).Scan(into...)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// EnqueueIn implements outbox.Store. The statements have arguments $1, $2...; arguments that
// are not text, numbers or times are octets.
func (s *Store) EnqueueIn(ctx context.Context, in outbox.CallerTx, m outbox.NewMessage) (outbox.EnqueueResult, error) {
	if err := s.checkOpen(ctx); err != nil {
		return outbox.EnqueueResult{}, err
	}
	r, err := newRow(m)
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	if err := in.Exec(ctx, "set local synchronous_commit to on"); err != nil {
		return outbox.EnqueueResult{}, err
	}
	return s.insertMessage(ctx, in, m, r)
}

// insertMessage inserts a message of any size in a transaction.
func (s *Store) insertMessage(ctx context.Context, in outbox.CallerTx, m outbox.NewMessage, r messageRow) (outbox.EnqueueResult, error) {
	if r.Key != "" {
		receipt, found, err := lookUp(ctx, in, r.Account, r.Key, r.Print)
		if err != nil || found {
			return receipt, err
		}
	}
	var xid string // drawn first, see the comment on event in the migration
	var now time.Time
	if _, err := in.QueryRow(ctx, "select pg_current_xact_id()::text, nextval('yan.message_id'), coalesce($1::timestamptz, clock_timestamp())",
		[]any{s.testClock()}, &xid, &r.ID, &now); err != nil {
		return outbox.EnqueueResult{}, err
	}
	r.setTimes(now)
	var body []byte
	var err error
	if r.Size > s.o.InlineBytes {
		var blob int64
		blob, err = s.storeLarge(ctx, in, m)
		r.Blob = &blob
	} else {
		body, err = readSmall(m.Content)
	}
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	list, err := json.Marshal([]messageRow{r})
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	var id int64
	found, err := in.QueryRow(ctx, insert, []any{string(list)}, &id)
	if err != nil {
		return outbox.EnqueueResult{}, err
	}
	if !found { // another caller was faster; Prune deletes the blob
		receipt, found, err := lookUp(ctx, in, r.Account, r.Key, r.Print)
		if err == nil && !found {
			err = errForgotten
		}
		return receipt, err
	}
	if r.Blob == nil {
		if err := in.Exec(ctx, "insert into yan.body (message, data) values ($1, $2)", id, body); err != nil {
			return outbox.EnqueueResult{}, err
		}
	}
	return outbox.EnqueueResult{ID: queue.ID(id)}, in.Exec(ctx, notify)
}

// storeLarge writes a large body in chunks, or finds one with the same content.
func (s *Store) storeLarge(ctx context.Context, in outbox.CallerTx, m outbox.NewMessage) (int64, error) {
	w := &chunkWriter{ctx: ctx, in: in, s: s, sum: sha256.New(), buf: make([]byte, 0, chunkBytes)}
	if _, err := in.QueryRow(ctx, "select nextval(pg_get_serial_sequence('yan.blob', 'id'))", nil, &w.blob); err != nil {
		return 0, err
	}
	size := m.Content.Size()
	check := &sizedWriter{to: w, left: size}
	if _, err := m.Content.WriteTo(check); err != nil {
		return 0, localerr.Errorf("reading the message: %w", err)
	}
	if err := check.checkEnd(); err != nil {
		return 0, err
	}
	if err := w.flushChunk(); err != nil {
		return 0, err
	}
	sha := w.sum.Sum(nil)
	// Another transaction may insert or delete the same body now, so both are tried several
	// times.
	for range 10 {
		var id int64
		found, err := in.QueryRow(ctx, "insert into yan.blob (id, sha, size) overriding system value values ($1, $2, $3) on conflict (sha) do nothing returning id",
			[]any{w.blob, sha, size}, &id)
		if err != nil || found {
			return id, err
		}
		// The lock keeps Prune from deleting the body before this transaction has ended.
		found, err = in.QueryRow(ctx, "select id from yan.blob where sha = $1 for key share", []any{sha}, &id)
		if err != nil {
			return 0, err
		}
		if found {
			return id, in.Exec(ctx, "delete from yan.chunk where blob = $1", w.blob)
		}
	}
	return 0, errForgotten
}

// chunkWriter writes rows of chunkBytes.
type chunkWriter struct {
	ctx  context.Context
	in   outbox.CallerTx
	s    *Store
	blob int64
	n    int
	buf  []byte
	sum  hash.Hash
}

func (w *chunkWriter) Write(b []byte) (int, error) {
	written := 0
	for len(b) > 0 {
		n := min(len(b), chunkBytes-len(w.buf))
		w.buf = append(w.buf, b[:n]...)
		b = b[n:]
		written += n
		if len(w.buf) == chunkBytes {
			if err := w.flushChunk(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

func (w *chunkWriter) flushChunk() error {
	if len(w.buf) == 0 {
		return nil
	}
	w.sum.Write(w.buf)
	if err := w.in.Exec(w.ctx, "insert into yan.chunk (blob, n, data) values ($1, $2, $3)", w.blob, w.n, w.buf); err != nil {
		return err
	}
	w.n++
	w.buf = w.buf[:0]
	w.s.callHook("chunk")
	return nil
}

// sizedWriter is a writer that accepts only as many octets as the message's size.
type sizedWriter struct {
	to   io.Writer
	left int64
}

func (w *sizedWriter) Write(b []byte) (int, error) {
	if int64(len(b)) > w.left {
		return 0, localerr.New("the message is longer than its declared size")
	}
	n, err := w.to.Write(b)
	w.left -= int64(n)
	return n, err
}

// checkEnd is called after everything is written.
func (w *sizedWriter) checkEnd() error {
	if w.left > 0 {
		return localerr.Errorf("the message is %d octets shorter than its declared size", w.left)
	}
	return nil
}

// Body implements outbox.Store. A large body is read chunk by chunk.
func (s *Store) Body(ctx context.Context, id queue.ID) (io.ReadCloser, error) {
	var has bool
	var size int64
	var blob *int64
	var data, sha []byte
	err := s.withConn(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `select m.has_body, m.size, m.blob, b.data, l.sha from yan.message m
			left join yan.body b on b.message = m.id left join yan.blob l on l.id = m.blob where m.id = $1`,
			int64(id)).Scan(&has, &size, &blob, &data, &sha)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, queue.ErrNotFound
	case err != nil:
		return nil, err
	case !has:
		return nil, queue.ErrNoBody
	case blob == nil && int64(len(data)) != size:
		return nil, localerr.Errorf("%w: the contents of %s have changed since they were stored", queue.ErrNoBody, s.pool.place)
	case blob == nil:
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	r := &chunkReader{ctx: ctx, s: s, blob: *blob, left: size, want: sha, sum: sha256.New()}
	if err := r.nextChunk(); err != nil { // the first chunk shows that the body exists
		return nil, err
	}
	return r, nil
}

// chunkReader reads a large body.
type chunkReader struct {
	ctx  context.Context
	s    *Store
	blob int64
	n    int
	left int64 // octets after buf
	buf  []byte
	want []byte // the hash of the whole body
	sum  hash.Hash
}

func (r *chunkReader) nextChunk() error {
	err := r.s.withConn(r.ctx, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "select data from yan.chunk where blob = $1 and n = $2", r.blob, r.n).Scan(&r.buf)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return queue.ErrNoBody // Prune has deleted it meanwhile
	}
	if err != nil {
		return err
	}
	r.n++
	r.left -= int64(len(r.buf))
	_, _ = r.sum.Write(r.buf) // a hash has no errors
	if r.left < 0 || len(r.buf) == 0 || r.left == 0 && !bytes.Equal(r.sum.Sum(nil), r.want) {
		r.buf = nil
		return localerr.Errorf("%w: the contents of %s have changed since they were stored", queue.ErrNoBody, r.s.pool.place)
	}
	return nil
}

func (r *chunkReader) Read(b []byte) (int, error) {
	if len(r.buf) == 0 {
		if r.left <= 0 {
			return 0, io.EOF
		}
		if err := r.nextChunk(); err != nil {
			return 0, err
		}
	}
	n := copy(b, r.buf)
	r.buf = r.buf[n:]
	return n, nil
}

func (r *chunkReader) Close() error {
	r.buf, r.left = nil, 0
	return nil
}
