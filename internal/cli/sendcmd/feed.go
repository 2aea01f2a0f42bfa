package sendcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/sendlog"
	"github.com/yanmail/yan/smtpclient"
)

// transactions are the messages as the sender takes them, ahead of what it
// sends. Each is opened only then.
func (r *delivery) transactions(ctx context.Context) iter.Seq[yan.Transaction] {
	return func(yield func(yan.Transaction) bool) {
		for _, j := range r.todo {
			if r.stopped(ctx) != nil {
				return
			}
			if err := j.open(); err != nil {
				r.fail(j, err)
				continue
			}
			t := r.take(j)
			if len(r.todo) > 1 {
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

// stopped is why no further message is begun; nil while they are.
func (r *delivery) stopped(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end
}

// notBegun is the error of a message that was still waiting for its turn when
// the run was stopped.
type notBegun struct{ error }

func (e notBegun) Unwrap() error { return e.error }

// neverBegan reports whether that is what became of all recipients.
func neverBegan(result yan.Result) bool {
	return !slices.ContainsFunc(result.Recipients, func(o yan.Outcome) bool { return !errors.As(o.Err, new(notBegun)) })
}

// endWith takes no further message.
func (r *delivery) endWith(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end == nil {
		r.end = err
	}
}

// fail notes that a message could not be handed over.
func (r *delivery) fail(j *job, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j.failed = true
	r.failed = append(r.failed, failedJob{j, err})
}

// take hands a message over.
func (r *delivery) take(j *job) yan.Transaction {
	r.mu.Lock()
	defer r.mu.Unlock()
	j.taken = true
	r.taken = append(r.taken, j)
	t := yan.Transaction{Envelope: j.now(), Content: j.content, Policy: policy(r.s.policy), Progress: r.bar.progress(j)}
	if r.log != nil {
		r.unnoted = append(r.unnoted, j)
		t.Content = &notedContent{content: j.content, r: r, j: j}
	}
	return t
}

// notedContent is a message that is in the log before an octet of it reaches
// the wire. Until then it is not in doubt, however long it waits for its turn.
type notedContent struct {
	content
	r *delivery
	j *job
}

func (c *notedContent) WriteTo(w io.Writer) (int64, error) {
	if err := c.r.note(c.j); err != nil {
		return 0, err
	}
	return c.content.WriteTo(w)
}

// SevenBitForm is the same for a server without 8BITMIME.
func (c *notedContent) SevenBitForm() (smtpclient.Content, bool) {
	seven, ok := c.content.SevenBit()
	if !ok {
		return nil, false
	}
	return &notedContent{content: seven, r: c.r, j: c.j}, true
}

// note returns when the log has an attempt at a message, on the disk.
func (r *delivery) note(j *job) error {
	if !r.isSafe(j) {
		r.noting.Lock()
		err := r.noteSome(j)
		r.noting.Unlock()
		if err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !j.begun {
		j.begun = true
		r.ahead--
	}
	r.noteAhead()
	return nil
}

func (r *delivery) isSafe(j *job) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return j.safe
}

// noteAhead has the attempts that come next noted by another goroutine, where
// the sending is so fast that it would wait for the disk. r.mu is held.
func (r *delivery) noteAhead() {
	batch := r.log.Batch()
	if batch == 1 || r.ahead*2 > batch || len(r.unnoted) == 0 || r.notingAhead {
		return
	}
	r.notingAhead = true
	r.background.Go(func() {
		r.noting.Lock()
		defer r.noting.Unlock()
		_ = r.noteSome(nil) // whoever needs it is told of the error
		r.mu.Lock()
		defer r.mu.Unlock()
		r.notingAhead = false
	})
}

// noteSome notes an attempt at a message that may be nil, and at as many of those
// that come next as make a batch. r.noting is held: others wait for the same
// disk.
func (r *delivery) noteSome(j *job) error {
	if r.noteErr != nil || j != nil && r.isSafe(j) {
		return r.noteErr
	}
	batch, err := r.attempt(j)
	if err == nil && len(batch) > 0 {
		err = r.log.Sync()
	}
	if err != nil {
		r.noteErr = fmt.Errorf("%w: %w", verdict.ErrLog, err)
		r.endWith(verdict.ErrLog)
		return r.noteErr
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, next := range batch {
		next.safe = true
		if !next.begun {
			r.ahead++
		}
	}
	return nil
}

// attempt writes the attempts. It keeps noteOutcome from writing, so that no
// outcome stands before its attempt.
func (r *delivery) attempt(j *job) (batch []*job, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	size := r.log.Batch()
	if j != nil {
		batch = append(batch, j)
	}
	r.unnoted = slices.DeleteFunc(r.unnoted, func(next *job) bool {
		if next != j && len(batch) < size {
			batch = append(batch, next)
			return true
		}
		return next == j
	})
	entries := make([]*sendlog.Entry, len(batch))
	for i, next := range batch {
		entries[i] = next.entry
	}
	return batch, r.log.Attempt(entries...)
}

// noteOutcome writes what became of a message, and attempts it no more.
func (r *delivery) noteOutcome(j *job, result yan.Result) {
	if r.log == nil {
		return
	}
	r.mu.Lock()
	r.unnoted = slices.DeleteFunc(r.unnoted, func(next *job) bool { return next == j })
	if !j.begun {
		j.begun = true
		if j.safe {
			r.ahead--
		}
	}
	err := r.log.Settle(j.entry, j.messageID, result.ServerID, result.Recipients)
	r.mu.Unlock()
	if err != nil {
		r.endWith(verdict.ErrLog)
	}
}
