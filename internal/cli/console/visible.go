package console

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yanmail/yan/smtp"
)

// VisibleLines is Visible for a text of several lines. Further lines are
// indented, so that none looks like a message of its own.
func VisibleLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if lines[i] = Visible(line); i > 0 && !strings.HasPrefix(line, " ") {
			lines[i] = "     " + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// Visible returns a text as one line that can't control a terminal. Errors may
// contain text of untrusted parties: the names of a certificate, or a proxy's
// reply.
func Visible(text string) string { return smtp.DecodeText([]byte(text)) }

// OctetWriter returns the writer for the octets of a message: unchanged into a file
// or a pipe. On a terminal control characters are replaced by marks.
func (a *Console) OctetWriter() (w io.Writer, flush func()) {
	if a.StdoutWidth == 0 {
		return onlyWriter{a.Stdout}, func() {}
	}
	v := &visibleWriter{w: a.Stdout}
	return v, v.flush
}

// visibleWriter writes text that can't control a terminal: of control
// characters it keeps only line ends and tabs, and it drops invalid UTF-8.
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

// flush writes the rest that was waiting for more input.
func (v *visibleWriter) flush() {
	if len(v.rest) > 0 {
		v.rest = nil
		_, _ = v.w.Write([]byte(string(utf8.RuneError))) // a write error is reported at the end
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
func OneLine(s string) string { return ClipText(strings.TrimSpace(Visible(s))) }
