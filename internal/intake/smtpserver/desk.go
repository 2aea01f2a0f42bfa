package smtpserver

import (
	"context"
	"io"

	"github.com/yanmail/yan/internal/intake/admission"
)

// openTransaction is the part of admission.Transaction that a session uses.
type openTransaction interface {
	Recipient(to, notify string) error
	Accept(ctx context.Context, r io.Reader) (admission.Accepted, error)
}

// desk is package admission, as a session uses it.
type desk struct{ *admission.Admission }

// Begin implements admissionDesk.
func (d desk) Begin(o opening) (openTransaction, error) {
	t, err := d.Admission.Begin(o.peer, o.from, o.dsn, o.size)
	if err != nil {
		return nil, err
	}
	t.SetReceived(o.received)
	return t, nil
}
