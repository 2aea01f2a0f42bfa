package daemon

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/delivery"
	"github.com/yanmail/yan/queue"
	"github.com/yanmail/yan/smtp"
)

// The daemon is not ready while an account with waiting recipients can't send, and says which
// account and why. The watchdog and ?accounts=no consider the delivery alone.
func TestReadyWhileAccountsRest(t *testing.T) {
	t.Parallel()
	waits := map[queue.State]int{queue.Queued: 2, queue.Deferred: 1}
	refused := queue.Answer{Stage: smtp.StageAuth, Reply: smtp.Reply{Code: 535, Lines: []string{"5.7.8 alice@example.org"}}, Class: "AUTH_BAD_CREDENTIALS"}
	for _, c := range []struct {
		name  string
		stats []queue.AccountStats
		rests []delivery.Rest
		code  int
		says  []string
	}{
		{"all send", []queue.AccountStats{{Account: "a", Count: waits}}, nil, 200, []string{"ready"}},
		{"one rests and nothing waits", []queue.AccountStats{{Account: "a", PausedFor: time.Hour, PauseAnswer: refused}}, nil, 200, []string{"ready"}},
		{"one rests", []queue.AccountStats{{Account: "a", Count: waits, PausedFor: time.Hour, PauseAnswer: refused}, {Account: "b", Count: waits}}, nil, 503,
			[]string{"accounts that can't send: 1\n", "account a can't send until ", "AUTH_BAD_CREDENTIALS, 535 at auth; recipients waiting: 3"}},
		{"one rests here", []queue.AccountStats{{Account: "a", Count: waits}}, []delivery.Rest{{Account: "a", Until: newManualClock().Now().Add(time.Hour),
			Answer: queue.Answer{Err: "no secret in the file of alice@example.org"}}}, 503, []string{"account a can't send from here until ", "no secret"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := startDaemon(t, func(o *Options) {
				o.Store.(*fakeStore).setAccounts(c.stats)
				deliver := o.Deliver
				o.Deliver = func(d delivery.Options) Deliverer {
					f := deliver(d).(*fakeDelivery)
					f.setStatus(func() delivery.WorkerStatus {
						return delivery.WorkerStatus{Joined: true, Accepting: true, Rests: c.rests}
					})
					return f
				}
			})
			code, text := requestPath(t, r.socket, pathReady)
			if code != c.code || strings.Contains(text, "alice") {
				t.Errorf("%d %s", code, text)
			}
			for _, words := range c.says {
				if !strings.Contains(text, words) {
					t.Errorf("%q is missing: %s", words, text)
				}
			}
			if code, text := requestPath(t, r.socket, pathReady+"?accounts=no"); code != 200 {
				t.Errorf("the delivery alone: %d %s", code, text)
			}
			var s StatusReply
			if _, text := requestPath(t, r.socket, pathStatus); json.Unmarshal([]byte(text), &s) != nil || s.Ready != (c.code == 200) || s.Resting == nil {
				t.Errorf("status %s", text)
			}
			// The daemon answers before it has written its first lines; all are there when it has
			// ended.
			r.stop()
			receiveWithin(t, r.told, "the delivery is told to end")
			r.end <- nil
			if err := receiveWithin(t, r.ended, "the end"); err != nil {
				t.Fatal(err)
			}
			if rests := c.stats[0].PausedFor > 0 || len(c.rests) > 0; rests != strings.Contains(r.log.String(), "account paused") {
				t.Errorf("resting at the start: %v; the log: %s", rests, r.log)
			}
		})
	}
}

// An outbox that does not answer is reported by isReady, not by an account.
func TestReadyWhenNobodyCanCount(t *testing.T) {
	t.Parallel()
	r := startDaemon(t, func(o *Options) { o.Store.(*fakeStore).failStats(errors.New("no such host")) })
	if code, text := requestPath(t, r.socket, pathReady); code != 200 {
		t.Errorf("%d %s", code, text)
	}
}
