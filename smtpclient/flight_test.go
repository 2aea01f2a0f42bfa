package smtpclient_test

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

func recipients(n int) []string {
	to := make([]string, n)
	for i := range to {
		to[i] = fmt.Sprintf("recipient%d@example.net", i)
	}
	return to
}

// The flights of one message, for 1 and for 50 recipients.
func TestFlights(t *testing.T) {
	t.Parallel()
	data := text{data: hello}
	large := text{data: strings.Repeat(hello, 1<<20/len(hello)+1)}
	for _, tc := range []struct {
		name    string
		caps    []string
		policy  smtpclient.Policy
		content text
		one     int // flights with one recipient
		fifty   int
	}{
		{"lock-step", nil, smtpclient.Any, data, 4, 53},
		{"PIPELINING", []string{"PIPELINING"}, smtpclient.Any, data, 2, 2},
		{"PIPELINING, All", []string{"PIPELINING"}, smtpclient.All, data, 2, 2},
		{"CHUNKING", []string{"PIPELINING", "CHUNKING"}, smtpclient.Any, data, 1, 1},
		{"CHUNKING, All", []string{"PIPELINING", "CHUNKING"}, smtpclient.All, data, 1, 2},
		{"CHUNKING, large", []string{"PIPELINING", "CHUNKING"}, smtpclient.Any, large, 2, 2},
	} {
		for n, want := range map[int]int{1: tc.one, 50: tc.fifty} {
			t.Run(fmt.Sprintf("%s, %d", tc.name, n), func(t *testing.T) {
				t.Parallel()
				cfg, rec, done := pipe(plainConfig(), func(conn net.Conn) {
					(&simple{caps: tc.caps}).serve(&batched{Conn: conn})
				})
				conn, err := smtpclient.Dial(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				rec.flown()
				tx := smtpclient.Transaction{Envelope: envelope(t, "a@x.org", recipients(n)...), Content: tc.content, Policy: tc.policy}
				r := conn.Send(t.Context(), tx)
				if got := rec.flown(); got != want {
					t.Errorf("%d flights, want %d", got, want)
				}
				for _, o := range r.Outcomes {
					if o.Status != smtp.Accepted {
						t.Fatalf("outcome %v", o)
					}
				}
				conn.Close()
				<-done
			})
		}
	}
}

// batched holds the server's replies back until it wants to read again and has handled all input:
// to the client it looks like a server behind a slow link.
type batched struct {
	net.Conn
	replies bytes.Buffer
}

func (b *batched) Write(p []byte) (int, error) { return b.replies.Write(p) }

func (b *batched) Read(p []byte) (int, error) {
	if b.replies.Len() > 0 {
		if _, err := b.Conn.Write(b.replies.Next(b.replies.Len())); err != nil {
			return 0, err
		}
	}
	return b.Conn.Read(p)
}

// A server that does not read on before its replies are read, and 20,000 recipients: there is no
// deadlock.
func TestManyRecipientsDoNotDeadlock(t *testing.T) {
	t.Parallel()
	const many = 20_000
	for way, caps := range ways() {
		if !slices.Contains(caps, "PIPELINING") {
			continue
		}
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			server := &simple{caps: caps, reply: map[string]string{"RCPT TO:<recipient7@example.net>": "550 no"}}
			cfg, _, done := pipe(plainConfig(), server.serve)
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			r := conn.Send(t.Context(), smtpclient.Transaction{Envelope: envelope(t, "a@x.org", recipients(many)...), Content: text{data: hello}})
			accepted := 0
			for i, o := range r.Outcomes {
				if o.Status == smtp.Accepted {
					accepted++
				} else if i != 7 || o.Status != smtp.Refused {
					t.Fatalf("outcome %v", o)
				}
			}
			if accepted != many-1 {
				t.Errorf("%d accepted", accepted)
			}
			conn.Quit(t.Context())
			<-done
			if got := server.taken(); len(got) != 1 || got[0] != hello {
				t.Errorf("the server has %q", got)
			}
		})
	}
}

// Unsolicited octets would shift every reply by one. They end the connection; earlier acceptances
// stay.
func TestUnaskedBytesEndTheConnection(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ verb, reply, first, second string }{
		{"EHLO", "250-x\r\n250 PIPELINING\r\n250 extra", "not-tried@mail 250 (the server sent data without a command)", ""},
		{"DATA", "354 go\r\n250 queued", "not-tried@body 250 (the server's replies do not match the commands it was sent: the server sent data without a command)", "not-tried@mail (the connection is closed)"},
		{"DATA", "354 go\r\n421 closing", "not-tried@body 421 (body: 421 closing: the server sent data without a command)", "not-tried@mail 421 (the connection is closed)"},
	} {
		t.Run(tc.verb+" "+tc.reply[len(tc.reply)-5:], func(t *testing.T) {
			t.Parallel()
			server := &simple{caps: []string{"PIPELINING"}, reply: map[string]string{tc.verb: tc.reply}}
			cfg, _, done := pipe(plainConfig(), server.serve)
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			tx := smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: hello}}
			if got := describe(conn.Send(t.Context(), tx)); got != tc.first {
				t.Errorf("outcome %s, want %s", got, tc.first)
			}
			if conn.Usable() {
				t.Error("the connection is used on")
			}
			if got := describe(conn.Send(t.Context(), tx)); tc.second != "" && got != tc.second {
				t.Errorf("then %s, want %s", got, tc.second)
			}
			<-done
			if got := server.taken(); len(got) > 0 {
				t.Errorf("the server has %q", got)
			}
		})
	}
}

// Replies that never end, are too long or are not SMTP are limited at every stage.
func TestUnboundedReplies(t *testing.T) {
	t.Parallel()
	endless := map[string]string{
		"never ends": "250-x\r\n",
		"long line":  "250 " + strings.Repeat("x", 8000),
		"much text":  "250-" + strings.Repeat("x", 4000) + "\r\n",
		"no SMTP":    "HTTP/1.1 400 Bad Request\r\n",
	}
	for name, said := range endless {
		for _, verb := range []string{"EHLO", "MAIL", "RCPT", "DATA", "."} {
			t.Run(name+"/"+verb, func(t *testing.T) {
				t.Parallel()
				said := said
				if verb == "DATA" {
					said = strings.ReplaceAll(said, "250", "354")
				}
				cfg, _, done := pipe(plainConfig(), func(conn net.Conn) {
					(&simple{}).serve(&endlessAfter{Conn: conn, verb: verb, said: said})
				})
				var got string
				conn, err := smtpclient.Dial(t.Context(), cfg)
				if err != nil {
					got = err.Error()
				} else {
					got = describe(conn.Send(t.Context(), smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: hello}}))
					conn.Quit(t.Context())
				}
				want := "not-tried@"
				if verb == "." {
					want = "unknown@body"
				} else if verb == "EHLO" {
					want = "ehlo: "
				}
				if !strings.HasPrefix(got, want) || !strings.Contains(got, "not an SMTP reply") || len(got) > 500 {
					t.Errorf("outcome %.300s", got)
				}
				<-done
			})
		}
	}
}

// endlessAfter answers a command with the same text without end.
type endlessAfter struct {
	net.Conn
	verb, said string
	heard      bool
}

func (e *endlessAfter) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	e.heard = e.heard || strings.Contains("\r\n"+string(p[:n]), "\r\n"+e.verb)
	return n, err
}

func (e *endlessAfter) Write(p []byte) (int, error) {
	for e.heard {
		if _, err := e.Conn.Write([]byte(e.said)); err != nil {
			return 0, err
		}
	}
	return e.Conn.Write(p)
}
