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

// Sender carries out transactions; transport.SMTP is one.
type Sender interface {
	SendAll(ctx context.Context, messages iter.Seq[smtpclient.Transaction]) iter.Seq2[int, smtpclient.Result]
	Close() error
}

// Policy is what becomes of a recipient in doubt when the Sent folder does not
// tell.
type Policy string

const (
	// HoldDoubt waits for a person: the message is handed over at most once.
	HoldDoubt Policy = "hold"
	// RetryDoubt sends again, with the same Message-ID: at least once.
	RetryDoubt Policy = "retry"
)

// Route is how an account sends.
type Route struct {
	// Open makes the transport, for so many connections at a time.
	Open func(ctx context.Context, connections int) (Sender, error)
	// Provider is the id of package provider, for the meaning of replies; "" when it
	// is not known.
	Provider string
	// Connections is how many this process wants at a time (0 means 2), and
	// MostConnections how many the provider allows over all (0: not known).
	Connections, MostConnections int
	// Pace is that of the account over all processes; zero means as fast as it goes.
	Pace  outbox.Pace
	Doubt Policy // "" means HoldDoubt
	// Sent opens the Sent folder, to look for messages in it; nil where that can't be
	// done. When Keeps is set, every message that was handed over is there: then one that is
	// not was not.
	Sent  func(ctx context.Context) (SentFolder, error)
	Keeps bool
	// Mailbox opens where a copy of each message that somebody got is put; nil keeps
	// none. That it fails changes nothing about what was handed over.
	Mailbox func(ctx context.Context) (Mailbox, error)
	// ReportTo is who is told of what could not be handed over: the zero address
	// is the message's sender. NoReport tells nobody but the events.
	ReportTo smtp.Address
	NoReport bool
	// Owns says which senders are the account's own: a report that would go to another
	// one goes to ReportFrom, as somebody may have put a stranger's address there. nil
	// believes all.
	Owns func(smtp.Address) bool
	// ReportFrom is the account's own address.
	ReportFrom smtp.Address
}

// Options is what [New] needs.
type Options struct {
	Store outbox.Store
	// Route finds how an account sends. It is asked anew when a courier begins and
	// when the configuration changed (Delivery.Reload). An error lets the account
	// rest in this process.
	Route func(ctx context.Context, account string) (Route, error)
	// Lease is how long what a worker has is safe from others while it says nothing; 0
	// means 30 s. It is renewed each third of it.
	Lease time.Duration
	// Grace is how long what is on the wire may take to finish when the work is over; 0
	// means 30 s. Behind it, what was not answered is in doubt.
	Grace time.Duration
	// Observe is told what happens, by several goroutines; nil is nobody.
	Observe func(Event)
	// Now and After are the clock of this side, for tests.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
	// Measure is the clock that times commits and messages, to decide how many
	// messages to mark in one commit. nil means Now.
	Measure func() time.Time
}

// EventKind is what happened.
type EventKind string

const (
	Claimed    EventKind = "claimed"    // Count recipients
	Settled    EventKind = "settled"    // one recipient; State and Answer
	Paused     EventKind = "paused"     // the account, For; Answer says why. Once for each pause; Here for this process alone
	NoRoute    EventKind = "no_route"   // Err: the account can't be used by this process, For
	Lapsed     EventKind = "lapsed"     // this worker's lease, or what it has is not known (Err); it begins anew
	Swept      EventKind = "swept"      // others' leases or what is too old; Count
	Reconciled EventKind = "reconciled" // one recipient in doubt; State
	Reported   EventKind = "reported"   // one message
	Copied     EventKind = "copied"     // into the Sent folder; Err where it was not
	StoreError EventKind = "store_error"
	Marked     EventKind = "marked" // Count recipients, in Took
)

// Event is something that happened, for logs, metrics and traces. It holds nothing
// of a message's content.
type Event struct {
	Kind      EventKind
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
	Began     time.Time     // of what took Took
	Took      time.Duration
	Waited    time.Duration // from being enqueued to being handed over
	Err       error
}

// Mailbox is where copies of what was handed over are kept, over one connection.
type Mailbox interface {
	Append(ctx context.Context, m Copy, sent time.Time) error
	Close()
}

// SentFolder is where copies of what was handed over are looked for, over one
// connection.
type SentFolder interface {
	Find(ctx context.Context, messageID string) (Sighting, error)
	Close()
}

// Sighting is what a look into the Sent folder showed.
type Sighting struct {
	Found bool
	// Arrived is when the newest copy came into the folder, exact to a second; zero
	// where that is not known.
	Arrived time.Time
}

// Copy is a message to be kept.
type Copy interface {
	Size() int64
	io.WriterTo
}
