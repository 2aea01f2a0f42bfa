package torture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrBroken is how a Message fails in the middle.
var ErrBroken = errors.New("the message can't be read any further, as asked")

// Message is the content of a message: every octet follows from its name and
// size, so that whoever has it can tell which it is and whether it is whole.
type Message struct {
	Name string // of letters and digits
	// Octets is how large it is; less than what its header and end take means
	// just these.
	Octets int64
	// FailAt makes WriteTo fail once so many octets are written; 0 never.
	FailAt int64
}

// filler is a line between header and end; the dot has to be doubled behind
// DATA.
const filler = ".and a line that is of no interest to anybody but whoever has to count it\r\n"

func (m Message) head() string {
	return fmt.Sprintf("Message-ID: <%s>\r\nSubject: torture\r\n\r\n", m.Name)
}

// End is the last line, with its CRLF.
func (m Message) End() string { return "end of " + m.Name + "\r\n" }

// Size is the number of octets.
func (m Message) Size() int64 { return max(m.Octets, int64(len(m.head())+len(m.End())+2)) }

// EightBit is false: it is all ASCII.
func (m Message) EightBit() bool { return false }

// NeedsSMTPUTF8 is false.
func (m Message) NeedsSMTPUTF8() bool { return false }

// WriteTo writes the message, or what comes before FailAt.
func (m Message) WriteTo(w io.Writer) (int64, error) {
	limit := m.Size()
	if m.FailAt > 0 {
		limit = min(limit, m.FailAt)
	}
	written := int64(0)
	put := func(s string) error {
		if left := limit - written; int64(len(s)) > left {
			s = s[:left]
		}
		n, err := io.WriteString(w, s)
		written += int64(n)
		return err
	}
	if err := put(m.head()); err != nil {
		return written, err
	}
	for rest := m.Size() - written - int64(len(m.End())); rest > 0 && written < limit; {
		line := fillerOf(rest)
		rest -= int64(len(line))
		if err := put(line); err != nil {
			return written, err
		}
	}
	if err := put(m.End()); err != nil {
		return written, err
	}
	if m.FailAt > 0 {
		return written, ErrBroken
	}
	return written, nil
}

// fillerOf is a line of at most rest octets that leaves 0, or 2 and more.
func fillerOf(rest int64) string {
	switch {
	case rest > int64(len(filler))+1:
		return filler
	case rest >= 2:
		return strings.Repeat("x", int(rest)-2) + "\r\n"
	}
	return "\n" // not reached: Size leaves no single octet
}

// NameOf reads the name out of a message that was received.
func NameOf(data []byte) (string, bool) {
	rest, ok := bytes.CutPrefix(data, []byte("Message-ID: <"))
	if !ok {
		return "", false
	}
	name, _, ok := bytes.Cut(rest, []byte(">"))
	return string(name), ok
}

// Whole reports whether data is the message to its last octet.
func (m Message) Whole(data []byte) bool {
	var b bytes.Buffer
	m.FailAt = 0
	_, err := m.WriteTo(&b)
	return err == nil && bytes.Equal(b.Bytes(), data)
}
