package cli

import (
	"io"
	"unicode"
	"unicode/utf8"
)

// octets is where the octets of a message are printed: exactly, in a file or a pipe. A
// terminal would obey them, so it is shown marks instead of control characters.
func (a *app) octets() (w io.Writer, flush func()) {
	if a.StdoutWidth == 0 {
		return onlyWriter{a.Stdout}, func() {}
	}
	v := &visibleWriter{w: a.Stdout}
	return v, v.flush
}

// visibleWriter writes text that does nothing to a terminal: of all control characters
// only line ends and tabs are left, and of what is no UTF-8 nothing.
type visibleWriter struct {
	w    io.Writer
	rest []byte // the beginning of a character, or a CR whose LF may follow
}

func (v *visibleWriter) Write(p []byte) (int, error) {
	data := append(v.rest, p...)
	v.rest = nil
	out := make([]byte, 0, len(data))
	for len(data) > 0 {
		if !utf8.FullRune(data) || len(data) == 1 && data[0] == '\r' {
			v.rest = data
			break
		}
		r, n := utf8.DecodeRune(data)
		data = data[n:]
		if r == '\r' && data[0] == '\n' {
			continue
		}
		out = utf8.AppendRune(out, visibleRune(r))
	}
	_, err := v.w.Write(out)
	return len(p), err
}

// flush writes what was waiting for more.
func (v *visibleWriter) flush() {
	if len(v.rest) > 0 {
		v.rest = nil
		_, _ = v.w.Write([]byte(string(utf8.RuneError))) // what can't be written is known at the end
	}
}

func visibleRune(r rune) rune {
	if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
		return utf8.RuneError
	}
	return r
}
