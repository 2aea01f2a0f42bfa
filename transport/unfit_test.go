package transport

import (
	"errors"
	"slices"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// unfit is a message that needs SMTPUTF8.
type unfit struct{ text }

func (unfit) NeedsSMTPUTF8() bool { return true }

// A message that this server can't accept is settled without another connection, however the
// connection ended for which it was taken.
func TestUnfitMessageOpensNoConnection(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps, answer: func(a ask) string {
			if a.from == "m0" && (a.verb == "BODY" || a.verb == "BDAT") {
				return "cut after"
			}
			return ""
		}}
		s := f.transport(t, Options{MaxConnections: 1})
		list := mails(t, 2)
		list[1].Content = unfit{text("x\r\n")}
		results := sendAll(t, t.Context(), s, list)
		if o := results[0].Outcomes[0]; o.Status != smtp.Unknown {
			t.Errorf("%s", o)
		}
		if o := results[1].Outcomes[0]; o.Status != smtp.NotTried || !errors.Is(o.Err, smtpclient.ErrHeaderNeedsSMTPUTF8) {
			t.Errorf("%s", o)
		}
		if f.connections > 1 && slices.Contains(caps, "CHUNKING") { // otherwise it was not taken for the first
			t.Errorf("%d connections", f.connections)
		}
	})
}
