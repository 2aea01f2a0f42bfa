package admission

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/yanmail/yan/internal/intake/repair"
	"github.com/yanmail/yan/internal/intake/spool"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/submission"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
)

// Accept reads the message, repairs it and stores it. When it returns without an error, the message is
// on the disk. The error is a *Refusal, one of r, or one of package queue; [Reply] is the answer to
// each.
func (t *Transaction) Accept(ctx context.Context, r io.Reader) (Accepted, error) {
	accepted, err := t.accept(ctx, r)
	if t.a.o.Observe != nil {
		t.a.o.Observe(Event{Peer: t.peer, Account: t.grant.Account, From: t.given, Recipients: len(t.to), Accepted: accepted, Err: err})
	}
	return accepted, err
}

func (t *Transaction) accept(ctx context.Context, r io.Reader) (Accepted, error) {
	share := t.a.large.begin(t.peer, max(largeAtOnce, 2*t.grant.Size()))
	defer share.end()
	text, err := spool.Read(share.count(r), t.a.o.Spool, t.grant.Size())
	if errors.Is(err, spool.ErrTooLarge) {
		return Accepted{}, t.tooLarge()
	}
	if err != nil {
		return Accepted{}, err
	}
	defer text.Close() // nothing in it is needed any more
	m, err := t.repairInTurn(ctx, text)
	if err != nil {
		return Accepted{}, err
	}
	if len(t.to) == 0 {
		return Accepted{}, NewRefusal("recipient", 554, "5.5.1", localerr.New("the message has no recipients"), nil)
	}
	envelope, err := t.envelope(t.from, t.to...)
	if err != nil {
		return Accepted{}, NewRefusal("recipient", 554, "5.5.4", err, nil)
	}
	return t.store(ctx, text, m, envelope)
}

// repairInTurn repairs a message that may take much memory while few others do: a header takes a hundred
// times its size if it has short lines, and a client may hand over hundreds at once.
func (t *Transaction) repairInTurn(ctx context.Context, text *spool.File) (*repair.Message, error) {
	if text.Size() > shortMessage {
		select {
		case t.a.turns <- struct{}{}:
			defer func() { <-t.a.turns }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return t.repair(text)
}

// shortMessage is the size up to which messages are repaired at once, in any number.
const shortMessage = 32 << 10

// repair repairs the message, and checks what it says.
func (t *Transaction) repair(text *spool.File) (*repair.Message, error) {
	var foreign *smtp.Address
	o := repair.Options{
		Now:      t.a.o.Now(),
		TakeKey:  true,
		Received: t.received,
		IsLocal:  t.policy.IsLocalDomain,
		ReplyTo:  t.canReceive,
		From: func(from *message.Mailbox) *message.Mailbox {
			switch {
			case from != nil && t.grant.MaySend(from.Address):
				return nil
			case from != nil && t.grant.Foreign == Refuse:
				foreign = &from.Address
				return nil
			case t.grant.Mailbox.Address.IsZero():
				return nil
			}
			return &t.grant.Mailbox
		},
		Local: func(name string) (smtp.Address, bool) {
			list, err := t.policy.Local(name)
			if err != nil || len(list) == 0 {
				return smtp.Address{}, false
			}
			return list[0], true
		},
	}
	m, err := repair.Read(text, text.Size(), o)
	var defect *repair.Error
	switch {
	case errors.As(err, &defect):
		return nil, NewRefusal("content", 554, "5.6.0", defect, nil)
	case err != nil:
		return nil, &spool.DiskError{Err: err}
	case foreign != nil:
		return nil, t.foreign(foreign.String())
	case m.NeedsSMTPUTF8() && !t.grant.SMTPUTF8:
		return nil, NewRefusal("smtputf8", 550, "5.6.7", localerr.Errorf("the header has letters other than ASCII that can't be encoded, and the provider of account %q does not take them", t.grant.Account),
			localerr.New("use addresses with ASCII letters before the @"))
	case m.Size() > t.grant.Size():
		return nil, t.tooLarge()
	}
	return m, nil
}

// canReceive reports whether an answer to an address can arrive.
func (t *Transaction) canReceive(a smtp.Address) bool {
	domain := strings.ToLower(strings.TrimSuffix(a.ASCIIDomain(), "."))
	if !strings.Contains(domain, ".") || strings.HasPrefix(domain, "[") || t.policy.IsLocalDomain(a.Domain()) {
		return false
	}
	switch domain[strings.LastIndexByte(domain, '.')+1:] {
	case "local", "localhost", "localdomain", "lan", "home", "internal", "intranet", "invalid", "test", "arpa":
		return false // names of private networks (RFC 6761, RFC 6762, RFC 8375)
	}
	letters := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(a.Local()))
	switch letters {
	case "noreply", "donotreply", "nobody", "null", "devnull", "mailerdaemon":
		return false
	}
	return true
}

// store reserves the rate and stores the message.
func (t *Transaction) store(ctx context.Context, text *spool.File, m *repair.Message, e smtp.Envelope) (Accepted, error) {
	now, tag := t.a.o.Now(), t.peer.Tag()
	if t.grant.PerHour > 0 {
		wait, err := t.a.rates.reserve(ctx, tag, t.grant.PerHour, e.Len(), now)
		if err != nil {
			return Accepted{}, err
		}
		if wait > 0 {
			return Accepted{}, t.tooMany(wait)
		}
	}
	accepted, err := t.enqueue(ctx, text, m, e)
	if t.grant.PerHour > 0 && (err != nil || accepted.Duplicate) {
		t.a.rates.release(tag, e.Len(), now)
	}
	return accepted, err
}

func (t *Transaction) enqueue(ctx context.Context, text *spool.File, m *repair.Message, e smtp.Envelope) (Accepted, error) {
	k, err := t.keyOf(text, m, e)
	if err != nil {
		return Accepted{}, err
	}
	prepared, err := submission.Raw(keyedContent{m, k.octets}, e)
	if err != nil {
		return Accepted{}, err
	}
	result, err := k.enqueue(ctx, t.a, prepared, submission.Order{Account: t.grant.Account, Tags: []string{t.peer.Tag()}})
	if err != nil {
		return Accepted{}, err
	}
	return Accepted{ID: result.ID, Duplicate: result.Duplicate, MessageID: prepared.MessageID(), Changes: m.Changes()}, nil
}
