package sending

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/smtpclient"
)

// transactions are the pending messages as the transport takes them, ahead of what it
// sends. Each is opened only then.
func (r *Run) transactions(ctx context.Context) iter.Seq[yan.Transaction] {
	return func(yield func(yan.Transaction) bool) {
		for _, m := range r.pending {
			if r.stopped(ctx) != nil {
				return
			}
			if err := m.Open(); err != nil {
				r.fail(m, err)
				continue
			}
			t := r.take(m)
			if len(r.pending) > 1 {
				t.Ready = func() error {
					if reason := r.stopped(ctx); reason != nil {
						return notBegun{reason}
					}
					return nil
				}
			}
			if !yield(t) {
				return
			}
		}
	}
}

// notBegun is the error of a message that waited for its turn when the run was stopped.
type notBegun struct{ error }

func (e notBegun) Unwrap() error { return e.error }

// neverBegan reports whether that is the outcome of all recipients.
func neverBegan(result yan.Result) bool {
	return !slices.ContainsFunc(result.Recipients, func(o yan.Outcome) bool { return !errors.As(o.Err, new(notBegun)) })
}

// fail keeps a message that could not be opened for reportFailed.
func (r *Run) fail(m *Message, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m.failed = true
	r.failed = append(r.failed, failedMessage{m, err})
}

// take makes the transaction of a message.
func (r *Run) take(m *Message) yan.Transaction {
	r.mu.Lock()
	defer r.mu.Unlock()
	m.taken = true
	r.taken = append(r.taken, m)
	t := yan.Transaction{Envelope: m.now(), Content: m.Content, Policy: r.o.Policy}
	if r.o.Progress != nil {
		t.Progress = r.o.Progress(m)
	}
	if r.attempts != nil {
		r.attempts.add(m)
		t.Content = &loggedContent{Content: m.Content, m: m}
	}
	return t
}

// loggedContent is a message that is in the log before an octet of it reaches the wire.
// Until then it is not in doubt, however long it waits for its turn.
type loggedContent struct {
	Content
	m *Message
}

func (c *loggedContent) WriteTo(w io.Writer) (int64, error) {
	if err := c.m.mark.Begin(); err != nil {
		return 0, err
	}
	return c.Content.WriteTo(w)
}

// SevenBitForm is the same for a server without 8BITMIME.
func (c *loggedContent) SevenBitForm() (smtpclient.Content, bool) {
	seven, ok := c.Content.SevenBit()
	if !ok {
		return nil, false
	}
	return &loggedContent{Content: seven, m: c.m}, true
}
