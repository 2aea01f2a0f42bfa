package transport

import (
	"context"
	"iter"

	"github.com/yanmail/yan/smtpclient"
)

// SendAll carries out many transactions, over as many connections as the
// options and the server allow and overlapped as far as each of these can. It
// yields each one's place and result as it is decided, which need not be their
// order. Every transaction that it takes from messages yields exactly one
// result; one whose envelope has no recipients does so at once, with no outcome.
//
// messages is ranged over by a goroutine of SendAll's, ahead of what is sent by
// at most a window for each connection. That goroutine has ended when SendAll
// has: an iterator that waits for something should stop waiting when ctx is over.
// When the iterator panics, so does SendAll, behind the results of what it had
// given.
//
// Breaking out of the loop takes no further message and waits for those on the
// wire. The end of ctx settles all that was taken, at once, and takes no more.
//
// Recipients that the server can't have the message for, because a connection
// was lost or takes no more, are tried on another one. A message that seems to
// be why connections are lost goes alone, and at most on two. What a server defers
// stays deferred.
//
// When no connection can be had, every message is not tried, with the error of
// the last attempt. After a login that was refused, and whatever else lasts, none is
// attempted again in this loop; after what may pass, another is for messages that
// come after a pause.
func (s *SMTP) SendAll(ctx context.Context, messages iter.Seq[smtpclient.Transaction]) iter.Seq2[int, smtpclient.Result] {
	return func(yield func(int, smtpclient.Result) bool) {
		r := s.newRun(ctx)
		closed := false
		defer func() { // the loop panicked
			if !closed {
				r.close()
			}
		}()
		go r.feed(messages)
		r.tell(yield)
		closed = true
		r.close()
		r.rethrow()
	}
}
