package smtpclient_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// trickle feeds a run three messages at once and then one by one. The server may end the
// connection after silence.
func trickle(t *testing.T, way func(*smtpclient.Config) []string, ends string) {
	cfg := plainConfig()
	l := newLedger(way(&cfg)...)
	l.lmtp = cfg.LMTP
	end := make(chan struct{})
	cfg, _, done := pipe(cfg, func(conn net.Conn) {
		go func() {
			<-end
			if ends == "says 421" {
				_, _ = conn.Write([]byte("421 4.4.2 idle too long\r\n"))
			}
			conn.Close()
		}()
		l.serve(conn)
	})
	conn, err := smtpclient.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := make(fed, 10)
	one := func(i int) { f <- letter{from: "a", to: "x"}.transaction(t, fmt.Sprint(i)) }
	for i := range 3 {
		one(i)
	}
	var results []smtpclient.Result
	for r := range conn.RunSource(t.Context(), f) {
		switch results = append(results, r); {
		case len(results) == 3 && ends != "":
			go func() {
				synctest.Wait() // until the run waits for its source
				close(end)
				synctest.Wait() // until the server has replied
				one(3)
			}()
		case len(results) >= 3 && len(results) < 20:
			one(len(results))
		case len(results) == 20:
			close(f)
		}
	}
	last := results[len(results)-1]
	if ends == "" && (len(results) != 20 || statuses(last) != "accepted") ||
		ends != "" && (len(results) != 4 || !last.Lost || last.Outcomes[0].Status != smtp.NotTried) {
		t.Errorf("%d results, the last %v, lost %v", len(results), last.Outcomes, last.Lost)
	}
	conn.Quit(t.Context())
	if ends == "" {
		close(end)
	}
	<-done
	l.compare(t, results)
}

// A server reads on and does not answer any more: messages sent by then are unknown when the
// timeout of the reply to the message's end is over, and not later, however much was sent after
// them.
func TestRunUnanswered(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"PIPELINING": 1, "CHUNKING": 32, "CHUNKING, window 2": 2, "lock-step": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg := plainConfig()
				l := newLedger(runWays()[name](&cfg)...)
				cfg, _, done := pipe(cfg, func(conn net.Conn) { l.serve(&speechless{Conn: conn, after: "250 2.0.0 queued", times: 1}) })
				conn, err := smtpclient.Dial(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				unknown := 0
				for r := range conn.RunSource(t.Context(), source(t, slices.Repeat([]letter{{from: "a", to: "x"}}, 100))) {
					if r.Outcomes[0].Status == smtp.Unknown {
						unknown++
					}
				}
				if took := time.Since(start); unknown != want || took < 10*time.Minute || took > 11*time.Minute {
					t.Errorf("%d unknown after %v, want %d after 10 minutes", unknown, took, want)
				}
				<-done
			})
		})
	}
}

// The timeout of a reply does not depend on later replies: messages that are still being sent
// don't extend it.
func TestRunUnansweredWhileItGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLedger("PIPELINING", "CHUNKING")
		cfg, _, done := pipe(plainConfig(), func(conn net.Conn) { l.serve(&speechless{Conn: conn, after: "250 2.0.0 queued", times: 1}) })
		conn, err := smtpclient.Dial(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		f := make(fed, 40)
		start := time.Now()
		ticker := time.NewTicker(time.Minute)
		for i := range 2 {
			f <- letter{from: "a", to: "x"}.transaction(t, fmt.Sprint(i))
		}
		over := make(chan struct{})
		go func() {
			for i := 2; ; i++ {
				select {
				case <-ticker.C:
					f <- letter{from: "a", to: "x"}.transaction(t, fmt.Sprint(i))
				case <-over:
					return
				}
			}
		}()
		unknown := 0
		for r := range conn.RunSource(t.Context(), f) {
			if r.Outcomes[0].Status == smtp.Unknown {
				unknown++
			}
		}
		close(over)
		if took := time.Since(start); took != 10*time.Minute || unknown < 10 || unknown > 12 {
			t.Errorf("%d unknown after %v, want 11 after 10 minutes", unknown, took)
		}
		<-done
	})
}

// speechless is a server's connection that falls silent after a given reply.
type speechless struct {
	net.Conn
	after string
	times int // number of times that it was sent before
	said  bool
}

func (m *speechless) Write(p []byte) (int, error) {
	if m.said {
		return len(p), nil
	}
	if strings.Contains(string(p), m.after) {
		if m.times--; m.times < 0 {
			m.said = true
			return len(p), nil
		}
	}
	return m.Conn.Write(p)
}

// A cancelled context ends the run, and no message is in doubt that was not completely sent.
func TestRunContextEnds(t *testing.T) {
	t.Parallel()
	for name, way := range runWays() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := plainConfig()
			l := newLedger(way(&cfg)...)
			l.lmtp = cfg.LMTP
			cfg, _, done := pipe(cfg, l.serve)
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			q := source(t, slices.Repeat([]letter{{from: "a", to: "x"}}, 500))
			var results []smtpclient.Result
			for r := range conn.RunSource(ctx, q) {
				if results = append(results, r); len(results) == 50 {
					cancel()
				}
			}
			cancel()
			conn.Close()
			<-done
			if len(results) < 50 || len(results)+len(q.left) != 500 || len(q.left) == 0 {
				t.Errorf("%d results, %d not taken", len(results), len(q.left))
			}
			l.compare(t, results)
		})
	}
}
