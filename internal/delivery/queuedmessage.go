package delivery

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/markahead"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/smtpclient"
)

// queuedMessage is a message that is being sent, and the content of its transaction. Its body is
// opened when its turn comes, and its recipients are marked before the first octet is sent.
type queuedMessage struct {
	c    *accountWorker
	item outbox.Item
	done bool // settled; under accountWorker.mu

	mark *markahead.Mark[*queuedMessage]
	// since is when the message was begun, or claimed if it was not.
	since time.Time

	mu   sync.Mutex
	body io.ReadCloser // open; nil if Item has the body
}

func (p *queuedMessage) leaseOf(r outbox.LeasedRecipient) outbox.Lease {
	return outbox.Lease{ID: p.item.ID, N: r.N, Token: r.Token}
}

// recipientAt returns the recipient at a place in the envelope.
func (p *queuedMessage) recipientAt(n int) outbox.LeasedRecipient {
	for _, r := range p.item.Recipients {
		if r.N == n {
			return r
		}
	}
	return outbox.LeasedRecipient{N: n}
}

// Size, EightBit, NeedsSMTPUTF8 and IsBinary return the properties found when the message was
// enqueued.
func (p *queuedMessage) Size() int64         { return p.item.Size }
func (p *queuedMessage) EightBit() bool      { return p.item.EightBit }
func (p *queuedMessage) NeedsSMTPUTF8() bool { return p.item.UTF8 }
func (p *queuedMessage) IsBinary() bool      { return p.item.Binary }

var _ smtpclient.BinaryContent = (*queuedMessage)(nil)

// checkReady is called when the message's turn comes, perhaps more than once. An error costs no
// connection then.
func (p *queuedMessage) checkReady() (err error) {
	defer p.recoverPanic(&err)
	if p.c.over.Err() != nil {
		if cause := p.c.stopCause(); errors.Is(cause, errPaused) {
			return errPaused
		}
		return errStopped
	}
	if err := p.mark.Err(); err != nil {
		return err
	}
	return p.openBody()
}

// recoverPanic turns a panic into an error, because the transport's goroutines call these
// methods.
func (p *queuedMessage) recoverPanic(err *error) {
	if v := recover(); v != nil {
		p.c.d.recordPanic(NewPartPanicError("the message of a courier", v))
		p.c.s.end(errPartPanicked)
		*err = errPartPanicked
	}
}

// openBody opens the body. It reads nothing yet.
func (p *queuedMessage) openBody() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.item.Body != nil || p.body != nil {
		return nil
	}
	body, err := p.c.d.o.Store.Body(p.c.s.hard, p.item.ID)
	if err != nil {
		return fmt.Errorf("%w: %w", errBody, err)
	}
	p.body = body
	return nil
}

// errBody wraps an error of the store about a body.
var errBody = errors.New("opening the message")

// WriteTo writes the message, after the store has durably marked it as being sent.
func (p *queuedMessage) WriteTo(w io.Writer) (n int64, err error) {
	defer p.recoverPanic(&err)
	p.c.sends.Store(true)
	if err := p.openBody(); err != nil { // it is open, unless this is a second attempt
		return 0, err
	}
	if err := p.mark.Begin(); err != nil {
		return 0, err
	}
	if p.item.Body != nil {
		n, err := w.Write(p.item.Body)
		return int64(n), err
	}
	defer p.closeBody()
	p.mu.Lock()
	body := p.body
	p.mu.Unlock()
	return io.Copy(w, body)
}

// closeBody closes the body; it may be opened again.
func (p *queuedMessage) closeBody() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.body != nil {
		_ = p.body.Close() // it was only read
		p.body = nil
	}
}
