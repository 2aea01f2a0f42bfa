package smtpclient_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// If the loop over a run panics, unread replies remain. The next message must not read them as
// its own.
func TestRunWhoseLoopPanics(t *testing.T) {
	t.Parallel()
	for name, way := range runWays() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg := plainConfig()
				l := newLedger(way(&cfg)...)
				l.lmtp = cfg.LMTP
				cfg, _, done := pipe(cfg, func(conn net.Conn) { l.serve(&distant{conn}) })
				conn, err := smtpclient.Dial(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				func() {
					defer func() {
						if recover() != "in the loop" {
							t.Error("the panic was lost")
						}
					}()
					q := source(t, []letter{{from: "a", to: "x"}, {from: "a", to: "y"}, {from: "a", to: "z"}})
					for range conn.RunSource(t.Context(), q) {
						panic("in the loop")
					}
				}()
				if took := time.Since(start); took > time.Minute || conn.Usable() {
					t.Errorf("it took %v, and the connection is usable: %v", took, conn.Usable())
				}
				r := conn.Send(t.Context(), letter{from: "a", to: "w"}.transaction(t, "behind"))
				conn.Quit(t.Context())
				<-done
				l.mu.Lock()
				defer l.mu.Unlock()
				if accepted := r.Outcomes[0].Status == smtp.Accepted; accepted != (len(l.books["behind"]) == 1) {
					t.Errorf("%v, and the server has %v", r.Outcomes, l.books)
				}
			})
		})
	}
}

// distant is a server's connection whose replies take a second.
type distant struct{ net.Conn }

func (d *distant) Write(p []byte) (int, error) {
	timer := time.NewTimer(time.Second)
	<-timer.C
	return d.Conn.Write(p)
}

// A source that panics leaves no connection within a transaction.
func TestRunWhoseSourcePanics(t *testing.T) {
	t.Parallel()
	for _, caps := range [][]string{nil, {"PIPELINING"}} {
		l := newLedger(caps...)
		cfg, _, done := pipe(plainConfig(), l.serve)
		conn, err := smtpclient.Dial(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if recover() != "out of paper" {
					t.Error("the panic was lost")
				}
			}()
			tx := letter{from: "a", to: "x"}.transaction(t, "0")
			for range conn.RunSource(t.Context(), &exploding{tx: tx}) {
			}
		}()
		if conn.Usable() {
			t.Errorf("%v: the connection is reported as usable", caps)
		}
		conn.Close()
		<-done
	}
}

// exploding is a source of one message.
type exploding struct {
	tx    smtpclient.Transaction
	given bool
}

func (e *exploding) Next(context.Context, bool) (smtpclient.Transaction, bool) {
	if e.given {
		panic("out of paper")
	}
	e.given = true
	return e.tx, true
}
