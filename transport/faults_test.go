package transport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// answers are negative or missing replies of a server, by place.
func answers() map[string][]string {
	return map[string][]string{
		"CONNECT": {"bye 421 4.7.0 try again later", "bye 554 5.7.1 no", "cut"},
		"EHLO":    {"cut"},
		"MAIL":    {"cut", "bye 421 4.3.2 closing", "450 4.3.2 not now", "450 MI:DMC 163 smtp10", "451 4.7.1 slow down", "550 5.7.1 no", "lost"},
		"RCPT":    {"cut", "bye 421 4.3.2 closing", "450 4.2.1 busy", "452 4.5.3 too many recipients", "452 full", "550 5.1.1 no such user", "lost"},
		"DATA":    {"cut", "451 4.3.0 no", "bye 421 4.3.2 closing", "lost"},
		"BODY":    {"cut", "cut after", "451 4.3.0 no", "554 5.6.0 no", "bye 421 4.3.2 closing", "450 RP:DRC 163", "lost"},
		"BDAT":    {"cut", "cut after", "451 4.3.0 no", "554 5.6.0 no", "bye 421 4.3.2 closing", "450 MI:DMC 163", "lost"},
		"RSET":    {"cut", "502 no", "bye 421 4.3.2 closing"},
		"NOOP":    {"cut", "421 closing"},
	}
}

// faulty is a server with random faults.
func faulty(rnd *rand.Rand, caps []string) *fake {
	var mu sync.Mutex
	table := answers()
	often := []float64{0.002, 0.01, 0.05, 0.3}[rnd.IntN(4)]
	return &fake{caps: caps, answer: func(a ask) string {
		mu.Lock()
		defer mu.Unlock()
		list := table[a.verb]
		if len(list) == 0 || rnd.Float64() >= often {
			return ""
		}
		said := list[rnd.IntN(len(list))]
		if said == "lost" && caps != nil {
			return "" // later replies would be read as its own, undetectably
		}
		return said
	}}
}

// Whatever fails, each message has one result, no result contradicts the server's record, and the
// run ends.
func TestSendAllAgreesWithTheServer(t *testing.T) {
	t.Parallel()
	schedules := 100
	if testing.Short() {
		schedules = 20
	}
	for kind, caps := range kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for seed := range schedules {
				synctest.Test(t, func(t *testing.T) {
					rnd := rand.New(rand.NewPCG(uint64(seed), 7))
					f := faulty(rnd, caps)
					o := Options{MaxConnections: 1 + rnd.IntN(3), Window: smtpclient.Window{Messages: []int{0, 1, 4}[rnd.IntN(3)]}}
					o.PipelineMessages = []smtpclient.PipelineMessages{smtpclient.KnownServers, smtpclient.AllServers}[rnd.IntN(2)]
					if rnd.IntN(3) == 0 {
						o.Policy = smtpclient.All
					}
					s := f.transport(t, o)
					to := []string{"a@example.net", "b@example.net", "c@example.com"}[:1+rnd.IntN(3)]
					list := mails(t, 40, to...)
					ctx := t.Context()
					if rnd.IntN(4) == 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, time.Duration(rnd.IntN(5000))*time.Millisecond)
						defer cancel()
					}
					results := make([]smtpclient.Result, len(list))
					for i, r := range s.SendAll(ctx, each(list)) {
						if results[i].Outcomes != nil {
							t.Errorf("message %d has two results", i)
						}
						results[i] = r
					}
					for i, r := range results {
						if len(r.Outcomes) != len(to) && ctx.Err() == nil {
							t.Errorf("message %d: %d outcomes", i, len(r.Outcomes))
						}
					}
					agrees(t, f, results)
					if f.connections > 4*len(list) {
						t.Errorf("%d connections for %d messages", f.connections, len(list))
					}
					if f.most > o.MaxConnections {
						t.Errorf("%d connections at a time", f.most)
					}
				})
				if t.Failed() {
					t.Fatalf("schedule %d", seed)
				}
			}
		})
	}
}

// The same for Send.
func TestSendAgreesWithTheServer(t *testing.T) {
	t.Parallel()
	for kind, caps := range kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for seed := range 100 {
				synctest.Test(t, func(t *testing.T) {
					f := faulty(rand.New(rand.NewPCG(uint64(seed), 8)), caps)
					s := f.transport(t, Options{})
					var results []smtpclient.Result
					for _, m := range mails(t, 20, "a@example.net", "b@example.com") {
						results = append(results, s.Send(t.Context(), m))
					}
					agrees(t, f, results)
				})
				if t.Failed() {
					t.Fatalf("schedule %d", seed)
				}
			}
		})
	}
}

// If a server hangs up, or sends something, while a connection is idle, no message is lost or in
// doubt.
func TestHangUpWhileIdle(t *testing.T) {
	t.Parallel()
	for _, rest := range []time.Duration{0, time.Millisecond, time.Second, 9 * time.Second, 11 * time.Second, 19 * time.Second, time.Minute} {
		for _, all := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, all %v", rest, all), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, caps []string) {
					f := &fake{caps: caps}
					s := f.transport(t, Options{})
					for _, m := range mails(t, 4) {
						send := func() smtpclient.Result { return s.Send(t.Context(), m) }
						if all {
							send = func() smtpclient.Result { return sendAll(t, t.Context(), s, []smtpclient.Transaction{m})[0] }
						}
						if r := send(); r.Outcomes[0].Status != smtp.Accepted {
							t.Errorf("%v", r.Outcomes)
						}
						time.Sleep(rest / 2)
						f.hangUp()
						synctest.Wait()
						time.Sleep(rest / 2)
					}
					if f.connections != 4 {
						t.Errorf("%d connections, want 4", f.connections)
					}
				})
			})
		}
	}
}
