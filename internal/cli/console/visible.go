package console

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/smtp"
)

// VisibleLines is visible for a text of several lines. Lines that stand at the margin
// stay behind the first, so that none passes for a message of its own.
func VisibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if lines[i] = Visible(line); i > 0 && !strings.HasPrefix(line, " ") {
			lines[i] = "     " + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// Visible is a text on one line that does nothing to a terminal. What went wrong is
// told in words that others chose, before anybody is trusted: an error names the names
// of a certificate, and what a proxy said.
func Visible(text string) string { return smtp.DecodeText([]byte(text)) }

// Octets is where the octets of a message are printed: exactly, in a file or a pipe. A
// terminal would obey them, so it is shown marks instead of control characters.
func (a *Console) Octets() (w io.Writer, flush func()) {
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

// OneLine returns an untrusted text on one line, without control characters and clipped
// for a table.
func OneLine(s string) string { return Clipped(strings.TrimSpace(Visible(s))) }
