package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
)

// onlyWriter hides the other methods of a writer, so that the bytes are written
// unchanged.
type onlyWriter struct{ io.Writer }

// PrintJSON writes one value as one line.
func (a *Console) PrintJSON(v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)                                // plain structures, which can always be encoded
	_, _ = a.Stdout.Write(escapeControls(b.Bytes())) // a write error is reported at the end
}

// escapeControls writes as \u00NN the characters that JSON leaves unescaped and a
// terminal obeys: controls beyond ASCII, and marks that change a line's
// direction. They occur only in strings.
func escapeControls(text []byte) []byte {
	odd := func(r rune) bool { return r >= 0x7f && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) }
	if bytes.IndexFunc(text, odd) < 0 {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		if odd(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.Bytes()
}
