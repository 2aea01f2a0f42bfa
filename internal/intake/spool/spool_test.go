package spool

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// Streams of every length around the limit of the memory are read whole, and leave no file.
func TestRead(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, n := range []int{0, 1, InMemory - 1, InMemory, InMemory + 1, 3 * InMemory} {
		want := bytes.Repeat([]byte("0123456789abcde\n"), n/16+1)[:n]
		f, err := Read(iotest.HalfReader(bytes.NewReader(want)), folder, int64(n))
		if err != nil {
			t.Fatalf("%d octets: %v", n, err)
		}
		if (f.file != nil) != (n > InMemory) {
			t.Errorf("%d octets: in a file is %v", n, f.file != nil)
		}
		for range 2 {
			got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d octets: read %d, %v", n, len(got), err)
			}
		}
		var written bytes.Buffer
		if k, err := f.WriteTo(&written); err != nil || k != int64(n) || !bytes.Equal(written.Bytes(), want) {
			t.Errorf("%d octets: wrote %d, %v", n, k, err)
		}
		if f.file == nil && !bytes.Equal(f.Bytes(), want) || f.file != nil && f.Bytes() != nil {
			t.Errorf("%d octets: %d in memory", n, len(f.Bytes()))
		}
		if err := f.Close(); err != nil || f.Bytes() != nil {
			t.Error(err)
		}
		if k, err := f.ReadAt(make([]byte, 1), 0); k != 0 || err == nil {
			t.Errorf("%d octets: read after Close", n)
		}
		entries, err := os.ReadDir(folder)
		if err != nil || len(entries) != 0 {
			t.Errorf("%d octets: the folder has %v, %v", n, entries, err)
		}
	}
}

// Of a stream that is too large all is read, so that the client can be answered.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	for _, most := range []int64{10, InMemory, InMemory + 10, 2 * InMemory} {
		in := strings.NewReader(strings.Repeat("x", 3*InMemory))
		if f, err := Read(in, t.TempDir(), most); !errors.Is(err, ErrTooLarge) || f != nil {
			t.Errorf("at most %d: %v, %v", most, f, err)
		}
		if in.Len() != 0 {
			t.Errorf("at most %d: %d octets were not read", most, in.Len())
		}
	}
	if f, err := Read(strings.NewReader(strings.Repeat("x", 3*InMemory)), t.TempDir(), 0); err != nil || f.Close() != nil {
		t.Errorf("without a limit: %v", err)
	}
}

// An error of the stream stays what it is, and one of the file is told apart.
func TestErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("the connection is lost")
	for _, n := range []int{0, 10, InMemory + 10, 2 * InMemory} {
		in := io.MultiReader(strings.NewReader(strings.Repeat("x", n)), iotest.ErrReader(broken))
		f, err := Read(in, t.TempDir(), 0)
		if disk := (*DiskError)(nil); !errors.Is(err, broken) || errors.As(err, &disk) || f != nil {
			t.Errorf("%d octets: %v, %v", n, f, err)
		}
	}
	none := filepath.Join(t.TempDir(), "none")
	_, err := Read(strings.NewReader(strings.Repeat("x", 2*InMemory)), none, 0)
	if disk := (*DiskError)(nil); !errors.As(err, &disk) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if f, err := Read(strings.NewReader("short"), none, 0); err != nil || f.Size() != 5 {
		t.Errorf("a short stream needs no folder: %v", err)
	}
}
