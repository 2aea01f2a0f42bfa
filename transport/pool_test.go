package transport

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// A connection counts until the reply to its QUIT.
func TestGoodbyeHoldsItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(a ask) string {
			if a.verb == "QUIT" {
				time.Sleep(2 * time.Second)
			}
			return ""
		}}
		s := f.transport(t, Options{MaxConnections: 1, IdleTimeout: time.Second})
		for _, m := range mails(t, 3) {
			if r := s.Send(t.Context(), m); r.Outcomes[0].Status != smtp.Accepted {
				t.Errorf("%v", r.Outcomes)
			}
			time.Sleep(1500 * time.Millisecond) // within the QUIT
		}
		if f.connections != 3 || f.most != 1 {
			t.Errorf("%d connections, %d at a time, want 3 one after the other", f.connections, f.most)
		}
	})
}

// A long run over the only connection lets other callers send in between.
func TestSendHasItsTurnBesideSendAll(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps, answer: func(a ask) string {
			if a.verb == "MAIL" {
				time.Sleep(time.Millisecond) // otherwise it would be over before the others start
			}
			return ""
		}}
		s := f.transport(t, Options{MaxConnections: 1})
		var all, one, before atomic.Int32
		var wg sync.WaitGroup
		wg.Go(func() {
			for range s.SendAll(t.Context(), each(mails(t, 1000))) {
				all.Add(1)
			}
		})
		wg.Go(func() {
			for _, m := range mails(t, 3) {
				time.Sleep(20 * time.Millisecond)
				if r := s.Send(t.Context(), m); r.Outcomes[0].Status == smtp.Accepted {
					one.Add(1)
				}
			}
			before.Store(all.Load())
		})
		wg.Wait()
		if all.Load() != 1000 || one.Load() != 3 || before.Load() > 500 {
			t.Errorf("%d of the run, %d beside it, the last after %d", all.Load(), one.Load(), before.Load())
		}
		if f.most != 1 {
			t.Errorf("%d connections at a time", f.most)
		}
	})
}

// A caller that waits for a connection can stop waiting, without losing another caller's turn.
func TestWaitingForAConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := &fake{answer: func(a ask) string {
			if a.verb == "BODY" && a.connection == 1 && a.message == 0 {
				<-release
			}
			return ""
		}}
		s := f.transport(t, Options{MaxConnections: 1})
		list := mails(t, 4)
		var wg sync.WaitGroup
		var results [4]smtpclient.Result
		short, cancel := context.WithCancel(t.Context())
		for i, ctx := range []context.Context{t.Context(), short, t.Context(), t.Context()} {
			wg.Go(func() { results[i] = s.Send(ctx, list[i]) })
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		close(release)
		wg.Wait()
		for i, want := range []smtp.Status{smtp.Accepted, smtp.NotTried, smtp.Accepted, smtp.Accepted} {
			if o := results[i].Outcomes[0]; o.Status != want {
				t.Errorf("message %d: %s", i, o)
			}
		}
		if f.connections != 1 || s.pool.wanted.Load() != 0 {
			t.Errorf("%d connections, %d still wanted", f.connections, s.pool.wanted.Load())
		}
	})
}

// Close also ends the waiting; messages on the wire are finished.
func TestCloseInMidRun(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps}
		s := f.transport(t, Options{MaxConnections: 1})
		var results []smtpclient.Result
		start := time.Now()
		for _, r := range s.SendAll(t.Context(), func(yield func(smtpclient.Transaction) bool) {
			for i, m := range mails(t, 20) {
				if i == 10 {
					time.Sleep(time.Second) // everything is sent, the connection is idle
					_ = s.Close()
				}
				if !yield(m) {
					return
				}
			}
		}) {
			results = append(results, r)
		}
		if count(results, smtp.Accepted) != 10 || count(results, smtp.NotTried) != 10 || time.Since(start) > 2*time.Second {
			t.Errorf("%d accepted, %d not tried in %s", count(results, smtp.Accepted), count(results, smtp.NotTried), time.Since(start))
		}
		if o := results[19].Outcomes[0]; !errors.Is(o.Err, ErrClosed) {
			t.Errorf("%s", o)
		}
		synctest.Wait()
		if f.dialled != 0 {
			t.Errorf("%d connections are open", f.dialled)
		}
	})
}

// A turn that comes when its owner stops waiting is not lost.
func TestTurnIsPassedOn(t *testing.T) {
	t.Parallel()
	p := &pool{bound: func() int { return 1 }, open: 1}
	turn := make(chan *pooledConn, 1)
	p.waiting = []chan *pooledConn{turn}
	p.wanted.Store(1)
	p.freePlace()
	if p.open != 1 || len(turn) != 1 {
		t.Fatalf("%d open, %d turns given", p.open, len(turn))
	}
	p.stopWaiting(turn)
	if p.open != 0 || p.wanted.Load() != 0 {
		t.Errorf("%d open, %d wanted", p.open, p.wanted.Load())
	}
}
