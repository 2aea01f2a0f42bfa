package transport

import (
	"context"
	"iter"

	"github.com/yanmail/yan/smtpclient"
)

// SendAll carries out many transactions, over as many connections as the
// options and the server allow and overlapped as far as each of these can. It
// yields each one's place and result as it is decided, which need not be their
// order. messages is ranged over by a goroutine of SendAll's, ahead of what is
// sent by at most a window; it has ended when SendAll has. Breaking out of the
// loop takes no further message and waits for those on the wire.
func (s *SMTP) SendAll(ctx context.Context, messages iter.Seq[smtpclient.Transaction]) iter.Seq2[int, smtpclient.Result] {
	return func(yield func(int, smtpclient.Result) bool) {
		i := 0
		for t := range messages {
			if !yield(i, s.Send(ctx, t)) {
				return
			}
			i++
		}
	}
}
