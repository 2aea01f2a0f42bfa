package smtpclient_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// An idle connection is reused only if the server is still there and has sent nothing. The clock
// is that of the synctest bubble.
func TestWake(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		rest   time.Duration
		unasks string // sent while the connection is idle
		hangs  bool   // and then hangs up
		noop   string // reply to NOOP; "" stays silent
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
				if got := conn.Wake(t.Context()); got != tt.want || conn.Usable() != tt.want {
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

// The caller's context limits the check after a long idle time, too.
func TestWakeKeepsToTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &simple{}
		deaf := make(chan struct{})
		cfg, _, served := pipe(smtpclient.Config{Security: smtpclient.Plaintext}, func(conn net.Conn) {
			go func() { <-deaf; conn.Close() }()
			server.serve(&mute{Conn: conn, after: 2})
		})
		conn, err := smtpclient.Dial(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		conn.Park()
		<-time.After(time.Minute)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if conn.Wake(ctx) || conn.Usable() {
			t.Error("a server that doesn't answer passed for one that does")
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v", took)
		}
		close(deaf)
		<-served
	})
}

// mute is a connection whose writes are lost after the first n.
type mute struct {
	net.Conn
	after int
}

func (m *mute) Write(p []byte) (int, error) {
	if m.after--; m.after < 0 {
		return len(p), nil
	}
	return m.Conn.Write(p)
}

// An unsolicited line may come in the packet of a reply, in its own TLS record. It would be read
// as the reply to MAIL, and the reply to RCPT as that to the message.
func TestUnaskedInARecordOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, parked := range []bool{false, true} {
		t.Run(fmt.Sprint("parked ", parked), func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t)
			certificate := ca.issue("mail.example.org", time.Now().Add(time.Hour))
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			server := &simple{caps: []string{"PIPELINING", "CHUNKING"}}
			served := make(chan struct{})
			go func() {
				defer close(served)
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				packets := &gathered{Conn: conn}
				secure := tls.Server(packets, &tls.Config{Certificates: []tls.Certificate{certificate}})
				server.serve(&repeating{Conn: secure, packets: packets})
			}()
			cfg := smtpclient.Config{Host: "mail.example.org", Trust: smtpclient.Trust{Roots: ca.pool()}}
			cfg.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "tcp", listener.Addr().String())
			}
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			tx := smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: hello}}
			if got := describe(conn.Send(t.Context(), tx)); got != "accepted@body 250" {
				t.Fatalf("the first message: %s", got)
			}
			if parked {
				conn.Park()
				if conn.Wake(t.Context()) {
					t.Error("woke a connection on which the server spoke")
				}
			} else if o := conn.Send(t.Context(), tx).Outcomes[0]; o.Status != smtp.NotTried || !errors.Is(o.Err, smtpclient.ErrUnasked) {
				t.Errorf("the second message: %s", o)
			}
			conn.Close()
			<-served
		})
	}
}

// gathered holds writes back while hold is set.
type gathered struct {
	net.Conn
	hold bool
	held []byte
}

func (g *gathered) Write(p []byte) (int, error) {
	g.held = append(g.held, p...)
	if g.hold {
		return len(p), nil
	}
	_, err := g.Conn.Write(g.held)
	g.held = nil
	return len(p), err
}

// repeating sends its fifth line, the reply to the first message, twice.
type repeating struct {
	net.Conn
	packets *gathered
	said    int
}

func (r *repeating) Write(p []byte) (int, error) {
	if r.said++; r.said == 5 {
		r.packets.hold = true
		if n, err := r.Conn.Write(p); err != nil {
			return n, err
		}
		r.packets.hold = false
	}
	return r.Conn.Write(p)
}
