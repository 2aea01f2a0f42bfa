package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
)

// onlyWriter hides what else a writer can do: the bytes are to come out as
// they are.
type onlyWriter struct{ io.Writer }

// PrintJSON writes one value as one line.
func (a *Console) PrintJSON(v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)                         // plain structures, which always can be
	_, _ = a.Stdout.Write(escaped(b.Bytes())) // what can't be written is known at the end
}

// escaped writes as \u00NN what JSON leaves as it is and a terminal obeys: controls
// beyond ASCII, and marks that turn a line around. They stand in strings alone.
func escaped(text []byte) []byte {
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
