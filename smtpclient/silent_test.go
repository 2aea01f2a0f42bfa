package smtpclient_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// hold listens and passes each connection to serve, with its number from 1.
func hold(t *testing.T, serve func(n int, conn net.Conn)) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for n := 1; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(n, conn)
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// A TLS port is silent to a client without TLS: that is detected soon, not after the five minutes
// allowed for a greeting.
func TestSilenceOfATLSPort(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	server := &secured{implicit: true, tls: &tls.Config{Certificates: []tls.Certificate{ca.issue("mail.example.org", time.Now().Add(time.Hour))}}}
	for _, security := range []smtpclient.Security{smtpclient.STARTTLS, smtpclient.Plaintext} {
		for name, trust := range map[string]smtpclient.Trust{"trusted": {Roots: ca.pool()}, "a stranger's": {}} {
			t.Run(security.String()+" "+name, func(t *testing.T) {
				t.Parallel()
				var n atomic.Int32
				port := hold(t, func(_ int, conn net.Conn) { n.Add(1); server.accept(conn) })
				_, err := smtpclient.Dial(t.Context(), smtpclient.Config{Host: "127.0.0.1", Port: port, Security: security, Trust: trust,
					Timeouts: smtpclient.Timeouts{Silence: 2 * time.Second}}) // long enough for a handshake on a busy machine
				if at := stageOf(t, err); at.Stage != smtp.StageGreeting || !errors.Is(err, smtpclient.ErrTLSPort) || n.Load() != 2 {
					t.Errorf("%v after %d connections", err, n.Load())
				}
			})
		}
	}
}

// A slow server gets its time, and the trace reports the wait.
func TestSilenceOfASlowServer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{"not TLS": "220 ready\r\n", "hangs up": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			waiting := make(chan time.Duration, 1)
			port := hold(t, func(n int, conn net.Conn) {
				if n > 1 { // the connection that checks for TLS
					fmt.Fprint(conn, answer)
					return
				}
				<-waiting
				fmt.Fprint(conn, "220 slow\r\n")
				(&simple{}).session(conn, bufio.NewReader(conn))
			})
			var told []time.Duration
			conn, err := smtpclient.Dial(t.Context(), smtpclient.Config{Host: "127.0.0.1", Port: port, Security: smtpclient.Plaintext,
				Timeouts: smtpclient.Timeouts{Silence: 50 * time.Millisecond}, Trace: func(e smtpclient.Event) {
					if e.Direction == smtpclient.Waiting {
						told = append(told, e.Wait)
						waiting <- e.Wait
					}
				}})
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			if len(told) != 1 || told[0] != 5*time.Minute-50*time.Millisecond {
				t.Errorf("got %v", told)
			}
		})
	}
}

// An immediate greeting causes no check.
func TestNoSilence(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	port := hold(t, func(_ int, conn net.Conn) { n.Add(1); (&simple{}).serve(conn) })
	conn, err := smtpclient.Dial(t.Context(), smtpclient.Config{Host: "127.0.0.1", Port: port, Security: smtpclient.Plaintext})
	if err != nil {
		t.Fatal(err)
	}
	conn.Quit(t.Context())
	if n.Load() != 1 {
		t.Errorf("%d connections", n.Load())
	}
}

// A panic of the caller's Trace, called from a timer, ends the caller's goroutine.
func TestSilencePanicIsTheCallers(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	port := hold(t, func(n int, conn net.Conn) {
		if n == 1 {
			<-end
		}
	})
	defer close(end)
	var panicked any
	func() {
		defer func() { panicked = recover() }()
		conn, err := smtpclient.Dial(t.Context(), smtpclient.Config{Host: "127.0.0.1", Port: port, Security: smtpclient.Plaintext,
			Timeouts: smtpclient.Timeouts{Silence: 50 * time.Millisecond}, Trace: func(e smtpclient.Event) {
				if e.Direction == smtpclient.Waiting {
					panic("in the trace")
				}
			}})
		t.Errorf("Dial gave %v, %v", conn, err)
	}()
	if c, ok := panicked.(interface{ PanicStack() []byte }); !ok || fmt.Sprint(panicked) != "in the trace" || len(c.PanicStack()) == 0 {
		t.Errorf("Dial ended with %v", panicked)
	}
}
