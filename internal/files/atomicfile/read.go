package atomicfile

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/yanmail/yan/internal/localerr"
)

// ErrFolder: the path names a directory, not a file.
var ErrFolder = localerr.New("it is a folder")

// TooLongError is a file, or an endless device, with more octets than allowed.
type TooLongError struct{ Most int64 }

func (e *TooLongError) Error() string { return e.sentence().Error() }
func (e *TooLongError) Unwrap() error { return e.sentence() }

func (e *TooLongError) sentence() error {
	return localerr.Errorf("it is larger than %d octets", e.Most)
}

// Read reads a file of at most most octets; a longer one is a [*TooLongError]. A pipe or a device
// may block: then Read ends with ctx and returns its cause.
func Read(ctx context.Context, path string, most int64) ([]byte, error) {
	f, err := Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read: closing it can't lose data
	return ReadAll(f, most)
}

// ReadAll is Read for an open reader.
func ReadAll(r io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		err = &TooLongError{Most: most}
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// ContextFile is an open file whose Read ends with the context of [Open].
type ContextFile struct {
	*os.File
	reader io.Reader
}

func (f *ContextFile) Read(p []byte) (int, error) { return f.reader.Read(p) }

// Open opens a file for reading. Opening or reading a pipe may wait for its other end; both end
// with ctx. For a directory it returns [ErrFolder].
func Open(ctx context.Context, path string) (*ContextFile, error) {
	f, err := Await(ctx, func() (*os.File, error) { return openFile(path) }, func(f *os.File) { _ = f.Close() })
	if err != nil {
		return nil, err
	}
	return &ContextFile{File: f, reader: Reader(ctx, f)}, nil
}

func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		// Windows returns other errors for a directory; Stat identifies it everywhere.
		if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
			return nil, ErrFolder
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = ErrFolder
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// CheckReadable reports whether a file can be read, without reading it. It does not open pipes and devices,
// since that could block.
func CheckReadable(path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() && !info.IsDir() {
		return err
	}
	f, err := openFile(path)
	if err != nil {
		return err
	}
	return f.Close()
}

// Await calls work and waits for it until ctx ends; the error is then the cause. A result that
// comes later is passed to drop. It is for blocking calls that take no context.
func Await[T any](ctx context.Context, work func() (T, error), drop func(T)) (T, error) {
	var none T
	if ctx.Err() != nil {
		return none, context.Cause(ctx)
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := work()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		go func() { // as long as the call blocks
			if r := <-done; r.err == nil && drop != nil {
				drop(r.value)
			}
		}()
		return none, context.Cause(ctx)
	}
}

// Reader returns a reader whose Read ends with ctx. A regular file never blocks and is returned as
// it is, so it can seek.
func Reader(ctx context.Context, r io.Reader) io.Reader {
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return r
		}
	}
	return &contextReader{ctx: ctx, r: r}
}

// contextReader reads in a goroutine, which outlives a Read that ctx ended.
type contextReader struct {
	ctx     context.Context
	r       io.Reader
	rest    []byte
	restErr error
}

type readResult struct {
	data []byte
	err  error
}

func (r *contextReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 && r.restErr == nil {
		got := make(chan readResult, 1)
		go func() {
			buf := make([]byte, 32<<10)
			n, err := r.r.Read(buf)
			got <- readResult{buf[:n], err}
		}()
		select {
		case c := <-got:
			r.rest, r.restErr = c.data, c.err
		case <-r.ctx.Done():
			return 0, context.Cause(r.ctx)
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	if len(r.rest) > 0 {
		return n, nil
	}
	err := r.restErr
	if !errors.Is(err, io.EOF) {
		r.restErr = nil
	}
	return n, err
}
