package dropfolder

import (
	"context"

	"github.com/yanmail/yan/internal/intake/admission"
)

// Peer returns who handed the message over: the owner of its file.
func (m Message) Peer() admission.Peer { return admission.Peer{User: m.Owner.Name, UID: m.Owner.UID} }

// Admit hands the message to package admission, with its key: a file that is still there after the
// commit is not a second message. If a recipient is refused, so is the message.
func (m Message) Admit(ctx context.Context, a *admission.Admission) (admission.Accepted, error) {
	t, err := a.Begin(m.Peer(), m.From, m.DSN(), m.Size)
	if err != nil {
		return admission.Accepted{}, err
	}
	for _, to := range m.To {
		if err := t.Recipient(to, m.Notify); err != nil {
			return admission.Accepted{}, err
		}
	}
	t.SetKey(m.Key)
	return t.Accept(ctx, m.Body)
}
