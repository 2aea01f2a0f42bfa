package yan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/transport"
)

// batchTransport is a Transport that overlaps messages. It yields one result for each
// transaction that it takes, with its position. It skips a transaction without
// recipients, at no cost.
type batchTransport interface {
	SendAll(ctx context.Context, messages iter.Seq[Transaction]) iter.Seq2[int, TransportResult]
}

// SendAll composes and sends many messages as fast as the server allows. It yields each
// result when it is known; Result.Index is the position of its message. The error is
// that of Send. A message that can't be composed does not affect the others.
//
//	for result, err := range client.SendAll(ctx, messages) {
//		if err != nil {
//			log.Printf("message %d: %v", result.Index, err)
//		}
//	}
//
// Another goroutine ranges over messages and composes them, slightly ahead of the
// sending; an attachment that several of them share is encoded once. An iterator that
// blocks must stop when ctx is done: then the messages that were taken are settled at
// once. If the loop breaks, SendAll takes no further message and waits for those on the
// wire. See [transport.SMTP.SendAll] for retries.
func (c *Client) SendAll(ctx context.Context, messages iter.Seq[Message]) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		var composer message.Composer
		w := &inFlight{}
		defer w.closeAll()
		for i, r := range c.batchOf().SendAll(ctx, w.composeAll(&composer, c.from, messages)) {
			if !yield(c.toResult(i, w.takePending(i), r)) {
				return
			}
		}
	}
}

// SendTransactions is SendAll for composed messages. The caller closes each content when
// its result is there.
func (c *Client) SendTransactions(ctx context.Context, transactions iter.Seq[Transaction]) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		w := &inFlight{}
		for i, r := range c.batchOf().SendAll(ctx, w.followAll(transactions)) {
			if !yield(c.toResult(i, w.takePending(i), r)) {
				return
			}
		}
	}
}

func (c *Client) batchOf() batchTransport {
	if batch, ok := c.transport.(batchTransport); ok {
		return batch
	}
	return sequential{c.transport}
}

// toResult converts the result of the transport, and closes the content.
func (c *Client) toResult(i int, p pending, r TransportResult) (Result, error) {
	if p.err != nil {
		return Result{Index: i}, p.err
	}
	result := Result{Index: i, ServerID: serverID(r), Size: r.Size, Reply: r.Reply, Recipients: r.Outcomes}
	if result.Size == 0 {
		result.Size = p.size
	}
	if p.content != nil {
		result.MessageID = p.content.MessageID()
		_ = p.content.Close() // it was read, and its result is known
	}
	if n := len(r.Outcomes); n != p.recipients {
		return result, fmt.Errorf("the transport returned %d outcomes for %d recipients", n, p.recipients)
	}
	return result, result.sendError(c.provider)
}

// serverID returns the name by which the server's operator finds the message. With LMTP
// each recipient has a reply and a name of its own: the first one counts.
func serverID(r TransportResult) string {
	id := transport.ServerID(r.Reply)
	for _, o := range r.Outcomes {
		if id == "" && o.Status == Accepted {
			id = transport.ServerID(o.Reply)
		}
	}
	return id
}

// pending is the state of a message whose result has not arrived.
type pending struct {
	content    *message.Content // to be closed; nil if the caller closes it
	recipients int
	size       int64
	err        error // the reason that it has no transaction
}

// inFlight holds the messages that the transport has taken, by position, until their
// results arrive.
type inFlight struct {
	mu       sync.Mutex
	messages map[int]pending
}

func (w *inFlight) addPending(i int, p pending) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.messages == nil {
		w.messages = map[int]pending{}
	}
	w.messages[i] = p
}

func (w *inFlight) takePending(i int) pending {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.messages[i]
	delete(w.messages, i)
	return p
}

// closeAll closes the contents of messages without a result.
func (w *inFlight) closeAll() {
	for _, p := range w.messages {
		if p.content != nil {
			_ = p.content.Close()
		}
	}
}

// composeAll yields a transaction for each message. A message that can't be composed yields
// one without recipients, which keeps its position, and its error is kept in w.
func (w *inFlight) composeAll(composer *message.Composer, from string, messages iter.Seq[Message]) iter.Seq[Transaction] {
	return func(yield func(Transaction) bool) {
		i := 0
		for m := range messages {
			m.From = cmp.Or(m.From, from)
			p, t := prepareMessage(composer, &m)
			w.addPending(i, p)
			if !yield(t) {
				return
			}
			i++
		}
	}
}

func prepareMessage(composer *message.Composer, m *Message) (pending, Transaction) {
	content, err := composer.Compose(m)
	if err != nil {
		return pending{err: err}, Transaction{}
	}
	envelope, err := content.Envelope()
	if err != nil {
		_ = content.Close()
		return pending{err: err}, Transaction{}
	}
	return pending{content: content, recipients: envelope.Len(), size: content.Size()},
		Transaction{Envelope: envelope, Content: content}
}

// followAll yields the transactions and records them in w.
func (w *inFlight) followAll(transactions iter.Seq[Transaction]) iter.Seq[Transaction] {
	return func(yield func(Transaction) bool) {
		i := 0
		for t := range transactions {
			p := pending{recipients: t.Envelope.Len()}
			if p.recipients == 0 {
				p.err = errNoRecipients
			}
			if t.Content != nil {
				p.size = t.Content.Size()
			}
			w.addPending(i, p)
			if !yield(t) {
				return
			}
			i++
		}
	}
}

var errNoRecipients = errors.New("the envelope has no recipients")

// sequential sends one message after the other, for a Transport without SendAll.
type sequential struct{ Transport }

func (t sequential) SendAll(ctx context.Context, messages iter.Seq[Transaction]) iter.Seq2[int, TransportResult] {
	return func(yield func(int, TransportResult) bool) {
		i := 0
		for m := range messages {
			var r TransportResult
			if m.Envelope.Len() > 0 {
				r = t.Send(ctx, m)
			}
			if !yield(i, r) || ctx.Err() != nil {
				return
			}
			i++
		}
	}
}
