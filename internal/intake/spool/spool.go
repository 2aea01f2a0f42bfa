// Package spool keeps a stream of octets so that it can be read more than once: in memory if it is
// short, otherwise in a temporary file without a name.
package spool

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
)

// InMemory is the number of octets that are kept in memory; a longer stream goes to a file.
const InMemory = 256 << 10

// common is the size of a common message, for which memory is taken at once.
const common = 8 << 10

// ErrTooLarge: the stream has more octets than allowed.
var ErrTooLarge = localerr.New("it is larger than allowed")

// File is a stream that has been read to its end. Its methods are safe for concurrent use, except
// Close.
type File struct {
	at     io.ReaderAt
	size   int64
	memory []byte   // nil if it is in a file
	file   *os.File // nil if it is in memory
}

// DiskError is an error of the temporary file, as opposed to one of the stream.
type DiskError struct{ Err error }

func (e *DiskError) Error() string { return e.Err.Error() }
func (e *DiskError) Unwrap() error { return e.Err }

// Read reads r to its end. A stream of more than InMemory octets is written to a file in the folder
// ("": the system's folder for temporary files); an error of that file is a *DiskError. Of a stream
// with more than most octets (0: no limit) the rest is read and dropped, so that a client can be
// answered, and the error is ErrTooLarge. Close the File.
func Read(r io.Reader, folder string, most int64) (*File, error) {
	head := bytes.NewBuffer(make([]byte, 0, common))
	_, err := io.CopyN(head, r, InMemory+1)
	ended := errors.Is(err, io.EOF)
	if err != nil && !ended {
		return nil, err
	}
	if most > 0 && int64(head.Len()) > most {
		return nil, drop(r, ended)
	}
	if ended {
		return &File{at: bytes.NewReader(head.Bytes()), size: int64(head.Len()), memory: head.Bytes()}, nil
	}
	return readToDisk(head, r, folder, most)
}

func readToDisk(head *bytes.Buffer, r io.Reader, folder string, most int64) (*File, error) {
	file, err := atomicfile.TempFileIn(folder)
	if err != nil {
		return nil, &DiskError{err}
	}
	s := &File{at: file, file: file}
	rest := r
	if most > 0 {
		rest = io.LimitReader(r, most-int64(head.Len())+1)
	}
	s.size, err = io.Copy(diskWriter{file}, io.MultiReader(head, rest))
	if err == nil && most > 0 && s.size > most {
		err = drop(r, false)
	}
	if err != nil {
		_ = s.Close() // err is the error to return; the file has no name and nothing in it is needed
		return nil, err
	}
	return s, nil
}

// drop reads the rest of a stream that is too large.
func drop(r io.Reader, ended bool) error {
	if !ended {
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
	}
	return ErrTooLarge
}

// diskWriter marks the errors of the file.
type diskWriter struct{ file *os.File }

func (w diskWriter) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	if err != nil {
		return n, &DiskError{err}
	}
	return n, nil
}

// Size returns the number of octets.
func (s *File) Size() int64 { return s.size }

// ReadAt implements io.ReaderAt.
func (s *File) ReadAt(p []byte, off int64) (int, error) { return s.at.ReadAt(p, off) }

// Bytes returns the stream if it is in memory, and nil if it is in a file. It must not be changed.
func (s *File) Bytes() []byte { return s.memory }

// WriteTo implements io.WriterTo, without a copy of what is in memory.
func (s *File) WriteTo(w io.Writer) (int64, error) {
	if s.file == nil {
		n, err := w.Write(s.memory)
		return int64(n), err
	}
	return io.Copy(w, io.NewSectionReader(s.file, 0, s.size))
}

// Close frees the memory or the file.
func (s *File) Close() error {
	s.at, s.memory = bytes.NewReader(nil), nil
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
