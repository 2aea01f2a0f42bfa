package cli

import (
	"context"
	"iter"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/sendlog"
	"github.com/yanmail/yan/smtp"
)

// transactions are the messages as the sender takes them, ahead of what it
// sends. Each is opened little before, and is in the log by then.
func (r *delivery) transactions(ctx context.Context) iter.Seq[yan.Transaction] {
	return func(yield func(yan.Transaction) bool) {
		batches, stop := r.ahead(ctx)
		defer stop()
		for batch := range batches {
			for i, j := range batch {
				if !r.goesOn(ctx) {
					r.putBack(batch[i:])
					return
				}
				if !yield(r.take(j)) {
					r.putBack(batch[i+1:])
					return
				}
			}
		}
	}
}

// ahead prepares messages while those before them are handed over, so that
// nobody waits for the disk. stop puts back what nobody took.
func (r *delivery) ahead(ctx context.Context) (batches <-chan []*job, stop func()) {
	out, enough, ended := make(chan []*job), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer close(out)
		for next := 0; next < len(r.todo) && r.goesOn(ctx); {
			batch, n := r.prepare(ctx, r.todo[next:])
			next += n
			select {
			case out <- batch:
			case <-enough:
				r.putBack(batch)
				return
			}
		}
	}()
	return out, func() {
		close(enough)
		<-ended
	}
}

// goesOn reports whether further messages are taken.
func (r *delivery) goesOn(ctx context.Context) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end == nil && ctx.Err() == nil
}

// endWith takes no further message.
func (r *delivery) endWith(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end == nil {
		r.end = err
	}
}

// largeJob is the size of a message that keeps a file open and is worth a
// write of the log by itself, in octets.
const largeJob = 64 << 10

// prepare opens the next messages and notes in the log that they will be sent;
// n is how many of todo that took.
func (r *delivery) prepare(ctx context.Context, todo []*job) (batch []*job, n int) {
	size := 1
	if r.log != nil {
		size = r.log.Batch()
	}
	var entries []*sendlog.Entry
	for n < len(todo) && len(batch) < size && r.goesOn(ctx) {
		j := todo[n]
		n++
		if err := j.open(); err != nil {
			r.mu.Lock()
			j.failed = true
			r.failed = append(r.failed, failedJob{j, err})
			r.mu.Unlock()
			continue
		}
		batch, entries = append(batch, j), append(entries, j.entry)
		if j.size > largeJob {
			break
		}
	}
	if r.log == nil || len(batch) == 0 {
		return batch, n
	}
	if err := r.log.Attempt(entries...); err != nil {
		r.endWith(errLog)
		closeAll(batch)
		return nil, n
	}
	return batch, n
}

// putBack settles what the log has as attempted and the sender never had.
func (r *delivery) putBack(batch []*job) {
	for _, j := range batch {
		j.close()
		if r.log == nil {
			continue
		}
		var outcomes []smtp.Outcome
		for _, to := range j.entry.To {
			outcomes = append(outcomes, smtp.Outcome{Recipient: to, Status: smtp.NotTried, Stage: smtp.StageConnect, Err: context.Canceled})
		}
		if r.log.Settle(j.entry, j.messageID, "", outcomes) != nil {
			r.endWith(errLog)
		}
	}
}

// take hands a message over.
func (r *delivery) take(j *job) yan.Transaction {
	r.mu.Lock()
	defer r.mu.Unlock()
	j.taken = true
	r.taken = append(r.taken, j)
	return yan.Transaction{Envelope: j.now(), Content: j.content, Policy: policy(r.s.policy), Progress: r.bar.progress(j)}
}
