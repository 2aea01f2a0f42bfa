package mailfiles

import (
	"bufio"
	"bytes"
	"io"

	"github.com/yanmail/yan/internal/mailfiles/mbox"
)

// unquoter removes one ">" from the quoted lines of an mbox file.
type unquoter struct {
	in *bufio.Reader
	// inLine is true if the next octet does not begin a line.
	inLine bool
}

func newUnquoter(r io.Reader) io.Reader {
	return &unquoter{in: bufio.NewReaderSize(r, 2*longestQuote)}
}

// longestQuote bounds how many ">" are examined. A line with more stays as it is: no message is
// forwarded so often.
const longestQuote = 1024

func (u *unquoter) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if !u.inLine {
		// An error of Peek occurs again, with the available octets, in the read below.
		if head, _ := u.in.Peek(longestQuote); mbox.IsQuoted(head) {
			_, _ = u.in.Discard(1) // it was peeked at
		}
		u.inLine = true
	}
	if _, err := u.in.Peek(1); err != nil {
		return 0, err
	}
	line, _ := u.in.Peek(u.in.Buffered()) // these octets are available
	if end := bytes.IndexByte(line, '\n') + 1; end > 0 && end <= len(p) {
		line = line[:end]
		u.inLine = false
	}
	n := copy(p, line)
	_, _ = u.in.Discard(n) // it was peeked at
	return n, nil
}
