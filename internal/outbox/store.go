package outbox

import (
	"context"
	"io"
	"time"

	"github.com/yanmail/yan/smtp"
)

// Store keeps an outbox. It is for many goroutines, and for many processes at
// once. What has returned without an error is on the disk.
//
// Every method that changes something commits together with what others want
// changed at the same moment; one that fails does not take the others with it.
type Store interface {
	// Enqueue keeps a message. The error is ErrConflict, ErrFull or ErrBroken where
	// it is about that, and nothing is kept then.
	Enqueue(ctx context.Context, m New) (Receipt, error)
	// EnqueueIn does so inside a transaction of the caller's, in the database where
	// the outbox is: the message is kept when that is committed.
	EnqueueIn(ctx context.Context, tx Tx, m New) (Receipt, error)

	// Join makes a worker known. Its owner is unlike any other's.
	Join(ctx context.Context, w Worker, lease time.Duration) error
	// Renew says that a worker lives. After ErrLapsed it must not go on: others may
	// have what it had.
	Renew(ctx context.Context, owner string, lease time.Duration) error
	// Leave gives back what a worker has leased, and forgets it. What is being sent
	// stays until it is settled, or in doubt when the next Sweep comes.
	Leave(ctx context.Context, owner string) error

	// Claim leases what is due, the highest priority and then the longest due first.
	// A paused account has nothing due. The error is ErrLapsed when the owner is not
	// known (any more).
	Claim(ctx context.Context, c Claim) (Batch, error)
	// Mark moves recipients from Leased to Sending. Those that it returns were not
	// the owner's any more, or were taken back by a person: they must not be handed
	// over.
	Mark(ctx context.Context, owner string, leases []Lease) (lost []Lease, err error)
	// Settle keeps what came of leases. It believes a worker whose lease has lapsed,
	// as long as nobody else leased the recipient since: tokens tell. Those that it
	// could not believe are returned; what is said of them is kept as an event.
	Settle(ctx context.Context, settlements []Settlement) (stale []Lease, err error)
	// Body opens the text of a message. The error is ErrNoBody when there is none.
	Body(ctx context.Context, id ID) (io.ReadCloser, error)

	// Slots lets a worker have at most want connections of an account at a time, so
	// that those of all workers are at most most (0: as many as they want). It
	// replaces what the worker had, and ends with the worker.
	Slots(ctx context.Context, owner, account string, want, most int) (int, error)
	// Pause lets nothing of an account be claimed for a while. It reports whether it
	// went on until now: who hears true has to tell.
	Pause(ctx context.Context, p Pause) (began bool, err error)
	// Resume ends the pause of an account.
	Resume(ctx context.Context, account string) error

	// Sweep takes back what lapsed workers had (Leased is Queued again, Sending is
	// InDoubt) and ends what is too old.
	Sweep(ctx context.Context) (Swept, error)
	// Due tells of every account that has something waiting when it is worth to claim,
	// 0 for now; paused ones by the end of their pause.
	Due(ctx context.Context) ([]Due, error)
	// Wake is closed, and another one there, when something may have become due
	// earlier than Due had said, and when a person changed something. It may be so without reason.
	Wake() <-chan struct{}

	// Unreported lists messages of which recipients failed or expired and nobody was
	// told; Reported says that somebody was.
	Unreported(ctx context.Context, limit int) ([]Report, error)
	Reported(ctx context.Context, reports []Report) error

	// List gives a page of messages, the newest first.
	List(ctx context.Context, f Filter) (Page, error)
	// Show gives everything about a message.
	Show(ctx context.Context, id ID) (Entry, error)
	// Change carries out what a person wants. What can't be done with a recipient is
	// left as it is and counted; the error is a *MoveError only when one message was
	// named and nothing at all was possible.
	Change(ctx context.Context, c Change) (Changed, error)
	// Stats counts.
	Stats(ctx context.Context) (Stats, error)
	// Events gives what happened behind a cursor, oldest first, at most limit, and
	// the cursor behind it. From "" it begins with the oldest, from Now with what
	// comes.
	Events(ctx context.Context, after Cursor, limit int) ([]Event, Cursor, error)
	// Prune forgets what is finished, see Retention.
	Prune(ctx context.Context, r Retention) (Pruned, error)

	// Close ends the store's goroutines.
	Close() error
}

// Tx is a transaction of the caller's.
type Tx interface {
	Exec(ctx context.Context, statement string, args ...any) error
	// QueryRow scans one row; found is false when there is none.
	QueryRow(ctx context.Context, statement string, args []any, into ...any) (found bool, err error)
}

// Worker is a process that delivers.
type Worker struct {
	Owner string // random
	Host  string
	PID   int
}

// Claim is a wish for work.
type Claim struct {
	Owner, Account string
	// Recipients bounds how many are leased; those of one message that are due at the
	// same time are leased together as far as that goes.
	Recipients int
	// Bytes bounds the bodies that come with the items; those beyond are to be
	// opened with Store.Body. A body beyond 64 KiB is always.
	Bytes int64
	// Pace bounds how many messages all workers take; the zero value does not.
	Pace Pace
}

// Pace is a bucket of tokens, one a message: it fills at Messages in Per, and
// holds Burst at most (1 at least).
type Pace struct {
	Messages int
	Per      time.Duration
	Burst    int
}

// IsZero reports whether there is none.
func (p Pace) IsZero() bool { return p.Messages <= 0 || p.Per <= 0 }

// Batch is what a Claim got.
type Batch struct {
	Items []Item
	// Wait is how long it is no use to claim again, where pace or pause say so.
	Wait time.Duration
}

// Due tells when an account has something to claim.
type Due struct {
	Account string
	In      time.Duration
}

// Pause says why nothing of an account goes out for a while.
type Pause struct {
	Account string
	For     time.Duration
	Answer  Answer
}

// Swept counts what Sweep did.
type Swept struct {
	Requeued, Doubted, Expired int
	Workers                    int // that had lapsed
}

// Report is a message of which somebody has to be told.
type Report struct {
	ID         ID
	Account    string
	From       smtp.Address
	MessageID  string
	Created    time.Time
	ReportOn   ID
	Recipients []Status // that failed or expired, and were not reported
}

// Retention says what Prune keeps of messages whose recipients are all Final:
// the bodies for Bodies, all that is known for Messages, after the last of them
// became so. A message with one that was not handed over keeps its body as
// long as the rest of it.
type Retention struct {
	Bodies, Messages time.Duration
}

// Pruned counts what Prune did.
type Pruned struct {
	Bodies, Messages int
	Bytes            int64
}

// Options is what a store is opened with. The zero value is what a user wants.
type Options struct {
	// MinFree is how many octets have to be left on the disk behind a message;
	// 0 means 64 MiB, below 0 nothing is asked.
	MinFree int64
	// InlineBytes is the size up to which a body is kept with its message; 0 means
	// 256 KiB.
	InlineBytes int64
	// Now is the clock, for tests; nil means the store's own.
	Now func() time.Time
}
