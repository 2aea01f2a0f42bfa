package transport

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// Close ends the wait for a connection at once.
func TestCloseWhileWaitingForAConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := &fake{answer: func(a ask) string {
			if a.verb == "BODY" && a.from == "m0" {
				<-release
			}
			return ""
		}}
		s := f.transport(t, Options{MaxConnections: 1})
		list := mails(t, 3)
		var results [3]smtpclient.Result
		var wg, first sync.WaitGroup
		first.Go(func() { results[0] = s.Send(t.Context(), list[0]) })
		synctest.Wait()
		for i := 1; i < 3; i++ {
			wg.Go(func() { results[i] = s.Send(t.Context(), list[i]) })
		}
		synctest.Wait()
		_ = s.Close()
		synctest.Wait()
		if s.pool.wanted.Load() != 0 {
			t.Error("a goroutine still waits")
		}
		close(release)
		wg.Wait()
		first.Wait()
		for i, r := range results {
			o := r.Outcomes[0]
			if i == 0 && o.Status != smtp.Accepted || i > 0 && (o.Status != smtp.NotTried || !errors.Is(o.Err, ErrClosed)) {
				t.Errorf("message %d: %s", i, o)
			}
		}
		if f.connections != 1 {
			t.Errorf("%d connections", f.connections)
		}
	})
}
