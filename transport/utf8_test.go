package transport_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// One recipient whose address needs SMTPUTF8 does not prevent the others from getting the message
// at a server without it: each recipient is judged separately. Under the policy All no recipient
// gets it, and a sender that needs SMTPUTF8 concerns all of them.
func TestSMTPUTF8IsJudgedForEachRecipient(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, from string
		offered    bool
		policy     smtpclient.Policy
		want       string // the status of a@, 用户@, b@
		taken      int    // number of messages at the server
	}{
		{"offered", "", true, smtpclient.Any, "[accepted accepted accepted]", 1},
		{"not offered", "", false, smtpclient.Any, "[accepted not tried accepted]", 1},
		{"not offered, all or none", "", false, smtpclient.All, "[not tried not tried not tried]", 0},
		{"not offered, sender", "用户@example.org", false, smtpclient.Any, "[not tried not tried not tried]", 0},
	} {
		for _, many := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, SendAll %v", tt.name, many), func(t *testing.T) {
				t.Parallel()
				var o []sandboxtest.Option
				if !tt.offered {
					o = append(o, sandboxtest.WithoutExtension("SMTPUTF8"))
				}
				server := sandboxtest.Start(t, "plain", o...)
				s := open(t, server, transport.Options{Policy: tt.policy})
				from := tt.from
				if from == "" {
					from = server.Login()
				}
				var to []smtp.Address
				for _, a := range []string{"a@example.org", "用户@example.org", "b@example.org"} {
					to = append(to, parsedAddress(t, a))
				}
				envelope, err := smtp.NewEnvelope(parsedAddress(t, from), to...)
				if err != nil {
					t.Fatal(err)
				}
				m := smtpclient.Transaction{Envelope: envelope, Content: mail(t, server, message.Message{Text: "hi"}, "a@example.org").Content, Policy: tt.policy}
				var r smtpclient.Result
				if many {
					for _, result := range s.SendAll(t.Context(), slices.Values([]smtpclient.Transaction{m})) {
						r = result
					}
				} else {
					r = s.Send(t.Context(), m)
				}
				var got []smtp.Status
				for _, outcome := range r.Outcomes {
					got = append(got, outcome.Status)
					if outcome.Status == smtp.NotTried && !errors.Is(outcome.Err, smtpclient.ErrNeedsSMTPUTF8) {
						t.Errorf("%s", outcome)
					}
				}
				if fmt.Sprint(got) != tt.want {
					t.Errorf("%v, want %s", got, tt.want)
				}
				if n := len(server.Messages()); n != tt.taken {
					t.Errorf("%d messages, want %d", n, tt.taken)
				}
			})
		}
	}
}

func parsedAddress(t *testing.T, s string) smtp.Address {
	t.Helper()
	a, err := smtp.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
