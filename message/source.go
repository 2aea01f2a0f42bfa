package message

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/internal/wholefile"
)

// spoolMemory is how much of a reader that can't be read twice is kept in
// memory; what is longer goes to a temporary file.
const spoolMemory = 1 << 20

// spoolDisk bounds such a reader, in octets: one that never ends would fill the disk.
const spoolDisk = 2 << 30

// source is where content comes from: something of known length that can be
// read again.
type source struct {
	label string // the field, for errors: attachments[1] "x.pdf"
	size  int64

	at    io.ReaderAt   // read from 0, or else
	seek  io.ReadSeeker // read from start
	start int64

	file *os.File // ours to close; nil if none

	// What an encoded form is kept by: info of a regular file, or data.
	path string
	info fs.FileInfo
	data []byte
	// encoded is the whole source in base64, if a Composer keeps that; it is
	// shared and never written to.
	encoded []byte
	form    *encodedForm // that it is of
}

func (s *source) fail(err error) error { return fmt.Errorf("%s: %w", s.label, err) }

// fileSource opens a file. What is neither a regular file nor a folder, a pipe
// for one, is spooled.
func fileSource(label, path string) (*source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label, err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = sentence.Errorf("%s is a folder", path)
	}
	if err == nil && info.Mode().IsRegular() {
		return &source{label: label, size: info.Size(), at: f, file: f, path: path, info: info}, nil
	}
	defer f.Close() // only read from: closing it can't lose anything
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label, err)
	}
	return spool(label, f, spoolDisk)
}

func dataSource(label string, data []byte) *source {
	return &source{label: label, size: int64(len(data)), at: bytes.NewReader(data), data: data}
}

// readerSource measures a reader that can seek, and spools any other. A Len
// method alone (bytes.Buffer) does not help: such a reader can't be read again.
func readerSource(label string, r io.Reader) (*source, error) {
	seeker, ok := r.(io.ReadSeeker)
	if file, isFile := r.(fs.File); isFile && ok {
		// A pipe or a terminal has a Seek too, which fails or, worse, does not.
		info, err := file.Stat()
		ok = err == nil && info.Mode().IsRegular()
	}
	if !ok {
		return spool(label, r, spoolDisk)
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label, err)
	}
	end, err := seeker.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = seeker.Seek(start, io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label, err)
	}
	return &source{label: label, size: max(end-start, 0), seek: seeker, start: start}, nil
}

// spool reads r to its end, which comes within most octets.
func spool(label string, r io.Reader, most int64) (*source, error) {
	var head bytes.Buffer
	_, err := io.CopyN(&head, r, spoolMemory+1)
	if errors.Is(err, io.EOF) {
		data := head.Bytes()
		return &source{label: label, size: int64(len(data)), at: bytes.NewReader(data)}, nil
	}
	s := &source{label: label}
	if err != nil {
		return nil, s.fail(err)
	}
	s.file, err = wholefile.Temp() // no crash leaves any of the message there
	if err != nil {
		return nil, s.fail(err)
	}
	s.at = s.file
	s.size, err = io.Copy(s.file, io.LimitReader(io.MultiReader(&head, r), most+1))
	if err == nil && s.size > most {
		err = &wholefile.TooLongError{Most: most}
	}
	if err != nil {
		return nil, s.fail(errors.Join(err, s.close()))
	}
	return s, nil
}

// close may be called once.
func (s *source) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// open starts a reading from the beginning.
func (s *source) open() (*sourceReader, error) {
	r := &sourceReader{src: s, left: s.size}
	switch {
	case s.at == nil:
		if _, err := s.seek.Seek(s.start, io.SeekStart); err != nil {
			return nil, s.fail(err)
		}
		r.r = s.seek
	default:
		// One more octet than there should be, to see a file that grew.
		r.r = io.NewSectionReader(s.at, 0, s.size+1)
	}
	if s.file == nil {
		return r, nil
	}
	// Better to know before 50 MB are on the wire than after.
	info, err := s.file.Stat()
	if err != nil {
		return nil, s.fail(err)
	}
	if info.Size() != s.size {
		return nil, s.fail(sentence.Errorf("%w: from %d to %d octets", errSize, s.size, info.Size()))
	}
	return r, nil
}

// sourceReader reads a source once and insists on its length.
type sourceReader struct {
	src  *source
	r    io.Reader
	left int64
}

// fill reads until p is full or the source is at its end. It returns 0 only
// when the source had exactly its size.
func (r *sourceReader) fill(p []byte) (int, error) {
	if r.left == 0 {
		var probe [1]byte
		switch _, err := io.ReadFull(r.r, probe[:]); {
		case err == nil:
			return 0, r.src.fail(sentence.Errorf("%w: more than %d octets", errSize, r.src.size))
		case !errors.Is(err, io.EOF):
			return 0, r.src.fail(err)
		}
		return 0, nil
	}
	n, err := io.ReadFull(r.r, p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return n, r.src.fail(sentence.Errorf("%w: %d octets instead of %d", errSize, r.src.size-r.left, r.src.size))
	case err != nil:
		return n, r.src.fail(err)
	}
	return n, nil
}

// blocks calls use with one block after another, each but the last of the given
// length. use may not keep it.
func (s *source) blocks(o *output, length int64, use func(block []byte) error) error {
	r, err := s.open()
	if err != nil {
		return err
	}
	buffer := o.readBuffer(int(min(length, s.size)))
	for {
		n, err := r.fill(buffer)
		if err != nil || n == 0 {
			return err
		}
		if err := use(buffer[:n]); err != nil {
			return err
		}
	}
}

// sources are what a Content keeps open.
type sources struct {
	list   []*source
	closed bool
}

// holdOctets reports whether any source is not empty.
func (s *sources) holdOctets() bool {
	return slices.ContainsFunc(s.list, func(src *source) bool { return src.size > 0 })
}

func (s *sources) close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	var err error
	for _, src := range s.list {
		err = errors.Join(err, src.close())
	}
	return err
}
