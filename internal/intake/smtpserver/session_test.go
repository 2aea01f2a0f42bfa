package smtpserver

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestOfferedOnLoopback(t *testing.T) {
	t.Parallel()
	said := startServer(t, localOptions()).talk("EHLO me\r\nQUIT\r\n")
	want := lines("250-mx.test", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", "250-CHUNKING", "250-DSN", "250-ENHANCEDSTATUSCODES",
		"250-SIZE 52428800", "250 LIMITS RCPTMAX=1000", "221 2.0.0 bye")
	if said != want {
		t.Errorf("said %q, want %q", said, want)
	}
	said = startServer(t, loginOptions()).talk("EHLO me\r\n")
	if !strings.HasSuffix(said, "250 AUTH PLAIN LOGIN\r\n") || strings.Contains(said, "STARTTLS") {
		t.Errorf("with logins, said %q", said)
	}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	for name, input := range map[string]string{
		"DATA":             "DATA\r\nSubject: s\r\n\r\n..dot\r\n.\r\n",
		"BDAT":             "BDAT 14\r\nSubject: s\r\n\r\nBDAT 6 LAST\r\n.dot\r\n",
		"BDAT 0 LAST":      "BDAT 20\r\nSubject: s\r\n\r\n.dot\r\nBDAT 0 LAST\r\n",
		"NOOP and chunks":  "BDAT 20\r\nSubject: s\r\n\r\n.dot\r\nNOOP\r\nBDAT 0 LAST\r\n",
		"bdat, lower case": "bdat 20 last\r\nSubject: s\r\n\r\n.dot\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, localOptions())
			said := s.talk("EHLO me\r\nMAIL FROM:<a@example.com> SIZE=20 BODY=8BITMIME RET=hdrs ENVID=x+2By SMTPUTF8 AUTH=<>\r\n" +
				"RCPT TO:<\"a>b\"@example.com> NOTIFY=success,FAILURE ORCPT=rfc822;b@example.com\r\nRCPT TO:<@x,@y:root>\r\nrcpt to:\u96c1@example.com\r\n" +
				input + "QUIT\r\n")
			if !strings.HasSuffix(said, "250 2.0.0 kept as 4711\r\n221 2.0.0 bye\r\n") {
				t.Errorf("said %s", said)
			}
			all := s.desk.messages()
			if len(all) != 1 {
				t.Fatalf("kept %d messages", len(all))
			}
			m := all[0]
			if m.text != "Subject: s\r\n\r\n.dot\r\n" || m.from != "a@example.com" || m.size != 20 || !m.utf8 ||
				m.dsn.Return != "HDRS" || m.dsn.EnvelopeID != "x+y" || m.notify != "SUCCESS,FAILURE" {
				t.Errorf("kept %+v", m)
			}
			if got := strings.Join(m.to, " "); got != "\"a>b\"@example.com root \u96c1@example.com" {
				t.Errorf("recipients %q", got)
			}
			if !strings.HasPrefix(m.received, "by mx.test (Yan) with UTF8SMTP; ") {
				t.Errorf("Received: %q", m.received)
			}
		})
	}
}

func TestSessionGoesOn(t *testing.T) {
	t.Parallel()
	s := startServer(t, localOptions())
	one := "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nx\r\n.\r\n"
	chunks := "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nBDAT 3 LAST\r\nx\r\n"
	given := "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nBDAT 3\r\nx\r\n"
	said := s.talk("EHLO me\r\n" + one + chunks + given + "RSET\r\n" + one + given + "EHLO you\r\n" + chunks + given + "QUIT\r\n")
	if n := strings.Count(said, "kept as"); n != 4 || !strings.HasSuffix(said, "221 2.0.0 bye\r\n") {
		t.Errorf("%d kept, said %s", n, said)
	}
	if n := len(s.desk.messages()); n != 4 {
		t.Errorf("%d messages", n)
	}
}

// TestNothingIsKeptOfACutMessage: the text ends before its end is known.
func TestNothingIsKeptOfACutMessage(t *testing.T) {
	t.Parallel()
	for _, input := range []string{
		"DATA\r\nx", "DATA\r\nx\r\n", "DATA\r\nx\r\n.", "DATA\r\nx\r\n.\r", "DATA\r\n.\r\n"[:8],
		"BDAT 5 LAST\r\nabcd", "BDAT 5 LAST\r\n", "BDAT 5\r\nabcde", "BDAT 5\r\nabcdeBDAT 1 LAST\r\n", "BDAT 5\r\nabcdeBDAT 0 LAST",
	} {
		s := startServer(t, localOptions())
		said := s.talk(envelope + input)
		if n := len(s.desk.messages()); n != 0 || strings.Contains(said, "kept") {
			t.Errorf("after %q, %d messages, said %s", input, n, said)
		}
	}
}

func TestLogins(t *testing.T) {
	t.Parallel()
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	right := encode("\x00gitea\x00s3cret")
	wrong := "AUTH PLAIN " + encode("\x00gitea\x00wrong") + "\r\n"
	mail := "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nx\r\n.\r\n"
	for _, c := range []struct{ name, input, want, words string }{
		{"PLAIN", "AUTH PLAIN " + right + "\r\n" + mail, "235 2.7.0, 250 2.1.0, 250 2.1.5, 354, 250 2.0.0", "kept as"},
		{"PLAIN as itself", "AUTH plain " + encode("gitea\x00gitea\x00s3cret") + "\r\n", "235 2.7.0", ""},
		{"PLAIN in two steps", "AUTH PLAIN\r\n" + right + "\r\n", "334, 235 2.7.0", "334 \r\n"},
		{"LOGIN", "AUTH LOGIN\r\n" + encode("gitea") + "\r\n" + encode("s3cret") + "\r\n", "334, 334, 235 2.7.0", "334 UGFzc3dvcmQ6"},
		{"LOGIN with the name", "AUTH LOGIN " + encode("gitea") + "\r\n" + encode("s3cret") + "\r\n", "334, 235 2.7.0", ""},
		{"MAIL without login", mail, "530 5.7.0, 503 5.5.1, 503 5.5.1, 500 5.5.1, 500 5.5.1", "the user name is a token's name"},
		{"before EHLO", "RSET\r\n", "250 2.0.0", ""},
		{"as another", "AUTH PLAIN " + encode("root\x00gitea\x00s3cret") + "\r\n", "501 5.5.2", ""},
		{"unknown mechanism", "AUTH CRAM-MD5\r\n", "504 5.5.4", "use PLAIN or LOGIN"},
		{"no mechanism", "AUTH\r\n", "504 5.5.4", ""},
		{"not base64", "AUTH PLAIN !!!\r\n", "501 5.5.2", "base64"},
		{"without NUL", "AUTH PLAIN " + encode("gitea s3cret") + "\r\n", "501 5.5.2", ""},
		{"empty", "AUTH PLAIN =\r\n", "501 5.5.2", ""},
		{"cancelled", "AUTH LOGIN\r\n*\r\nNOOP\r\n", "334, 501 5.7.0, 250 2.0.0", "cancelled"},
		{"twice", "AUTH PLAIN " + right + "\r\nAUTH PLAIN " + right + "\r\n", "235 2.7.0, 503 5.5.1", "logged in already"},
		{"trouble", "AUTH PLAIN " + encode("\x00trouble\x00x") + "\r\nNOOP\r\n", "454 4.7.0, 250 2.0.0", "try again later"},
		{"in a transaction", "AUTH PLAIN " + right + "\r\nMAIL FROM:<>\r\nAUTH PLAIN x\r\n", "235 2.7.0, 250 2.1.0, 503 5.5.1", ""},
		{"wrong, then right", wrong + "AUTH PLAIN " + right + "\r\n", "535 5.7.8, 235 2.7.0", "(rule: login)"},
		{"three failures", wrong + wrong + wrong + "NOOP\r\n", "535 5.7.8, 535 5.7.8, 535 5.7.8", "'yan token list'"},
		{"a long password", "AUTH PLAIN " + encode("\x00gitea\x00"+strings.Repeat("x", 9000)) + "\r\nNOOP\r\n", "535 5.7.8, 250 2.0.0", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, loginOptions())
			_, said, _ := strings.Cut(s.talk("EHLO me\r\n"+c.input), "AUTH PLAIN LOGIN\r\n")
			if got := codes(said); got != c.want {
				t.Errorf("replied %s, want %s\n%s", got, c.want, said)
			}
			if !strings.Contains(said, c.words) {
				t.Errorf("no %q in %s", c.words, said)
			}
			checkReplies(t, said)
			for _, secret := range []string{"s3cret", right, encode("s3cret"), "wrong\"", encode("\x00gitea\x00wrong")} {
				if strings.Contains(s.log.String(), secret) || strings.Contains(said, secret) {
					t.Errorf("%q is in the log or in a reply", secret)
				}
			}
		})
	}
}
