package sendmailcmd

import (
	"bufio"
	"io"
)

// crlfReader gives a program that ends its commands with LF alone the CRLF of SMTP. The first command
// decides: from a program that uses CRLF nothing is changed, since LF "." LF in its message is text
// there, and must not end it.
type crlfReader struct {
	r       *bufio.Reader
	decided bool
	convert bool
	pending []byte
}

func newCRLFReader(r io.Reader) *crlfReader { return &crlfReader{r: bufio.NewReader(r)} }

// Read implements io.Reader.
func (c *crlfReader) Read(p []byte) (int, error) {
	if !c.decided {
		line, err := c.r.ReadSlice('\n')
		c.decided = true
		c.convert = err == nil && (len(line) < 2 || line[len(line)-2] != '\r')
		c.pending = append(c.pending, line...)
		if c.convert {
			c.pending = append(c.pending[:len(line)-1], '\r', '\n')
		}
	}
	if len(c.pending) > 0 {
		n := copy(p, c.pending)
		c.pending = c.pending[n:]
		return n, nil
	}
	if !c.convert {
		return c.r.Read(p)
	}
	line, err := c.r.ReadSlice('\n')
	if len(line) == 0 {
		return 0, err
	}
	c.pending = append(c.pending[:0], line...)
	if err == nil && (len(line) < 2 || line[len(line)-2] != '\r') {
		c.pending = append(c.pending[:len(line)-1], '\r', '\n')
	}
	n := copy(p, c.pending)
	c.pending = c.pending[n:]
	return n, nil // an error comes again with the next read
}
