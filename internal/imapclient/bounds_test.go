package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/imapclient"
)

// A context ends only the call that it was passed to.
func TestTheContextIsThatOfTheCall(t *testing.T) {
	t.Parallel()
	waiting := make(chan struct{})
	cfg, server := serve(t, func(s *script) {
		s.enter("")
		s.upload(`"Sent"`, "OK saved")
		s.upload(`"Sent"`, "OK saved")
		s.line()
		close(waiting)
		_, _ = io.Copy(io.Discard, s.r)
	}, saves("", 1))
	ctx, cancel := context.WithCancel(t.Context())
	b, err := imapclient.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	ctx, cancel = context.WithCancel(t.Context())
	if _, err := b.Append(ctx, letter{text: "1\r\n"}, date); err != nil {
		t.Error(err)
	}
	cancel()
	if _, err := b.Append(ctx, letter{text: "no\r\n"}, date); !errors.Is(err, context.Canceled) || failure(t, err).Stage != imapclient.StageAppend {
		t.Error(err)
	}
	must(t, b, "2\r\n") // over the same connection
	ctx, cancel = context.WithCancel(t.Context())
	go func() {
		<-waiting
		cancel()
	}()
	if _, err := b.Append(ctx, letter{text: "no\r\n"}, date); !errors.Is(err, context.Canceled) || errors.Is(err, imapclient.ErrUnknown) {
		t.Error(err)
	}
	must(t, b, "3\r\n")
	b.Close()
	if s := server.end(); s.body != "1\r\n2\r\n3\r\n" || strings.Count(verbs(s.heard), "LOGIN") != 2 {
		t.Errorf("%q, %q", s.heard, s.body)
	}
}

// byes sends BYE repeatedly and never closes the connection.
func byes(s *script, stop <-chan struct{}) {
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for range 200 {
		select {
		case <-stop:
			return
		case <-every.C:
			s.say("* BYE")
		}
	}
}

// Close does not wait for a server that ignores LOGOUT, or keeps sending BYE.
func TestCloseIsBounded(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	defer close(stop)
	for name, end := range map[string]func(s *script){
		"silent":      func(*script) { <-stop },
		"without end": func(s *script) { byes(s, stop) },
	} {
		cfg, _ := serve(t, func(s *script) {
			s.enter("")
			s.line()
			end(s)
		})
		b := open(t, cfg)
		start := time.Now()
		b.Close()
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
}

func TestAFarewellWithoutEndIsBounded(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	defer close(stop)
	cfg, _ := serve(t, func(s *script) {
		s.say("* OK [CAPABILITY IMAP4rev1] ready")
		s.line()
		byes(s, stop)
	})
	start := time.Now()
	_, err := imapclient.Open(t.Context(), cfg)
	if at := failure(t, err); at.Stage != imapclient.StageLogin || at.Reply.Status != "BYE" {
		t.Error(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

// Printing a Mailbox shows nothing of the login.
func TestAMailboxDoesNotShowThePassword(t *testing.T) {
	t.Parallel()
	cfg, _ := serve(t, saves("", 0))
	b := open(t, cfg)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		if got := fmt.Sprintf(verb, b); !strings.HasPrefix(got, "mailbox at 127.0.0.1:") || strings.Contains(got, "hunter22") {
			t.Errorf("%s: %s", verb, got)
		}
	}
}

// Append has a time limit on a connection that stays silent and open.
func TestAppendOverASilentConnectionIsBounded(t *testing.T) {
	t.Parallel()
	cfg, server := serve(t, func(s *script) {
		s.enter("")
		s.upload(`"Sent"`, "OK saved")
		_, _ = io.Copy(io.Discard, s.r)
	}, func(s *script) {
		s.enter("")
		_, _ = io.Copy(io.Discard, s.r)
	})
	cfg.Timeout = time.Second
	b := open(t, cfg)
	must(t, b, hello)
	_, err := b.Append(t.Context(), letter{text: hello}, date)
	if failure(t, err); !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, imapclient.ErrUnknown) {
		t.Error(err)
	}
	server.end()
}
