package smtpclient_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/smtpclient"
)

// Progress is never called after a message's result, and before it was called for the whole
// message.
func TestRunTellsNoProgressBehindTheResult(t *testing.T) {
	t.Parallel()
	for name, way := range runWays() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				cfg := plainConfig()
				l := newLedger(way(&cfg)...)
				l.lmtp = cfg.LMTP
				cfg, _, done := pipe(cfg, l.serve)
				dial := cfg.Dialer
				cfg.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := dial(ctx, network, address)
					return lingering{conn}, err
				}
				conn, err := smtpclient.Dial(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				q := source(t, []letter{{from: "a", to: "x"}, {from: "a", to: "y", lines: 20_000}, {from: "a", to: "z"}})
				var told atomic.Int32
				var sent [3]atomic.Int64
				for i := range q.left {
					q.left[i].Progress = func(n, size int64) {
						sent[i].Store(n)
						if size <= 0 || n > size {
							t.Errorf("message %d: %d of %d octets", i, n, size)
						}
						if int(told.Load()) > i {
							t.Errorf("message %d: progress of %d octets after its result", i, n)
						}
					}
				}
				for r := range conn.RunSource(t.Context(), q) {
					if i := told.Add(1) - 1; sent[i].Load() != r.Size {
						t.Errorf("message %d: %d of %d octets by the time of its result", i, sent[i].Load(), r.Size)
					}
				}
				if told.Load() != 3 {
					t.Errorf("%d results", told.Load())
				}
				conn.Quit(t.Context())
				<-done
			})
		})
	}
}

// lingering is a connection whose writes return a second after everything was read.
type lingering struct{ net.Conn }

func (l lingering) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	timer := time.NewTimer(time.Second)
	<-timer.C
	return n, err
}
