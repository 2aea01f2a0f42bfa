package mailfiles

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// part is where one message of an mbox file lies, in octets; the empty line
// behind it is not of it.
type part struct {
	start, end int64
	quoted     bool // there is a ">" to take off
}

// GluedError is an mbox file in which a message begins where none may: no
// empty line stands before it. To guess whether it is text of the message
// before would risk to send both to the recipients of the first.
type GluedError struct{ Line int }

func (e *GluedError) Error() string {
	return fmt.Sprintf("line %d looks like the beginning of a message, but the line before it is not empty", e.Line)
}

// split finds the messages of an mbox file. Of a file that is none it gives
// no parts, after reading no more than the beginning.
func split(r io.Reader) ([]part, error) {
	var s splitter
	_, err := io.CopyBuffer(&s, onlyReader{r}, make([]byte, 64<<10))
	if err == nil || err == errNoMbox {
		return s.finish()
	}
	return nil, err
}

// onlyReader hides a WriteTo, whose buffer would be another one.
type onlyReader struct{ io.Reader }

// splitter finds the messages in the octets of an mbox file that are written
// to it.
type splitter struct {
	parts []part

	line   []byte // the beginning of the present line
	number int    // of the present line, from 1
	start  int64  // of the present line
	offset int64  // of the next octet

	empty, emptyBefore int64 // where the last line, and that before, begin if they are empty; -1
	from               int64 // where the last line begins if it is a From_ line; -1
	err                error
}

// longestFrom is how much of a line is looked at. A From_ line has an address
// of at most 254 octets and a date.
const longestFrom = 1024

var errNoMbox = fmt.Errorf("no mbox file")

func (s *splitter) Write(p []byte) (int, error) {
	if s.number == 0 {
		s.number, s.empty, s.emptyBefore, s.from = 1, -1, -1, -1
	}
	n := 0
	for n < len(p) && s.err == nil {
		end := bytes.IndexByte(p[n:], '\n') + 1
		piece := p[n:]
		if end > 0 {
			piece = p[n : n+end]
		}
		s.line = append(s.line, piece[:min(len(piece), longestFrom-len(s.line))]...)
		n += len(piece)
		s.offset += int64(len(piece))
		if end > 0 {
			s.endLine()
		} else if s.number == 1 && len(s.line) == longestFrom {
			s.err = errNoMbox // nor need its end be waited for
		}
	}
	return n, s.err
}

// endLine is called behind every line.
func (s *splitter) endLine() {
	line := bytes.TrimRight(s.line, "\r\n")
	if s.number == 1 {
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		if !isFromLine(line) {
			s.err = errNoMbox
			return
		}
		s.parts = append(s.parts, part{start: s.offset})
	} else {
		s.look(line)
	}
	s.emptyBefore, s.empty = s.empty, -1
	if len(line) == 0 {
		s.empty = s.start
	}
	s.line, s.start = s.line[:0], s.offset
	s.number++
}

// look takes a line behind the first.
func (s *splitter) look(line []byte) {
	last := &s.parts[len(s.parts)-1]
	if s.from >= 0 && isField(line) {
		if s.emptyBefore < 0 {
			s.err = &GluedError{Line: s.number - 1}
			return
		}
		last.end = s.emptyBefore
		s.parts = append(s.parts, part{start: s.start})
		last = &s.parts[len(s.parts)-1]
	}
	s.from = -1
	switch {
	case isFromLine(line) && s.start > last.start:
		s.from = s.start
	case isQuoted(line):
		last.quoted = true
	}
}

// finish ends the last message.
func (s *splitter) finish() ([]part, error) {
	if len(s.line) > 0 && s.err == nil {
		s.endLine()
	}
	if s.err == errNoMbox || s.number == 0 {
		return nil, nil
	}
	if s.err != nil {
		return nil, s.err
	}
	last := &s.parts[len(s.parts)-1]
	last.end = s.offset
	if s.empty > last.start {
		last.end = s.empty
	}
	return s.parts, nil
}

// isFromLine reports whether a line is "From ", a sender and a date.
func isFromLine(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("From "))
	if !ok {
		return false
	}
	words := strings.Fields(string(rest))
	for i := range words {
		if isDate(words[i:]) {
			return true
		}
	}
	return false
}

// isDate reports whether words begin with a date as ctime writes it: "Mon Nov
// 23 04:25:28 2026". Before the year may stand a time zone, or two.
func isDate(words []string) bool {
	if len(words) < 5 || !oneOf("Mon Tue Wed Thu Fri Sat Sun", words[0]) ||
		!oneOf("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", words[1]) {
		return false
	}
	clock := strings.Split(words[3], ":")
	if !digits(words[2], 1, 2) || len(clock) < 2 || len(clock) > 3 {
		return false
	}
	for i, c := range clock {
		if !digits(c, min(i+1, 2), 2) {
			return false
		}
	}
	for _, word := range words[4:min(len(words), 7)] {
		if digits(word, 4, 4) {
			return true
		}
	}
	return false
}

func oneOf(list, word string) bool {
	return len(word) == 3 && strings.Contains(list, word)
}

// digits reports whether a word is from least to most digits.
func digits(word string, least, most int) bool {
	return len(word) >= least && len(word) <= most && strings.Trim(word, "0123456789") == ""
}

// isField reports whether a line begins a header field.
func isField(line []byte) bool {
	name, _, ok := bytes.Cut(line, []byte(":"))
	name = bytes.TrimRight(name, " \t")
	hidden := func(r rune) bool { return r <= ' ' || r > '~' }
	return ok && len(name) > 0 && !bytes.ContainsFunc(name, hidden)
}

// isQuoted reports whether a line begins with one or more ">" and "From ".
func isQuoted(line []byte) bool {
	rest := bytes.TrimLeft(line, ">")
	return len(rest) < len(line) && bytes.HasPrefix(rest, []byte("From "))
}

// Detector tells, of octets that are written to it, whether package message,
// which takes them for one message, would misread an mbox file: one of several
// messages, or with a ">" to take off.
type Detector struct{ s splitter }

// Write has no errors.
func (d *Detector) Write(p []byte) (int, error) {
	_, _ = d.s.Write(p) // an error of its own stays in it
	return len(p), nil
}

// IsMbox is asked when everything was written.
func (d *Detector) IsMbox() bool {
	parts, err := d.s.finish()
	return err != nil || len(parts) > 1 || len(parts) == 1 && parts[0].quoted
}
