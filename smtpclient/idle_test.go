package smtpclient_test

import (
	"bufio"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/smtpclient"
)

// A connection that rested is used again only if the server is still there
// and has said nothing. The clock is that of the bubble: nobody waits.
func TestWake(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		rest   time.Duration
		unasks string // said while the connection rests
		hangs  bool   // and hung up then
		noop   string // answer to NOOP; "" stays silent
		want   bool
	}{
		{name: "quiet", rest: time.Second, want: true},
		{name: "hung up", rest: time.Second, hangs: true},
		{name: "said 421", rest: time.Second, unasks: "421 4.4.2 idle too long\r\n"},
		{name: "QQ's frame", rest: time.Second, unasks: "\x00\x00\x00\x1a\x00\x00\x00\x0a"},
		{name: "long rest, still there", rest: time.Minute, noop: "250 ok\r\n", want: true},
		{name: "long rest, refused", rest: time.Minute, noop: "421 gone\r\n"},
		{name: "long rest, dropped without a word", rest: time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				resting := make(chan struct{})
				cfg, rec, served := pipe(smtpclient.Config{Host: "mail.example.org", Security: smtpclient.Plaintext}, func(conn net.Conn) {
					defer conn.Close()
					r := bufio.NewReader(conn)
					_, _ = io.WriteString(conn, "220 hello\r\n")
					_, _ = r.ReadString('\n')
					_, _ = io.WriteString(conn, "250 mail.example.org\r\n")
					<-resting
					_, _ = io.WriteString(conn, tt.unasks)
					if tt.hangs {
						return
					}
					if line, _ := r.ReadString('\n'); line == "NOOP\r\n" && tt.noop != "" {
						_, _ = io.WriteString(conn, tt.noop)
					}
					_, _ = io.Copy(io.Discard, r)
				})
				conn, err := smtpclient.Dial(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				before := rec.written()
				conn.Park()
				close(resting)
				synctest.Wait()
				<-time.After(tt.rest)
				if got := conn.Wake(); got != tt.want || conn.Usable() != tt.want {
					t.Errorf("Wake %v, Usable %v, want %v", got, conn.Usable(), tt.want)
				}
				if said := rec.written()[len(before):]; (tt.rest > 10*time.Second) != (said == "NOOP\r\n") || said != "" && said != "NOOP\r\n" {
					t.Errorf("said %q", said)
				}
				conn.Close()
				<-served
			})
		})
	}
}
