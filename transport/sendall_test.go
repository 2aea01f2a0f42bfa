package transport

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// kinds are server offers that change how messages are sent.
func kinds() map[string][]string {
	return map[string][]string{"lock-step": nil, "pipelining": {"PIPELINING"}, "chunking": {"PIPELINING", "CHUNKING"}}
}

// inBubble runs a test for each kind of server, with a synthetic clock.
func inBubble(t *testing.T, test func(t *testing.T, caps []string)) {
	for name, caps := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, caps) })
		})
	}
}

func TestSendAllAcceptsAll(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		for _, connections := range []int{1, 3} {
			f := &fake{caps: caps}
			s := f.transport(t, Options{MaxConnections: connections})
			results := sendAll(t, t.Context(), s, mails(t, 200, "a@example.net", "b@example.net"))
			agrees(t, f, results)
			if n := count(results, smtp.Accepted); n != 400 {
				t.Errorf("%d accepted, want 400", n)
			}
			if f.most > connections || f.connections > connections {
				t.Errorf("%d connections in all, %d at a time, want at most %d", f.connections, f.most, connections)
			}
			// The connections are kept.
			agrees(t, f, []smtpclient.Result{})
			before := f.connections
			if r := s.Send(t.Context(), mails(t, 1)[0]); r.Outcomes[0].Status != smtp.Accepted || f.connections != before {
				t.Errorf("after the run: %v over connection %d of %d", r.Outcomes, f.connections, before)
			}
		}
	})
}

func TestSendAllOfNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		s := f.transport(t, Options{})
		sendAll(t, t.Context(), s, nil)
		// Without recipients no connection is needed.
		results := sendAll(t, t.Context(), s, []smtpclient.Transaction{{Content: text("x\r\n")}, {}})
		if len(results) != 2 || f.connections != 0 {
			t.Errorf("%d connections", f.connections)
		}
	})
}

// A message that breaks the connection affects only itself.
func TestSendAllPoison(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps, answer: func(a ask) string {
			if a.verb == "MAIL" && (a.from == "m5" || a.from == "m6" || a.from == "m7" || a.from == "m30") {
				return "cut"
			}
			return ""
		}}
		s := f.transport(t, Options{MaxConnections: 2})
		results := sendAll(t, t.Context(), s, mails(t, 60))
		agrees(t, f, results)
		if n := count(results, smtp.Accepted) + count(results, smtp.Unknown); n < 56 {
			t.Errorf("%d of 56 arrived", n)
		}
		for _, i := range []int{5, 6, 7, 30} {
			if o := results[i].Outcomes[0]; o.Status == smtp.Accepted {
				t.Errorf("message %d: %s", i, o)
			}
		}
	})
}

// A server that drops every connection is not dialled for ever.
func TestSendAllNoProgress(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps, answer: func(a ask) string {
			if a.verb == "MAIL" {
				return "cut"
			}
			return ""
		}}
		s := f.transport(t, Options{MaxConnections: 2})
		results := sendAll(t, t.Context(), s, mails(t, 500))
		agrees(t, f, results)
		if f.connections > 20 {
			t.Errorf("%d connections", f.connections)
		}
	})
}

// Without a connection: one attempt, and every message has its error.
func TestSendAllWithoutConnection(t *testing.T) {
	t.Parallel()
	refused := errors.New("connection refused for a test")
	for name, tc := range map[string]struct {
		f    *fake
		o    Options
		want func(smtp.Outcome) bool
	}{
		"no TCP": {f: &fake{refuse: func(int) error { return refused }},
			want: func(o smtp.Outcome) bool { return errors.Is(o.Err, refused) && o.Stage == smtp.StageConnect }},
		"login": {f: &fake{caps: []string{"AUTH PLAIN"}, answer: func(a ask) string {
			if a.verb == "AUTH" {
				return "535 5.7.8 no"
			}
			return ""
		}}, o: Options{User: "u", Password: "p", AllowCleartextPassword: true},
			want: func(o smtp.Outcome) bool { return o.Reply.Code == 535 && o.Stage == smtp.StageAuth }},
		"try later": {f: &fake{answer: func(a ask) string {
			if a.verb == "CONNECT" {
				return "bye 421 4.7.0 try again later"
			}
			return ""
		}}, want: func(o smtp.Outcome) bool { return o.Reply.Code == 421 && o.Stage == smtp.StageGreeting }},
		"stopped": {f: &fake{}, o: Options{StopAfter: smtp.StageHello},
			want: func(o smtp.Outcome) bool { return errors.Is(o.Err, ErrStopped) && o.Stage == smtp.StageHello }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tc.o.MaxConnections = 4
				s := tc.f.transport(t, tc.o)
				start := time.Now()
				results := sendAll(t, t.Context(), s, mails(t, 300))
				for i, r := range results {
					if o := r.Outcomes[0]; o.Status != smtp.NotTried || !tc.want(o) {
						t.Fatalf("message %d: %s", i, o)
					}
				}
				if tc.f.connections != 1 || time.Since(start) > 0 {
					t.Errorf("%d attempts in %s, want one at once", tc.f.connections, time.Since(start))
				}
			})
		})
	}
}

// A refused login is not repeated, however long the run is; an unreachable server is tried again
// now and then.
func TestSendAllTriesAgainWhatMayPass(t *testing.T) {
	t.Parallel()
	for name, lasts := range map[string]bool{"login": true, "no TCP": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{caps: []string{"AUTH PLAIN"}, answer: func(a ask) string {
					if a.verb == "AUTH" && lasts {
						return "535 5.7.8 no"
					}
					if a.verb == "AUTH" {
						return "235 welcome"
					}
					return ""
				}}
				f.refuse = func(connection int) error {
					if !lasts && connection <= 2 {
						return &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
					}
					return nil
				}
				s := f.transport(t, Options{User: "u", Password: "p", AllowCleartextPassword: true})
				var results []smtpclient.Result
				for _, r := range s.SendAll(t.Context(), func(yield func(smtpclient.Transaction) bool) {
					for _, m := range mails(t, 10) {
						if !yield(m) {
							return
						}
						time.Sleep(10 * time.Second)
					}
				}) {
					results = append(results, r)
				}
				connections, accepted := 3, 8
				if lasts {
					connections, accepted = 1, 0
				}
				if f.connections != connections || count(results, smtp.Accepted) != accepted || len(results) != 10 {
					t.Errorf("%d attempts, %d accepted, want %d and %d", f.connections, count(results, smtp.Accepted), connections, accepted)
				}
			})
		})
	}
}

// Wherever a connection breaks before the server can have a message, another one sends it.
func TestSendAllLostConnection(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"MAIL", "RCPT", "DATA"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, caps []string) {
				f := &fake{caps: caps, answer: func(a ask) string {
					if a.verb == verb && a.connection == 1 && a.message == 4 {
						return "cut"
					}
					return ""
				}}
				s := f.transport(t, Options{MaxConnections: 1, Policy: smtpclient.All})
				results := sendAll(t, t.Context(), s, mails(t, 20, recipients(2)...))
				agrees(t, f, results)
				if n := count(results, smtp.Accepted); n != 40 {
					t.Errorf("%d of 40 accepted", n)
				}
			})
		})
	}
}

// A server without RSET costs connections, and no message is blamed for earlier ones.
func TestSendAllLostAtReset(t *testing.T) {
	t.Parallel()
	for _, reset := range []string{"cut", "\x00\x00\x00\x1a", "502 no"} {
		t.Run(reset, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, caps []string) {
				var refused atomic.Int32
				f := &fake{caps: caps, answer: func(a ask) string {
					switch {
					case a.verb == "RSET":
						return reset
					case a.verb == "RCPT" && len(a.from)%2 == 0 && refused.Add(1)%2 == 0:
						return "550 5.1.1 no such user"
					}
					return ""
				}}
				s := f.transport(t, Options{MaxConnections: 3})
				results := sendAll(t, t.Context(), s, mails(t, 60))
				agrees(t, f, results)
				if n := count(results, smtp.NotTried); n > 0 {
					t.Errorf("%d not tried", n)
				}
			})
		})
	}
}

// A message that may have broken a connection is sent alone: later ones wait for it.
func TestSuspectGoesAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		s := f.transport(t, Options{})
		r := s.newRun(t.Context())
		defer r.cancel()
		defer r.stop()
		l, err := s.pool.getConn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer s.pool.putConn(l)
		w := &worker{run: r, link: l, wake: make(chan struct{}, 1)}
		list := mails(t, 3)
		for i := range list {
			d := &delivery{index: i, t: list[i]}
			if r.taken++; i == 1 {
				r.alone.push(d)
			} else {
				r.queue.push(d)
			}
		}
		from := func() string {
			m, ok := w.Next(t.Context(), false)
			if !ok {
				return "none"
			}
			return m.Envelope.From().Local()
		}
		if got := []string{from(), from()}; got[0] != "m1" || got[1] != "none" {
			t.Errorf("%v, want m1 and none beside it", got)
		}
		w.recordResult(smtpclient.Result{Outcomes: []smtp.Outcome{{Status: smtp.Accepted}}})
		if got := []string{from(), from()}; got[0] != "m0" || got[1] != "m2" {
			t.Errorf("%v, want m0 and m2", got)
		}
		// The first lost message is the suspect, the later ones are not.
		lost := smtpclient.Result{Lost: true, Outcomes: []smtp.Outcome{{Status: smtp.NotTried, Stage: smtp.StageMail}}}
		w.recordResult(lost)
		w.recordResult(lost)
		if r.alone.len() != 1 || r.again.len() != 1 || r.alone.pop().index != 0 {
			t.Errorf("%d suspects, %d others", r.alone.len(), r.again.len())
		}
	})
}

// A server that restarts causes no loss.
func TestSendAllServerRestarts(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, caps []string) {
		f := &fake{caps: caps}
		f.answer = func(a ask) string {
			if a.verb == "CONNECT" && (a.connection == 2 || a.connection == 3) {
				return "bye 421 4.3.2 shutting down"
			}
			if a.verb == "MAIL" && a.connection == 1 && a.message == 7 {
				return "bye 421 4.3.2 shutting down"
			}
			return ""
		}
		s := f.transport(t, Options{MaxConnections: 1})
		results := sendAll(t, t.Context(), s, mails(t, 100))
		agrees(t, f, results)
		if n := count(results, smtp.Accepted); n != 100 {
			t.Errorf("%d accepted of 100; %v", n, results[8].Outcomes)
		}
	})
}

func TestFifo(t *testing.T) {
	t.Parallel()
	var q fifo[int]
	next, want := 0, 0
	for round := range 1000 {
		for range round%7 + 1 {
			q.push(next)
			next++
		}
		for range min(q.len(), round%5+2) {
			if got := q.pop(); got != want {
				t.Fatalf("got %d, want %d", got, want)
			}
			want++
		}
		if q.len() > 0 {
			q.unpop(q.pop())
		} else {
			q.unpop(want - 1)
			want--
		}
		if q.len() != next-want {
			t.Fatalf("%d items, want %d", q.len(), next-want)
		}
	}
	if cap(q.items) > 4096 {
		t.Errorf("it grew to %d for %d", cap(q.items), q.len())
	}
}
