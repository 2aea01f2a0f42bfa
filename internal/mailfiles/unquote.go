package mailfiles

import (
	"bufio"
	"bytes"
	"io"

	"github.com/yanmail/yan/internal/mbox"
)

// unquoter takes one ">" off the lines that an mbox file quotes.
type unquoter struct {
	in *bufio.Reader
	// inLine is set where the next octet does not begin a line.
	inLine bool
}

func unquote(r io.Reader) io.Reader {
	return &unquoter{in: bufio.NewReaderSize(r, 2*longestQuote)}
}

// longestQuote is how many ">" are looked through; a line that begins with
// more stays as it is, as no message was ever forwarded so often.
const longestQuote = 1024

func (u *unquoter) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if !u.inLine {
		// An error of Peek comes again with what is there, from the read below.
		if head, _ := u.in.Peek(longestQuote); mbox.IsQuoted(head) {
			_, _ = u.in.Discard(1) // it was peeked at
		}
		u.inLine = true
	}
	if _, err := u.in.Peek(1); err != nil {
		return 0, err
	}
	line, _ := u.in.Peek(u.in.Buffered()) // all of that is there
	if end := bytes.IndexByte(line, '\n') + 1; end > 0 && end <= len(p) {
		line = line[:end]
		u.inLine = false
	}
	n := copy(p, line)
	_, _ = u.in.Discard(n) // it was peeked at
	return n, nil
}
