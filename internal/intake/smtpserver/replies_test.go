package smtpserver

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/intake/admission"
	"github.com/yanmail/yan/queue"
)

const envelope = "EHLO me\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\n"

// TestReplies has, for each wrong input, the replies and the words that a user sees in the log of the
// client. After each the session goes on, unless the replies end before that of NOOP (250 2.0.0).
func TestReplies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		input string
		want  string // codes, after those of a correct prefix
		words string // in the last refusal
	}{
		{"empty line", "\r\n", "500 5.5.1, 250 2.0.0", "(rule: command)"},
		{"unknown command", "FOO bar\r\n", "500 5.5.1, 250 2.0.0", "see HELP"},
		{"control character", "MAIL\x00 FROM:<a@example.com>\r\n", "500 5.5.2, 250 2.0.0", "(rule: syntax)"},
		{"not UTF-8", "EHLO \xff\r\n", "500 5.5.2, 250 2.0.0", "(rule: syntax)"},
		{"EXPN", "EXPN list\r\n", "502 5.5.1, 250 2.0.0", "EXPN is not offered"},
		{"VRFY", "VRFY root\r\n", "252 2.1.5, 250 2.0.0", ""},
		{"HELP", "HELP\r\n", "214 2.0.0, 250 2.0.0", ""},
		{"EHLO without name", "EHLO\r\n", "501 5.5.4, 250 2.0.0", "EHLO needs the name"},
		{"HELO without name", "HELO \r\n", "501 5.5.4, 250 2.0.0", "HELO needs the name"},
		{"MAIL before EHLO", "MAIL FROM:<a@example.com>\r\n", "503 5.5.1, 250 2.0.0", "EHLO comes first"},
		{"RCPT before MAIL", "EHLO me\r\nRCPT TO:<b@example.com>\r\n", "250, 503 5.5.1, 250 2.0.0", "MAIL comes first"},
		{"DATA before MAIL", "EHLO me\r\nDATA\r\n", "250, 503 5.5.1, 250 2.0.0", "MAIL comes first"},
		{"DATA before RCPT", "EHLO me\r\nMAIL FROM:<>\r\nDATA\r\n", "250, 250 2.1.0, 554 5.5.1, 250 2.0.0", "no recipient was accepted"},
		{"DATA with arguments", envelope + "DATA now\r\n", "250, 250 2.1.0, 250 2.1.5, 501 5.5.4, 250 2.0.0", "no arguments"},
		{"MAIL twice", envelope + "MAIL FROM:<a@example.com>\r\n", "250, 250 2.1.0, 250 2.1.5, 503 5.5.1, 250 2.0.0", "not finished"},
		{"no FROM", "EHLO me\r\nMAIL a@example.com\r\n", "250, 501 5.5.4, 250 2.0.0", "MAIL FROM:<address>"},
		{"open bracket", "EHLO me\r\nMAIL FROM:<a@example.com\r\n", "250, 501 5.5.4, 250 2.0.0", "MAIL FROM:<address>"},
		{"quote without end", "EHLO me\r\nMAIL FROM:<\"a@example.com>\r\n", "250, 501 5.5.4, 250 2.0.0", "MAIL FROM:<address>"},
		{"route without end", "EHLO me\r\nMAIL FROM:<@b a@example.com>\r\n", "250, 501 5.5.4, 250 2.0.0", "MAIL FROM:<address>"},
		{"empty recipient", "EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<>\r\n", "250, 250 2.1.0, 501 5.5.4, 250 2.0.0", "RCPT TO:<address>"},
		{"parameter twice", "EHLO me\r\nMAIL FROM:<a@example.com> SIZE=1 SIZE=2\r\n", "250, 501 5.5.4, 250 2.0.0", "(rule: syntax)"},
		{"unknown parameter", "EHLO me\r\nMAIL FROM:<a@example.com> X=1\r\n", "250, 555 5.5.4, 250 2.0.0", "leave out what EHLO does not list"},
		{"REQUIRETLS", "EHLO me\r\nMAIL FROM:<a@example.com> REQUIRETLS\r\n", "250, 555 5.5.4, 250 2.0.0", "(rule: parameter)"},
		{"SIZE not a number", "EHLO me\r\nMAIL FROM:<a@example.com> SIZE=-1\r\n", "250, 501 5.5.4, 250 2.0.0", "SIZE"},
		{"BINARYMIME", "EHLO me\r\nMAIL FROM:<a@example.com> BODY=BINARYMIME\r\n", "250, 555 5.6.1, 250 2.0.0", "8BITMIME"},
		{"RET", "EHLO me\r\nMAIL FROM:<a@example.com> RET=SOME\r\n", "250, 501 5.5.4, 250 2.0.0", "RET"},
		{"ENVID", "EHLO me\r\nMAIL FROM:<a@example.com> ENVID=a+zz\r\n", "250, 501 5.5.4, 250 2.0.0", "ENVID"},
		{"ENVID with a line end", "EHLO me\r\nMAIL FROM:<a@example.com> ENVID=a+0D+0A\r\n", "250, 501 5.5.4, 250 2.0.0", "ENVID"},
		{"SMTPUTF8 with a value", "EHLO me\r\nMAIL FROM:<a@example.com> SMTPUTF8=1\r\n", "250, 501 5.5.4, 250 2.0.0", "SMTPUTF8"},
		{"UTF-8 without SMTPUTF8", "EHLO me\r\nMAIL FROM:<\u96c1@example.com>\r\n", "250, 553 5.6.7, 250 2.0.0", "send MAIL with SMTPUTF8"},
		{"NOTIFY", "EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com> NOTIFY=NEVER,DELAY\r\n", "250, 250 2.1.0, 501 5.5.4, 250 2.0.0", "NOTIFY"},
		{"ORCPT", "EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com> ORCPT=b\r\n", "250, 250 2.1.0, 501 5.5.4, 250 2.0.0", "ORCPT"},
		{"RCPT parameter", "EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com> RRVS=1\r\n", "250, 250 2.1.0, 555 5.5.4, 250 2.0.0", "(rule: parameter)"},
		{"sender of another", "EHLO me\r\nMAIL FROM:<stranger@example.org>\r\n", "250, 550 5.7.1, 250 2.0.0", "stranger@example.org may not be used; use me@example.com (rule: sender)"},
		{"local recipient", "EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<nobody>\r\n", "250, 250 2.1.0, 550 5.1.1, 250 2.0.0", "to [local]"},
		{"AUTH without logins", "EHLO me\r\nAUTH PLAIN\r\n", "250, 502 5.5.1, 250 2.0.0", "without a login"},
		{"STARTTLS without TLS", "EHLO me\r\nSTARTTLS\r\n", "250, 502 5.5.1, 250 2.0.0", "encryption to none"},
		{"BDAT without MAIL", "EHLO me\r\nBDAT 6 LAST\r\nQUIT\r\n", "250, 503 5.5.1, 250 2.0.0", "MAIL comes first"},
		{"BDAT without RCPT", "EHLO me\r\nMAIL FROM:<>\r\nBDAT 6 LAST\r\nQUIT\r\n", "250, 250 2.1.0, 554 5.5.1, 250 2.0.0", "no recipient"},
		{"BDAT without size", envelope + "BDAT\r\n", "250, 250 2.1.0, 250 2.1.5, 501 5.5.4", "the connection ends"},
		{"BDAT negative", envelope + "BDAT -5 LAST\r\n", "250, 250 2.1.0, 250 2.1.5, 501 5.5.4", "(rule: chunk)"},
		{"BDAT with a sign", envelope + "BDAT +5 LAST\r\n", "250, 250 2.1.0, 250 2.1.5, 501 5.5.4", "(rule: chunk)"},
		{"BDAT hexadecimal", envelope + "BDAT 0x5 LAST\r\n", "250, 250 2.1.0, 250 2.1.5, 501 5.5.4", "(rule: chunk)"},
		{"BDAT too large for a number", envelope + "BDAT 99999999999999999999 LAST\r\n", "250, 250 2.1.0, 250 2.1.5, 501 5.5.4", "(rule: chunk)"},
		{"BDAT FIRST", envelope + "BDAT 5 FIRST\r\n", "250, 250 2.1.0, 250 2.1.5, 501 5.5.4", "(rule: chunk)"},
		{"BDAT LAST twice", envelope + "BDAT 5 LAST LAST\r\n", "250, 250 2.1.0, 250 2.1.5, 501 5.5.4", "(rule: chunk)"},
		{"malformed second BDAT", envelope + "BDAT 2\r\nabBDAT x\r\n", "250, 250 2.1.0, 250 2.1.5, 250 2.0.0, 501 5.5.4", "(rule: chunk)"},
		{"MAIL between chunks", envelope + "BDAT 2\r\nabMAIL FROM:<>\r\nRSET\r\n", "250, 250 2.1.0, 250 2.1.5, 250 2.0.0, 503 5.5.1, 250 2.0.0, 250 2.0.0", "in chunks"},
		{"DATA between chunks", envelope + "BDAT 2\r\nabDATA\r\nRSET\r\n", "250, 250 2.1.0, 250 2.1.5, 250 2.0.0, 503 5.5.1, 250 2.0.0, 250 2.0.0", "in chunks"},
		{"GET", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "554 5.5.1", "not HTTP"},
		{"POST", "POST /x HTTP/1.1\r\nContent-Length: 60\r\n\r\nEHLO x\r\nMAIL FROM:<a@example.com>\r\n", "554 5.5.1", "not HTTP"},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "554 5.5.1", "not HTTP"},
		{"proxy", "CONNECT example.com:25 HTTP/1.1\r\n\r\n", "554 5.5.1", "not HTTP"},
		{"long line", "EHLO " + strings.Repeat("x", 20_000) + "\r\n", "500 5.5.2", "below 12290 octets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, localOptions())
			said := s.talk(c.input + "NOOP\r\n")
			if got := codes(said); got != c.want {
				t.Errorf("replied %s, want %s\n%s", got, c.want, said)
			}
			if !strings.Contains(said, c.words) {
				t.Errorf("no %q in\n%s", c.words, said)
			}
			checkReplies(t, said)
			if n := len(s.desk.messages()); n != 0 {
				t.Errorf("%d messages were kept", n)
			}
		})
	}
}

// checkReplies checks the form of replies: short lines of ASCII; a refusal names its rule.
func checkReplies(t *testing.T, said string) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSuffix(said, "\r\n"), "\r\n") {
		if len(line) > 510 || !isPrintableASCII(line) {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
		if (line[0] == '4' || line[0] == '5') && !strings.Contains(line, " (rule: ") {
			t.Errorf("no rule in %q", line)
		}
	}
}

// TestRefusalsOfTheOutbox maps what package admission and the store return.
func TestRefusalsOfTheOutbox(t *testing.T) {
	t.Parallel()
	long := errors.New(strings.Repeat("\u96c1 and\r\n250 2.0.0 more ", 100))
	for _, c := range []struct {
		name string
		set  func(*fakeDesk)
		want string
	}{
		{"full", func(d *fakeDesk) { d.late = fmt.Errorf("x: %w", queue.ErrFull) }, "452 4.3.1"},
		{"broken", func(d *fakeDesk) { d.late = queue.ErrBroken }, "451 4.3.0"},
		{"uncertain", func(d *fakeDesk) { d.late = queue.ErrUncertain }, "451 4.3.0"},
		{"conflict", func(d *fakeDesk) { d.late = queue.ErrConflict }, "554 5.5.0"},
		{"closed", func(d *fakeDesk) { d.early = queue.ErrClosed }, "451 4.3.0"},
		{"too large", func(d *fakeDesk) { d.early = admission.NewRefusal("size", 552, "5.3.4", long, nil) }, "552 5.3.4"},
		{"content", func(d *fakeDesk) { d.late = admission.NewRefusal("content", 554, "5.6.0", long, long) }, "554 5.6.0"},
		{"no code", func(d *fakeDesk) { d.late = &admission.Refusal{Rule: "odd", Err: long} }, "554 5.7.1"},
	} {
		for verb, text := range map[string]string{"DATA": "DATA\r\n" + strings.Repeat("x\r\n", 30_000) + ".\r\n", "BDAT": "BDAT 2\r\nabBDAT 2 LAST\r\ncd"} {
			t.Run(c.name+" "+verb, func(t *testing.T) {
				t.Parallel()
				s := startServer(t, localOptions())
				c.set(s.desk)
				said := s.talk(envelope + text + "NOOP\r\n")
				_, after, _ := strings.Cut(said, "354")
				if verb == "BDAT" {
					_, after, _ = strings.Cut(said, "recipient ok\r\n")
				} else {
					_, after, _ = strings.Cut(after, "\r\n")
				}
				got := codes(after)
				// A refusal before the last chunk leaves the last one without a transaction.
				if got != c.want+", 250 2.0.0" && got != "250 2.0.0, "+c.want+", 250 2.0.0" && got != c.want+", 503 5.5.1, 250 2.0.0" {
					t.Errorf("replied %s, want %s\n%s", got, c.want, said)
				}
				checkReplies(t, said)
				if strings.Contains(s.log.String(), "example.com") {
					t.Errorf("an address is in the log: %s", s.log)
				}
			})
		}
	}
}
