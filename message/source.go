package message

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/localerr"
)

// spoolMemory is the number of octets of a non-seekable reader that are kept in memory; longer
// ones go to a temporary file.
const spoolMemory = 1 << 20

// spoolDisk is the maximum size of such a reader, in octets: an endless one would fill the disk.
const spoolDisk = 2 << 30

// source is content of known length that can be read again.
type source struct {
	label string // the field, for errors: attachments[1] "x.pdf"
	size  int64

	at    io.ReaderAt   // read from 0 if it is not nil
	seek  io.ReadSeeker // otherwise, read from start
	start int64

	file *os.File // closed by this package; nil if none

	// The key of an encoded form: info of a regular file, or data.
	path string
	info fs.FileInfo
	data []byte
	// encoded is the whole source in base64, if a Composer caches it; it is shared and immutable.
	encoded []byte
	form    *encodedForm // the source of encoded
}

func (s *source) wrapError(err error) error { return fmt.Errorf("%s: %w", s.label, err) }

// fileSource opens a file. A special file, such as a pipe, is spooled.
func fileSource(label, path string) (*source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label, err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = localerr.Errorf("%s is a folder", path)
	}
	if err == nil && info.Mode().IsRegular() {
		return &source{label: label, size: info.Size(), at: f, file: f, path: path, info: info}, nil
	}
	defer f.Close() // opened for reading: closing can't lose data
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label, err)
	}
	return spoolReader(label, f, spoolDisk)
}

func dataSource(label string, data []byte) *source {
	return &source{label: label, size: int64(len(data)), at: bytes.NewReader(data), data: data}
}

// readerSource measures a seekable reader, and spools any other. A Len method alone
// (bytes.Buffer) does not help: such a reader can't be read again.
func readerSource(label string, r io.Reader) (*source, error) {
	seeker, ok := r.(io.ReadSeeker)
	if file, isFile := r.(fs.File); isFile && ok {
		// A pipe or a terminal has a Seek, too, which fails or, worse, succeeds.
		info, err := file.Stat()
		ok = err == nil && info.Mode().IsRegular()
	}
	if !ok {
		return spoolReader(label, r, spoolDisk)
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

// spoolReader reads r to its end, at most most octets.
func spoolReader(label string, r io.Reader, most int64) (*source, error) {
	var head bytes.Buffer
	_, err := io.CopyN(&head, r, spoolMemory+1)
	if errors.Is(err, io.EOF) {
		data := head.Bytes()
		return &source{label: label, size: int64(len(data)), at: bytes.NewReader(data)}, nil
	}
	s := &source{label: label}
	if err != nil {
		return nil, s.wrapError(err)
	}
	s.file, err = atomicfile.TempFile() // deleted on a crash, too
	if err != nil {
		return nil, s.wrapError(err)
	}
	s.at = s.file
	s.size, err = io.Copy(s.file, io.LimitReader(io.MultiReader(&head, r), most+1))
	if err == nil && s.size > most {
		err = &atomicfile.TooLongError{Most: most}
	}
	if err != nil {
		return nil, s.wrapError(errors.Join(err, s.close()))
	}
	return s, nil
}

// close may be called only once.
func (s *source) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// open starts reading at the beginning.
func (s *source) open() (*sourceReader, error) {
	r := &sourceReader{src: s, left: s.size}
	switch {
	case s.at == nil:
		if _, err := s.seek.Seek(s.start, io.SeekStart); err != nil {
			return nil, s.wrapError(err)
		}
		r.r = s.seek
	default:
		// One octet more than expected, to detect a file that grew.
		r.r = io.NewSectionReader(s.at, 0, s.size+1)
	}
	if s.file == nil {
		return r, nil
	}
	// It is better to notice this before 50 MB are sent.
	info, err := s.file.Stat()
	if err != nil {
		return nil, s.wrapError(err)
	}
	if info.Size() != s.size {
		return nil, s.wrapError(localerr.Errorf("%w: from %d to %d octets", errSize, s.size, info.Size()))
	}
	return r, nil
}

// sourceReader reads a source once and checks its length.
type sourceReader struct {
	src  *source
	r    io.Reader
	left int64
}

// readFull reads until p is full or the source ends. It returns 0 only if the source had exactly its
// size.
func (r *sourceReader) readFull(p []byte) (int, error) {
	if r.left == 0 {
		var probe [1]byte
		switch _, err := io.ReadFull(r.r, probe[:]); {
		case err == nil:
			return 0, r.src.wrapError(localerr.Errorf("%w: more than %d octets", errSize, r.src.size))
		case !errors.Is(err, io.EOF):
			return 0, r.src.wrapError(err)
		}
		return 0, nil
	}
	n, err := io.ReadFull(r.r, p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return n, r.src.wrapError(localerr.Errorf("%w: %d octets instead of %d", errSize, r.src.size-r.left, r.src.size))
	case err != nil:
		return n, r.src.wrapError(err)
	}
	return n, nil
}

// eachBlock calls use with one block after another, each except the last of the given length. use
// must not keep it.
func (s *source) eachBlock(o *output, length int64, use func(block []byte) error) error {
	r, err := s.open()
	if err != nil {
		return err
	}
	buffer := o.readBuffer(int(min(length, s.size)))
	for {
		n, err := r.readFull(buffer)
		if err != nil || n == 0 {
			return err
		}
		if err := use(buffer[:n]); err != nil {
			return err
		}
	}
}

// sources are the open files of a Content.
type sources struct {
	list   []*source
	closed bool
}

// holdOctets reports whether any source is not empty.
func (s *sources) holdOctets() bool {
	return slices.ContainsFunc(s.list, func(src *source) bool { return src.size > 0 })
}

func (s *sources) closeAll() error {
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
