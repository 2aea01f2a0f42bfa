package faultproxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrBroken is the error of a Message that fails in the middle.
var ErrBroken = errors.New("the message can't be read any further, as asked")

// NamedMessage is the content of a message. Its name and size determine every octet, so that a receiver
// can tell which message it is and whether it is complete.
type NamedMessage struct {
	Name string // letters and digits
	// Octets is the size. If it is smaller than header and end, the message consists of these.
	Octets int64
	// FailAt makes WriteTo fail after that many octets; 0 means never.
	FailAt int64
}

// filler is a line between header and end; with DATA its dot must be doubled.
const filler = ".and a line that is of no interest to anybody but whoever has to count it\r\n"

func (m NamedMessage) head() string {
	return fmt.Sprintf("Message-ID: <%s>\r\nSubject: torture\r\n\r\n", m.Name)
}

// End returns the last line, with its CRLF.
func (m NamedMessage) End() string { return "end of " + m.Name + "\r\n" }

// Size returns the number of octets.
func (m NamedMessage) Size() int64 { return max(m.Octets, int64(len(m.head())+len(m.End())+2)) }

// EightBit returns false: all octets are ASCII.
func (m NamedMessage) EightBit() bool { return false }

// NeedsSMTPUTF8 returns false.
func (m NamedMessage) NeedsSMTPUTF8() bool { return false }

// WriteTo writes the message, or its first FailAt octets.
func (m NamedMessage) WriteTo(w io.Writer) (int64, error) {
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

// fillerOf returns a line of at most rest octets that leaves either 0 or at least 2 octets.
func fillerOf(rest int64) string {
	switch {
	case rest > int64(len(filler))+1:
		return filler
	case rest >= 2:
		return strings.Repeat("x", int(rest)-2) + "\r\n"
	}
	return "\n" // not reached: Size never leaves a single octet
}

// NameOf returns the name in a received message.
func NameOf(data []byte) (string, bool) {
	rest, ok := bytes.CutPrefix(data, []byte("Message-ID: <"))
	if !ok {
		return "", false
	}
	name, _, ok := bytes.Cut(rest, []byte(">"))
	return string(name), ok
}

// Whole reports whether data is the complete message.
func (m NamedMessage) Whole(data []byte) bool {
	var b bytes.Buffer
	m.FailAt = 0
	_, err := m.WriteTo(&b)
	return err == nil && bytes.Equal(b.Bytes(), data)
}
