package sandbox

import (
	"slices"
	"strings"
	"testing"
)

// slip is one mistake of a client and the server's reaction.
type slip struct {
	name    string
	cfg     Config
	plain   bool     // no TLS
	lines   []string // one at a time; "> " sends raw and ends the message
	code    string   // of the last answer
	violate string   // "" for no violation
}

// slipsOfClients lists mistakes, and some correct commands that must pass.
func slipsOfClients() []slip {
	const from, to = "MAIL FROM:<me@example.org>", "RCPT TO:<a@example.com>"
	message := func(text string) []string { return []string{from, to, "DATA", "> " + text} }
	return []slip{
		{name: "good", lines: message("Subject: x\r\n\r\n..dot\r\n.\r\n"), code: "250"},
		{name: "empty message", lines: message(".\r\n"), code: "250"},
		{name: "bare LF in the message", lines: message("a\nb\r\n.\r\n"), code: "550 5.6.11", violate: "bare LF at octet 1"},
		{name: "bare CR in the message", lines: message("a\rb\r\n.\r\n"), code: "550 5.6.11", violate: "bare CR at octet 1"},
		{name: "CR CR LF", lines: message("ab\r\r\n.\r\n"), code: "550 5.6.11", violate: "bare CR at octet 2"},
		{name: "smuggled end LF.LF", lines: message("a\n.\nMAIL FROM:<x@example.org>\r\n.\r\n"), code: "550 5.6.11", violate: "bare LF"},
		{name: "smuggled end LF.CRLF", lines: message("a\n.\r\nb\r\n.\r\n"), code: "550 5.6.11", violate: "bare LF at octet 1"},
		{name: "smuggled end CRLF.LF", lines: message("a\r\n.\nb\r\n.\r\n"), code: "550 5.6.11", violate: "bare LF at octet 3"},
		{name: "smuggled end CR.CR", lines: message("a\r.\rb\r\n.\r\n"), code: "550 5.6.11", violate: "bare CR"},
		{name: "dot not doubled", lines: message("a\r\n.b\r\n.\r\n"), code: "250", violate: "dot that was not doubled"},
		{name: "long line", lines: message(strings.Repeat("x", 999) + "\r\n.\r\n"), code: "550 5.6.11", violate: "a line of 1001 octets"},
		{name: "longest line", lines: message(strings.Repeat("x", 998) + "\r\n.\r\n"), code: "250"},
		{name: "a line longer than the buffer", lines: message(strings.Repeat("x", 200_000) + "\r\n.\r\n"), code: "550 5.6.11", violate: "a line of 200002 octets"},
		{name: "NUL", lines: message("a\x00b\r\n.\r\n"), code: "550 5.6.11", violate: "NUL at octet 1"},
		{name: "8-bit undeclared", lines: message("Subject: x\r\n\r\n你\r\n.\r\n"), code: "550 5.6.11", violate: "8-bit data at octet 14 without BODY=8BITMIME"},
		{name: "8-bit", lines: []string{from + " BODY=8BITMIME", to, "DATA", "> 你\r\n.\r\n"}, code: "250"},
		{name: "UTF-8 header", lines: []string{from + " SMTPUTF8", to, "DATA", "> Subject: 你\r\n\r\nx\r\n.\r\n"}, code: "250"},
		{name: "UTF-8 body", lines: []string{from + " SMTPUTF8", to, "DATA", "> Subject: 你\r\n\r\n你\r\n.\r\n"}, code: "550", violate: "8-bit"},
		{name: "bare LF behind a command", lines: []string{"> NOOP\n"}, code: "500", violate: "bare CR or LF in the command"},
		{name: "bare CR in a command", lines: []string{"> NO\rOP\r\n"}, code: "500", violate: "bare CR or LF in the command"},
		{name: "control character", lines: []string{"NO\x01OP"}, code: "500", violate: "control character 0x01"},
		{name: "unknown command", lines: []string{"XYZZY"}, code: "502", violate: `unknown command "XYZZY"`},
		{name: "long command", lines: []string{"NOOP " + strings.Repeat("x", 3000)}, code: "500", violate: "a command line of 3005 octets"},
		{name: "endless command", lines: []string{"NOOP " + strings.Repeat("x", 300_000)}, code: "500", violate: "a command line of more than"},
		{name: "no brackets", lines: []string{"MAIL FROM:me@example.org"}, code: "500", violate: "not in angle brackets"},
		{name: "no FROM", lines: []string{"MAIL <me@example.org>"}, code: "500", violate: "FROM: is missing"},
		{name: "space before the path", lines: []string{"MAIL FROM: <me@example.org>"}, code: "250", violate: "space after FROM:"},
		{name: "two spaces", lines: []string{from + "  BODY=8BITMIME"}, code: "250", violate: "a space too many"},
		{name: "bounce", lines: []string{"MAIL FROM:<>"}, code: "250"},
		{name: "not an address", lines: []string{from, "RCPT TO:<nobody>"}, code: "501 5.1.3", violate: "no @"},
		{name: "postmaster", lines: []string{from, "RCPT TO:<postmaster>"}, code: "250"},
		{name: "empty recipient", lines: []string{from, "RCPT TO:<>"}, code: "501 5.1.3", violate: "address is empty"},
		{name: "quoted bracket", lines: []string{from, `RCPT TO:<"a>b"@example.com>`}, code: "501", violate: "not allowed before the @"},
		{name: "non-ASCII", lines: []string{from, "RCPT TO:<用户@example.com>"}, code: "501 5.1.3", violate: "without SMTPUTF8"},
		{name: "non-ASCII domain", lines: []string{from, "RCPT TO:<a@例子.com>"}, code: "501 5.1.3", violate: "without SMTPUTF8"},
		{name: "SMTPUTF8", lines: []string{from + " SMTPUTF8", "RCPT TO:<用户@example.com>"}, code: "250"},
		{name: "unknown parameter", lines: []string{from + " FOO=1"}, code: "555", violate: "FOO is not known"},
		{name: "parameter not offered", cfg: Config{Without: []string{"SMTPUTF8"}}, lines: []string{from + " SMTPUTF8"}, code: "555", violate: "SMTPUTF8, which was not offered"},
		{name: "8BITMIME not offered", cfg: Config{Without: []string{"8BITMIME"}}, lines: []string{from + " BODY=8BITMIME"}, code: "555", violate: "8BITMIME, which was not offered"},
		{name: "BINARYMIME not offered", cfg: Config{Without: []string{"BINARYMIME"}}, lines: []string{from + " BODY=BINARYMIME"}, code: "555", violate: "BODY needs BINARYMIME, which was not offered"},
		{name: "parameter twice", lines: []string{from + " SIZE=1 SIZE=2"}, code: "500", violate: "SIZE stands twice"},
		{name: "bad size", lines: []string{from + " SIZE=-1"}, code: "555", violate: "SIZE=-1 is malformed"},
		{name: "bad body", lines: []string{from + " BODY=9BIT"}, code: "555", violate: "BODY=9BIT is malformed"},
		{name: "DSN", lines: []string{from + " RET=HDRS ENVID=a+2Bb", to + " NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a@example.com"}, code: "250"},
		{name: "bad ENVID", lines: []string{from + " ENVID=a+2"}, code: "555", violate: "ENVID=a+2 is malformed"},
		{name: "bad NOTIFY", lines: []string{from, to + " NOTIFY=NEVER,DELAY"}, code: "555", violate: "NOTIFY=NEVER,DELAY is malformed"},
		{name: "DSN not offered", cfg: Config{Without: []string{"DSN"}}, lines: []string{from, to + " NOTIFY=NEVER"}, code: "555", violate: "needs DSN"},
		{name: "RCPT without MAIL", cfg: Config{Without: []string{"PIPELINING"}}, lines: []string{to}, code: "503", violate: "RCPT without MAIL"},
		{name: "MAIL in MAIL", lines: []string{from, from}, code: "503", violate: "MAIL inside a transaction"},
		{name: "DATA without RCPT", lines: []string{from, "DATA"}, code: "554"},
		{name: "DATA with argument", lines: []string{from, to, "DATA now"}, code: "500", violate: "DATA takes no argument"},
		{name: "declared too large", lines: []string{from + " SIZE=104857601"}, code: "552"},
		{name: "too large", cfg: Config{MaxSize: 10}, lines: message("0123456789\r\n.\r\n"), code: "552 5.3.4"},
		{name: "too many recipients", cfg: Config{MaxRecipients: 1}, lines: []string{from, to, "RCPT TO:<b@example.com>"}, code: "452 4.5.3"},
		{name: "no EHLO name", lines: []string{"EHLO"}, code: "500", violate: "no host name"},
		{name: "LHLO", lines: []string{"LHLO client.example"}, code: "502", violate: "LHLO where it does not belong"},
		{name: "AUTH twice", lines: []string{"AUTH PLAIN " + plainResponse("me@example.org", Password)}, code: "503", violate: "a second AUTH"},
		{name: "STARTTLS twice", lines: []string{"STARTTLS"}, code: "503", violate: "STARTTLS inside TLS"},
		{name: "STARTTLS not offered", plain: true, cfg: Config{Without: []string{"STARTTLS"}}, lines: []string{"STARTTLS"}, code: "502", violate: "STARTTLS was not offered"},
		{name: "cleartext password", plain: true, lines: []string{"AUTH PLAIN " + plainResponse("me@example.org", Password)}, code: "530 5.7.0", violate: "AUTH PLAIN on an unencrypted connection"},
		{name: "cleartext password taken", plain: true, cfg: Config{Profile: "netease"}, lines: []string{"AUTH PLAIN " + plainResponse("me@163.com", Password)}, code: "235", violate: "on an unencrypted connection"},
		{name: "cleartext password allowed", plain: true, cfg: Config{AllowCleartextPassword: true}, lines: []string{"AUTH PLAIN " + plainResponse("me@example.org", Password)}, code: "235"},
		{name: "BDAT not offered", cfg: Config{Without: []string{"CHUNKING"}}, lines: []string{from, to, "BDAT 2 LAST"}, code: "502", violate: "CHUNKING was not offered"},
		{name: "BDAT malformed", lines: []string{from, to, "BDAT +2 LAST"}, code: "502", violate: "BDAT +2 LAST: malformed"},
		{name: "DATA after BDAT", lines: []string{from, to, "> BDAT 3\r\na\r\n", "DATA"}, code: "503", violate: "DATA after BDAT"},
		{name: "bare LF in a chunk", lines: []string{from, to, "> BDAT 3 LAST\r\na\nb"}, code: "550 5.6.11", violate: "bare LF"},
		{name: "binary", lines: []string{from + " BODY=BINARYMIME", to, "> BDAT 4 LAST\r\n\x00\n\r\xff"}, code: "250"},
		{name: "DATA for binary", lines: []string{from + " BODY=BINARYMIME", to, "DATA"}, code: "503", violate: "BODY=BINARYMIME"},
		{name: "RSET", lines: []string{"RSET"}, code: "250"},
	}
}

// A client's mistake is refused and recorded.
func TestViolations(t *testing.T) {
	t.Parallel()
	for _, test := range slipsOfClients() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, test.cfg)
			c := ready(t, s, test.plain)
			var a answer
			for _, line := range test.lines {
				if raw, ok := strings.CutPrefix(line, "> "); ok {
					c.send(raw)
				} else {
					c.send(line + "\r\n")
				}
				a = c.read(patient)
			}
			if a.kind != replied || !strings.HasPrefix(a.raw, test.code) {
				t.Errorf("got %s %q, want %s", a.kind, a.raw, test.code)
			}
			checkViolations(t, s, test.violate)
		})
	}
}

// ready returns a client after AUTH, or only after EHLO.
func ready(t *testing.T, s *Server, plain bool) *client {
	t.Helper()
	if !plain {
		return login(t, s, "me@"+s.profile.domain)
	}
	c := dial(t, s, s.SubmissionAddr())
	c.wantGreeting()
	c.want("250", "EHLO client.example")
	return c
}

// checkViolations expects exactly one violation that contains the text, or
// none.
func checkViolations(t *testing.T, s *Server, text string) {
	t.Helper()
	got := s.Violations()
	if text == "" && len(got) > 0 {
		t.Errorf("violations: %v", got)
	}
	if text != "" && !slices.ContainsFunc(got, func(v Violation) bool { return strings.Contains(v.Text, text) }) {
		t.Errorf("violations: %v, want %q", got, text)
	}
}

// The commands that a client may send before earlier replies, and those it may
// not (RFC 2920 section 3.1).
func TestPipelining(t *testing.T) {
	t.Parallel()
	const mail = "MAIL FROM:<me@example.org>\r\nRCPT TO:<a@example.com>\r\n"
	without := Config{Without: []string{"PIPELINING"}}
	for _, test := range []struct {
		name    string
		cfg     Config
		sends   []string // each a flight
		replies int      // of all flights together
		violate string
	}{
		{"a group that ends with DATA", Config{}, []string{mail + "DATA\r\n", ".\r\n"}, 4, ""},
		{"the next group behind the final dot", Config{}, []string{mail + "DATA\r\n", ".\r\n" + mail + "DATA\r\n", ".\r\n"}, 8, ""},
		{"BDAT of two messages", Config{}, []string{mail + "BDAT 2 LAST\r\n\r\n" + mail + "BDAT 2 LAST\r\n\r\nQUIT\r\n"}, 7, ""},
		{"text behind DATA", Config{}, []string{mail + "DATA\r\n.\r\n"}, 4, "behind DATA, which must be the last"},
		{"a command behind NOOP", Config{}, []string{"NOOP\r\n" + mail}, 3, "behind NOOP, which must be the last"},
		{"a command behind EHLO", Config{}, []string{"EHLO c\r\n" + mail}, 3, "behind EHLO, which must be the last"},
		{"a group without PIPELINING", without, []string{mail}, 2, "behind MAIL before its reply, without PIPELINING"},
		{"one at a time", without, []string{"NOOP\r\n", "RSET\r\n"}, 2, ""},
		{"BDAT without PIPELINING", without, []string{"MAIL FROM:<me@example.org>\r\n", "RCPT TO:<a@example.com>\r\n", "BDAT 2 LAST\r\n\r\n"}, 3, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, test.cfg)
			c := login(t, s, "me@example.org")
			got := 0
			for i, flight := range test.sends {
				c.send(flight)
				left := test.replies - got
				if i < len(test.sends)-1 {
					left = strings.Count(flight, "\r\n") // one reply for each line
				}
				for range left {
					if a := c.read(patient); a.kind != replied {
						t.Fatalf("flight %d: %s %q", i, a.kind, a.raw)
					}
					got++
				}
			}
			checkViolations(t, s, test.violate)
		})
	}
}

// Plaintext sent after STARTTLS must not be taken as received inside TLS
// (CVE-2011-0411).
func TestSTARTTLSDropsPlaintext(t *testing.T) {
	t.Parallel()
	s := start(t, Config{})
	c := dial(t, s, s.SubmissionAddr())
	c.wantGreeting()
	c.want("250", "EHLO client.example")
	c.want("220", "STARTTLS", "MAIL FROM:<me@example.org>")
	if err := c.secure(c.tlsConfig(), patient); err != nil {
		t.Fatal(err)
	}
	c.want("250", "EHLO client.example")
	c.want("250 2.1.0", "MAIL FROM:<me@example.org>") // 503 if the first MAIL had counted
	checkViolations(t, s, "behind STARTTLS, which must be the last")
}

// A client that sends only errors is disconnected.
func TestTooManyErrors(t *testing.T) {
	t.Parallel()
	s := start(t, Config{})
	c := login(t, s, "")
	for range maxErrors {
		c.want("502", "XYZZY")
	}
	c.want("421", "XYZZY")
	c.wantEnd()
}

// TLS starts a new session (RFC 3207 section 4.2): earlier commands do not
// count.
func TestSTARTTLSForgets(t *testing.T) {
	t.Parallel()
	s := start(t, Config{})
	c := dial(t, s, s.SubmissionAddr())
	c.wantGreeting()
	c.want("250", "EHLO client.example")
	c.want("250", "MAIL FROM:<me@example.org>")
	c.want("220", "STARTTLS")
	if err := c.secure(c.tlsConfig(), patient); err != nil {
		t.Fatal(err)
	}
	c.want("503", "MAIL FROM:<me@example.org>")
	checkViolations(t, s, "MAIL before EHLO")
	c.want("250", "EHLO client.example")
	c.want("503", "RCPT TO:<a@example.com>")
}
