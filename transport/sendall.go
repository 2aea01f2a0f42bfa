package transport

import (
	"context"
	"iter"

	"github.com/yanmail/yan/smtpclient"
)

// SendAll carries out many transactions, over as many connections as the options and the server
// allow, overlapped on each connection as far as possible. It yields the index and result of each
// when it is decided, not necessarily in order. Every transaction taken from messages yields
// exactly one result; one without recipients does so at once, with no outcome.
//
// A goroutine of SendAll ranges over messages, ahead of the sending by at most a window for each
// connection. It ends before SendAll does: an iterator that waits for something should stop when
// ctx is done. If the iterator panics, so does SendAll, after the results of the messages taken
// before.
//
// Breaking the loop takes no further message and waits for those on the wire. The end of ctx
// settles all taken messages at once, and takes no more.
//
// If a connection is lost, or accepts no more messages, recipients for which the server can't have
// the message are tried on another one. A message that seems to break connections is sent alone,
// and on at most two. Deferred recipients stay deferred.
//
// If no connection is possible, no message is tried, and each has the error of the last attempt.
// After a refused login, or another permanent failure, no new attempt is made in this loop; after
// a temporary one, messages that come after a pause cause another.
func (s *SMTP) SendAll(ctx context.Context, messages iter.Seq[smtpclient.Transaction]) iter.Seq2[int, smtpclient.Result] {
	return func(yield func(int, smtpclient.Result) bool) {
		r := s.newRun(ctx)
		closed := false
		defer func() { // the loop panicked
			if !closed {
				r.closeRun()
			}
		}()
		go r.feedMessages(messages)
		r.yieldResults(yield)
		closed = true
		r.closeRun()
		r.rethrowPanic()
	}
}
