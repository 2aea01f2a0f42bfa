package transport

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// A connection is replaced after the number of messages that the server allows, and no message is
// lost while the limit is learned.
func TestMessagesOfOneConnection(t *testing.T) {
	t.Parallel()
	const limit = 6
	refuse := func(reply string) func(a ask) string {
		return func(a ask) string {
			if a.verb == "MAIL" && a.message >= limit {
				return reply
			}
			return ""
		}
	}
	for name, tc := range map[string]struct {
		facts   provider.Limits
		offers  string
		answer  func(a ask) string
		refused bool // the limit is learned from a refusal
	}{
		"fact":            {facts: provider.Limits{PerConnection: provider.Limit{Value: limit, Status: provider.Official}}},
		"MAILMAX":         {offers: "LIMITS MAILMAX=6"},
		"smaller of them": {offers: "LIMITS MAILMAX=6", facts: provider.Limits{PerConnection: provider.Limit{Value: 50, Status: provider.Verified}}},
		"hearsay":         {facts: provider.Limits{PerConnection: provider.Limit{Value: 2, Status: provider.Reported}}, offers: "LIMITS MAILMAX=6"},
		"NetEase's tag":   {answer: refuse("450 MI:DMC 163 smtp10,xyz"), refused: true},
		"Yahoo's 421":     {answer: refuse("bye 421 Max message per connection reached, closing transmission channel"), refused: true},
		"a tag behind MAIL": {answer: func(a ask) string {
			if a.verb == "RCPT" && a.message >= limit {
				return "450 RP:DRC 163 smtp10,xyz"
			}
			return ""
		}, refused: true},
		"421 of any words": {answer: refuse("bye 421 4.4.5 see you later"), refused: true},
		"421 at RSET or MAIL alike": {answer: func(a ask) string {
			if a.verb == "RSET" && a.message >= limit {
				return "bye 421 4.4.5 see you later"
			}
			return refuse("bye 421 4.4.5 see you later")(a)
		}, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, caps []string) {
				refusals := map[int]bool{}
				f := &fake{caps: caps}
				if tc.offers != "" {
					f.caps = append([]string{tc.offers}, caps...)
				}
				f.answer = func(a ask) string {
					if a.verb == "MAIL" && a.message >= limit {
						refusals[a.connection] = true
					}
					if tc.answer == nil {
						return ""
					}
					return tc.answer(a)
				}
				s := f.transport(t, Options{MaxConnections: 1})
				s.limits.setKnown(tc.facts)
				for range 2 {
					f.ledger = nil
					results := sendAll(t, t.Context(), s, mails(t, 60))
					agrees(t, f, results)
					if n := count(results, smtp.Accepted); n != 60 {
						t.Errorf("%d accepted of 60", n)
					}
				}
				for c, n := range perConnection(f) {
					if n > limit {
						t.Errorf("connection %d carried %d messages", c, n)
					}
				}
				if tc.refused != (len(refusals) > 0) || len(refusals) > 2 {
					t.Errorf("the server had to say it on %d connections", len(refusals))
				}
				// Send keeps the limit, too.
				for _, m := range mails(t, 20) {
					if r := s.Send(t.Context(), m); r.Outcomes[0].Status != smtp.Accepted {
						t.Errorf("%v", r.Outcomes)
					}
				}
			})
		})
	}
}

func perConnection(f *fake) map[int]int {
	carried := map[int]int{}
	for _, e := range f.took() {
		carried[e.connection]++
	}
	return carried
}

// One 421 is a server's restart and sets no limit.
func TestOneGoodbyeIsNoLimit(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps, answer: func(a ask) string {
			if a.verb == "MAIL" && a.connection == 1 && a.message == 3 {
				return "bye 421 4.3.2 restarting"
			}
			return ""
		}}
		s := f.transport(t, Options{MaxConnections: 1})
		results := sendAll(t, t.Context(), s, mails(t, 100))
		agrees(t, f, results)
		if count(results, smtp.Accepted) != 100 || f.connections != 2 {
			t.Errorf("%d accepted over %d connections", count(results, smtp.Accepted), f.connections)
		}
	})
}

func recipients(n int) []string {
	to := make([]string, n)
	for i := range to {
		to[i] = fmt.Sprintf("r%02d@d%d.example", i, i%3)
	}
	return to
}

// A message to more recipients than a transaction allows is sent in several, and each recipient's
// outcome is at its place.
func TestRecipientsAreSplit(t *testing.T) {
	t.Parallel()
	const limit = 8
	for name, tc := range map[string]struct {
		facts  provider.Limits
		offers string
		reply  string // to one RCPT too many
		late   string // or to the message
		parts  int    // for 20 recipients, after the limit is known
	}{
		"one transaction": {parts: 1},
		"fact":            {facts: provider.Limits{Recipients: provider.Limit{Value: limit, Status: provider.Official}}, parts: 3},
		"RCPTMAX":         {offers: "LIMITS RCPTMAX=8", parts: 3},
		"RCPTDOMAINMAX":   {offers: "LIMITS RCPTDOMAINMAX=1", parts: 3},
		"both":            {offers: "LIMITS RCPTDOMAINMAX=2 RCPTMAX=8", parts: 3},
		"learnt":          {reply: "452 4.5.3 Error: too many recipients", parts: 3},
		"NetEase's tag":   {late: "550 RP:RCL 163 smtp10,xyz", parts: 4},
		"552, as of old":  {reply: "552 5.5.3 too many recipients", parts: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, caps []string) {
				f := &fake{caps: append([]string{tc.offers}, caps...), answer: func(a ask) string {
					switch {
					case strings.Contains(a.line, "<r13@"):
						return "550 5.1.1 no such user"
					case a.verb == "RCPT" && tc.reply != "" && a.recipient >= limit:
						return tc.reply
					case tc.late != "" && a.recipient > limit && (a.verb == "BODY" || a.verb == "BDAT"):
						return tc.late
					case a.verb == "BODY", a.verb == "BDAT":
						return fmt.Sprintf("250 ok queued as Q%d", a.message)
					}
					return ""
				}}
				s := f.transport(t, Options{MaxConnections: 1})
				s.limits.setKnown(tc.facts)
				for round, send := range []func(m smtpclient.Transaction) smtpclient.Result{
					func(m smtpclient.Transaction) smtpclient.Result { return s.Send(t.Context(), m) },
					func(m smtpclient.Transaction) smtpclient.Result {
						return sendAll(t, t.Context(), s, []smtpclient.Transaction{m})[0]
					},
				} {
					f.ledger = nil
					m := mails(t, 1, recipients(20)...)[0]
					r := send(m)
					agrees(t, f, []smtpclient.Result{r})
					for i, to := range m.Envelope.To() {
						want := smtp.Accepted
						if i == 13 {
							want = smtp.Refused
						}
						if o := r.Outcomes[i]; o.Recipient != to || o.Status != want {
							t.Errorf("place %d: %s", i, o)
						}
					}
					if n := len(f.took()); n != tc.parts && !(round == 0 && tc.reply != "") {
						t.Errorf("%d transactions, want %d", n, tc.parts)
					}
					if tc.reply != "" && round == 1 && s.limits.recipients.Load() != limit {
						t.Errorf("learnt %d, want %d", s.limits.recipients.Load(), limit)
					}
					first := r.Outcomes[0].Reply.String()
					if first != r.Reply.String() {
						t.Errorf("reply %q, want that to the first transaction, %q", r.Reply, first)
					}
				}
			})
		})
	}
}

// The 452 for one mailbox concerns that mailbox only.
func TestOneFullMailboxIsNoLimit(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		// In the middle the number can't be the reason; at the end that is tried.
		for full, want := range map[string]int{"r01": 1, "r02": 2} {
			transactions := 0
			f := &fake{caps: caps, answer: func(a ask) string {
				if a.verb == "MAIL" {
					transactions++
				}
				if a.verb == "RCPT" && strings.Contains(a.line, full) {
					return "452 no room"
				}
				return ""
			}}
			s := f.transport(t, Options{})
			r := s.Send(t.Context(), mails(t, 1, recipients(3)...)[0])
			agrees(t, f, []smtpclient.Result{r})
			if s.limits.recipients.Load() != 0 || count([]smtpclient.Result{r}, smtp.Accepted) != 2 || count([]smtpclient.Result{r}, smtp.Deferred) != 1 {
				t.Errorf("limit %d, %v", s.limits.recipients.Load(), r.Outcomes)
			}
			if transactions != want {
				t.Errorf("%d transactions, want %d", transactions, want)
			}
		}
	})
}

// All or none is impossible in two transactions.
func TestAllToTooManyIsNotTried(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: append([]string{"LIMITS RCPTMAX=8"}, caps...)}
		s := f.transport(t, Options{Policy: smtpclient.All})
		list := append(mails(t, 1, recipients(9)...), mails(t, 1, recipients(8)...)...)
		for _, results := range [][]smtpclient.Result{sendAll(t, t.Context(), s, list), {s.Send(t.Context(), list[0]), s.Send(t.Context(), list[1])}} {
			for _, o := range results[0].Outcomes {
				if o.Status != smtp.NotTried || !errors.Is(o.Err, smtpclient.ErrTooManyRecipients) || o.Stage != smtp.StageRcpt {
					t.Errorf("%s", o)
				}
			}
			if n := count(results[1:], smtp.Accepted); n != 8 {
				t.Errorf("%d of 8 accepted", n)
			}
		}
		if n := len(f.took()); n != 2 {
			t.Errorf("%d transactions, want 2", n)
		}
	})
}

// A server that loses commands then gets one command at a time, and messages that it can't have
// are sent again.
func TestLockStepAfterLostCommands(t *testing.T) {
	t.Parallel()
	for name, caps := range kinds() {
		if caps == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{caps: caps, answer: func(a ask) string {
					if a.connection > 1 && a.ahead && a.verb != "BDAT" {
						t.Errorf("%s shares a flight", a.line)
					}
					// Two replies to one command: the following ones don't fit.
					if a.verb == "RCPT" && a.connection == 1 && a.from == "m3" {
						return "354 go"
					}
					return ""
				}}
				s := f.transport(t, Options{MaxConnections: 1})
				results := sendAll(t, t.Context(), s, mails(t, 30))
				agrees(t, f, results)
				if !s.lockStep.Load() {
					t.Fatalf("still pipelined: %v", results[3].Outcomes)
				}
				if n := count(results, smtp.Accepted) + count(results, smtp.Unknown); n < 29 {
					t.Errorf("%d of 30 arrived", n)
				}
				for _, m := range mails(t, 3) {
					if r := s.Send(t.Context(), m); r.Outcomes[0].Status != smtp.Accepted || f.connections != 2 {
						t.Errorf("%v over connection %d, want 2", r.Outcomes, f.connections)
					}
				}
			})
		})
	}
}

// A refusal that concerns a kept connection is retried for all recipients or none under All, and
// keeps the server's reply if there is no other connection.
func TestRefusalForTheConnection(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps, answer: func(a ask) string {
			switch {
			case a.verb == "RCPT" && a.connection == 1 && a.message == 1 && a.recipient == 1:
				return "450 RP:DRC 163 smtp10,xyz"
			case a.verb == "MAIL" && a.connection == 2 && a.message == 3:
				return "bye 421 4.3.2 closing"
			}
			return ""
		}}
		f.refuse = func(connection int) error {
			if connection > 2 {
				return errors.New("nobody at home")
			}
			return nil
		}
		s := f.transport(t, Options{Policy: smtpclient.All})
		var results []smtpclient.Result
		for _, m := range mails(t, 5, recipients(3)...) {
			results = append(results, s.Send(t.Context(), m))
		}
		agrees(t, f, results)
		if count(results, smtp.Accepted) != 12 {
			t.Errorf("%d recipients of 12 accepted; %v", count(results, smtp.Accepted), results[1].Outcomes)
		}
		for _, o := range results[4].Outcomes {
			if o.Status != smtp.Deferred || o.Reply.Code != 421 {
				t.Errorf("%s, want the server's 421", o)
			}
		}
	})
}
