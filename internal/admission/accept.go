package admission

import (
	"context"
	"io"

	"github.com/yanmail/yan/internal/repair"
	"github.com/yanmail/yan/internal/spool"
	"github.com/yanmail/yan/internal/submission"
	"github.com/yanmail/yan/smtp"
)

// Accept reads the message, repairs it and stores it. When it returns without an error, the message is
// on the disk. The error is a *Refusal, one of r, or one of package queue; [Reply] is the answer to
// each.
func (t *Transaction) Accept(ctx context.Context, r io.Reader) (Accepted, error) {
	text, err := spool.Read(r, t.a.o.Spool, t.grant.MaxSize)
	if err != nil {
		return Accepted{}, err
	}
	defer text.Close() // read only
	m, err := repair.Read(text, text.Size(), repair.Options{Now: t.a.o.Now(), Received: t.received})
	if err != nil {
		return Accepted{}, err
	}
	envelope, err := smtp.NewEnvelope(t.from, t.to...)
	if err != nil {
		return Accepted{}, err
	}
	prepared, err := submission.Raw(m, envelope)
	if err != nil {
		return Accepted{}, err
	}
	result, err := prepared.Enqueue(ctx, t.a.o.Store, submission.Order{Account: t.grant.Account, Key: t.orderKey(), Tags: []string{t.peer.tag()}})
	if err != nil {
		return Accepted{}, err
	}
	return Accepted{ID: result.ID, Duplicate: result.Duplicate, MessageID: prepared.MessageID(), Changes: m.Changes()}, nil
}

// orderKey returns the key in the outbox. The peer is a part of it: no peer finds out the keys of others.
func (t *Transaction) orderKey() string {
	if t.key == "" {
		return ""
	}
	return t.peer.tag() + "/" + t.key
}
