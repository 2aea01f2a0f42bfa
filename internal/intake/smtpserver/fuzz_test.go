package smtpserver

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

// FuzzSession sends octets to a server. It must not panic, reply with lines that are too long, keep
// more messages than it says or fewer, or leave goroutines.
func FuzzSession(f *testing.F) {
	for _, end := range falseEnds {
		f.Add([]byte(envelope + "DATA\r\nx" + end + smuggled + ".\r\nQUIT\r\n"))
	}
	for _, text := range []string{"BDAT 5\r\nabcdeBDAT 0 LAST\r\n", "BDAT 99999999999 LAST\r\n", "BDAT 5 LAST\r\nabcdeMAIL FROM:<a@example.com>\r\nRCPT TO:<b>\r\nBDAT 0 LAST\r\n"} {
		f.Add([]byte(envelope + text))
	}
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte("\x16\x03\x01\x02\x00\x01\x00"))
	f.Add([]byte("EHLO me\r\nAUTH LOGIN\r\nZ2l0ZWE=\r\nczNjcmV0\r\nAUTH PLAIN AGEAYg==\r\nSTARTTLS\r\nVRFY x\r\nHELP\r\nRSET\r\nQUIT\r\n"))
	f.Add([]byte("EHLO me\r\nMAIL FROM:<@a,@b:\"x>\\\" y\"@example.com> SIZE=3 RET=FULL ENVID=+41 AUTH=<> SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<b@c> NOTIFY=NEVER ORCPT=rfc822;x\r\nBDAT 0 LAST\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, o := range []Options{localOptions(), loginOptions()} {
			o.Sleep = loginWaitOver
			server := New(o)
			d := &fakeDesk{}
			server.desk = d
			before := runtime.NumGoroutine()
			var said bytes.Buffer
			server.ServeConn(context.Background(), Stdio(io.MultiReader(bytes.NewReader(input)), &said))
			if after := runtime.NumGoroutine(); after > before+4 { // those of the fuzzing engine come and go
				t.Errorf("%d goroutines, before %d", after, before)
			}
			if n := strings.Count(said.String(), "250 2.0.0 kept as "); n != len(d.messages()) {
				t.Errorf("%d messages are kept, and %d times it says so: %q", len(d.messages()), n, said.String())
			}
			if strings.Contains(said.String(), "(rule: bug)") {
				t.Errorf("it panicked: %q", said.String())
			}
			for line := range strings.SplitSeq(strings.TrimSuffix(said.String(), "\r\n"), "\r\n") {
				if len(line) > 510 || len(line) < 4 || !isPrintableASCII(line) {
					t.Errorf("a line of a reply is %q", line)
				}
			}
		}
	})
}

func loginWaitOver(context.Context, time.Duration) {}
