package outbox

import (
	"context"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/localerr"
	store "github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/submission"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// EnqueueOptions describes how a message is enqueued. The zero value sends it now, from the
// account of its sender.
type EnqueueOptions struct {
	// Account is the name of the account to send from. "" selects the account with the
	// sender's address, otherwise the default account, as account.File.Choose does.
	Account string
	// Key is the idempotency key, unique in the account while the message is kept
	// (keep_messages). Enqueueing the same message with it again is a duplicate and keeps
	// nothing; another message is ErrConflict. Messages are the same if content and recipients
	// are the same; NotBefore, and any date, Message-ID and boundaries that Yan generated, are
	// not compared. At most 200 octets; "" means no key.
	Key string
	// NotBefore is the earliest time to send; zero means now. Expires is the time after which the
	// message is not tried; zero means five days after NotBefore, or after now.
	NotBefore, Expires time.Time
	Priority           queue.Priority // zero means Normal
	// Tags are labels to find the message by: at most 20 of 64 octets, without blanks and
	// commas.
	Tags []string
	// Hold keeps the message back until it is released.
	Hold bool
}

// Receipt is the result of enqueueing a message.
type Receipt struct {
	ID queue.ID
	// Duplicate is true if the key existed already; ID is the message that has it.
	Duplicate bool
	Account   string
	// MessageID is the message's Message-ID, with its angle brackets. It is "" for a
	// duplicate, whose Message-ID is another one, and for a raw message with a malformed one.
	MessageID string
}

// Enqueue composes a message and keeps it: if it returns without an error, the message is on
// the disk. An error about the message names the field; ErrConflict, ErrFull and ErrBroken are
// about the outbox. After an error nothing is kept, unless the error is ErrUncertain: then the
// message may be kept, and enqueueing again with the same key finds out.
//
// If From is empty, the account's address is used. Attachments are read before Enqueue
// returns, each reader once. EightBit has no effect, because the capabilities of the server
// are not known yet.
func (b *Outbox) Enqueue(ctx context.Context, m yan.Message, o EnqueueOptions) (Receipt, error) {
	return b.enqueueIn(ctx, nil, m, o)
}

// EnqueueTx is Enqueue inside a transaction of the caller, in the database of the outbox: see
// [SQL] and [Pgx]. The message is kept if the transaction is committed, and is as durable as
// the caller's own rows (for SQLite: with synchronous=FULL, the default). After an error, even
// ErrConflict, roll the transaction back. A worker notices the message within half a minute.
//
// If the outbox shares a new SQLite file with the caller's tables, open the outbox before
// creating these tables: application_id and user_version of the file are the outbox's.
func (b *Outbox) EnqueueTx(ctx context.Context, tx Tx, m yan.Message, o EnqueueOptions) (Receipt, error) {
	if tx == nil {
		return Receipt{}, errNoTx
	}
	return b.enqueueIn(ctx, tx, m, o)
}

// EnqueueRaw keeps a message that is already composed, by message.Compose, message.OpenRaw or
// message.ReadRaw, for the recipients of an envelope, whatever its header says. A raw message
// without Date or Message-ID gets them (RFC 6409 section 8). The content is read before
// EnqueueRaw returns; the caller closes it. The transaction's Policy must be yan.Any, because
// each recipient is delivered separately.
func (b *Outbox) EnqueueRaw(ctx context.Context, t yan.Transaction, o EnqueueOptions) (Receipt, error) {
	return b.enqueueRaw(ctx, nil, t, o)
}

// EnqueueRawTx is EnqueueRaw inside a transaction of the caller, like EnqueueTx.
func (b *Outbox) EnqueueRawTx(ctx context.Context, tx Tx, t yan.Transaction, o EnqueueOptions) (Receipt, error) {
	if tx == nil {
		return Receipt{}, errNoTx
	}
	return b.enqueueRaw(ctx, tx, t, o)
}

var (
	errNoTx  = localerr.New("there is no transaction to enqueue in")
	errAll   = localerr.New("a message in the outbox is sent to each recipient separately, so it can't be all or none")
	errNoOne = localerr.New("the sender is missing: neither the message nor the account has one")
)

func (b *Outbox) enqueueIn(ctx context.Context, tx Tx, m yan.Message, o EnqueueOptions) (Receipt, error) {
	if m.From == "" {
		a, err := b.senderAccount(o.Account)
		if err != nil {
			return Receipt{}, err
		}
		o.Account, m.From = a.Name, a.From
	}
	l, err := submission.Compose(&b.composer, &m)
	if err != nil {
		return Receipt{}, err
	}
	defer l.Close() // the content has been read
	return b.enqueuePrepared(ctx, tx, l, o)
}

func (b *Outbox) enqueueRaw(ctx context.Context, tx Tx, t yan.Transaction, o EnqueueOptions) (Receipt, error) {
	if t.Policy == yan.All {
		return Receipt{}, errAll
	}
	l, err := submission.Raw(t.Content, t.Envelope)
	if err != nil {
		return Receipt{}, err
	}
	return b.enqueuePrepared(ctx, tx, l, o)
}

func (b *Outbox) enqueuePrepared(ctx context.Context, tx Tx, l *submission.PreparedMessage, o EnqueueOptions) (Receipt, error) {
	name, err := b.accountName(o.Account, l.Envelope().From())
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
	b.signal.wakeAll()
	if r.ID, r.Duplicate = enqueued.ID, enqueued.Duplicate; r.Duplicate {
		r.MessageID = ""
	}
	return r, nil
}

// accountName returns the name of the account to send from. If no account is configured, name is
// not checked.
func (b *Outbox) accountName(name string, from smtp.Address) (string, error) {
	f, err := b.loadAccounts()
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

// senderAccount returns the account for a message that names no sender.
func (b *Outbox) senderAccount(name string) (account.Account, error) {
	f, err := b.loadAccounts()
	if err != nil {
		return account.Account{}, err
	}
	a, err := f.Choose(name, smtp.Address{})
	if err == nil && a.From == "" {
		err = errNoOne
	}
	return a, err
}
