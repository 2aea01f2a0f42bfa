package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/smtp"
)

// Turns counts how often the client had to wait: the figure by which senders
// are compared.
func TestTurns(t *testing.T) {
	t.Parallel()
	const mail = "MAIL FROM:<me@example.org>\r\nRCPT TO:<a@example.com>\r\n"
	for _, test := range []struct {
		name  string
		sends []string // each one write; the answers are read before the next
		want  int
	}{
		{"one by one", []string{"MAIL FROM:<me@example.org>\r\n", "RCPT TO:<a@example.com>\r\n", "DATA\r\n", "x\r\n.\r\n"}, 4},
		{"pipelined DATA", []string{mail + "DATA\r\n", "x\r\n.\r\n"}, 2},
		{"BDAT", []string{mail + "BDAT 3 LAST\r\nx\r\n"}, 1},
		{"a run of DATA", []string{mail + "DATA\r\n", "x\r\n.\r\n" + mail + "DATA\r\n", "x\r\n.\r\n"}, 3},
		{"a run of BDAT", []string{mail + "BDAT 3 LAST\r\nx\r\n" + mail + "BDAT 3 LAST\r\nx\r\n" + mail + "BDAT 3 LAST\r\nx\r\n"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, Config{})
			c := login(t, s, "me@example.org")
			before := s.Connections()[0].Turns
			if before != 4 { // EHLO, STARTTLS, EHLO, AUTH; the handshake is not counted
				t.Errorf("%d turns up to AUTH", before)
			}
			for _, flight := range test.sends {
				c.send(flight)
				for range repliesTo(flight) {
					if a := c.read(patient); a.kind != replied || a.code > "400" {
						t.Fatalf("%s %q", a.kind, a.raw)
					}
				}
			}
			if got := s.Connections()[0].Turns - before; got != test.want {
				t.Errorf("%d turns, want %d", got, test.want)
			}
		})
	}
}

// repliesTo counts the commands and final dots of a flight.
func repliesTo(flight string) int {
	n := 0
	for line := range strings.Lines(flight) {
		if line != "x\r\n" {
			n++
		}
	}
	return n
}

// A chunk that comes late is no turn: the client did not wait for a reply.
func TestTurnsOfALateChunk(t *testing.T) {
	t.Parallel()
	s := start(t, Config{})
	c := login(t, s, "")
	before := s.Connections()[0].Turns
	c.send("MAIL FROM:<me@example.org>\r\nRCPT TO:<a@example.com>\r\nBDAT 10 LAST\r\n12345678")
	for range 2 {
		c.read(patient) // the server answers MAIL and RCPT while it waits for the chunk
	}
	c.want("250", "") // the last two octets
	if got := s.Connections()[0].Turns - before; got != 1 {
		t.Errorf("%d turns, want 1", got)
	}
}

func TestMessageIsKeptAsReceived(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
	s := start(t, Config{Now: func() time.Time { return now }})
	c := login(t, s, "me@example.org")
	c.want("250", "MAIL FROM:<me@example.org> SIZE=30 BODY=8BITMIME RET=HDRS")
	c.want("250", "RCPT TO:<a@example.com> NOTIFY=NEVER")
	c.want("550", "RCPT TO:<rcpt-550@example.com>")
	c.want("250", "RCPT TO:<b@example.com>")
	c.want("354", "DATA")
	c.want("250 2.0.0 Ok: queued as ", "Subject: x", "", "..", "...", "..a", "你", ".")
	want := []Message{{
		Conn: 1, ID: "6A44C9000001", Time: now, TLS: true, Login: "me@example.org", From: "me@example.org",
		To:         []string{"a@example.com", "b@example.com"},
		MailParams: params{"SIZE": "30", "BODY": "8BITMIME", "RET": "HDRS"},
		RcptParams: []map[string]string{{"NOTIFY": "NEVER"}, {}},
		Data:       []byte("Subject: x\r\n\r\n.\r\n..\r\n.a\r\n你\r\n"),
	}}
	got := s.Messages()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if c := s.Connections()[0]; c.Messages != 1 || c.Login != "me@example.org" || !c.TLS || !c.Open {
		t.Errorf("%+v", c)
	}
	checkViolations(t, s, "")
}

// Chunks are joined, whatever they contain, and a spoiled transaction stays
// spoiled.
func TestChunks(t *testing.T) {
	t.Parallel()
	s := start(t, Config{MaxSize: 1000})
	c := login(t, s, "")
	begin := func() {
		c.want("250", "MAIL FROM:<me@example.org>")
		c.want("250", "RCPT TO:<a@example.com>")
	}
	begin()
	c.send("BDAT 7\r\n.\r\n..\r\n")
	c.mustRead("250 2.0.0 7 octets received")
	c.send("BDAT 5\r\nQUIT\r")
	c.mustRead("250 2.0.0 5 octets")
	c.send("BDAT 1\r\n\n")
	c.mustRead("250 2.0.0 1 octets")
	if got := s.Received(); got != 0 {
		t.Fatalf("%d messages before LAST", got)
	}
	c.send("BDAT 0 LAST\r\n")
	c.mustRead("250 2.0.0 Ok: queued")
	if got := string(s.Messages()[0].Data); got != ".\r\n..\r\nQUIT\r\n" || !s.Messages()[0].Chunked {
		t.Errorf("%q", got)
	}
	begin()
	c.send("BDAT 1001\r\n" + strings.Repeat("x", 1001))
	c.mustRead("552 5.3.4")
	c.send("BDAT 1 LAST\r\nx") // RFC 3030 section 2: after a failure all fail
	c.mustRead("554")
	c.send("BDAT 5 LAST\r\nNOOP\n")
	c.mustRead("503")
	c.want("250", "RSET")
	if s.Received() != 1 {
		t.Errorf("%d messages", s.Received())
	}
	checkViolations(t, s, "")
}

func (c *client) mustRead(prefix string) {
	c.t.Helper()
	if a := c.read(patient); a.kind != replied || !strings.HasPrefix(a.raw, prefix) {
		c.t.Fatalf("got %s %q, want %q", a.kind, a.raw, prefix)
	}
}

// The faults of stage data, with BDAT.
func TestFaultsOfChunks(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]struct {
		kind kind
		code string
		kept int
	}{
		"data-451":       {replied, "451", 0},
		"data-cut":       {closed, "", 0},
		"data-cut-500":   {aborted, "", 0},
		"data-stall-500": {stalled, "", 0},
		"data-421-500":   {replied, "421", 0},
		"body-554":       {replied, "554", 0},
		"body-cut":       {closed, "", 1},
		"body-garbage":   {garbled, "", 1},
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			s := start(t, Config{})
			c := login(t, s, "")
			c.want("250", "MAIL FROM:<me@example.org>")
			c.want("250", "RCPT TO:<"+word+"@example.com>")
			c.send("BDAT 1002 LAST\r\n" + strings.Repeat("0123456789\r\n", 84)[:1002])
			patience := patient
			if want.kind == stalled {
				patience = 30 * time.Millisecond
			}
			a := c.read(patience)
			if a.kind != want.kind && !(want.kind == aborted && a.kind == closed) || a.code != want.code {
				t.Errorf("got %s %q", a.kind, a.raw)
			}
			if got := s.Received(); got != want.kept {
				t.Errorf("%d messages kept, want %d", got, want.kept)
			}
		})
	}
}

// LMTP sends each recipient a reply (RFC 2033).
func TestLMTP(t *testing.T) {
	t.Parallel()
	s := start(t, Config{LMTPAddr: "127.0.0.1:0"})
	c := dial(t, s, s.LMTPAddr())
	c.wantGreeting()
	c.want("250", "LHLO client.example")
	c.want("250", "MAIL FROM:<>")
	c.want("250", "RCPT TO:<a@example.com>")
	c.want("250", "RCPT TO:<body-452-4.2.2+Mailbox_full@example.com>")
	c.want("550", "RCPT TO:<rcpt-550@example.com>")
	c.want("250", "RCPT TO:<b@example.com>")
	c.want("354", "DATA")
	c.want("250", "Subject: x", "", "x", ".")
	c.mustRead("452 4.2.2 Mailbox full")
	c.mustRead("250")
	c.want("502", "EHLO client.example")
	c.want("221", "QUIT")
	var to []string
	for _, m := range s.Messages() {
		to = append(to, m.To...)
	}
	if strings.Join(to, " ") != "a@example.com b@example.com" {
		t.Errorf("kept for %v", to)
	}
	checkViolations(t, s, "EHLO where it does not belong")
}

func TestMaildir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, Config{Maildir: dir})
	c := login(t, s, "")
	for range 2 {
		c.want("250", "MAIL FROM:<me@example.org>")
		c.want("250", "RCPT TO:<friend@163.com>")
		c.want("250", `RCPT TO:<"a/b:c"@example.com>`)
		c.want("354", "DATA")
		c.want("250", "Subject: x", "", "..x", ".")
	}
	for folder, address := range map[string]string{
		"friend@163.com":              "friend@163.com",
		"%22a%2Fb%3Ac%22@example.com": `"a/b:c"@example.com`,
	} {
		for sub, want := range map[string]int{"new": 2, "tmp": 0, "cur": 0} {
			files, err := os.ReadDir(filepath.Join(dir, folder, sub))
			if err != nil || len(files) != want {
				t.Fatalf("%s/%s: %d files, %v", folder, sub, len(files), err)
			}
			for _, f := range files {
				if strings.ContainsAny(f.Name(), `:/\`) {
					t.Errorf("%q is not a valid name on Windows", f.Name())
				}
				got, err := os.ReadFile(filepath.Join(dir, folder, sub, f.Name()))
				want := "Return-Path: <me@example.org>\nDelivered-To: " + address + "\nSubject: x\n\n.x\n"
				if err != nil || string(got) != want {
					t.Errorf("got %q, %v", got, err)
				}
			}
		}
	}
}

// A Maildir that can't be written gives a temporary failure, and the message is
// not kept.
func TestMaildirFails(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{Maildir: file})
	c := login(t, s, "")
	c.want("250", "MAIL FROM:<me@example.org>")
	c.want("250", "RCPT TO:<a@example.com>")
	c.want("354", "DATA")
	c.want("451 4.3.0", "x", ".")
	if s.Received() != 0 {
		t.Error("counted although it was not kept")
	}
}

// A large message in pieces of every size, through the smallest buffers.
func TestLargeMessage(t *testing.T) {
	t.Parallel()
	s := start(t, Config{})
	c := login(t, s, "")
	line := strings.Repeat("0123456789", 9) + "\r\n"
	text := strings.Repeat(line+"..dot\r\n", 50_000)
	c.want("250", "MAIL FROM:<me@example.org>")
	c.want("250", "RCPT TO:<a@example.com>")
	c.want("354", "DATA")
	c.send(text + ".\r\n")
	c.mustRead("250")
	want := strings.ReplaceAll(text, "\r\n..", "\r\n.")
	if got := s.Connections()[0].Turns; got != 3+4 { // however many reads it takes
		t.Errorf("%d turns", got)
	}
	if got := s.Messages()[0].Data; !bytes.Equal(got, []byte(want)) {
		t.Errorf("%d octets, want %d", len(got), len(want))
	}
}

// Discard keeps the count only.
func TestDiscard(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Discard: true})
	c := login(t, s, "")
	c.want("250", "MAIL FROM:<me@example.org>")
	c.want("250", "RCPT TO:<a@example.com>")
	c.want("354", "DATA")
	c.want("250", ".")
	if s.Received() != 1 || len(s.Messages()) != 0 {
		t.Errorf("%d received, %d kept", s.Received(), len(s.Messages()))
	}
	if _, err := s.WaitMessages(deadline(t), 1); err != nil {
		t.Error(err)
	}
}

// Without ENHANCEDSTATUSCODES the replies contain no enhanced codes.
func TestWithoutExtensions(t *testing.T) {
	t.Parallel()
	for _, keyword := range []string{"PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "SIZE", "DSN", "ENHANCEDSTATUSCODES", "AUTH", "STARTTLS"} {
		s := start(t, Config{Without: []string{strings.ToLower(keyword)}})
		for _, secure := range []bool{false, true} {
			offered := s.profile.ehloOffer(s.cfg, secure, true).caps
			if offered.Has(keyword) {
				t.Errorf("%s is still offered, TLS %v", keyword, secure)
			}
			if len(offered.Keywords()) < 7 {
				t.Errorf("without %s: only %v", keyword, offered.Keywords())
			}
		}
	}
	s := start(t, Config{Without: []string{"ENHANCEDSTATUSCODES"}})
	login(t, s, "").want("250 Sender ok", "MAIL FROM:<me@example.org>")
}

// Faults can be added to a running server.
func TestAddFault(t *testing.T) {
	t.Parallel()
	s := start(t, Config{})
	if err := s.AddFault(Fault{Stage: smtp.StageTLS, Action: Drip}); err == nil {
		t.Error("no error for a fault that can't be")
	}
	if err := s.AddFault(Fault{Stage: smtp.StageGreeting, Action: Reply, Code: 554}); err != nil {
		t.Fatal(err)
	}
	if a := dial(t, s, s.SubmissionAddr()).read(patient); a.code != "554" {
		t.Errorf("%s %q", a.kind, a.raw)
	}
}

func ExampleParseFault() {
	f, err := ParseFault("rcpt-450-4.2.1+Mailbox_busy")
	fmt.Println(f.Stage, f.Action, f.Code, f.Enhanced, f.Text, err)
	// Output: rcpt reply 450 4.2.1 Mailbox busy <nil>
}

// A message far beyond the limit is refused before its end.
func TestFarTooLarge(t *testing.T) {
	t.Parallel()
	s := start(t, Config{MaxSize: 1000})
	c := login(t, s, "")
	c.want("250", "MAIL FROM:<me@example.org>")
	c.want("250", "RCPT TO:<a@example.com>")
	c.want("354", "DATA")
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		line := []byte(strings.Repeat("0123456789", 90) + "\r\n")
		for range maxExcess/len(line) + 100 { // no final dot
			if _, err := c.conn.Write(line); err != nil {
				return
			}
		}
	}()
	c.mustRead("552 5.3.4")
	<-sent
	c.wantEnd()
}

// The oldest messages are dropped for new ones; the count stays.
func TestStoreIsBounded(t *testing.T) {
	t.Parallel()
	kept := newStore(Config{})
	kept.limit = 10
	for i := range 4 {
		if err := kept.keepMessage(Message{ID: fmt.Sprint(i), Data: make([]byte, 4)}); err != nil {
			t.Fatal(err)
		}
	}
	if got := kept.listMessages(); len(got) != 2 || got[0].ID != "2" || kept.received != 4 || kept.kept != 8 {
		t.Errorf("%+v, %d received", got, kept.received)
	}
}
