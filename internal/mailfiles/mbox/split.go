package mbox

import (
	"bytes"
	"errors"
	"io"
	"sort"
)

// Split finds the messages of an mbox file. For another file it returns no parts and reads only the
// beginning.
func Split(r io.Reader, rule Rule) ([]Part, error) {
	var s Splitter
	_, err := io.CopyBuffer(&s, onlyReader{r}, make([]byte, 64<<10))
	if err == nil || errors.Is(err, errNoMbox) {
		return s.Parts(rule)
	}
	return nil, err
}

// onlyReader hides a WriteTo method, which would use another buffer.
type onlyReader struct{ io.Reader }

// Splitter finds the messages of a file whose octets are written to it.
type Splitter struct {
	lines []fromLine // the first begins the file

	line   []byte // the beginning of the present line
	number int    // of the present line, from 1
	start  int64  // of the present line
	offset int64  // of the next octet
	cr     bool   // the last octet was a CR that ended a line
	crlf   int64  // number of lines that ended with CR LF
	before int64  // crlf at the start of the present line

	empty int64 // start of the last line if it is empty; -1
	bare  int64 // crlf there
	// pending is a From_ line whose next line has not ended yet.
	pending *fromLine
	header  headerState
	none    bool // not an mbox file
}

// fromLine is a From_ line that may begin a message, with properties of the text up to the next
// one.
type fromLine struct {
	number int
	start  int64
	body   int64 // start of the message
	empty  int64 // start of the empty line before it; -1
	shape  string
	field  bool // a header field follows

	length int64 // Content-Length; -1
	text   int64 // start of the message's text
	// crlf counts the lines before this one that end with CR LF, textCRLF those before the text.
	crlf, textCRLF int64

	mark   Mark
	quoted bool
}

// longestLine bounds how much of a line is examined.
const longestLine = 1024

var errNoMbox = errors.New("no mbox file")

// Write fails as soon as the file is certain not to be an mbox file.
func (s *Splitter) Write(p []byte) (int, error) {
	if s.number == 0 {
		s.number, s.empty = 1, -1
	}
	n := 0
	for n < len(p) && !s.none {
		if s.cr {
			s.cr = false
			if p[n] == '\n' { // it belongs to the line that ended
				n++
				s.offset++
				s.crlf++
				s.shift()
				continue
			}
		}
		piece := p[n:]
		ends := false
		if i := bytes.IndexByte(piece, '\n'); i >= 0 {
			piece, ends = piece[:i+1], true
		}
		if i := bytes.IndexByte(piece, '\r'); i >= 0 && i+2 != len(piece) || i >= 0 && !ends {
			piece, ends, s.cr = piece[:i+1], true, true
		}
		s.line = append(s.line, piece[:min(len(piece), longestLine-len(s.line))]...)
		n += len(piece)
		s.offset += int64(len(piece))
		if ends {
			if bytes.HasSuffix(piece, []byte("\r\n")) {
				s.crlf++
			}
			s.endLine()
		} else if s.number == 1 && len(s.line) >= len("\xef\xbb\xbfFrom ") && !bytes.HasPrefix(trimBOM(s.line), []byte("From ")) {
			s.none = true
		}
	}
	if s.none {
		return n, errNoMbox
	}
	return n, nil
}

// shift moves offsets by one octet when a CR ended a line and the next octet is its LF.
func (s *Splitter) shift() {
	at := s.offset - 1
	s.start, s.before = s.offset, s.crlf
	if s.pending != nil && s.pending.body == at {
		s.pending.body = s.offset
	}
	if n := len(s.lines); n > 0 && s.lines[n-1].text == at {
		s.lines[n-1].text, s.lines[n-1].textCRLF = s.offset, s.crlf
	}
}

func trimBOM(line []byte) []byte { return bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")) }

// endLine processes a line.
func (s *Splitter) endLine() {
	line := bytes.TrimRight(s.line, "\r\n")
	switch {
	case s.number > 1:
		s.processLine(line)
	case IsFromLine(trimBOM(line)):
		s.pending = &fromLine{number: 1, start: s.start, body: s.offset, empty: -1, shape: lineShape(trimBOM(line)), length: -1, text: -1}
	default:
		s.none = true
		return
	}
	s.empty = -1
	if len(line) == 0 {
		s.empty, s.bare = s.start, s.before
	}
	s.line, s.start, s.before = s.line[:0], s.offset, s.crlf
	s.number++
}

// processLine processes a line after the first.
func (s *Splitter) processLine(line []byte) {
	if p := s.pending; p != nil {
		if IsQuoted(line) && p.body == s.start {
			// QUIRK: mail that came by UUCP has a second From_ line, quoted.
			p.body = s.offset
			return
		}
		p.field = isField(line)
		s.recordPending()
	}
	last := &s.lines[len(s.lines)-1]
	switch {
	case s.header.ended:
	case len(line) == 0:
		s.header.ended = true
		last.length, last.mark, last.text, last.textCRLF = s.header.length, s.header.finalMark(), s.offset, s.crlf
	default:
		s.header.field(line)
	}
	switch {
	case IsFromLine(line):
		s.pending = &fromLine{number: s.number, start: s.start, body: s.offset, empty: s.empty, shape: lineShape(line), length: -1, text: -1, crlf: s.before}
	case IsQuoted(line):
		last.quoted = true
	}
}

// recordPending records the pending From_ line if it may begin a message.
func (s *Splitter) recordPending() {
	p := s.pending
	s.pending = nil
	if p.number > 1 && !p.field && p.empty < 0 {
		return
	}
	s.endHeader()
	s.lines = append(s.lines, *p)
	s.header = headerState{length: -1, ended: !p.field}
}

// endHeader ends a header that has no empty line after it.
func (s *Splitter) endHeader() {
	if n := len(s.lines); n > 0 && !s.header.ended {
		s.lines[n-1].mark = s.header.finalMark()
	}
}

// Parts returns the messages after all octets were written; none for a file that is not an mbox
// file.
func (s *Splitter) Parts(rule Rule) ([]Part, error) {
	if len(s.line) > 0 && !s.none {
		s.endLine()
	}
	if s.none || s.number == 0 {
		return nil, nil
	}
	if s.pending != nil {
		s.recordPending()
	}
	s.endHeader()
	var parts []Part
	for i := 0; i < len(s.lines); {
		part, next, err := s.partAt(i, rule)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
		i = next
	}
	return parts, nil
}

// partAt returns the message that begins at From_ line i; next is the From_ line after it.
func (s *Splitter) partAt(i int, rule Rule) (part Part, next int, err error) {
	first := &s.lines[i]
	part = Part{Start: first.body, Line: first.number, Mark: first.mark}
	if end, next, ok := s.byLength(i); ok {
		part.End = end
		return part, next, nil
	}
	part.Quoted = first.quoted
	for next = i + 1; next < len(s.lines); next++ {
		line := &s.lines[next]
		begins, err := s.startsMessage(line, rule)
		if err != nil {
			return part, 0, err
		}
		if begins {
			part.End = max(line.empty, part.Start)
			return part, next, nil
		}
		part.Quoted = part.Quoted || line.quoted
	}
	part.End = s.offset
	if s.empty >= 0 {
		part.End = max(s.empty, part.Start)
	}
	return part, next, nil
}

// byLength returns the end of message i according to Content-Length, if a message begins there or
// the file ends there. It counts octets as they are in the file, or line ends as one octet each: a
// file whose line ends became CR LF kept the numbers.
func (s *Splitter) byLength(i int) (end int64, next int, ok bool) {
	first := &s.lines[i]
	if first.length < 0 || first.text < 0 || first.length > s.offset-first.text {
		return 0, 0, false
	}
	if end, next, ok = s.lengthLeadsTo(i, first.text+first.length, 0); !ok && s.crlf > first.textCRLF {
		return s.lengthLeadsTo(i, first.text-first.textCRLF+first.length, 1)
	}
	return end, next, ok
}

// lengthLeadsTo looks for a message or the end of the file at an offset, where each CR LF counts cr
// less.
func (s *Splitter) lengthLeadsTo(i int, at, cr int64) (end int64, next int, ok bool) {
	next = i + 1 + sort.Search(len(s.lines)-i-1, func(k int) bool {
		line := &s.lines[i+1+k]
		return line.start-cr*line.crlf >= at
	})
	if next < len(s.lines) {
		if line := &s.lines[next]; line.field {
			if line.start-cr*line.crlf == at {
				return line.start, next, true
			}
			// An empty line, at most one CR LF, is before it.
			if line.empty >= 0 && line.empty-cr*(line.crlf-min(line.start-line.empty-1, 1)) == at {
				return line.empty, next, true
			}
		}
	}
	switch at {
	case s.offset - cr*s.crlf:
		return s.offset, len(s.lines), true
	case s.empty - cr*s.bare:
		return s.empty, len(s.lines), true
	}
	return 0, 0, false
}

// startsMessage reports whether a From_ line begins a message.
func (s *Splitter) startsMessage(line *fromLine, rule Rule) (bool, error) {
	alike := line.shape == s.lines[0].shape
	switch {
	case line.empty < 0 && (alike || isDated(line.shape)):
		return false, &GluedError{line.number}
	case line.empty < 0:
		return false, nil
	case !line.field && alike:
		return false, &BareError{line.number}
	case !line.field:
		return false, nil
	case alike:
		return true, nil
	case rule == Refuse:
		return false, &UnlikeError{line.number}
	}
	return rule == Every, nil
}
