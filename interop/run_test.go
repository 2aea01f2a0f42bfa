//go:build interop && linux

package interop

import (
	"encoding/base64"
	"fmt"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"github.com/yanmail/yan"
)

// Many messages to real servers, overlapped as far as each allows: messages
// refused in between, for all or some recipients, don't affect the others.
func TestManyMessages(t *testing.T) {
	t.Parallel()
	s := real(t)
	for _, service := range []string{"submission", "smtps", "submission-nochunking", "submission-nopipelining", "lmtp"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			options := yan.Options{CAFile: s.certificate("ca.pem"), From: login, MaxConnections: 1}
			if service != "lmtp" {
				options.Password = password
			}
			client, err := yan.Open(s.url(service), options)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			box := boxFor(t)
			const many = 100
			var want []string
			var messages []yan.Message
			for i := range many {
				m := yan.Message{From: login, To: []string{box + "@example.test"}, Subject: fmt.Sprintf("信 %d", i), Text: strings.Repeat("你好\n", 10*i)}
				switch refused := service != "lmtp"; {
				case refused && i%40 == 11: // the message has no recipient
					m.To = []string{"reject-nobody@example.test"}
				case refused && i%40 == 17:
					m.To = append(m.To, "defer-somebody@example.test", "reject-nobody@example.test")
				}
				if m.To[0] != "reject-nobody@example.test" {
					want = append(want, m.Subject)
				}
				messages = append(messages, m)
			}
			results := 0
			for result, err := range client.SendAll(t.Context(), slices.Values(messages)) {
				results++
				for i, o := range result.Recipients {
					status := yan.Accepted
					switch to := messages[result.Index].To[i]; {
					case strings.HasPrefix(to, "reject-"):
						status = yan.Refused
					case strings.HasPrefix(to, "defer-"):
						status = yan.Deferred
					}
					if o.Status != status {
						t.Errorf("message %d: %v, want %s", result.Index, o, status)
					}
				}
				if len(result.Recipients) == 0 {
					t.Errorf("message %d: %v", result.Index, err)
				}
			}
			if results != many {
				t.Errorf("%d results", results)
			}
			var got []string
			for _, file := range s.delivered(t, box, len(want)) {
				got = append(got, readBack(t, file).header("Subject")...)
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s holds %q, want %q", box, got, want)
			}
		})
	}
}

// The state after a failed chunk: Postfix ends the transaction. The client does
// not rely on it.
func TestFailedChunkEndsTheTransaction(t *testing.T) {
	t.Parallel()
	s := real(t)
	conn, err := textproto.Dial("tcp", loopback(s.port["notls"]))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, _, err := conn.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + login + "\x00" + password))
	for _, step := range []struct {
		line string
		code int
	}{
		{"EHLO localhost", 250}, {"AUTH PLAIN " + plain, 235}, {"MAIL FROM:<" + login + ">", 250},
		{"RCPT TO:<reject-nobody@example.test>", 550}, {"BDAT 3 LAST\r\nX", 554}, // the line end belongs to the chunk
		{"MAIL FROM:<" + login + ">", 250}, {"MAIL FROM:<" + login + ">", 503}, {"QUIT", 221},
	} {
		if err := conn.PrintfLine("%s", step.line); err != nil {
			t.Fatal(err)
		}
		if _, message, err := conn.ReadResponse(step.code); err != nil {
			t.Fatalf("%s: %v %s, want %d", step.line, err, message, step.code)
		}
	}
}
