package repair

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/mailfiles/mbox"
)

// maxHeader is the largest header that is read, in octets: 100,000 hidden recipients fit.
const maxHeader = 8 << 20

// maxLines limits the lines of a header, which take memory even if they are short: 100,000 recipients
// fit, one on each.
const maxLines = 150_000

// line998 is the longest line that mail allows, without its line end (RFC 5322 section 2.1.1).
const line998 = 998

// field is a header field as it was written: its lines, decoded but not unfolded.
type field struct {
	name  string
	lower string
	lines []string // the first begins with the name
}

// value returns the field's value, unfolded and trimmed.
func (f *field) value() string {
	_, value, _ := strings.Cut(strings.Join(f.lines, ""), ":")
	return strings.Trim(value, blanks)
}

const blanks = " \t"

// input is the header of a message and the place of its body.
type input struct {
	fields  []field
	body    int64 // where it begins
	changes changeSet
}

var (
	errManyLines  = localerr.Errorf("the header has more than %d lines", maxLines)
	errLongHeader = localerr.Errorf("the header has more than %d octets", maxHeader)
	errEnough     = errors.New("the line is longer than the header may be")
)

// headReader reads the lines of a header.
type headReader struct {
	memory []byte        // the whole input; nil if it is not in memory
	in     *bufio.Reader // else
	offset int64         // of the next line
	end    byte          // of a line: LF, or CR in an input without any LF
	buffer []byte
}

func newHeadReader(src *reader) (*headReader, error) {
	const most = 4 << 10
	h := &headReader{memory: src.memory, end: '\n'}
	head := src.memory[:min(len(src.memory), most)]
	if src.memory == nil {
		h.in = bufio.NewReaderSize(io.NewSectionReader(src, 0, src.size), int(min(max(src.size, 16), most)))
		var err error
		if head, err = h.in.Peek(int(min(src.size, most))); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		hasLF, err := contains(src, src.size, '\n')
		if err != nil {
			return nil, err
		}
		if !hasLF {
			h.end = '\r'
		}
	}
	return h, nil
}

// contains looks for an octet in the whole input: a CR that someone has put into a long field must not
// end it.
func contains(src io.ReaderAt, size int64, octet byte) (bool, error) {
	block := make([]byte, min(size, blockSize))
	for at := int64(0); at < size; {
		n, err := src.ReadAt(block[:min(int64(len(block)), size-at)], at)
		if bytes.IndexByte(block[:n], octet) >= 0 {
			return true, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if n == 0 {
			return false, io.ErrUnexpectedEOF
		}
		at += int64(n)
	}
	return false, nil
}

// next returns the next line with its end, valid until the next call; io.EOF after the last one, and
// errEnough, with its beginning, if the header is too long with it.
func (h *headReader) next() ([]byte, error) {
	if h.memory != nil {
		return h.nextInMemory()
	}
	h.buffer = h.buffer[:0]
	for {
		piece, err := h.in.ReadSlice(h.end)
		h.buffer = append(h.buffer, piece...)
		switch {
		case h.offset+int64(len(h.buffer)) > maxHeader:
			return h.buffer, errEnough
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(h.buffer) > 0, err == nil:
			h.offset += int64(len(h.buffer))
			return h.buffer, nil
		}
		return nil, err
	}
}

func (h *headReader) nextInMemory() ([]byte, error) {
	line := h.memory[h.offset:]
	if len(line) == 0 {
		return nil, io.EOF
	}
	if i := bytes.IndexByte(line, h.end); i >= 0 {
		line = line[:i+1]
	}
	if most := maxHeader - h.offset; int64(len(line)) > most {
		return line[:most+1], errEnough
	}
	h.offset += int64(len(line))
	return line, nil
}

// readInput reads a header, up to an empty line or a line that is not a field.
func readInput(src *reader) (*input, error) {
	h, err := newHeadReader(src)
	if err != nil {
		return nil, err
	}
	in := &input{changes: changeSet{}}
	for number := 1; ; number++ {
		start := h.offset
		raw, err := h.next()
		if errors.Is(err, io.EOF) {
			in.body = start
			return in, nil
		}
		if errors.Is(err, errEnough) && (in.begins(raw) || len(in.fields) > 0 && isBlank(raw[0])) {
			return nil, &Error{Line: number, Err: errLongHeader}
		}
		if err != nil && !errors.Is(err, errEnough) {
			return nil, err
		}
		line := in.withoutEnd(raw)
		switch {
		case number == 1 && bytes.HasPrefix(line, []byte("\xef\xbb\xbf")):
			in.changes[FromLine] = true
			line = line[3:]
			if len(line) == 0 {
				in.body = h.offset
				return in, nil
			}
		case len(line) == 0:
			in.body = h.offset
			return in, nil
		}
		if err == nil && len(in.fields) == 0 && isFromLine(line, in.changes[FromLine] || number == 1, number) {
			in.changes[FromLine] = true
			continue
		}
		if !in.add(line) {
			in.stopAt(start, number, line)
			return in, nil
		}
		if number > maxLines {
			return nil, &Error{Line: number, Err: errManyLines}
		}
	}
}

// isFromLine reports whether a line before the first field is that of an mbox file, or a quoted one
// after it.
func isFromLine(line []byte, allowed bool, number int) bool {
	return allowed && (mbox.IsFromLine(line) && number == 1 || number > 1 && mbox.IsQuoted(line))
}

// stopAt begins the body at a line that is not a field.
func (in *input) stopAt(start int64, number int, line []byte) {
	in.body = start
	if number == 1 && in.changes[FromLine] { // a byte order mark
		in.body += 3
	}
	if len(in.fields) == 0 {
		in.changes[NoHeader] = true
		return
	}
	in.changes[HeaderEnd] = true
}

// withoutEnd removes the line end, and makes a CR within the line a space: as a line end it could add a
// field to a header that a program has checked for LF.
func (in *input) withoutEnd(raw []byte) []byte {
	line := bytes.TrimRight(bytes.TrimSuffix(raw, []byte("\n")), "\r")
	if len(raw)-len(line) > len("\r\n") {
		in.changes[LineEnds] = true
	}
	if bytes.IndexByte(line, '\r') >= 0 {
		in.changes[LineEnds] = true
		line = bytes.ReplaceAll(line, []byte("\r"), []byte(" "))
	}
	return line
}

// begins reports whether a line begins a field. The first field of a message has a name of letters,
// digits and a few signs, so that JSON or HTML is not taken for one; later ones may have any name
// (RFC 5322 section 2.2).
func (in *input) begins(line []byte) bool {
	name, _, ok := bytes.Cut(line[:min(len(line), line998)], []byte(":"))
	name = bytes.TrimRight(name, blanks)
	if !ok || len(name) == 0 {
		return false
	}
	for _, c := range name {
		if c <= ' ' || c > '~' || len(in.fields) == 0 && strings.IndexByte(`()<>@,;\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return true
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// add adds a line of the header; ok is false if it is none.
func (in *input) add(line []byte) (ok bool) {
	if isBlank(line[0]) {
		if len(in.fields) == 0 {
			return false
		}
		last := &in.fields[len(in.fields)-1]
		last.lines = append(last.lines, string(line))
		return true
	}
	if !in.begins(line) {
		return false
	}
	text := string(line)
	name, _, _ := strings.Cut(text, ":")
	name = strings.TrimRight(name, blanks)
	in.fields = append(in.fields, field{name: name, lower: strings.ToLower(name), lines: []string{text}})
	return true
}
