package delivery

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// TransactionSender sends transactions, as transport.SMTP does.
type TransactionSender interface {
	SendAll(ctx context.Context, messages iter.Seq[smtpclient.Transaction]) iter.Seq2[int, smtpclient.Result]
	Close() error
}

// DoubtPolicy says what happens to a recipient in doubt if the Sent folder does not decide it.
type DoubtPolicy string

const (
	// HoldDoubt waits for a user: the message is sent at most once.
	HoldDoubt DoubtPolicy = "hold"
	// RetryDoubt sends again, with the same Message-ID: at least once.
	RetryDoubt DoubtPolicy = "retry"
)

// Route describes how an account sends.
type Route struct {
	// Open opens the transport, with up to connections connections.
	Open func(ctx context.Context, connections int) (TransactionSender, error)
	// Provider is the id of package provider, for the meaning of replies; "" if it is not
	// known.
	Provider string
	// Connections is how many connections this process wants (0 means 2), and MostConnections
	// how many the provider allows for all processes (0: not known).
	Connections, MostConnections int
	// Pace is the account's limit for all processes; zero means no limit.
	Pace  outbox.Pace
	Doubt DoubtPolicy // "" means HoldDoubt
	// Sent opens the Sent folder, to look for messages in it; nil if that is not possible. If
	// Keeps is set, the provider files every sent message there: a message that is not found
	// was not sent.
	Sent  func(ctx context.Context) (SentFolder, error)
	Keeps bool
	// Mailbox opens the folder for a copy of each sent message; nil keeps none. An error of it
	// does not change any result.
	Mailbox func(ctx context.Context) (CopyFolder, error)
	// ReportTo is the recipient of bounces: the zero address means the message's sender.
	// NoReport sends none; only the events report failures.
	ReportTo smtp.Address
	NoReport bool
	// Owns reports whether a sender address is the account's own. A bounce to any other sender
	// goes to ReportFrom, because that address may be a stranger's. nil accepts all.
	Owns func(smtp.Address) bool
	// ReportFrom is the account's own address.
	ReportFrom smtp.Address
}

// Options are the options of [New].
type Options struct {
	Store outbox.Store
	// Route returns how an account sends. It is called when an account worker starts, again after a
	// change of the configuration (Delivery.Reload). After an error the account rests in this
	// process.
	Route func(ctx context.Context, account string) (Route, error)
	// Lease is how long a silent worker keeps its messages; 0 means 30 s. It is renewed every
	// third of it.
	Lease time.Duration
	// Grace is how long messages in flight may take to finish when the work ends; 0 means 30
	// s. After it, messages without an answer are in doubt.
	Grace time.Duration
	// Observe is called with every event, by several goroutines; may be nil.
	Observe func(WorkerEvent)
	// Now and After are the clock of this process, for tests.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
	// Measure is the clock that times commits and messages, to decide how many
	// messages to mark in one commit. nil means Now.
	Measure func() time.Time
}

// WorkerEventKind is the kind of an event.
type WorkerEventKind string

const (
	Claimed    WorkerEventKind = "claimed"    // Count recipients
	Settled    WorkerEventKind = "settled"    // one recipient; State and Answer
	Paused     WorkerEventKind = "paused"     // an account, For; Answer is the cause. Once for each pause; Here: in this process alone
	NoRoute    WorkerEventKind = "no_route"   // Err: the account can't be used by this process, For
	Lapsed     WorkerEventKind = "lapsed"     // this worker's lease has ended, or a claim failed (Err); it joins again
	Swept      WorkerEventKind = "swept"      // lapsed leases or expired messages; Count
	Reconciled WorkerEventKind = "reconciled" // one recipient in doubt; State
	Reported   WorkerEventKind = "reported"   // one message
	Copied     WorkerEventKind = "copied"     // into the Sent folder; Err if that failed
	StoreError WorkerEventKind = "store_error"
	Marked     WorkerEventKind = "marked" // Count recipients, in Took
)

// WorkerEvent is an event for logs, metrics and traces. It has no content of a message.
type WorkerEvent struct {
	Kind      WorkerEventKind
	Account   string
	ID        queue.ID
	N         int
	MessageID string
	Domain    string // of the recipient
	State     queue.State
	Attempt   int
	Answer    queue.Answer
	Count     int
	Size      int64
	For       time.Duration // of a pause
	Here      bool          // the pause is of this process alone
	Began     time.Time     // start of the time Took
	Took      time.Duration
	Waited    time.Duration // from being enqueued to the settlement
	Err       error
}

// CopyFolder is a folder for copies of sent messages, over one connection.
type CopyFolder interface {
	Append(ctx context.Context, m Copy, sent time.Time) error
	Close()
}

// SentFolder is a folder with copies of sent messages, over one connection.
type SentFolder interface {
	Find(ctx context.Context, messageID string) (FoundCopy, error)
	Close()
}

// FoundCopy is the result of a search in the Sent folder.
type FoundCopy struct {
	Found bool
	// Arrived is when the newest copy arrived in the folder, exact to a second; zero if it is
	// not known.
	Arrived time.Time
}

// Copy is a message to put into a mailbox.
type Copy interface {
	Size() int64
	io.WriterTo
}
