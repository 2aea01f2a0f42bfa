package transport

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// A connection that accepts no more, and waits for a reply, does not delay messages that others
// could send.
func TestIdleWorkerIsWoken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stuck, release := make(chan struct{}), make(chan struct{})
		f := &fake{caps: []string{"PIPELINING", "CHUNKING", "LIMITS MAILMAX=12"}, answer: func(a ask) string {
			if a.verb == "BDAT" && a.connection == 1 && a.message == 11 {
				close(stuck)
				<-release
			}
			if a.verb == "CONNECT" && a.connection == 2 {
				<-stuck // by then the first is used up
			}
			return ""
		}}
		s := f.transport(t, Options{MaxConnections: 2, Window: smtpclient.Window{Messages: 4}})
		const first, all = 20, 23
		list := mails(t, all)
		var given [all]time.Time
		accepted := 0
		for i, r := range s.SendAll(t.Context(), func(yield func(smtpclient.Transaction) bool) {
			for i, m := range list {
				if i >= first {
					time.Sleep(time.Second)
				}
				given[i] = time.Now()
				if !yield(m) {
					return
				}
			}
			time.Sleep(time.Second)
			close(release)
		}) {
			if r.Outcomes[0].Status == smtp.Accepted {
				accepted++
			}
			if late := time.Since(given[i]); i >= first && late > 100*time.Millisecond {
				t.Errorf("message %d waited %s", i, late)
			}
		}
		if accepted != all || f.connections != 2 {
			t.Errorf("%d of %d accepted over %d connections", accepted, all, f.connections)
		}
	})
}
