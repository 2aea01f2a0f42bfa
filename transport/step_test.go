package transport

import (
	"testing"
	"testing/synctest"

	"github.com/yanmail/yan/smtp"
)

// Even the first message to a server that loses commands is sent, one command at a time: there
// may be no second.
func TestSendGoesOnInLockStep(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"MAIL", "RCPT", "DATA"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{caps: []string{"PIPELINING"}, answer: func(a ask) string {
					if a.verb == verb && a.connection == 1 {
						return "lost"
					}
					return ""
				}}
				s := f.transport(t, Options{})
				r := s.Send(t.Context(), mails(t, 1)[0])
				if r.Outcomes[0].Status != smtp.Accepted || f.connections != 2 || len(f.took()) != 1 {
					t.Errorf("%v over %d connections", r.Outcomes, f.connections)
				}
			})
		})
	}
}
