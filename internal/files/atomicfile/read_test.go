package atomicfile_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/files/atomicfile"
)

func TestReaderEndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	in := atomicfile.Reader(ctx, r)
	go func() { _, _ = w.Write([]byte("hello")) }()
	buf := make([]byte, 3)
	if n, err := io.ReadFull(in, buf); err != nil || string(buf[:n]) != "hel" {
		t.Fatalf("%q %v", buf[:n], err)
	}
	if n, err := in.Read(buf); err != nil || string(buf[:n]) != "lo" {
		t.Fatalf("%q %v", buf[:n], err)
	}
	cancel() // no more writes
	if _, err := in.Read(buf); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
	_ = w.Close() // ends the reading goroutine
	whole, err := io.ReadAll(atomicfile.Reader(t.Context(), strings.NewReader(strings.Repeat("x", 100_000))))
	if err != nil || len(whole) != 100_000 {
		t.Errorf("%d octets, %v", len(whole), err)
	}
}

func TestReadIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := atomicfile.Read(t.Context(), path, 5); err != nil || string(data) != "12345" {
		t.Errorf("%q, %v", data, err)
	}
	var long *atomicfile.TooLongError
	if _, err := atomicfile.Read(t.Context(), path, 4); !errors.As(err, &long) || long.Most != 4 || err.Error() != "it is larger than 4 octets" {
		t.Errorf("%v", err)
	}
	if _, err := atomicfile.Read(t.Context(), filepath.Dir(path), 4); !errors.Is(err, atomicfile.ErrFolder) {
		t.Errorf("a folder: %v", err)
	}
	if err := atomicfile.CheckReadable(filepath.Dir(path)); !errors.Is(err, atomicfile.ErrFolder) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := atomicfile.Read(t.Context(), path+".missing", 4); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// A result that comes after the wait has ended is dropped, not leaked.
func TestAwait(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	returned, dropped, why := make(chan struct{}), make(chan int, 1), errors.New("enough")
	began := make(chan struct{})
	go func() { <-began; cancel(why) }()
	_, err := atomicfile.Await(ctx, func() (int, error) { close(began); <-returned; return 7, nil }, func(n int) { dropped <- n })
	if !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	close(returned)
	if n := <-dropped; n != 7 {
		t.Errorf("dropped %d", n)
	}
}

func TestTempIsGoneWhenClosed(t *testing.T) {
	t.Parallel()
	f, err := atomicfile.TempFile()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("a letter"); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(io.NewSectionReader(f, 0, 100)); err != nil || string(b) != "a letter" {
		t.Errorf("%q, %v", b, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
