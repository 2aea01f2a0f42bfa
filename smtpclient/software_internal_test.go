package smtpclient

import (
	"net"
	"strings"
	"testing"

	"github.com/yanmail/yan/smtp"
)

// said splits a server's greeting and its reply to "EHLO pc.example".
func said(text string) (greeting, hello smtp.Reply) {
	var p smtp.ReplyParser
	for line := range strings.Lines(text) {
		reply, last, err := p.Line([]byte(strings.TrimRight(line, "\n")))
		if err != nil {
			return smtp.Reply{}, smtp.Reply{}
		}
		if last && greeting.IsZero() {
			greeting, p = reply, smtp.ReplyParser{}
		} else if last {
			return greeting, reply
		}
	}
	return greeting, smtp.Reply{}
}

// Replies of real servers.
const (
	debianPostfix = "220 mx.example.test ESMTP Postfix (Debian/GNU)\n250-mx.example.test\n250-PIPELINING\n250-SIZE 10240000\n250-VRFY\n250-ETRN\n250-STARTTLS\n" +
		"250-AUTH PLAIN LOGIN\n250-AUTH=PLAIN LOGIN\n250-ENHANCEDSTATUSCODES\n250-8BITMIME\n250-DSN\n250-SMTPUTF8\n250 CHUNKING\n"
	postfixWithoutChunking = "220 mx.example.test ESMTP Postfix\n250-mx.example.test\n250-PIPELINING\n250-SIZE 10240000\n250-ENHANCEDSTATUSCODES\n250 8BITMIME\n"
	debianExim             = "220 mx.example.test ESMTP Exim 4.96 Mon, 30 Nov 2026 20:25:21 +0000\n250-mx.example.test Hello pc.example [127.0.0.1]\n250-SIZE 52428800\n250-8BITMIME\n" +
		"250-PIPELINING\n250-PIPECONNECT\n250-CHUNKING\n250-STARTTLS\n250-SMTPUTF8\n250 HELP\n"
	goSMTP = "220 localhost ESMTP Service Ready\n250-Hello pc.example\n250-PIPELINING\n250-8BITMIME\n250-ENHANCEDSTATUSCODES\n250-CHUNKING\n250-AUTH PLAIN\n250 SIZE\n"
)

func TestRecognise(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		debianPostfix: "Postfix", postfixWithoutChunking: "Postfix", debianExim: "Exim", goSMTP: "go-smtp",
		strings.Replace(goSMTP, "ESMTP", "LMTP", 1):                                                         "go-smtp",
		strings.Replace(debianExim, "Hello pc.example", "Hello host.example (pc.example)", 1):               "Exim",
		strings.Replace(debianPostfix, "220 mx", "220 proxy", 1):                                            "", // another one greets
		strings.Replace(debianPostfix, "ESMTP Postfix", "ESMTP", 1):                                         "",
		strings.Replace(debianPostfix, "ESMTP Postfix", "ESMTP ********", 1):                                "",
		strings.Replace(debianPostfix, "Postfix", "Postfix-like", 1):                                        "",
		strings.Replace(debianPostfix, "250-DSN", "250-XXXA", 1):                                            "", // a firewall hides a keyword
		strings.Replace(debianPostfix, "250-DSN", "250-HELP", 1):                                            "",
		strings.Replace(debianPostfix, "250-VRFY\n250-ETRN", "250-ETRN\n250-VRFY", 1):                       "",
		strings.Replace(debianPostfix, "250-8BITMIME\n", "", 1):                                             "",
		strings.Replace(debianPostfix, "250-mx.example.test\n", "250-mx.example.test at your service\n", 1): "",
		"220-mx.example.test ESMTP Postfix\n" + debianPostfix:                                               "", // postscreen's, or another's
		strings.Replace(debianExim, "250 HELP", "250 NOOP", 1):                                              "",
		strings.Replace(debianExim, "Exim 4.96 ", "", 1):                                                    "",
		strings.Replace(debianExim, "250-mx.example.test Hello", "250-other.example.test Hello", 1):         "",
		strings.Replace(goSMTP, "Hello pc.example", "localhost", 1):                                         "",
		"220 mail.example.test ESMTP Haraka ready\n250-mail.example.test Hello pc.example [127.0.0.1]Haraka is at your service.\n250-PIPELINING\n250-8BITMIME\n250-SMTPUTF8\n250 SIZE 0\n": "",
		"220 Example ESMTP\n250-Example Ok.\n250-XVERP=Courier\n250-PIPELINING\n250-SIZE\n250 DSN\n":                                                                                       "",
	} {
		greeting, hello := said(text)
		if got := recogniseSoftware(greeting, hello, "pc.example"); got.name != want {
			t.Errorf("%q is taken for %q, want %q", text, got.name, want)
		}
	}
}

// The software recognised is supported by the server's reply.
func FuzzRecognise(f *testing.F) {
	for _, text := range []string{debianPostfix, postfixWithoutChunking, debianExim, goSMTP, "220 \n250 \n", "220 a ESMTP Postfix\n250 b\n"} {
		f.Add(text, "pc.example")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		greeting, hello := said(text)
		s := recogniseSoftware(greeting, hello, name)
		switch {
		case s.name == "":
		case s.readsOn && (s.readsRefusedChunk || s.countsChunkAsLine):
			t.Errorf("%q: %+v", text, s)
		case s.readsOn && !strings.EqualFold(strings.Fields(greeting.Lines[0])[0], strings.Fields(hello.Lines[0])[0]):
			t.Errorf("%q: two hosts, and taken for %s", text, s.name)
		case s.readsOn && !smtp.ParseCapabilities(hello).Has("PIPELINING"):
			t.Errorf("%q: no PIPELINING, and taken for %s", text, s.name)
		}
	})
}

// Received data is acknowledged when a further reply is awaited, and only then.
func TestAcknowledge(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pieces []string
		want   int
	}{
		"one reply":               {[]string{"250 a\r\n"}, 0},
		"all at once":             {[]string{"250 a\r\n250 b\r\n250 c\r\n"}, 0},
		"one by one":              {[]string{"250 a\r\n", "250 b\r\n", "250 c\r\n"}, 2},
		"two lines, then another": {[]string{"250-a\r\n250 a\r\n", "250 b\r\n"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := net.Pipe()
			defer client.Close()
			defer server.Close()
			w := newWire(client, nil)
			confirmed := 0
			w.confirm = func(net.Conn) { confirmed++ }
			for round := range 2 {
				go func() {
					buf := make([]byte, 100)
					_, _ = server.Read(buf)
					for _, piece := range test.pieces {
						_, _ = server.Write([]byte(piece))
					}
				}()
				if err := w.sendLines(0, []byte("RSET\r\n")); err != nil {
					t.Fatal(err)
				}
				for range strings.Count(strings.Join(test.pieces, ""), "250 ") {
					if _, err := w.readReplyWithin(0); err != nil {
						t.Fatal(err)
					}
				}
				if confirmed != (round+1)*test.want {
					t.Errorf("round %d: confirmed %d times, want %d", round, confirmed, (round+1)*test.want)
				}
			}
		})
	}
}

// A connection is spent before its server's limits.
func TestSpent(t *testing.T) {
	t.Parallel()
	no, yes := smtp.Reply{Code: 550}, smtp.Reply{Code: 250}
	c := &Conn{software: software{refusals: 9}, cfg: Config{Window: Window{Messages: 32}}}
	for i, want := range []int{4, 4, 3, 3, 2, 2, 1, 1} {
		if c.Spent() || c.windowSize() != want {
			t.Errorf("after %d refusals: spent %v, window %d, want %d", i, c.Spent(), c.windowSize(), want)
		}
		if i < 7 {
			c.countReply(no)
		}
	}
	for i := range trustAfter {
		if c.windowSize() == 32 {
			t.Errorf("the whole window after %d messages", i)
		}
		c.countReply(yes)
		c.countAccepted()
	}
	if c.Spent() || c.windowSize() != 32 {
		t.Errorf("after messages: spent %v, window %d", c.Spent(), c.windowSize())
	}
	for range 8 {
		c.countReply(no)
	}
	if !c.Spent() {
		t.Error("not spent after 8 refusals in a row, of which a ninth and tenth come together")
	}
	c = &Conn{software: software{resets: 10}}
	for range 100 {
		c.countReset()
		c.countAccepted()
	}
	c.countReset()
	for range 9 {
		c.countReset()
	}
	if c.Spent() {
		t.Error("spent after 9 RSETs in vain")
	}
	if c.countReset(); !c.Spent() {
		t.Error("not spent after 10")
	}
}
