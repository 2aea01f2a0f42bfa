package transport

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// habits are servers with the habits of real ones. Not all of them can be recognised by their
// replies.
func habits() map[string]sandbox.Config {
	all := map[string]sandbox.Config{
		"none":         {},
		"Postfix":      {Software: "postfix"},
		"Exim":         {Software: "exim", Quirks: []sandbox.Quirk{sandbox.KeepsTransaction, sandbox.CountsResets, sandbox.ReadsOnAfter421}},
		"go-smtp":      {Software: "go-smtp", Quirks: []sandbox.Quirk{sandbox.ReadsRefusedChunk}},
		"452 at MAIL":  {MessagesPerConnection: sandbox.Bound{Max: 7, Reply: "452 4.5.3 Too many recipients: Too many messages sent"}},
		"421 at MAIL":  {MessagesPerConnection: sandbox.Bound{Max: 7, Reply: "421 4.7.0 too many messages in this connection"}},
		"Exim's limit": {Software: "exim", Quirks: []sandbox.Quirk{sandbox.ReadsOnAfter421, sandbox.CountsResets}, MessagesPerConnection: sandbox.Bound{Max: 7, Reply: "421 too many messages in this connection"}},
	}
	for _, q := range sandbox.Quirks() {
		if q != sandbox.ReadsRefusedChunk { // for which go-smtp is known
			all[string(q)] = sandbox.Config{Quirks: []sandbox.Quirk{q}}
		}
	}
	return all
}

// meet returns a transport to a sandbox at the other end of pipes.
func meet(t *testing.T, cfg sandbox.Config, o Options) (*SMTP, *sandbox.Server) {
	t.Helper()
	cfg.NoPorts, cfg.IdleTimeout = true, time.Hour
	server, err := sandbox.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o.LocalName = "client.example.org"
	s, err := Open("smtp+notls://mail.example.org", o)
	if err != nil {
		t.Fatal(err)
	}
	s.cfg.Dialer = func(context.Context, string, string) (net.Conn, error) {
		client, far := net.Pipe()
		server.Serve(far)
		return client, nil
	}
	t.Cleanup(func() {
		_ = s.Close()
		_ = server.Close()
	})
	return s, server
}

// assorted returns n messages, of which some are refused in different ways; want is the expected
// outcome of each.
func assorted(t *testing.T, n int) (list []smtpclient.Transaction, want []smtp.Status) {
	t.Helper()
	for i := range n {
		m, status := mails(t, 1)[0], smtp.Accepted
		switch {
		case i%5 == 3:
			m, status = mails(t, 1, "rcpt-550@example.net")[0], smtp.Refused
		case i%11 == 7:
			m, status = mails(t, 1, "body-450@example.net")[0], smtp.Deferred
		}
		m.Content = text(fmt.Sprintf("Subject: %d\r\n\r\nhello\r\n.dots\r\n", i))
		list, want = append(list, m), append(want, status)
	}
	return list, want
}

// Whatever unknown habits a server has, each message gets the right outcome, is unchanged, and
// arrives once. None is in doubt, and there is no waiting for a server that has lost something.
func TestHabitsOfServers(t *testing.T) {
	t.Parallel()
	const messages = 60
	runs := 0
	for name, cfg := range habits() {
		for kind, without := range map[string][]string{"lock-step": {"PIPELINING", "CHUNKING"}, "pipelining": {"CHUNKING"}, "chunking": nil} {
			for _, connections := range []int{1, 2} {
				runs++
				t.Run(fmt.Sprintf("%s, %s, %d", name, kind, connections), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						cfg := cfg
						cfg.Without = without
						s, server := meet(t, cfg, Options{MaxConnections: connections})
						list, want := assorted(t, messages)
						began := time.Now()
						results := sendAll(t, t.Context(), s, list)
						// A server that offers PIPELINING and loses commands that come together
						// is detected by its silence; messages on the wire by then are in doubt.
						loses := slices.ContainsFunc(cfg.Quirks, func(q sandbox.Quirk) bool { return q == sandbox.LosesGroup || q == sandbox.LosesMail })
						for i := range results {
							if loses && kind == "chunking" && results[i].Outcomes[0].Status == smtp.Unknown {
								results[i].Outcomes[0].Status, want[i] = smtp.Refused, smtp.Refused
							}
						}
						holds(t, server, results, want)
						if took := time.Since(began); took > time.Second && !loses {
							t.Errorf("it took %s", took)
						}
					})
				})
			}
		}
	}
	if runs != 2*3*(7+len(sandbox.Quirks())-1) {
		t.Errorf("%d runs", runs)
	}
}

// holds compares results with the expected ones and with the server's messages.
func holds(t *testing.T, server *sandbox.Server, results []smtpclient.Result, want []smtp.Status) {
	t.Helper()
	copies := map[string]int{}
	for _, m := range server.Messages() {
		copies[string(m.Data)]++
	}
	for i, r := range results {
		if o := r.Outcomes[0]; o.Status != want[i] {
			t.Errorf("message %d: %s, want %s", i, o, want[i])
		}
		data := fmt.Sprintf("Subject: %d\r\n\r\nhello\r\n.dots\r\n", i)
		if n := copies[data]; n != map[bool]int{true: 1}[want[i] == smtp.Accepted] {
			t.Errorf("message %d is there %d times", i, n)
		}
		delete(copies, data)
	}
	for data := range copies {
		t.Errorf("the server has %q", data)
	}
}

// A server that is configured to read on after a message, but does not: refused or lost messages
// are sent again, and the others too, without that.
func TestMessagesThatCanNotBePipelined(t *testing.T) {
	t.Parallel()
	for _, quirk := range []sandbox.Quirk{sandbox.RefusesAfterDot, sandbox.LosesAfterDot, sandbox.LosesMail} {
		t.Run(string(quirk), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, server := meet(t, sandbox.Config{Without: []string{"CHUNKING"}, Quirks: []sandbox.Quirk{quirk}},
					Options{MaxConnections: 2, PipelineMessages: smtpclient.AllServers})
				list, want := assorted(t, 60)
				began := time.Now()
				holds(t, server, sendAll(t, t.Context(), s, list), want)
				if took := time.Since(began); took > time.Minute {
					t.Errorf("it took %s", took)
				}
				// The transport remembers it.
				connections := len(server.Connections())
				results := sendAll(t, t.Context(), s, mails(t, 30))
				if n := count(results, smtp.Accepted); n != 30 || len(server.Connections()) != connections {
					t.Errorf("%d accepted, over %d new connections", n, len(server.Connections())-connections)
				}
			})
		})
	}
}

// EHLO is sent again after the login only if a message needs an extension that was not offered
// before.
func TestExtensionsListedAfterTheLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hellos := 0
		cfg := sandbox.Config{Quirks: []sandbox.Quirk{sandbox.DSNAfterLogin}, AllowCleartextPassword: true,
			Log: func(e sandbox.LogEvent) {
				if e.Side == sandbox.FromClient && strings.HasPrefix(e.Text, "EHLO") {
					hellos++
				}
			}}
		s, server := meet(t, cfg, Options{User: "me@example.org", Password: sandbox.Password, AllowCleartextPassword: true, MaxConnections: 1})
		plain := mails(t, 2)
		for i, r := range sendAll(t, t.Context(), s, plain) {
			if r.Outcomes[0].Status != smtp.Accepted || hellos != 1 {
				t.Errorf("message %d: %s, after %d EHLOs", i, r.Outcomes[0], hellos)
			}
		}
		for range 3 {
			m := mails(t, 1)[0]
			var err error
			if m.Envelope, err = m.Envelope.WithDSN(smtp.DSN{Notify: []string{"NEVER"}}); err != nil {
				t.Fatal(err)
			}
			if o := s.Send(t.Context(), m).Outcomes[0]; o.Status != smtp.Accepted {
				t.Errorf("%s", o)
			}
		}
		list := server.Messages()
		if len(list) != 5 || hellos != 2 || list[4].RcptParams[0]["NOTIFY"] != "NEVER" {
			t.Errorf("%d messages, %d EHLOs, the last with %v", len(list), hellos, list[len(list)-1].RcptParams)
		}
	})
}

// A relay leaves a request for notifications out only at a server that offers DSN neither before nor
// after the login.
func TestNotificationsThatARelayDrops(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config sandbox.Config
		drop   bool
		status smtp.Status
		notify string
	}{
		"offered":               {sandbox.Config{}, true, smtp.Accepted, "NEVER"},
		"offered after AUTH":    {sandbox.Config{Quirks: []sandbox.Quirk{sandbox.DSNAfterLogin}}, true, smtp.Accepted, "NEVER"},
		"not offered":           {sandbox.Config{Without: []string{"DSN"}}, true, smtp.Accepted, ""},
		"not offered, required": {sandbox.Config{Without: []string{"DSN"}}, false, smtp.NotTried, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c.config.AllowCleartextPassword = true
				s, server := meet(t, c.config, Options{User: "me@example.org", Password: sandbox.Password, AllowCleartextPassword: true})
				m := mails(t, 1)[0]
				var err error
				if m.Envelope, err = m.Envelope.WithDSN(smtp.DSN{Return: "HDRS", EnvelopeID: "x", Notify: []string{"NEVER"}}); err != nil {
					t.Fatal(err)
				}
				m.DropDSN = c.drop
				if o := s.Send(t.Context(), m).Outcomes[0]; o.Status != c.status {
					t.Fatalf("%s, want %s", o, c.status)
				}
				for _, got := range server.Messages() {
					if got.RcptParams[0]["NOTIFY"] != c.notify || (got.MailParams["ENVID"] != "") != (c.notify != "") {
						t.Errorf("MAIL %v, RCPT %v", got.MailParams, got.RcptParams)
					}
				}
			})
		})
	}
}

// A refusal of MAIL that may concern the connection is retried on a new one, and counts there.
func TestRefusalOfMailAboutTheConnection(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]int{
		"421 4.3.2 closing": 2,
		"452 4.5.3 Too many recipients: Too many messages sent": 2,
		"450 4.5.3 too many messages":                           2,
		"550 5.5.3 too many messages":                           2,
		"451 4.4.2 Timeout waiting for data from client.":       2,
		"451 4.4.2 idle for too long":                           2,
		"452 4.3.1 Insufficient system storage":                 1,
		"450 4.1.8 Domain not found":                            1,
		"550 5.7.1 no":                                          1,
	} {
		t.Run(reply, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, caps []string) {
				for _, ends := range []string{"", "bye "} {
					f := &fake{caps: caps, answer: func(a ask) string {
						if a.verb == "MAIL" && a.connection == 1 && a.message == 2 {
							return ends + reply
						}
						return ""
					}}
					s := f.transport(t, Options{MaxConnections: 1, Patience: time.Hour})
					var results []smtpclient.Result
					for _, m := range mails(t, 3) {
						results = append(results, s.Send(t.Context(), m))
						time.Sleep(300 * time.Millisecond)
					}
					agrees(t, f, results)
					accepted := count(results, smtp.Accepted)
					if f.connections != want || accepted != 1+want {
						t.Errorf("%q: %d connections, %d accepted, %v", ends, f.connections, accepted, results[2].Outcomes)
					}
				}
			})
		})
	}
}

// On a new connection the same text concerns the message.
func TestRefusalOfTheFirstMailCounts(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps, answer: func(a ask) string {
			if a.verb == "MAIL" && a.from == "m0" {
				return "452 4.5.3 too many"
			}
			return ""
		}}
		s := f.transport(t, Options{MaxConnections: 1})
		results := sendAll(t, t.Context(), s, mails(t, 3))
		agrees(t, f, results)
		if results[0].Outcomes[0].Status != smtp.Deferred || count(results, smtp.Accepted) != 2 {
			t.Errorf("%v", results)
		}
	})
}
