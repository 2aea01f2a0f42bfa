package smtpclient_test

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// OpenSMTPD accepts 100 messages on a connection and answers each later MAIL with 452 4.5.3. The
// first such reply ends the run: the other messages need another connection.
func TestRunEndsWhenTheConnectionIsFull(t *testing.T) {
	t.Parallel()
	for _, offer := range []string{"250 HELP", "250-PIPELINING\r\n250 HELP", "250-PIPELINING\r\n250 CHUNKING"} {
		for _, code := range []string{"452 4.5.3 Too many messages sent", "452 4.3.1 Insufficient storage"} {
			cfg, _, done := pipe(plainConfig(), func(conn net.Conn) { takeTwo(conn, offer, code) })
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			list := slices.Repeat([]letter{{from: "a", to: "x"}}, 40)
			results := slices.Collect(conn.RunSource(t.Context(), source(t, list)))
			full := strings.Contains(code, "4.5.3")
			if conn.Spent() != full {
				t.Errorf("%q, %s: spent %t", offer, code, conn.Spent())
			}
			conn.Quit(t.Context())
			<-done
			// A window of messages may have been on the wire.
			if full && len(results) == len(list) || !full && len(results) < len(list) {
				t.Errorf("%q, %s: %d messages of %d were taken", offer, code, len(results), len(list))
			}
			for i, r := range results {
				o := r.Outcomes[0]
				if i < 2 && o.Status != smtp.Accepted || i >= 2 && o.Status != smtp.Deferred && !r.Lost {
					t.Errorf("%q, %s: message %d: %v", offer, code, i, o)
				}
			}
		}
	}
}

// takeTwo is a server that accepts two messages.
func takeTwo(conn net.Conn, offer, full string) {
	in := bufio.NewReader(conn)
	say := func(text string) { fmt.Fprintf(conn, "%s\r\n", text) }
	say("220 ready")
	mails := 0
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.Fields(line + " -")[0]); {
		case verb == "EHLO":
			say("250-here\r\n" + offer)
		case verb == "MAIL":
			if mails++; mails > 2 {
				say(full)
			} else {
				say("250 ok")
			}
		case verb == "QUIT":
			say("221 bye")
			return
		case verb == "RSET":
			say("250 ok")
		case verb == "BDAT":
			var size int
			if _, err := fmt.Sscanf(line[5:], "%d", &size); err != nil {
				return
			}
			if _, err := in.Discard(size); err != nil {
				return
			}
			if mails > 2 {
				say("503 no recipients")
			} else {
				say("250 taken")
			}
		case mails > 2:
			say("503 no sender")
		case verb == "DATA":
			say("354 go on")
			for line != ".\r\n" {
				if line, err = in.ReadString('\n'); err != nil {
					return
				}
			}
			say("250 taken")
		default:
			say("250 ok")
		}
	}
}
