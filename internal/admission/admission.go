// Package admission takes messages from programs into the outbox: it finds what a peer may do, checks
// sender and recipients, repairs the message and stores it. Every way in uses it: the submission socket,
// the SMTP listener and the drop folder.
package admission

import (
	"context"
	"time"

	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/repair"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// Store is the part of an outbox that admission uses.
type Store interface {
	outbox.Enqueuer
	// List finds messages by their key and their tag.
	List(ctx context.Context, f queue.Filter) (queue.Page, error)
}

// Options configure an Admission.
type Options struct {
	Policy func() Policy // the current one: reloading the configuration changes it
	Store  Store
	Spool  string // the folder for large messages; "" is the system's folder for temporary files
	// Repeat stores a message again that a client hands over twice within a day. Otherwise the same
	// octets with a Message-ID of their own, from the same peer to the same recipients, are one message.
	Repeat  bool
	Now     func() time.Time // nil: time.Now
	Observe func(Event)      // is told of each message; nil: no one is
}

// Event is a message that was accepted or refused, for logs and metrics.
type Event struct {
	Peer       Peer
	Account    string
	From       string
	Recipients int
	Accepted   Accepted // if Err is nil
	Err        error    // a *Refusal, or an error of the store
}

// Admission is safe for concurrent use.
type Admission struct{ o Options }

// New returns an Admission.
func New(o Options) *Admission {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Admission{o: o}
}

// Accepted is a message that is in the outbox.
type Accepted struct {
	ID        queue.ID
	Duplicate bool // it was there already
	MessageID string
	Changes   []repair.Change
}

// Grant returns what a peer may do. The error is a *Refusal.
func (a *Admission) Grant(p Peer) (Grant, error) { return a.o.Policy().Grant(p) }

// Transaction is a message being handed over. It is not safe for concurrent use.
type Transaction struct {
	a     *Admission
	peer  Peer
	grant Grant
	from  smtp.Address
	dsn   smtp.DSN
	utf8  bool
	to    []smtp.Address
	// received is the value of the Received field to add.
	received string
	// key makes one message of two with the same key and peer; "" derives one.
	key string
}

// Begin checks the envelope's sender: as in MAIL FROM:<…>, with "" for the null sender, and a local
// name with or without @localhost allowed. utf8 says that the client asked for SMTPUTF8; size is the
// size that it announced, 0 if it announced none. The error is a *Refusal.
func (a *Admission) Begin(p Peer, from string, d smtp.DSN, utf8 bool, size int64) (*Transaction, error) {
	g, err := a.Grant(p)
	if err != nil {
		return nil, err
	}
	t := &Transaction{a: a, peer: p, grant: g, dsn: d, utf8: utf8}
	if from != "" {
		t.from = g.Mailbox.Address
	}
	return t, nil
}

// Recipient adds a recipient: an address, or a local name with or without @localhost. notify is the
// NOTIFY parameter of RCPT (RFC 3461), "" for none. The error is a *Refusal; the transaction goes on
// without the recipient.
func (t *Transaction) Recipient(to string, notify string) error {
	address, err := smtp.ParseAddress(to)
	if err != nil {
		return NewRefusal("recipient", 553, "5.1.3", err, nil)
	}
	t.to = append(t.to, address)
	return nil
}

// SetReceived sets the value of the Received field that the message gets; "" for none. The field is not
// a part of what makes two messages the same.
func (t *Transaction) SetReceived(value string) { t.received = value }

// SetKey sets the key of the message, as its field Yan-Key does, which counts first: a second message
// of the same peer with this key is the first one.
func (t *Transaction) SetKey(key string) { t.key = key }
