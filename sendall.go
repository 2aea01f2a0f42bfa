package yan

import (
	"context"

	"iter"

	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// manyTransport is a Transport that overlaps messages.
type manyTransport interface {
	SendAll(ctx context.Context, messages iter.Seq[Transaction]) iter.Seq2[int, smtpclient.Result]
}

// SendAll composes and sends many messages as fast as the server allows, and
// yields the result of each as it is decided: Result.Index says which it is of.
// The error is that of Send. A message that can't be composed costs only
// itself.
//
//	for result, err := range client.SendAll(ctx, messages) {
//		if err != nil {
//			log.Printf("message %d: %v", result.Index, err)
//		}
//	}
//
// messages is ranged over by another goroutine, a little ahead of what is sent.
// Breaking out of the loop takes no further message and waits for those on the
// wire.
func (c *Client) SendAll(ctx context.Context, messages iter.Seq[Message]) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		i := 0
		for m := range messages {
			r, err := c.Send(ctx, m)
			r.Index = i
			if !yield(r, err) {
				return
			}
			i++
		}
	}
}

// DeliverAll is SendAll for messages that are composed already. The caller
// closes each content when its result is there.
func (c *Client) DeliverAll(ctx context.Context, transactions iter.Seq[Transaction]) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		many, ok := c.transport.(manyTransport)
		if !ok {
			many = oneByOne{c.transport}
		}
		for i, r := range many.SendAll(ctx, transactions) {
			result := Result{Index: i, ServerID: transport.ServerID(r.Reply), Size: r.Size, Reply: r.Reply, Recipients: r.Outcomes}
			if !yield(result, result.failure(c.provider)) {
				return
			}
		}
	}
}

// oneByOne is for a Transport that knows no more than Send.
type oneByOne struct{ Transport }

func (t oneByOne) SendAll(ctx context.Context, messages iter.Seq[Transaction]) iter.Seq2[int, smtpclient.Result] {
	return func(yield func(int, smtpclient.Result) bool) {
		i := 0
		for m := range messages {
			if !yield(i, t.Send(ctx, m)) {
				return
			}
			i++
		}
	}
}
