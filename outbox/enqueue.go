package outbox

import (
	"context"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	store "github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/sentence"
	"github.com/yanmail/yan/internal/submission"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// EnqueueOptions say what is wanted with a message. The zero value sends it now, by
// the account of its sender.
type EnqueueOptions struct {
	// Account is the one to send from; "" picks the one whose address the sender is,
	// else the default, as account.File.Choose does.
	Account string
	// Key makes the message one of its kind in its account, for as long as the outbox
	// knows of it (keep_messages): the same message enqueued again with it is a
	// duplicate, which keeps nothing; another one is ErrConflict. The same message
	// says the same to the same people; its date, Message-ID and boundaries don't
	// count where Yan made them, nor does when it is to go out. At most 200 octets; ""
	// is no key.
	Key string
	// NotBefore is when it may go out; zero means now. Expires is when it has had its
	// time; zero means five days behind that.
	NotBefore, Expires time.Time
	Priority           queue.Priority // zero means Normal
	// Tags find it again: at most 20 of 64 octets, without blanks and commas.
	Tags []string
	// Hold keeps it until it is released.
	Hold bool
}

// Receipt says that a message is kept.
type Receipt struct {
	ID queue.ID
	// Duplicate says that the key was there already, and ID is the message that has it.
	Duplicate bool
	Account   string
	// MessageID is that of the message, with its angle brackets; "" of a duplicate,
	// which has another one, and of a raw message with a malformed one.
	MessageID string
}

// Enqueue composes a message and keeps it. When it has returned without an error, the
// message is on the disk. What is wrong with the message is an error that names the
// field; ErrConflict, ErrFull and ErrBroken are those of the outbox. Nothing is kept
// then, unless the error is ErrUncertain as well: then nobody knows, and enqueueing
// again with the same key finds out.
//
// Where From is empty it is that of the account. Attachments are read before it
// returns, each reader once. EightBit has no effect: nobody knows yet what the
// server will take.
func (b *Outbox) Enqueue(ctx context.Context, m yan.Message, o EnqueueOptions) (Receipt, error) {
	return b.enqueue(ctx, nil, m, o)
}

// EnqueueTx is Enqueue inside a transaction of the caller's, in the database where the
// outbox is: see [SQL] and [Pgx]. The message is kept when the transaction is
// committed, and as safe on the disk as the caller's own rows: of SQLite with
// synchronous=FULL, the default. After an error, be it ErrConflict, roll it back. Who delivers notices it
// within half a minute.
//
// The outbox has to be open before the caller makes tables of its own in a new file: of
// a SQLite file that it shares, application_id and user_version are the outbox's.
func (b *Outbox) EnqueueTx(ctx context.Context, tx Tx, m yan.Message, o EnqueueOptions) (Receipt, error) {
	if tx == nil {
		return Receipt{}, errNoTx
	}
	return b.enqueue(ctx, tx, m, o)
}

// EnqueueRaw keeps a message that is composed already, be it by message.Compose,
// message.OpenRaw or message.ReadRaw, for the recipients of an envelope, whatever its
// headers say. A raw message that lacks Date or Message-ID gets one (RFC 6409
// section 8). The content is read before it returns; the caller closes it. The
// transaction's Policy has to be yan.Any: each recipient goes its own way.
func (b *Outbox) EnqueueRaw(ctx context.Context, t yan.Transaction, o EnqueueOptions) (Receipt, error) {
	return b.enqueueRaw(ctx, nil, t, o)
}

// EnqueueRawTx is EnqueueRaw inside a transaction of the caller's, as EnqueueTx.
func (b *Outbox) EnqueueRawTx(ctx context.Context, tx Tx, t yan.Transaction, o EnqueueOptions) (Receipt, error) {
	if tx == nil {
		return Receipt{}, errNoTx
	}
	return b.enqueueRaw(ctx, tx, t, o)
}

var (
	errNoTx  = sentence.New("there is no transaction to enqueue in")
	errAll   = sentence.New("a message in the outbox goes to each recipient on its own; it can't go to all or none")
	errNoOne = sentence.New("the sender is missing: neither the message nor the account names one")
)

func (b *Outbox) enqueue(ctx context.Context, tx Tx, m yan.Message, o EnqueueOptions) (Receipt, error) {
	if m.From == "" {
		a, err := b.sender(o.Account)
		if err != nil {
			return Receipt{}, err
		}
		o.Account, m.From = a.Name, a.From
	}
	l, err := submission.Compose(&b.composer, &m)
	if err != nil {
		return Receipt{}, err
	}
	defer l.Close() // what it has read is kept, or not, by now
	return b.keep(ctx, tx, l, o)
}

func (b *Outbox) enqueueRaw(ctx context.Context, tx Tx, t yan.Transaction, o EnqueueOptions) (Receipt, error) {
	if t.Policy == yan.All {
		return Receipt{}, errAll
	}
	l, err := submission.Raw(t.Content, t.Envelope)
	if err != nil {
		return Receipt{}, err
	}
	return b.keep(ctx, tx, l, o)
}

func (b *Outbox) keep(ctx context.Context, tx Tx, l *submission.Letter, o EnqueueOptions) (Receipt, error) {
	name, err := b.account(o.Account, l.Envelope().From())
	if err != nil {
		return Receipt{}, err
	}
	order := submission.Order{Account: name, Key: o.Key, NotBefore: o.NotBefore, Expires: o.Expires,
		Priority: o.Priority, Tags: o.Tags, Hold: o.Hold}
	r := Receipt{Account: name, MessageID: l.MessageID()}
	var enqueued store.EnqueueResult
	if tx == nil {
		enqueued, err = l.Enqueue(ctx, b.store, order)
	} else {
		enqueued, err = l.EnqueueIn(ctx, b.store, tx, order)
	}
	if err != nil {
		return Receipt{}, err
	}
	b.signal.give()
	if r.ID, r.Duplicate = enqueued.ID, enqueued.Duplicate; r.Duplicate {
		r.MessageID = ""
	}
	return r, nil
}

// account is the name of the one to send from. Where no account is configured, a
// name is taken as it is.
func (b *Outbox) account(name string, from smtp.Address) (string, error) {
	f, err := b.accounts()
	if name != "" && (err != nil || len(f.Accounts()) == 0) {
		return name, nil
	}
	if err != nil {
		return "", err
	}
	a, err := f.Choose(name, from)
	if err != nil {
		return "", err
	}
	if p := f.FaultOf(a.Name); p != nil {
		return "", p
	}
	return a.Name, nil
}

// sender is the account for a message that names no sender.
func (b *Outbox) sender(name string) (account.Account, error) {
	f, err := b.accounts()
	if err != nil {
		return account.Account{}, err
	}
	a, err := f.Choose(name, smtp.Address{})
	if err == nil && a.From == "" {
		err = errNoOne
	}
	return a, err
}
