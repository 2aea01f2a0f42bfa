package repair

import (
	"errors"
	"io"
)

// blockSize is how much is read at once.
const blockSize = 32 << 10

// reader reads a source and remembers its error. What is in memory is not copied.
type reader struct {
	src    io.ReaderAt
	size   int64
	memory []byte // the whole source; nil if it is not in memory
	err    error
}

// newReader returns a reader. A source with a method Bytes may be in memory; otherwise it returns nil.
func newReader(src io.ReaderAt, size int64) *reader {
	r := &reader{src: src, size: size}
	if m, ok := src.(interface{ Bytes() []byte }); ok && int64(len(m.Bytes())) == size {
		r.memory = m.Bytes()
	}
	return r
}

func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.src.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// block returns at least one octet from at on, before end. The buffer is used if they are not in memory,
// and made when it is nil.
func (r *reader) block(at, end int64, buffer *[]byte) ([]byte, error) {
	if r.memory != nil {
		return r.memory[at:end], nil
	}
	if *buffer == nil {
		*buffer = make([]byte, min(end-at, blockSize))
	}
	n, err := r.ReadAt((*buffer)[:min(int64(len(*buffer)), end-at)], at)
	if n == 0 || err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, io.ErrUnexpectedEOF)
	}
	return (*buffer)[:n], nil
}
