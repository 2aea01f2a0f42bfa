package transport

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Breaking the loop takes no more messages and waits for those on the wire.
func TestSendAllBreak(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps}
		s := f.transport(t, Options{MaxConnections: 2})
		var results []smtpclient.Result
		given := 0
		for i, r := range s.SendAll(t.Context(), func(yield func(smtpclient.Transaction) bool) {
			for _, m := range mails(t, 1000) {
				given++
				if !yield(m) {
					return
				}
			}
			t.Error("the iterator was drained")
		}) {
			_ = i
			if results = append(results, r); len(results) == 10 {
				break
			}
		}
		took := len(f.took())
		synctest.Wait()
		if len(f.took()) != took {
			t.Error("a message arrived after the loop was over")
		}
		if given > 200 {
			t.Errorf("%d messages were taken for 10 results", given)
		}
		if r := s.Send(t.Context(), mails(t, 1)[0]); r.Outcomes[0].Status != smtp.Accepted {
			t.Errorf("afterwards: %v", r.Outcomes)
		}
	})
}

// The end of the context settles all taken messages at once.
func TestSendAllCancel(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps}
		hang := make(chan struct{})
		defer close(hang)
		f.answer = func(a ask) string {
			if a.from == "m20" && (a.verb == "BODY" || a.verb == "BDAT") {
				<-hang
			}
			return ""
		}
		s := f.transport(t, Options{MaxConnections: 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		given := 0
		var results []smtpclient.Result
		all := mails(t, 1000)
		results = make([]smtpclient.Result, len(all))
		seen := 0
		for i, r := range s.SendAll(ctx, func(yield func(smtpclient.Transaction) bool) {
			for _, m := range all {
				given++
				if !yield(m) {
					return
				}
			}
		}) {
			results[i] = r
			seen++
		}
		if seen != given {
			t.Errorf("%d results for %d messages", seen, given)
		}
		if passed := time.Since(start); passed > 2*time.Second {
			t.Errorf("it took %s", passed)
		}
		agrees(t, f, results[:seen])
		if count(results, smtp.Accepted) < 20 || count(results, smtp.NotTried) == 0 {
			t.Errorf("%d accepted, %d not tried", count(results, smtp.Accepted), count(results, smtp.NotTried))
		}
		for _, r := range results[:seen] {
			if o := r.Outcomes[0]; o.Status == smtp.NotTried && !errors.Is(o.Err, context.DeadlineExceeded) {
				t.Errorf("%s", o)
			}
		}
	})
}

// A panic of the caller's iterator reaches the caller.
func TestSendAllIteratorPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		s := f.transport(t, Options{})
		seen := 0
		func() {
			defer func() {
				if got := recover(); got != "out of paper" {
					t.Errorf("recovered %v", got)
				}
			}()
			for _, r := range s.SendAll(t.Context(), func(yield func(smtpclient.Transaction) bool) {
				for _, m := range mails(t, 5) {
					yield(m)
				}
				panic("out of paper")
			}) {
				if r.Outcomes[0].Status == smtp.Accepted {
					seen++
				}
			}
		}()
		if seen != 5 {
			t.Errorf("%d results before the panic, want 5", seen)
		}
		func() { // after a break, too
			defer func() {
				if got := recover(); got != "not finished" {
					t.Errorf("recovered %v", got)
				}
			}()
			for range s.SendAll(t.Context(), func(yield func(smtpclient.Transaction) bool) {
				for _, m := range mails(t, 100) {
					if !yield(m) {
						panic("not finished")
					}
				}
			}) {
				break
			}
		}()
		// A panic of the loop leaves no goroutine behind: synctest would report it.
		func() {
			defer func() { _ = recover() }()
			for range s.SendAll(t.Context(), each(mails(t, 100))) {
				panic("in the loop")
			}
		}()
	})
}

// Messages of a slow producer are sent as they come, over a connection that is idle in between.
func TestSendAllSlowProducer(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps}
		s := f.transport(t, Options{})
		var late time.Duration
		i := 0
		var given atomic.Value
		for _, r := range s.SendAll(t.Context(), func(yield func(smtpclient.Transaction) bool) {
			for _, m := range mails(t, 20) {
				if i++; i == 10 {
					f.hangUp() // while no message is on the wire
				}
				time.Sleep(5 * time.Second)
				given.Store(time.Now())
				if !yield(m) {
					return
				}
			}
		}) {
			late = max(late, time.Since(given.Load().(time.Time)))
			if r.Outcomes[0].Status != smtp.Accepted {
				t.Errorf("%v", r.Outcomes)
			}
		}
		if late > 10*time.Millisecond {
			t.Errorf("a result was handed over %s late", late)
		}
		if f.connections != 2 {
			t.Errorf("%d connections, want 2", f.connections)
		}
	})
}

// No results pile up if the consumer is slow.
func TestSendAllSlowConsumer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{caps: []string{"PIPELINING", "CHUNKING"}}
		s := f.transport(t, Options{MaxConnections: 1})
		var given atomic.Int64
		seen := 0
		for range s.SendAll(t.Context(), func(yield func(smtpclient.Transaction) bool) {
			for _, m := range mails(t, 1000) {
				given.Add(1)
				if !yield(m) {
					return
				}
			}
		}) {
			seen++
			time.Sleep(time.Second)
			if n := given.Load(); n-int64(seen) > 4*32 {
				t.Fatalf("%d messages were taken for %d results", n, seen)
			}
		}
	})
}
