package sqlite

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/queue"
)

// openSpooled opens a body in the spool. An outbox may have been copied from another place: a
// link in its spool would send another file of this user, and reading a pipe might never end.
func (s *sqliteStore) openSpooled(name []byte, size int64) (io.ReadCloser, error) {
	if len(name) != sha256.Size {
		return nil, queue.ErrNoBody
	}
	path := s.spoolName(name)
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, localerr.Errorf("%w: %s is not a file", queue.ErrNoBody, path)
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, queue.ErrNoBody
	case errors.Is(err, fs.ErrPermission): // which a retry does not change
		return nil, localerr.Errorf("%w: %w", queue.ErrNoBody, err)
	case err != nil:
		return nil, s.classifyError(err)
	}
	return &spooledBody{f: f, path: path, want: name, sum: sha256.New(), left: size}, nil
}

// spooledBody reads a body and checks it before it returns the last octets, so that a damaged
// message is never ended on the wire.
type spooledBody struct {
	f    *os.File
	path string
	want []byte
	sum  hash.Hash
	left int64
}

func (b *spooledBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.f.Read(p[:min(int64(len(p)), b.left)])
	_, _ = b.sum.Write(p[:n]) // a hash has no errors
	b.left -= int64(n)
	if err == io.EOF && b.left > 0 || b.left == 0 && !b.isWhole() {
		return 0, localerr.Errorf("%w: the contents of %s have changed since they were stored", queue.ErrNoBody, b.path)
	}
	return n, err
}

// isWhole reports whether the octets read match the file's name, and the file ends there.
func (b *spooledBody) isWhole() bool {
	if n, err := b.f.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return false
	}
	return bytes.Equal(b.sum.Sum(nil), b.want)
}

func (b *spooledBody) Close() error { return b.f.Close() }
