package transport

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// The provider's known limits apply from the first message on.
func TestProvidersRate(t *testing.T) {
	t.Parallel()
	official := func(n int64, unit string) provider.Limit {
		return provider.Limit{Value: n, Unit: unit, Status: provider.Official}
	}
	for name, tc := range map[string]struct {
		facts provider.Limits
		want  time.Duration // time for 100 messages to two recipients
	}{
		"unknown":              {provider.Limits{}, 0},
		"hearsay":              {provider.Limits{PerSecond: provider.Limit{Value: 1, Status: provider.Reported}}, 0},
		"30 a minute":          {provider.Limits{PerMinute: official(30, "messages")}, 140 * time.Second},
		"20 a second":          {provider.Limits{PerSecond: official(20, "messages")}, 4 * time.Second},
		"1 recipient a second": {provider.Limits{PerSecond: official(1, "recipients")}, 198 * time.Second},
		"the slower counts":    {provider.Limits{PerSecond: official(20, "messages"), PerMinute: official(30, "messages")}, 140 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, caps []string) {
				f := &fake{caps: caps}
				s := f.transport(t, Options{})
				s.pace = newPace(tc.facts, 2, time.Minute)
				start := time.Now()
				results := sendAll(t, t.Context(), s, mails(t, 100, "a@example.net", "b@example.net"))
				took := time.Since(start)
				agrees(t, f, results)
				if count(results, smtp.Accepted) != 200 || took < tc.want || took > tc.want+time.Second {
					t.Errorf("%d accepted in %s, want %s", count(results, smtp.Accepted), took, tc.want)
				}
			})
		})
	}
}

func TestProvidersConnections(t *testing.T) {
	t.Parallel()
	facts := provider.Limits{Connections: provider.Limit{Value: 3, Status: provider.Official}}
	if p := newPace(facts, 10, 0); p.connectionBound() != 3 {
		t.Errorf("%d connections, want 3", p.connectionBound())
	}
	if p := newPace(facts, 2, 0); p.connectionBound() != 2 {
		t.Errorf("%d connections, want 2", p.connectionBound())
	}
}

// A complaint halves connections and rate once, whatever else was on the wire, and both recover
// by small steps.
func TestPaceHalvesAndRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(provider.Limits{}, 8, time.Minute)
		if wait, err := p.readyIn(); wait > 0 || err != nil {
			t.Errorf("at first: wait %s, %v", wait, err)
		}
		epochs := make([]int, 10) // ten messages in one second
		for i := range epochs {
			wait, epoch, err := p.admitMessage(1)
			if wait > 0 || err != nil {
				t.Fatalf("wait %s, %v", wait, err)
			}
			epochs[i] = epoch
			time.Sleep(90 * time.Millisecond)
		}
		said := smtp.Error{Stage: smtp.StageBody, Reply: smtp.Reply{Code: 451, Lines: []string{"4.7.1 slow down"}}}
		for _, epoch := range epochs {
			p.slowDown(said, diagnosis.Retry{Kind: diagnosis.RetryTransient}, epoch)
		}
		if p.connectionBound() != 4 {
			t.Errorf("%d connections, want 4", p.connectionBound())
		}
		if wait, err := p.readyIn(); wait != firstPause || err != nil {
			t.Errorf("pause %s, %v, want %s", wait, err, firstPause)
		}
		time.Sleep(firstPause)
		gaps := gaps(t, p, 40)
		if gaps[0] < 190*time.Millisecond || gaps[0] > 200*time.Millisecond {
			t.Errorf("first gap %s, want nearly a fifth of a second", gaps[0])
		}
		if !slices.IsSortedFunc(gaps, func(a, b time.Duration) int { return int(b - a) }) {
			t.Errorf("the gaps grow: %v", gaps)
		}
		time.Sleep(recovery)
		if wait, err := p.readyIn(); wait > 0 || err != nil || p.rate != 0 {
			t.Errorf("after a quiet time: wait %s, %v, rate %v", wait, err, p.rate)
		}
		time.Sleep(4 * raiseEvery)
		if p.connectionBound() != 8 {
			t.Errorf("%d connections after a quiet time, want 8", p.connectionBound())
		}
	})
}

// The success of a message sent before the complaint does not count.
func TestOldNewsIsNoNews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(provider.Limits{}, 1, time.Minute)
		for _, fine := range []int{0, 1, -1} {
			p.slowDown(smtp.Error{}, diagnosis.Retry{Kind: diagnosis.RetryTransient}, p.currentEpoch())
			p.noteAccepted(p.currentEpoch() - 1)
			if fine < 0 {
				p.noteAccepted(p.currentEpoch())
			}
		}
		if wait, _ := p.readyIn(); wait != 4*firstPause {
			t.Errorf("pause %s, want %s", wait, 4*firstPause)
		}
		p.slowDown(smtp.Error{}, diagnosis.Retry{Kind: diagnosis.RetryTransient}, p.currentEpoch())
		if wait, _ := p.readyIn(); wait != firstPause {
			t.Errorf("pause %s after a message was fine, want %s", wait, firstPause)
		}
	})
}

// gaps returns the waits between messages that are sent as early as possible.
func gaps(t *testing.T, p *pace, n int) []time.Duration {
	t.Helper()
	var list []time.Duration
	last := time.Now()
	for range n + 1 {
		for {
			wait, _, err := p.admitMessage(1)
			if err != nil {
				t.Fatal(err)
			}
			if wait <= 0 {
				break
			}
			time.Sleep(wait)
		}
		list = append(list, time.Since(last))
		last = time.Now()
	}
	return list[1:]
}

// The pauses grow while the server complains, and start small again after a success.
func TestPausesGrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		complains := true
		f := &fake{answer: func(a ask) string {
			if a.verb == "BODY" && complains {
				return "451 4.7.1 slow down"
			}
			return ""
		}}
		s := f.transport(t, Options{})
		var waits []time.Duration
		for i, m := range mails(t, 10) {
			start := time.Now()
			complains = i < 8
			r := s.Send(t.Context(), m)
			waits = append(waits, time.Since(start))
			if want := map[bool]smtp.Status{true: smtp.Deferred, false: smtp.Accepted}[complains]; r.Outcomes[0].Status != want {
				t.Errorf("message %d: %v", i, r.Outcomes)
			}
		}
		for i, want := range []time.Duration{0, 1, 2, 4, 8, 16, 32, 60, 60} {
			if got := waits[i].Truncate(time.Second); got != want*time.Second {
				t.Errorf("message %d waited %s, want %s", i, got, want*time.Second)
			}
		}
		if waits[9] > 10*time.Second {
			t.Errorf("after the complaints a message waited %s", waits[9])
		}
	})
}

// A deferred message is deferred at once; only later ones wait, and no longer than their context.
func TestDeferredMessageDoesNotWait(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps, answer: func(a ask) string {
			if a.verb == "BODY" || a.verb == "BDAT" {
				return "bye 421 4.7.0 try again later"
			}
			return ""
		}}
		s := f.transport(t, Options{})
		start := time.Now()
		r := s.Send(t.Context(), mails(t, 1)[0])
		if r.Outcomes[0].Status != smtp.Deferred || time.Since(start) > 0 {
			t.Errorf("%v after %s", r.Outcomes, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		r = s.Send(ctx, mails(t, 1)[0])
		if o := r.Outcomes[0]; o.Status != smtp.NotTried || !errors.Is(o.Err, context.DeadlineExceeded) || time.Since(start) != 300*time.Millisecond {
			t.Errorf("%s after %s", o, time.Since(start))
		}
	})
}

// A pause longer than the patience is reported with the server's reply, and ends.
func TestLongPause(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps}
		f.answer = func(a ask) string {
			if a.from == "m20" && (a.verb == "BODY" || a.verb == "BDAT") && len(f.took()) < 25 {
				return "421 HL:IFC 163 smtp10,xyz too many messages"
			}
			return ""
		}
		s := f.transport(t, Options{MaxConnections: 1, Window: smtpclient.Window{Messages: 1}})
		start := time.Now()
		results := sendAll(t, t.Context(), s, mails(t, 200))
		agrees(t, f, results)
		if took := time.Since(start); took > time.Second {
			t.Errorf("it took %s", took)
		}
		if results[20].Outcomes[0].Status != smtp.Deferred || count(results, smtp.Accepted) < 20 {
			t.Errorf("%v, %d accepted", results[20].Outcomes, count(results, smtp.Accepted))
		}
		for _, r := range []smtpclient.Result{results[100], results[199], s.Send(t.Context(), mails(t, 1)[0])} {
			o := r.Outcomes[0]
			if o.Status != smtp.NotTried || !errors.Is(o.Err, ErrPaused) || o.Reply.Code != 421 || o.Stage != smtp.StageMail {
				t.Errorf("%s", o)
			}
			if f := diagnosis.Diagnose(diagnosis.FromOutcome(o, "netease163")); f.Class != diagnosis.ClassRateLimited {
				t.Errorf("diagnosed as %s", f.Class)
			}
		}
		time.Sleep(maxPause)
		f.ledger = nil
		if results := sendAll(t, t.Context(), s, mails(t, 5)); count(results, smtp.Accepted) != 5 {
			t.Errorf("after the pause: %v", results[0].Outcomes)
		}
	})
}

// If a server accepts fewer connections than we may open, the existing ones stay, and no message
// waits for the refused one.
func TestServerTakesFewerConnections(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reply string
	}{
		"plain words":  {"bye 421 4.7.0 not now"},
		"NetEase":      {"bye 421 HL:ICC 163 mx49,xyz too many"},
		"for good":     {"bye 554 5.7.1 no"},
		"hangs up":     {"cut"},
		"login denied": {""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, caps []string) {
				f := &fake{caps: append([]string{"AUTH PLAIN"}, caps...), answer: func(a ask) string {
					switch {
					case a.verb == "AUTH" && tc.reply == "" && a.connection > 2:
						return "535 5.7.8 no"
					case a.verb == "AUTH":
						return "235 welcome"
					case a.verb == "CONNECT" && a.connection > 2:
						return tc.reply
					}
					return ""
				}}
				s := f.transport(t, Options{MaxConnections: 8, User: "u", Password: "p", AllowCleartextPassword: true})
				start := time.Now()
				results := sendAll(t, t.Context(), s, mails(t, 500))
				agrees(t, f, results)
				if n := count(results, smtp.Accepted); n != 500 || time.Since(start) > 100*time.Millisecond {
					t.Errorf("%d accepted of 500 in %s", n, time.Since(start))
				}
				if f.connections > 4 {
					t.Errorf("%d connections, want no more than as many again", f.connections)
				}
			})
		})
	}
}

// Microsoft's refusal of a message on the fourth connection concerns the connections: the others
// continue.
func TestTooManyConnectionsAtTheMessage(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps, answer: func(a ask) string {
			if (a.verb == "BODY" || a.verb == "BDAT") && a.connection == 2 && a.message == 0 {
				return "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"
			}
			return ""
		}}
		s := f.transport(t, Options{MaxConnections: 8})
		results := sendAll(t, t.Context(), s, mails(t, 300))
		agrees(t, f, results)
		if a, d := count(results, smtp.Accepted), count(results, smtp.Deferred); a != 299 || d != 1 || s.pace.connectionBound() != 4 {
			t.Errorf("%d accepted, %d deferred, %d connections allowed", a, d, s.pace.connectionBound())
		}
	})
}
