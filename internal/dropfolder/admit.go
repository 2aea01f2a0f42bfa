package dropfolder

import (
	"context"
	"errors"

	"github.com/yanmail/yan/internal/admission"
	"github.com/yanmail/yan/queue"
)

// Admit returns Options.Accept for an admission: the owner of the file is the peer.
func Admit(desk *admission.Admission) func(context.Context, Message) error {
	return func(ctx context.Context, m Message) error {
		t, err := desk.Begin(admission.Peer{User: m.Owner.Name, UID: m.Owner.UID}, m.From, m.DSN(), true, m.Size)
		if err != nil {
			return err
		}
		for _, to := range m.To {
			if err := t.Recipient(to, m.Notify); err != nil {
				return err
			}
		}
		t.SetKey(m.Key)
		_, err = t.Accept(ctx, m.Body)
		return err
	}
}

// Refused is Options.Permanent for Admit: a rule refuses the message, and does so until the configuration
// changes.
func Refused(err error) bool {
	refusal, ok := errors.AsType[*admission.Refusal](err)
	return ok && refusal.Reply.Permanent() || errors.Is(err, queue.ErrConflict)
}
