package sandbox

import (
	"slices"
	"strings"
	"testing"
)

// A client that does not send RSET after a refused BDAT LAST is caught: its
// next sender is refused, and its next message reaches the old recipients.
func TestKeepsTransaction(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Quirks: []Quirk{KeepsTransaction}})
	c := hello(t, s)
	c.want("250", "MAIL FROM:<me@example.org>")
	c.want("250", "RCPT TO:<a@example.com>")
	c.want("250", "RCPT TO:<body-550@example.com>")
	c.want("550", "BDAT 2 LAST", "")
	c.want("503", "MAIL FROM:<me@example.org>")
	c.want("250", "RCPT TO:<b@example.com>")
	c.want("250", "BDAT 3 LAST\r\nx")
	if got := s.Messages(); len(got) != 1 || !slices.Equal(got[0].To, []string{"a@example.com", "body-550@example.com", "b@example.com"}) || string(got[0].Data) != "x\r\n" {
		t.Errorf("got %+v", got)
	}
	c.want("250", "MAIL FROM:<me@example.org>") // an accepted message ends its transaction
	c.want("550", "RCPT TO:<rcpt-550@example.com>")
	c.want("554", "BDAT 3 LAST\r\nx")
	c.want("503", "MAIL FROM:<me@example.org>")
	c.want("250", "RSET")
	c.want("250", "MAIL FROM:<me@example.org>")
	c.want("250", "RCPT TO:<c@example.com>")
	c.want("250", "BDAT 3 LAST\r\nx")
	if got := s.Messages(); len(got) != 2 || !slices.Equal(got[1].To, []string{"c@example.com"}) {
		t.Errorf("got %+v", got)
	}
	wantViolations(t, s, "MAIL inside a transaction", "MAIL inside a transaction")
}

func TestLosesGroup(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Quirks: []Quirk{LosesGroup}})
	c := hello(t, s)
	c.send("MAIL FROM:<me@example.org>\r\nRCPT TO:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n")
	c.mustRead("250 2.1.0")
	c.want("554", "DATA") // the server has seen no recipient
	c.want("250", "RCPT TO:<a@example.com>")
	c.want("354", "DATA")
	c.send("x\r\n.\r\nMAIL FROM:<me@example.org>\r\n")
	c.mustRead("250 2.0.0 Ok: queued")
	c.want("503", "RCPT TO:<a@example.com>") // MAIL was lost
	c.want("250", "MAIL FROM:<me@example.org>")
	c.want("250", "RCPT TO:<a@example.com>")
	c.send("BDAT 3 LAST\r\nx\r\nRSET\r\n") // the octets of a chunk belong to it
	c.mustRead("250 2.0.0 Ok: queued")
	c.want("221", "QUIT")
	if s.Received() != 2 {
		t.Errorf("%d messages", s.Received())
	}
	wantViolations(t, s)
}

func TestLosesMail(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Quirks: []Quirk{LosesMail}})
	c := hello(t, s)
	const mail = "MAIL FROM:<me@example.org>\r\nRCPT TO:<a@example.com>\r\n"
	c.send(mail + "DATA\r\n") // the first MAIL was sent alone
	for _, want := range []string{"250 2.1.0", "250 2.1.5", "354"} {
		c.mustRead(want)
	}
	c.send("x\r\n.\r\n" + mail + "DATA\r\n")
	for _, want := range []string{"250 2.0.0 Ok: queued", "503", "554"} {
		c.mustRead(want)
	}
	c.want("221", "QUIT")
	wantViolations(t, s)
}

// A fault of stage data that only disturbs the transport of a reply does not
// make the reply to BDAT LAST wrong.
func TestWhatBDATSaysIsTrue(t *testing.T) {
	t.Parallel()
	for fault, kept := range map[string]int{"data-drip": 1, "data-frame": 1, "data-250": 1, "data-450": 0, "data-cut": 0, "data-half": 0} {
		s := start(t, Config{})
		c := hello(t, s)
		c.want("250", "MAIL FROM:<me@example.org>")
		c.want("250", "RCPT TO:<"+fault+"@example.com>")
		c.send("BDAT 3 LAST\r\nx\r\n")
		a := c.read(patient)
		if s.Received() != kept {
			t.Errorf("%s: %d messages kept, answer %q", fault, s.Received(), a.raw)
		}
	}
}

// Committed gets each recipient once, and gets the message before its reply is
// sent.
func TestLedger(t *testing.T) {
	t.Parallel()
	var ledger []Message
	s := start(t, Config{Discard: true, Committed: func(m Message) { ledger = append(ledger, m) }})
	c := hello(t, s)
	c.want("250", "MAIL FROM:<me@example.org>")
	for _, to := range []string{"a@example.com", "b@example.com", "a@example.com", "body-cut@example.com"} {
		c.want("250", "RCPT TO:<"+to+">")
	}
	c.want("354", "DATA")
	c.send("x\r\n.\r\n")
	c.wantEnd()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if len(ledger) != 1 || strings.Join(ledger[0].To, " ") != "a@example.com b@example.com body-cut@example.com" || ledger[0].Repeated != 1 || ledger[0].Conn != 1 {
		t.Errorf("the ledger has %+v", ledger)
	}
}

// BINARYMIME is offered only with CHUNKING.
func TestBinaryMIME(t *testing.T) {
	t.Parallel()
	for profile, want := range map[string]bool{Plain: true, "microsoft365": true, "gmail": false, "qq": false, "netease": false} {
		p, err := findProfile(profile)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.ehloOffer(Config{}, true, false).caps.Has("BINARYMIME"); got != want {
			t.Errorf("%s: BINARYMIME %v", profile, got)
		}
		if p.ehloOffer(Config{Without: []string{"CHUNKING"}}, true, false).caps.Has("BINARYMIME") {
			t.Errorf("%s: BINARYMIME without CHUNKING", profile)
		}
	}
	s := start(t, Config{Without: []string{"8BITMIME"}})
	c := hello(t, s)
	c.want("250", "MAIL FROM:<me@example.org> BODY=BINARYMIME")
	c.want("250", "RCPT TO:<a@example.com>")
	c.want("503", "DATA")
	c.want("250", "BDAT 4 LAST\r\n\x00\n")
	if got := s.Messages(); len(got) != 1 || string(got[0].Data) != "\x00\n\r\n" {
		t.Errorf("got %+v", got)
	}
	wantViolations(t, s, "DATA for a message of BODY=BINARYMIME")
}
