package smtpclient

import (
	"context"
	"iter"
)

// Source gives a run its messages, in order. It is asked by one goroutine at a
// time, which need not be the one that began the run.
type Source interface {
	// Next returns the next message. ok is false when there is none: with wait,
	// because none will come any more or ctx is over; without, because none is
	// there at this moment. It blocks only with wait.
	Next(ctx context.Context, wait bool) (t Transaction, ok bool)
}

// Messages makes a Source of an iterator that has its messages at hand: while
// the iterator blocks, so does the run. The caller calls stop when the run is
// over.
func Messages(seq iter.Seq[Transaction]) (source Source, stop func()) {
	next, stop := iter.Pull(seq)
	return pulled(next), stop
}

type pulled func() (Transaction, bool)

func (p pulled) Next(context.Context, bool) (Transaction, bool) { return p() }

// Window bounds what a run may have on the wire without knowing what became of
// it: so much is in doubt when the connection is lost. It holds only where
// messages overlap, which takes CHUNKING and PIPELINING.
type Window struct {
	Messages int   // 0 means 32; 1 sends one message after the other
	Bytes    int64 // 0 means 1,000,000; a longer message goes alone
}

// Run sends messages one behind the other and yields what became of each, in
// their order, as the server's replies come.
func (c *Conn) Run(ctx context.Context, messages Source) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		for c.Usable() {
			t, ok := messages.Next(ctx, true)
			if !ok || !yield(c.Send(ctx, t)) {
				return
			}
		}
	}
}
