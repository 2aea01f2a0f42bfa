package message

import (
	"errors"
	"io"
	"testing"
)

// However much a segment emits, no more than Size is written, and if there is more, less than
// Size.
func TestOutputGuardsSize(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{10, outputBlock, 3 * outputBlock} {
		for name, s := range map[string]segment{
			"literal": literal(make([]byte, size+1)), "text": plainText(make([]byte, size+1)),
			"two": literal(make([]byte, size/2+1)),
		} {
			o := &output{w: io.Discard, size: size}
			err := s.emitTo(o)
			if err == nil {
				err = s.emitTo(o)
			}
			if err == nil {
				err = o.finishOutput()
			}
			if !errors.Is(err, errSize) || o.written >= size {
				t.Errorf("%s for %d octets: %v, %d written", name, size, err, o.written)
			}
		}
	}
}
