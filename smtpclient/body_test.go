package smtpclient_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

func plainConfig() smtpclient.Config { return smtpclient.Config{Security: smtpclient.Plaintext} }

// ways are the four ways in which a message is sent.
func ways() map[string][]string {
	return map[string][]string{
		"DATA": nil, "DATA pipelined": {"PIPELINING"},
		"BDAT": {"CHUNKING"}, "BDAT pipelined": {"PIPELINING", "CHUNKING"},
	}
}

var errDisk = errors.New("the disk is gone")

// A message that can't be read to its end, or that contradicts its announced properties, is never
// ended on the wire: the server sees neither a dot nor a whole chunk.
func TestTruncatedMessageNeverEnds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(strings.Repeat("x", 76)+"\r\n", 1000)
	line := strings.Repeat("x", 100_000) // longer than any buffer
	size := func(s string) int64 { return int64(len(s)) }
	broken := map[string]text{
		"error at once":                     {size: 100, err: errDisk},
		"error in the middle":               {data: hello, size: size(hello) + 10, err: errDisk},
		"error in a long message":           {data: long, size: size(long) + 10, err: errDisk},
		"error behind the last octet":       {data: hello, err: errDisk},
		"error behind a long message":       {data: long, err: errDisk},
		"error behind one long line":        {data: line + "\r\n", err: errDisk},
		"error within one long line":        {data: line, size: size(line) + 2, err: errDisk},
		"too short":                         {data: hello, size: size(hello) + 1},
		"much too short":                    {data: long, size: size(long) * 2},
		"nothing":                           {size: 10},
		"too long":                          {data: hello, size: size(hello) - 1},
		"too long by a line":                {data: long, size: size(long) - 78},
		"too long by one long line":         {data: line + "\r\n" + "y\r\n", size: size(line) + 2, piece: len(line) + 2},
		"no line end":                       {data: "Subject: hi\r\n\r\nHello"},
		"no line end, one long line":        {data: line},
		"CR at the end":                     {data: "Subject: hi\r\n\r\nHello\r"},
		"bare CR":                           {data: "Subject: hi\r\n\r\na\rb\r\n"},
		"bare LF":                           {data: "Subject: hi\r\n\r\na\nb\r\n"},
		"bare LF in a line of usual length": {data: "Subject: hi\r\n\r\nabcdef\r\nabc\nef\r\n"},
		"LF first":                          {data: "\nSubject: hi\r\n"},
		"CR CR LF":                          {data: "Subject: hi\r\n\r\na\r\r\n"},
		"smuggled dot with LF":              {data: "Subject: hi\r\n\r\na\n.\r\nMAIL FROM:<x@y>\r\n"},
		"smuggled dot with CR":              {data: "Subject: hi\r\n\r\na\r.\r\nMAIL FROM:<x@y>\r\n"},
		"bare LF of a source that goes on":  {data: "a\nb\r\nc\r\n", piece: 2, deaf: true},
		"too long of one that goes on":      {data: "abc\r\nd\r\n", size: 5, piece: 4, deaf: true},
	}
	for way, caps := range ways() {
		for name, m := range broken {
			for _, piece := range []int{m.piece, 1, 7, 4096} {
				if m.piece > 0 && piece != m.piece || len(m.data) > 1000 && piece > 0 && piece < 100 {
					continue
				}
				m.piece = piece
				t.Run(fmt.Sprintf("%s/%s/%d", way, name, piece), func(t *testing.T) {
					t.Parallel()
					truncated(t, caps, m)
				})
			}
		}
	}
}

func truncated(t *testing.T, caps []string, m text) {
	server := &simple{caps: caps}
	cfg, rec, done := pipe(plainConfig(), server.serve)
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := conn.Send(t.Context(), smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org", "c@x.org"), Content: m})
	for _, o := range r.Outcomes {
		if o.Status != smtp.NotTried || o.Stage != smtp.StageBody || !errors.Is(o.Err, smtpclient.ErrContent) {
			t.Errorf("outcome %v", o)
		}
		if m.err != nil && m.size <= int64(len(m.data)) && !errors.Is(o.Err, m.err) {
			t.Errorf("the cause is not named: %v", o.Err)
		}
	}
	if conn.Usable() || !r.Reply.IsZero() {
		t.Errorf("usable %v, reply %v", conn.Usable(), r.Reply)
	}
	conn.Quit(t.Context())
	<-done
	if got := server.taken(); len(got) > 0 {
		t.Errorf("the server took %.80q for whole", got)
	}
	if w := rec.written(); strings.HasSuffix(w, "\r\n.\r\n") || strings.Contains(w, "QUIT") {
		t.Errorf("the wire ends with %q", w[max(0, len(w)-40):])
	}
}

// A valid message arrives unchanged, in whatever pieces it is written.
func TestMessageComesThrough(t *testing.T) {
	t.Parallel()
	messages := []string{hello, "\r\n", ".\r\n", "..\r\n.\r\n", "a\r\n.\r\n.\r\nb\r\n", strings.Repeat(".x\r\n", 20_000),
		strings.Repeat("x", 100_000) + "\r\n." + strings.Repeat("y", 40_000) + "\r\n"}
	for way, caps := range ways() {
		for i, data := range messages {
			for _, piece := range []int{0, 1, 3, 4096} {
				if piece == 1 && len(data) > 1000 {
					continue
				}
				t.Run(fmt.Sprintf("%s/%d/%d", way, i, piece), func(t *testing.T) {
					t.Parallel()
					server := &simple{caps: caps}
					cfg, _, done := pipe(plainConfig(), server.serve)
					conn, err := smtpclient.Dial(t.Context(), cfg)
					if err != nil {
						t.Fatal(err)
					}
					var last int64
					tx := smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: data, piece: piece},
						Progress: func(n, size int64) {
							if n < last || n > size || size != int64(len(data)) {
								t.Errorf("progress %d after %d of %d", n, last, len(data))
							}
							last = n
						}}
					for range 2 {
						last = 0
						if r := conn.Send(t.Context(), tx); r.Outcomes[0].Status != smtp.Accepted || r.Reply.Code != 250 {
							t.Errorf("outcome %v", r.Outcomes[0])
						}
						if last != int64(len(data)) {
							t.Errorf("progress ends at %d of %d", last, len(data))
						}
					}
					conn.Quit(t.Context())
					<-done
					if got := server.taken(); len(got) != 2 || got[0] != data || got[1] != data {
						t.Errorf("the server has %.100q", got)
					}
				})
			}
		}
	}
}

func TestEmptyOrMissingMessageIsNotTried(t *testing.T) {
	t.Parallel()
	server := &simple{caps: []string{"PIPELINING", "CHUNKING"}}
	cfg, rec, done := pipe(plainConfig(), server.serve)
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := rec.written()
	for _, tx := range []smtpclient.Transaction{
		{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{}},
		{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: "a\r\n", size: -1}},
		{Envelope: envelope(t, "a@x.org", "b@x.org")},
	} {
		if o := conn.Send(t.Context(), tx).Outcomes[0]; o.Status != smtp.NotTried || o.Err == nil {
			t.Errorf("outcome %v", o)
		}
	}
	if r := conn.Send(t.Context(), smtpclient.Transaction{Content: text{data: hello}}); len(r.Outcomes) != 0 {
		t.Errorf("the zero envelope gave %v", r.Outcomes)
	}
	if rec.written() != before || !conn.Usable() {
		t.Errorf("something was sent: %q", rec.written())
	}
	conn.Quit(t.Context())
	<-done
}

// If a server replies in the middle of a message and hangs up, a refusal counts and a positive
// reply does not.
func TestReplyInTheMiddleOfAMessage(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(strings.Repeat("x", 76)+"\r\n", 20_000)
	for _, tc := range []struct {
		said string
		want string
	}{
		{"552 5.3.4 too much\r\n", "refused@body 552"},
		{"421 closing\r\n", "deferred@body 421"},
		{"250 queued\r\n", "not-tried@body (not an SMTP reply: 250 in answer to the message)"},
		{"354 go on\r\n", "not-tried@body (not an SMTP reply: 354 in answer to the message)"},
		{"nonsense\r\n", `not-tried@body (not an SMTP reply: "nonsense")`},
		{"552", "not-tried@body (unexpected EOF)"},
		{"", "not-tried@body (EOF)"},
	} {
		for way, caps := range ways() {
			for _, hangsUp := range []bool{true, false} {
				if tc.said == "" || tc.said == "552" {
					hangsUp = true
				}
				t.Run(fmt.Sprintf("%s/%.3s/%v", way, tc.said, hangsUp), func(t *testing.T) {
					t.Parallel()
					cfg := plainConfig()
					cfg.Timeouts.Quit = 1 // nanosecond: as soon as the reply is read
					cfg, _, done := pipe(cfg, func(conn net.Conn) { midway(conn, caps, tc.said, hangsUp) })
					conn, err := smtpclient.Dial(t.Context(), cfg)
					if err != nil {
						t.Fatal(err)
					}
					r := conn.Send(t.Context(), smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: long}})
					if got := describe(r); got != tc.want || conn.Usable() {
						t.Errorf("outcome %s, want %s; usable %v", got, tc.want, conn.Usable())
					}
					<-done
				})
			}
		}
	}
}

// If a server replies in the middle of a message and would accept the rest, a refusal counts, a
// positive reply does not, and the rest is not sent.
func TestReplyInTheMiddleOfAMessageThatIsTakenToTheEnd(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(strings.Repeat("x", 76)+"\r\n", 20_000)
	for said, want := range map[string]string{
		"250 queued\r\n":   "not-tried@body (not an SMTP reply: 250 in answer to the message)",
		"552 too much\r\n": "refused@body 552",
	} {
		t.Run(said[:3], func(t *testing.T) {
			t.Parallel()
			cfg, _, done := pipe(plainConfig(), func(conn net.Conn) {
				midway(conn, []string{"PIPELINING"}, said, true)
				_, _ = io.Copy(io.Discard, conn)
			})
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			r := conn.Send(t.Context(), smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: long}})
			if got := describe(r); got != want || conn.Usable() {
				t.Errorf("outcome %s, want %s; usable %v", got, want, conn.Usable())
			}
			<-done
		})
	}
}

// midway accepts everything, reads the first part of the message, sends a given reply, and then
// hangs up, or neither reads nor hangs up before the client.
func midway(conn net.Conn, caps []string, said string, hangsUp bool) {
	early := &simple{caps: caps}
	client, server := net.Pipe()
	defer client.Close()
	go func() { defer server.Close(); early.serve(server) }()
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := client.Read(b)
			if err != nil {
				return
			}
			if _, err := conn.Write(b[:n]); err != nil {
				return
			}
		}
	}()
	b := make([]byte, 4096)
	for total := 0; total < 200_000; {
		n, err := conn.Read(b)
		if err != nil {
			return
		}
		total += n
		if _, err := client.Write(b[:n]); err != nil {
			return
		}
	}
	if _, err := conn.Write([]byte(said)); err != nil || hangsUp {
		return
	}
	_, _ = conn.Write([]byte("250 never read\r\n")) // ends when the client hangs up
}
