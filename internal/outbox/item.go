package outbox

import (
	"time"

	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Lifetime is how long a message may wait when nobody says otherwise (RFC 5321
// section 4.5.4.1: at least four to five days).
const Lifetime = 5 * 24 * time.Hour

// NewMessage is a message to be kept.
type NewMessage struct {
	// Account is the name of the account that sends it; it may be "" where the
	// outbox serves one account only.
	Account string
	// Key makes the message one of its kind in its account: enqueued again with the
	// same Fingerprint it is the same message, with another one ErrConflict. ""
	// is no key.
	Key         string
	Fingerprint [32]byte
	Envelope    smtp.Envelope
	MessageID   string // with its angle brackets
	Subject     string // for lists; goes with the body
	// Content is the message as it travels. Enqueue reads it once, in one go.
	Content smtpclient.Content
	// NotBefore is the earliest time of the first try; zero means now. Expires is
	// when it has had its time; zero means Lifetime after now, or after NotBefore where
	// that is later.
	NotBefore, Expires time.Time
	Priority           queue.Priority
	Tags               []string // no tag twice; nil when there are none
	// Hold keeps it until it is released.
	Hold bool
	// ReportOn is the message that this one reports about: nobody is told when a
	// report fails. 0 means that it is no report.
	ReportOn queue.ID
}

// EnqueueResult is the result of Enqueue.
type EnqueueResult struct {
	ID queue.ID
	// Duplicate says that the key was there already, and ID is the message that
	// has it.
	Duplicate bool
}

// Item is a message that a worker has leased.
type Item struct {
	ID         queue.ID
	Account    string
	From       smtp.Address
	DSN        smtp.DSN
	MessageID  string
	Size       int64
	EightBit   bool // as of smtpclient.Content
	UTF8       bool
	Binary     bool
	ReportOn   queue.ID
	Created    time.Time
	Expires    time.Time
	Recipients []LeasedRecipient // those that are leased, in the order of N
	// Body is the message, where it is small; nil means that Store.Body has it.
	Body []byte
}

// LeasedRecipient is one that a worker has leased.
type LeasedRecipient struct {
	N        int // its place in the message's envelope, from 0
	Address  smtp.Address
	Token    int64 // of the lease: it is one more each time
	Attempts int   // that were made before, and counted
	// Doubted says that it was in doubt once: another try may be a second copy.
	Doubted bool
}

// Lease names a recipient that a worker has.
type Lease struct {
	ID    queue.ID
	N     int
	Token int64
}

// Settlement is what came of a lease.
type Settlement struct {
	Lease
	// State is HandedOver, Failed, Deferred, InDoubt, Held, or Queued where the try
	// does not count.
	State queue.State
	// After is how long it is not due: of Deferred and Queued.
	After  time.Duration
	Answer queue.Answer
}
