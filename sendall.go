package yan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// manyTransport is a Transport that overlaps messages. It yields one result for
// each transaction that it takes, with its place; one without recipients
// costs nothing.
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
// messages is ranged over, and composed, by another goroutine, a little ahead of
// what is sent; attachments that they share are encoded once. An iterator that
// waits for something should stop when ctx is over: then what was taken is settled
// at once, and nothing more is. Breaking out of the loop takes no further message
// and waits for those on the wire. See [transport.SMTP.SendAll] for what is tried
// again, and when.
func (c *Client) SendAll(ctx context.Context, messages iter.Seq[Message]) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		var composer message.Composer
		w := &underway{}
		defer w.close()
		for i, r := range c.many().SendAll(ctx, w.compose(&composer, c.from, messages)) {
			if !yield(c.told(i, w.take(i), r)) {
				return
			}
		}
	}
}

// DeliverAll is SendAll for messages that are composed already. The caller
// closes each content when its result is there.
func (c *Client) DeliverAll(ctx context.Context, transactions iter.Seq[Transaction]) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		w := &underway{}
		for i, r := range c.many().SendAll(ctx, w.follow(transactions)) {
			if !yield(c.told(i, w.take(i), r)) {
				return
			}
		}
	}
}

func (c *Client) many() manyTransport {
	if many, ok := c.transport.(manyTransport); ok {
		return many
	}
	return oneByOne{c.transport}
}

// told is what became of a message, in the words of this package.
func (c *Client) told(i int, l letter, r smtpclient.Result) (Result, error) {
	if l.err != nil {
		return Result{Index: i}, l.err
	}
	result := Result{Index: i, ServerID: serverID(r), Size: r.Size, Reply: r.Reply, Recipients: r.Outcomes}
	if result.Size == 0 {
		result.Size = l.size
	}
	if l.content != nil {
		result.MessageID = l.content.MessageID()
		_ = l.content.Close() // it was read, and its result is known
	}
	if n := len(r.Outcomes); n != l.recipients {
		return result, fmt.Errorf("the transport tells of %d recipients, and there are %d", n, l.recipients)
	}
	return result, result.failure(c.provider)
}

// serverID is the name by which the server's operator finds the message. With LMTP
// each recipient has a reply, and a name, of its own: the first one counts.
func serverID(r smtpclient.Result) string {
	id := transport.ServerID(r.Reply)
	for _, o := range r.Outcomes {
		if id == "" && o.Status == Accepted {
			id = transport.ServerID(o.Reply)
		}
	}
	return id
}

// letter is what has to be known of a message until its result is there.
type letter struct {
	content    *message.Content // to be closed; nil when that is the caller's
	recipients int
	size       int64
	err        error // why it was not handed to the transport
}

// underway holds the messages that the transport has taken and not told of, by
// their places.
type underway struct {
	mu      sync.Mutex
	letters map[int]letter
}

func (w *underway) put(i int, l letter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.letters == nil {
		w.letters = map[int]letter{}
	}
	w.letters[i] = l
}

func (w *underway) take(i int) letter {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.letters[i]
	delete(w.letters, i)
	return l
}

// close closes what was composed and of which nothing was told.
func (w *underway) close() {
	for _, l := range w.letters {
		if l.content != nil {
			_ = l.content.Close()
		}
	}
}

// compose makes transactions of messages. One that can't be composed becomes one
// without recipients: it keeps its place, and its error waits there.
func (w *underway) compose(composer *message.Composer, from string, messages iter.Seq[Message]) iter.Seq[Transaction] {
	return func(yield func(Transaction) bool) {
		i := 0
		for m := range messages {
			m.From = cmp.Or(m.From, from)
			l, t := prepare(composer, &m)
			w.put(i, l)
			if !yield(t) {
				return
			}
			i++
		}
	}
}

func prepare(composer *message.Composer, m *Message) (letter, Transaction) {
	content, err := composer.Compose(m)
	if err != nil {
		return letter{err: err}, Transaction{}
	}
	envelope, err := content.Envelope()
	if err != nil {
		_ = content.Close()
		return letter{err: err}, Transaction{}
	}
	return letter{content: content, recipients: envelope.Len(), size: content.Size()},
		Transaction{Envelope: envelope, Content: content}
}

// follow notes the transactions that are taken.
func (w *underway) follow(transactions iter.Seq[Transaction]) iter.Seq[Transaction] {
	return func(yield func(Transaction) bool) {
		i := 0
		for t := range transactions {
			l := letter{recipients: t.Envelope.Len()}
			if l.recipients == 0 {
				l.err = errNoRecipients
			}
			if t.Content != nil {
				l.size = t.Content.Size()
			}
			w.put(i, l)
			if !yield(t) {
				return
			}
			i++
		}
	}
}

var errNoRecipients = errors.New("the envelope has no recipients")

// oneByOne is for a Transport that knows no more than Send.
type oneByOne struct{ Transport }

func (t oneByOne) SendAll(ctx context.Context, messages iter.Seq[Transaction]) iter.Seq2[int, smtpclient.Result] {
	return func(yield func(int, smtpclient.Result) bool) {
		i := 0
		for m := range messages {
			var r smtpclient.Result
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
