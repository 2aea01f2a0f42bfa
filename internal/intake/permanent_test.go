package intake

import (
	"context"
	"errors"
	"testing"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/queue"
)

// A file that would be refused again is set aside; it is not tried every ten seconds.
func TestPermanentRefusals(t *testing.T) {
	t.Parallel()
	refusal := func(rule string, code int, enhanced string) error {
		return admission.NewRefusal(rule, code, enhanced, errors.New("no"), nil)
	}
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{refusal("sender", 550, "5.7.1"), true},
		{refusal("rate", 450, "4.7.1"), false},
		{refusal("rate", 550, "5.5.3"), true}, // more recipients than an hour has
		{refusal("count", 452, "4.5.3"), true},
		{refusal("account", 451, "4.3.5"), false},
		{queue.ErrConflict, true}, // another message has the key
		{queue.ErrFull, false},
		{queue.ErrBroken, false},
		{queue.ErrUncertain, false},
		{context.Canceled, false},
	} {
		if got := isPermanent(tt.err); got != tt.want {
			t.Errorf("%v: %v", tt.err, got)
		}
	}
}
