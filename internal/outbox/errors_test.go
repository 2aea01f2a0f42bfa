package outbox_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
)

// WhyBroken removes the doubt about a change, and nothing else.
func TestWhyBroken(t *testing.T) {
	t.Parallel()
	moved := localerr.Errorf("%w: %s was moved", queue.ErrBroken, "o.db")
	unsure := localerr.Errorf("%w: %w", queue.ErrUncertain, moved)
	for _, c := range []struct{ err, want error }{
		{nil, nil},
		{io.EOF, io.EOF},
		{moved, moved},
		{queue.ErrUncertain, queue.ErrUncertain},
		{unsure, moved},
		{fmt.Errorf("renewing: %w", unsure), moved},
		{errors.Join(io.EOF, unsure), moved},
	} {
		if got := outbox.WhyBroken(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}
