package outbox

import (
	"context"
	"io"
	"time"

	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// Store keeps an outbox. It is for many goroutines, and for many processes at
// once. What has returned without an error is on the disk.
//
// Every method that changes something commits together with what others want
// changed at the same moment; one that fails does not take the others with it.
// A method whose context is over when it is called changes nothing and gives the
// context's error; one whose context ends meanwhile has done all of it or nothing.
// Behind Close every method gives ErrClosed.
//
// Times are exact to the millisecond, finer parts may be lost. A lease, a pause
// and whatever else has an end is over when the clock shows that time. Negative
// durations count as 0.
type Store interface {
	// Enqueue keeps a message. The error is ErrConflict, ErrFull or ErrBroken where
	// it is about that, and nothing is kept then, as with any other error but
	// ErrUncertain, which may come together with ErrBroken. An envelope without recipients, no
	// Content, one that fails or that writes more or less than its Size are errors
	// too.
	//
	// Recipients are Queued, or Held, and due now or at NotBefore where that is later.
	// Now is not a time: what is due now stays due when the clock is set back.
	// The key is the message's own in its account until Prune forgets it. The Content
	// of a message whose key is there already need not be read.
	Enqueue(ctx context.Context, m NewMessage) (EnqueueResult, error)
	// EnqueueIn does so inside a transaction of the caller's, in the database where
	// the outbox is: the message is kept when that is committed. Wake may not notice.
	EnqueueIn(ctx context.Context, tx Tx, m NewMessage) (EnqueueResult, error)

	// Join makes a worker known. Its owner is unlike any other's: one that is known
	// already is an error. Leases have no end of their own, they hang on the worker. The
	// error is ErrCopied for an outbox that does not live where it was made.
	Join(ctx context.Context, w queue.Worker, lease time.Duration) error
	// Renew says that a worker lives: its lease ends so long after now. The error is
	// ErrLapsed when it had ended, whether or not Sweep has noticed, and when the owner
	// is not known. The worker must not go on then: others may have what it had.
	Renew(ctx context.Context, owner string, lease time.Duration) error
	// Leave gives back what a worker has leased (it is Queued, its due time is what it
	// was), and forgets it. What is being sent stays until it is settled, or in doubt
	// when the next Sweep comes. An owner that is not known has nothing to give back.
	Leave(ctx context.Context, owner string) error

	// Claim leases what waits in an account and is due, in the order of priority (the
	// highest first), due time, message and place in the envelope; an Item is where
	// its first recipient is, and has all of its message that this claim leased. It
	// ends at Claim.Recipients, and before the first recipient of another message for
	// which Pace has no token. Tokens grow by one with each lease of a recipient, from 1.
	// A paused account has nothing due. The error is ErrLapsed when the owner is not
	// known or its lease has ended. What has had its time may be claimed until Sweep
	// has been: a worker sweeps first.
	Claim(ctx context.Context, c Claim) (Batch, error)
	// Mark moves recipients from Leased to Sending, those that are Leased by this owner
	// with this token. The others it returns, in their order: they are not the owner's any
	// more, or were taken back by a person, and must not be handed over. No lease
	// stands twice. The end of the worker's lease is Sweep's to notice, not Mark's.
	Mark(ctx context.Context, owner string, leases []Lease) (lost []Lease, err error)
	// Settle keeps what came of leases, one after the other. It believes a worker whose
	// lease has lapsed, as long as nobody leased the recipient since: the token has to be
	// the last one, and the state none that is Final, whatever else it is. Those that it
	// could not believe are returned; what is said of them is kept as an EventStale,
	// where the recipient is still known.
	//
	// Every settlement that is believed keeps its Answer and counts as an attempt,
	// except that Queued and Held don't count. Queued gives back what is Leased or
	// Sending; anything else it leaves alone, without an event, and is not stale. Deferred
	// leaves Held what a person holds meanwhile, and extends a default lifetime as Extend
	// says. A State that is none of Settlement's is an error, and nothing is settled.
	Settle(ctx context.Context, settlements []Settlement) (stale []Lease, err error)
	// Body opens the text of a message. The error is ErrNoBody when it is gone, and
	// ErrNotFound when there is no such message.
	Body(ctx context.Context, id queue.ID) (io.ReadCloser, error)

	// Slots lets a worker have at most want connections of an account at a time, so
	// that those of all workers are at most most (0: as many as they want). It
	// replaces what the worker had (want 0 gives all back), and ends with the worker:
	// when it leaves, or when Sweep finds it lapsed. What others have is never taken from
	// them. The error is ErrLapsed as of Claim.
	Slots(ctx context.Context, owner, account string, want, most int) (int, error)
	// Pause lets nothing of an account be claimed for a while. Began says that the
	// account was not paused until now: who hears true has to tell. A longer pause replaces one that
	// is there, with its Answer; a shorter one changes nothing.
	Pause(ctx context.Context, p Pause) (began bool, err error)
	// Resume ends the pause of an account, and wakes the workers, so that they end a rest of
	// their own; see Due.
	Resume(ctx context.Context, account string) error

	// Sweep forgets lapsed workers and takes back what nobody who is known has: Leased
	// is Queued again, its due time is what it was (EventLapsed), Sending is
	// InDoubt. What waits longer than LongestPause, and not for a time that its sender
	// chose, is due now: it was put off while the clock was ahead. Then it ends what is too
	// old. What is Queued or Deferred is Expired at the time in New.Expires; without
	// one, only what is Deferred and not due: whatever is due is tried first.
	Sweep(ctx context.Context) (Swept, error)
	// Due tells of every account that has something waiting when it is worth to claim,
	// 0 for now; paused ones not before the end of their pause. Pace does not count.
	// The order is that of the names.
	Due(ctx context.Context) ([]Due, error)
	// Wake is closed, and another one there, when something may have become due
	// earlier than Due had said, and when a person changed something. It may be so without reason.
	Wake() <-chan struct{}

	// Unreported lists messages of which recipients failed or expired and nobody was
	// told, in the order of their IDs; not those that are reports themselves. Reported
	// says that somebody was told, of those recipients that still are so.
	Unreported(ctx context.Context, limit int) ([]Report, error)
	Reported(ctx context.Context, reports []Report) error

	// List gives a page of messages, the newest first.
	List(ctx context.Context, f queue.Filter) (queue.Page, error)
	// Show gives everything about a message. The error is ErrNotFound when there is none.
	Show(ctx context.Context, id queue.ID) (queue.Entry, error)
	// Change carries out what a person wants. What can't be done with a recipient is
	// left as it is and counted. Where the filter names one message by its ID the error
	// is ErrNotFound when it is not there, and, beside what was counted, a *StateError
	// of the first recipient when nothing at all was possible.
	Change(ctx context.Context, c Change) (queue.Changed, error)
	// Stats counts.
	Stats(ctx context.Context) (queue.Stats, error)
	// Events gives what happened behind a cursor, oldest first, at most limit, and
	// the cursor behind it. From "" it begins with the oldest, from Now with what
	// comes; the cursor is never "" or Now then. Nothing is missed by who goes on from the
	// cursor that it got, however many write meanwhile.
	Events(ctx context.Context, after queue.Cursor, limit int) ([]queue.Event, queue.Cursor, error)
	// Adopt makes a copy an outbox of its own (ErrCopied). The other one may have
	// delivered what is not final here, so that all of it becomes InDoubt. Where moved is
	// set there is no other: only what was being sent becomes InDoubt, and what was
	// leased Queued. Of an outbox that is no copy nothing is changed.
	Adopt(ctx context.Context, moved bool) (Adopted, error)
	// Prune forgets what is finished, see Retention.
	Prune(ctx context.Context, r Retention) (Pruned, error)

	// Close ends the store's goroutines. Twice is no error.
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
	// Recipients bounds how many are leased; 0 is none. Those of one message that are
	// due at the same time are leased together as far as that goes.
	Recipients int
	// Bytes bounds the bodies that come with the items, all together; those beyond
	// are to be opened with Store.Body. A body beyond 64 KiB is always.
	Bytes int64
	// Pace bounds how many messages all workers take; the zero value does not. Every
	// Item costs a token, so that a message that is leased in two claims costs two.
	Pace Pace
}

// Batch is what a Claim got.
type Batch struct {
	Items []Item
	// Wait is how long it is no use to claim again: until the pause ends, or, where the
	// last token is gone, until there is another. 0 otherwise.
	Wait time.Duration
}

// Due tells when an account has something to claim.
type Due struct {
	Account string
	In      time.Duration
	// Resumed changes when a person has the account go on with Resume: a worker then ends a
	// rest of its own, too. 0 if that never happened, or the account was paused since.
	Resumed int64
}

// Pause says why nothing of an account goes out for a while.
type Pause struct {
	Account string
	For     time.Duration
	Answer  queue.Answer
}

// Swept counts what Sweep did.
type Swept struct {
	Requeued, Doubted, Expired int
	Workers                    int // that had lapsed
}

// Report is a message of which somebody has to be told.
type Report struct {
	ID         queue.ID
	Account    string
	From       smtp.Address
	DSN        smtp.DSN // what the sender asked about notifications
	MessageID  string
	Created    time.Time
	ReportOn   queue.ID
	Recipients []queue.Recipient // that failed or expired, and were not reported
}

// Adopted counts recipients that became InDoubt.
type Adopted struct {
	Was     bool // a copy
	Doubted int
}

// Retention says what Prune keeps of messages whose recipients are all Final:
// the bodies for Bodies, all that is known for Messages, after the last of them
// became so, and after the message was enqueued. A message with one that was not handed over keeps its body as
// long as the rest of it. The subject goes with the body. What became so exactly
// that long ago is forgotten: with 0, at once.
type Retention struct {
	Bodies, Messages time.Duration
	// Automatic is for a Prune that no person asked for: its clock advances by PruneStep
	// at most from one Prune to the next, so that a clock that jumps ahead does not have
	// all keys forgotten at once. By hand, the clock is believed.
	Automatic bool
}

// Pruned counts what Prune did: bodies of messages that stay, messages, and the sizes
// of all bodies that went.
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
	// Uptime measures leases in tests; nil means the system's, or Now where that is set.
	// A store in a database on another machine does not use it.
	Uptime func() Uptime
}
