package outbox

import (
	"time"

	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Lifetime is how long a message is tried by default (RFC 5321 section 4.5.4.1: at least
// four to five days).
const Lifetime = 5 * 24 * time.Hour

// NewMessage is a message to enqueue.
type NewMessage struct {
	// Account is the name of the account that sends it; it may be "" if the outbox
	// serves only one account.
	Account string
	// Key is the idempotency key, unique in the account while the message is kept.
	// Enqueued again with the same Fingerprint it is a duplicate, with another one the
	// error is queue.ErrConflict. "" is no key.
	Key         string
	Fingerprint [32]byte
	Envelope    smtp.Envelope
	MessageID   string // with its angle brackets
	Subject     string // for lists; goes with the body
	// Content is the message as it is sent. Enqueue reads it once.
	Content smtpclient.Content
	// NotBefore is the earliest time of the first attempt; zero means now. Expires is the
	// time after which it is not tried; zero means Lifetime after now, or after NotBefore
	// if that is later.
	NotBefore, Expires time.Time
	Priority           queue.Priority
	Tags               []string // without duplicates; nil if there are none
	// Hold keeps it back until it is released.
	Hold bool
	// ReportOn is the message that this one is a bounce of; 0 if it is none. The failure
	// of a bounce is not reported.
	ReportOn queue.ID
}

// EnqueueResult is the result of Enqueue.
type EnqueueResult struct {
	ID queue.ID
	// Duplicate is true if the key existed already; ID is the message that has it.
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
	Recipients []LeasedRecipient // in the order of N
	// Body is the body of a small message; nil means that Store.Body opens it.
	Body []byte
}

// LeasedRecipient is a recipient that a worker has leased.
type LeasedRecipient struct {
	N        int // its place in the message's envelope, from 0
	Address  smtp.Address
	Token    int64 // of the lease: one higher with each lease of the recipient
	Attempts int   // that were made before and counted
	// Doubted is true if it was in doubt at least once: another attempt may be a second copy.
	Doubted bool
}

// Lease identifies a recipient that a worker has leased.
type Lease struct {
	ID    queue.ID
	N     int
	Token int64
}

// Settlement is the result of a lease.
type Settlement struct {
	Lease
	// State is HandedOver, Failed, Deferred, InDoubt, Held, or Queued if the attempt does
	// not count.
	State queue.State
	// After is the time until it is due again, for Deferred and Queued.
	After  time.Duration
	Answer queue.Answer
}
