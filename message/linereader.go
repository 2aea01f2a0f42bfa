package message

import (
	"bytes"
	"io"

	"github.com/yanmail/yan/internal/localerr"
)

// lineError is an error of one line; it completes "line 12 …".
type lineError struct{ error }

func (e lineError) Unwrap() error { return e.error }

// lineReader splits a source into lines that end with CRLF, CR or LF.
type lineReader struct {
	src  *sourceReader
	buf  [4096]byte
	r, w int
	eof  bool

	// pieces makes nextLine return a longer line in pieces; partial says that more follows.
	pieces, partial bool

	lone bool // the last line ended with a CR alone
	// doubled reports whether the last line is the empty one of CR CR LF.
	doubled bool
}

// nextLine returns the next line without its end, valid until the next call, and io.EOF after the
// last one.
func (l *lineReader) nextLine() ([]byte, error) {
	for {
		have := l.buf[l.r:l.w]
		end := bytes.IndexByte(have, '\n')
		if cr := bytes.IndexByte(have[:max(end, 0)], '\r'); cr >= 0 {
			end = cr
		} else if end < 0 {
			end = bytes.IndexByte(have, '\r')
		}
		l.partial = false
		switch {
		case l.pieces && (end > maxLine || end < 0 && len(have) > maxLine):
			l.r += maxLine
			l.partial, l.doubled = true, false
			return have[:maxLine], nil
		case end > maxLine, end < 0 && len(have) > maxLine:
			return nil, lineError{localerr.Errorf("is longer than %d octets", maxLine)}
		case end >= 0 && (have[end] == '\n' || end+1 < len(have) || l.eof):
			l.r += end + 1
			crlf := have[end] == '\r' && end+1 < len(have) && have[end+1] == '\n'
			if crlf {
				l.r++
			}
			l.doubled = l.lone && end == 0 && crlf
			l.lone = have[end] == '\r' && !crlf
			return have[:end], nil
		case l.eof && len(have) == 0:
			return nil, io.EOF
		case l.eof:
			l.r = l.w
			l.lone, l.doubled = false, false
			return have, nil
		}
		if err := l.readMore(); err != nil {
			return nil, err
		}
	}
}

// readMore moves the remaining octets to the front and reads more.
func (l *lineReader) readMore() error {
	l.w = copy(l.buf[:], l.buf[l.r:l.w])
	l.r = 0
	n, err := l.src.readFull(l.buf[l.w:])
	l.w += n
	l.eof = err == nil && n == 0
	return err
}
