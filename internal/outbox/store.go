package outbox

import (
	"context"
	"io"
	"time"

	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// Store keeps an outbox. It is safe for concurrent use, by many processes too. If a
// method has returned without an error, its changes are on the disk.
//
// Callers that change something at the same moment share a commit; if one of them fails,
// the others do not. If the context is done when a method is called, the method changes
// nothing and returns the context's error; if the context ends later, the method does all
// of its work or nothing. After Close every method returns queue.ErrClosed.
//
// Times are exact to the millisecond; finer parts may be lost. A lease or a pause has
// ended when the clock shows its end. Negative durations count as 0.
type Store interface {
	Enqueuer
	WorkQueue
	Admin
	// Close ends the store's goroutines. Calling it twice is no error.
	Close() error
}

// Enqueuer is the part of a store that package submission uses.
type Enqueuer interface {
	// Enqueue keeps a message. The error may be queue.ErrConflict, ErrFull or ErrBroken;
	// after any error but queue.ErrUncertain, which may come together with ErrBroken,
	// nothing is kept. It is an error if the envelope has no recipients, or if the Content
	// is missing, fails, or writes more or less than its Size.
	//
	// Recipients are Queued or Held, and due now or at NotBefore if that is later.
	// A message that is due now stays due if the clock is set back. The key belongs to the
	// message in its account until Prune removes it. If the key exists already, the Content
	// need not be read.
	Enqueue(ctx context.Context, m NewMessage) (EnqueueResult, error)
	// EnqueueIn is Enqueue inside a transaction of the caller, in the database of the
	// outbox: the message is kept if the transaction is committed. Wake may not notice it.
	EnqueueIn(ctx context.Context, tx CallerTx, m NewMessage) (EnqueueResult, error)
}

// WorkQueue is the part of a store that workers use: it leases messages, marks them as
// being sent and settles them.
type WorkQueue interface {
	// Join registers a worker. Its owner must be unique: an owner that is registered
	// already is an error. Leases of recipients have no end of their own; they end with the
	// worker's lease. The error is queue.ErrCopied if the outbox is a copy.
	Join(ctx context.Context, w queue.Worker, lease time.Duration) error
	// Renew extends the worker's lease to now + lease. The error is ErrLapsed if the lease
	// has ended, whether or not Sweep has noticed, and if the owner is not registered. The
	// worker must stop then: other workers may have its messages.
	Renew(ctx context.Context, owner string, lease time.Duration) error
	// Leave requeues the recipients that a worker has leased (they are Queued, and due when
	// they were due before), and removes the worker. Recipients that are Sending stay until
	// they are settled, or until the next Sweep makes them InDoubt. An owner that is not
	// registered is no error.
	Leave(ctx context.Context, owner string) error

	// Claim leases recipients of an account that wait and are due, ordered by priority (the
	// highest first), due time, message and place in the envelope. An Item is placed by its
	// first recipient, and has all recipients of its message that this claim leased.
	// Claim ends at Claim.Recipients, and before the first recipient of another message
	// for which Pace has no token. Each lease of a recipient has a token one higher than
	// the lease before, from 1. A paused account has nothing due. The error is ErrLapsed
	// if the owner is not registered or its lease has ended. Expired messages may be
	// claimed until Sweep runs, so a worker calls Sweep first.
	Claim(ctx context.Context, c Claim) (Batch, error)
	// Mark moves recipients from Leased to Sending, if this owner has leased them with
	// this token. It returns the others, in their order: they have been leased by another
	// worker or changed by a user, and must not be sent. The leases must differ. Mark does
	// not check whether the worker's lease has ended; Sweep does.
	Mark(ctx context.Context, owner string, leases []Lease) (lost []Lease, err error)
	// Settle keeps the results of leases, one after the other. A worker whose lease has
	// ended may settle a recipient as long as no other worker has leased it since: the
	// token must be the last one, and the state must not be final. Settle returns the leases
	// that it did not accept; their answers are kept as EventStale if the recipient still
	// exists.
	//
	// Every accepted settlement keeps its Answer and counts as an attempt, except Queued
	// and Held. Queued returns a recipient that is Leased or Sending; any other recipient
	// stays as it is, without an event, and is not stale. Deferred leaves a recipient Held
	// that a user holds, and extends a default lifetime as ExtendExpiry says. A State that
	// Settlement does not list is an error, and nothing is settled.
	Settle(ctx context.Context, settlements []Settlement) (stale []Lease, err error)

	// Slots reserves up to want connections of an account for a worker and returns how
	// many it got. All workers together never hold more than limit (0: no limit). It
	// replaces the worker's earlier reservation (want 0 returns all), which ends when the
	// worker leaves, or when Sweep finds its lease ended. It never takes a connection from
	// another worker. The error is ErrLapsed as with Claim.
	Slots(ctx context.Context, owner, account string, want, limit int) (int, error)
	// Pause stops claims of an account for a time. began is true if the account was not
	// paused before; that caller must report the pause. A longer pause replaces a shorter
	// one, with its Answer; a shorter one changes nothing.
	Pause(ctx context.Context, p Pause) (began bool, err error)

	// Sweep removes workers whose lease has ended and requeues leased recipients whose worker
	// is unknown: Leased becomes Queued, due when it was due before (EventLapsed), and Sending
	// becomes InDoubt. A recipient that waits longer than LongestPause, and not for a time
	// that its sender chose, becomes due now: it was deferred while the clock was ahead. Then
	// Sweep ends old messages: Queued and Deferred recipients expire at the time in
	// NewMessage.Expires. Without such a time only Deferred recipients that are not due
	// expire, so that every due recipient is tried first.
	Sweep(ctx context.Context) (Swept, error)
	// Due returns, by name, each account that has recipients waiting, and when a claim is
	// worthwhile: 0 for now, and not before the end of its pause. Pace does not count.
	Due(ctx context.Context) ([]Due, error)
	// Wake returns a channel that is closed, and replaced by another, when something may
	// have become due earlier than Due said, or a user changed something. It may be closed
	// without a reason.
	Wake() <-chan struct{}
	// Body opens the body of a message. The error is queue.ErrNoBody if it has been
	// removed, and ErrNotFound if there is no such message.
	Body(ctx context.Context, id queue.ID) (io.ReadCloser, error)

	// Unreported lists messages with recipients that failed or expired and were not
	// reported to the sender, by ID; messages that are reports themselves are left out.
	Unreported(ctx context.Context, limit int) ([]PendingReport, error)
	// Reported marks those recipients as reported that are still failed or expired.
	Reported(ctx context.Context, reports []PendingReport) error
}

// Admin is the part of a store for users and their programs: it reads and changes the
// outbox.
type Admin interface {
	// List returns a page of messages, the newest first.
	List(ctx context.Context, f queue.Filter) (queue.Page, error)
	// Show returns a message with all recipients and events. The error is
	// queue.ErrNotFound if there is no such message.
	Show(ctx context.Context, id queue.ID) (queue.Entry, error)
	// Body is the same as WorkQueue.Body.
	Body(ctx context.Context, id queue.ID) (io.ReadCloser, error)
	// Stats counts the recipients, and describes workers, pauses and disk space.
	Stats(ctx context.Context) (queue.Stats, error)
	// Events returns the events after a cursor, oldest first, at most limit, and the cursor
	// after them. "" begins with the oldest event, queue.CursorNow with the next one; the
	// returned cursor is neither. A caller that continues from the returned cursor misses
	// nothing, however many processes write.
	Events(ctx context.Context, after queue.Cursor, limit int) ([]queue.Event, queue.Cursor, error)
	// Wake is the same as WorkQueue.Wake.
	Wake() <-chan struct{}

	// Change applies a change. Recipients whose state does not allow it are left
	// unchanged and counted. If the filter names one message by its ID, the error is
	// queue.ErrNotFound if there is no such message, and, together with the counts, a
	// *queue.StateError of the first recipient if no recipient was changed.
	Change(ctx context.Context, c Change) (queue.Changed, error)
	// Resume ends the pause of an account, and wakes the workers, so that they end pauses
	// of their own; see Due.
	Resume(ctx context.Context, account string) error
	// Adopt makes a copy an outbox of its own (queue.ErrCopied). The original may have
	// delivered every recipient that is not final here, so all of them become InDoubt. If
	// moved is true there is no original: only Sending recipients become InDoubt, and Leased
	// ones Queued. If the outbox is no copy, nothing changes.
	Adopt(ctx context.Context, moved bool) (Adopted, error)
	// Prune removes old messages that are finished, see Retention.
	Prune(ctx context.Context, r Retention) (Pruned, error)
}

// CallerTx is a transaction of the caller, on the database of the outbox.
type CallerTx interface {
	Exec(ctx context.Context, statement string, args ...any) error
	// QueryRow scans one row; found is false if there is none.
	QueryRow(ctx context.Context, statement string, args []any, into ...any) (found bool, err error)
}

// Claim selects the recipients that a worker leases.
type Claim struct {
	Owner, Account string
	// Recipients is the highest number of recipients to lease; 0 leases none. Recipients
	// of one message that are due at the same time are leased together if possible.
	Recipients int
	// Bytes limits the total size of the bodies that come with the items; the others are
	// opened with Store.Body. A body above 64 KiB never comes with its item.
	Bytes int64
	// Pace limits how many messages all workers lease; the zero value does not. Every Item
	// costs a token, so that a message that is leased in two claims costs two.
	Pace Pace
}

// Batch is the result of a Claim.
type Batch struct {
	Items []Item
	// Wait is how long another claim would be of no use: until the pause ends, or, if the
	// last token is used, until there is another. 0 otherwise.
	Wait time.Duration
}

// Due says when an account has recipients to claim.
type Due struct {
	Account string
	In      time.Duration
	// Resumed changes when a user calls Resume for the account: a worker then ends a pause
	// of its own, too. 0 if that never happened, or the account was paused since.
	Resumed int64
}

// Pause is a pause of an account, and its cause.
type Pause struct {
	Account string
	For     time.Duration
	Answer  queue.Answer
}

// Swept counts the changes of a Sweep.
type Swept struct {
	Requeued, Doubted, Expired int
	Workers                    int // whose lease had ended
}

// PendingReport is a message whose sender must get a bounce.
type PendingReport struct {
	ID         queue.ID
	Account    string
	From       smtp.Address
	DSN        smtp.DSN // the notifications that the sender asked for
	MessageID  string
	Created    time.Time
	ReportOn   queue.ID
	Recipients []queue.Recipient // that failed or expired, and were not reported
}

// Adopted is the result of Adopt.
type Adopted struct {
	Was     bool // the outbox was a copy
	Doubted int  // recipients that became InDoubt
}

// Retention says how long Prune keeps messages whose recipients are all in a final state:
// their bodies for Bodies, everything else for Messages, counted from the last change of
// a state and from enqueueing. A message with a recipient that was not handed over keeps
// its body as long as the rest. The subject is removed together with the body. A message
// of exactly that age is removed: with 0, at once.
type Retention struct {
	Bodies, Messages time.Duration
	// Automatic is for a Prune that no user asked for: its clock advances by at most
	// PruneStep from one Prune to the next, so that a clock that jumps ahead does not remove
	// all keys at once. If it is false, the clock is believed.
	Automatic bool
}

// Pruned counts the removals of a Prune: bodies of messages that stay, messages, and the
// total size of all removed bodies.
type Pruned struct {
	Bodies, Messages int
	Bytes            int64
}

// Options are the options of a store.
type Options struct {
	// MinFree is the disk space in octets that must be left after a message is kept; 0
	// means 64 MiB, and a negative value switches the check off.
	MinFree int64
	// InlineBytes is the size up to which a body is kept in the database; 0 means 256 KiB.
	InlineBytes int64
	// Now is the clock, for tests; nil means the store's own.
	Now func() time.Time
	// Uptime measures leases in tests; nil means the system's, or Now if that is set. A
	// store in a database on another machine does not use it.
	Uptime func() Uptime
}
