package transport

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// bad is a message whose text panics when it is written.
type bad struct{ size int64 }

func (b bad) Size() int64                      { return b.size }
func (bad) EightBit() bool                     { return false }
func (bad) NeedsSMTPUTF8() bool                { return false }
func (bad) WriteTo(w io.Writer) (int64, error) { panic("in the text") }

// A panic in a goroutine of the transport is raised in the caller's: it does not end the process,
// and contains its stack. Small messages are written by the worker, large ones by another
// goroutine.
func TestPanicOfAMessageIsTheCallers(t *testing.T) {
	t.Parallel()
	for _, caps := range [][]string{nil, {"PIPELINING"}, {"PIPELINING", "CHUNKING"}} {
		for _, size := range []int64{100, 100_000} {
			t.Run(fmt.Sprint(caps, size), func(t *testing.T) {
				t.Parallel()
				f := &fake{caps: caps}
				s := f.transport(t, Options{MaxConnections: 2})
				list := mails(t, 8)
				list[3].Content = bad{size}
				ended := make(chan any, 1)
				go func() {
					defer func() { ended <- recover() }()
					for range s.SendAll(t.Context(), each(list)) {
					}
				}()
				select {
				case v := <-ended:
					c, ok := v.(interface{ PanicStack() []byte })
					if !ok || fmt.Sprint(v) != "in the text" || len(c.PanicStack()) == 0 {
						t.Errorf("the loop ended with %v", v)
					}
				case <-time.After(time.Minute):
					t.Fatal("the loop did not end")
				}
			})
		}
	}
}

// panicsAt is a Trace that panics at a line.
func panicsAt(line string) func(smtpclient.Event) {
	return func(e smtpclient.Event) {
		if strings.HasPrefix(e.Text, line) {
			panic("in the trace")
		}
	}
}

// recovered returns the panic value of a call.
func recovered(call func()) (value any) {
	defer func() { value = recover() }()
	call()
	return nil
}

func wantCarried(t *testing.T, s *SMTP, v any, text string) {
	t.Helper()
	c, ok := v.(interface{ PanicStack() []byte })
	if !ok || fmt.Sprint(v) != text || len(c.PanicStack()) == 0 {
		t.Errorf("the call ended with %v", v)
	}
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	if s.pool.open != 0 || len(s.pool.free) != 0 {
		t.Errorf("%d connections are counted, %d are free", s.pool.open, len(s.pool.free))
	}
}

// A panic of the caller's Trace at the QUIT of Close is raised in the goroutine that calls Close,
// and all connections are closed.
func TestPanicAtCloseIsTheCallers(t *testing.T) {
	t.Parallel()
	f := &fake{}
	s := f.transport(t, Options{Trace: panicsAt("QUIT")})
	if r := s.Send(t.Context(), mails(t, 1)[0]); r.Outcomes[0].Status != smtp.Accepted {
		t.Fatal(r.Outcomes[0])
	}
	wantCarried(t, s, recovered(func() { _ = s.Close() }), "in the trace")
	if v := recovered(func() { _ = s.Close() }); v != nil {
		t.Errorf("Close once more: %v", v)
	}
}

// A panic at the QUIT of a connection whose idle time is over is raised by the next call.
func TestPanicOfAnIdleTimerIsTheCallers(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(*SMTP, smtpclient.Transaction){
		"Send":  func(s *SMTP, m smtpclient.Transaction) { s.Send(context.Background(), m) },
		"Close": func(s *SMTP, _ smtpclient.Transaction) { _ = s.Close() },
		"SendAll": func(s *SMTP, m smtpclient.Transaction) {
			for range s.SendAll(context.Background(), each([]smtpclient.Transaction{m})) {
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{}
				s := f.transport(t, Options{Trace: panicsAt("QUIT"), IdleTimeout: time.Minute})
				list := mails(t, 2)
				if r := s.Send(t.Context(), list[0]); r.Outcomes[0].Status != smtp.Accepted {
					t.Fatal(r.Outcomes[0])
				}
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				wantCarried(t, s, recovered(func() { next(s, list[1]) }), "in the trace")
			})
		})
	}
}

// A panic while a connection is opened is raised in the caller, too, and the connection's place
// is free again.
func TestPanicWhileConnectingIsTheCallers(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"Trace":      {Trace: panicsAt("EHLO")},
		"FreshToken": {User: "u", AllowCleartextPassword: true, FreshToken: func(context.Context, string) (string, error) { panic("in the trace") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{caps: []string{"AUTH XOAUTH2", "PIPELINING"}}
			s := f.transport(t, o)
			v := recovered(func() {
				for range s.SendAll(t.Context(), each(mails(t, 3))) {
				}
			})
			wantCarried(t, s, v, "in the trace")
		})
	}
}
