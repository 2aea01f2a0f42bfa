package smtpclient_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// A 421, at any stage, concerns its own message and the connection: earlier messages keep their
// outcomes, later ones were not tried, are lost, and carry the 421 as the reason.
func TestRunEndsWith421(t *testing.T) {
	t.Parallel()
	for name, way := range runWays() {
		for stage, bye := range map[string]letter{
			"mail": {from: "bye", to: "x"}, "rcpt": {from: "a", to: "bye x"}, "body": {from: "last", to: "x"},
		} {
			t.Run(name+"/"+stage, func(t *testing.T) {
				t.Parallel()
				cfg := plainConfig()
				l := newLedger(way(&cfg)...)
				list := slices.Concat(slices.Repeat([]letter{{from: "a", to: "x"}}, 3), []letter{bye}, slices.Repeat([]letter{{from: "a", to: "x"}}, 3))
				q := source(t, list)
				results := carry(t, l, cfg, q)
				if len(results) < 4 || len(results)+len(q.left) != len(list) {
					t.Fatalf("%d results, %d not taken", len(results), len(q.left))
				}
				for i, r := range results {
					o := r.Outcomes[0]
					switch {
					case i < 3 && o.Status != smtp.Accepted,
						i == 3 && (o.Status != smtp.Deferred || o.Reply.Code != 421),
						i > 3 && (o.Status != smtp.NotTried || !r.Lost || o.Reply.Code != 421):
						t.Errorf("message %d: %v, lost %v", i, o, r.Lost)
					}
				}
				l.compare(t, results)
			})
		}
	}
}

// A message that can't be read to its end affects only itself: earlier messages get their replies
// before the connection is cut, later ones can be sent elsewhere.
func TestRunWithAMessageThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, way := range runWays() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := plainConfig()
			l := newLedger(way(&cfg)...)
			list := slices.Concat(letters()[:4], []letter{{from: "a", to: "x", broken: true}}, slices.Repeat([]letter{{from: "a", to: "x"}}, 3))
			q := source(t, list)
			results := carry(t, l, cfg, q)
			if len(results) < 5 || len(results)+len(q.left) != len(list) {
				t.Fatalf("%d results, %d not taken", len(results), len(q.left))
			}
			for i, r := range results {
				o := r.Outcomes[0]
				switch {
				case i < 4 && statuses(r) != list[i].want,
					i == 4 && (o.Status != smtp.NotTried || r.Lost || !errors.Is(o.Err, smtpclient.ErrContent)),
					i > 4 && (o.Status != smtp.NotTried || !r.Lost):
					t.Errorf("message %d: %v, lost %v", i, r.Outcomes, r.Lost)
				}
			}
			l.compare(t, results)
		})
	}
}

// A message that this server can't accept is settled in its turn, without a command.
func TestRunWithAMessageThatDoesNotFit(t *testing.T) {
	t.Parallel()
	for name, way := range runWays() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := plainConfig()
			l := newLedger(way(&cfg)...)
			q := source(t, slices.Repeat([]letter{{from: "a", to: "x"}}, 7))
			for _, i := range []int{0, 3, 6} {
				q.left[i].Content = text{data: hello, utf8: true}
			}
			results := carry(t, l, cfg, q)
			if len(results) != 7 {
				t.Fatalf("%d results", len(results))
			}
			for i, r := range results {
				o := r.Outcomes[0]
				if i%3 == 0 && (!errors.Is(o.Err, smtpclient.ErrHeaderNeedsSMTPUTF8) || r.Lost) || i%3 != 0 && o.Status != smtp.Accepted {
					t.Errorf("message %d: %v, lost %v", i, o, r.Lost)
				}
			}
			l.compare(t, results)
		})
	}
}

// Breaking the loop takes no further message and waits for those on the wire.
func TestRunIsLeft(t *testing.T) {
	t.Parallel()
	for name, way := range runWays() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := plainConfig()
			l := newLedger(way(&cfg)...)
			cfg, _, done := pipe(cfg, l.serve)
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			q := source(t, slices.Repeat([]letter{{from: "a", to: "x"}}, 200))
			for range conn.RunSource(t.Context(), q) {
				break
			}
			taken := 200 - len(q.left)
			if taken < 1 || taken > 80 || !conn.Usable() {
				t.Errorf("%d messages taken, usable %v", taken, conn.Usable())
			}
			tx := letter{from: "a", to: "y"}.transaction(t, "behind")
			if r := conn.Send(t.Context(), tx); statuses(r) != "accepted" {
				t.Errorf("the next message: %v", r.Outcomes)
			}
			conn.Quit(t.Context())
			<-done
			l.mu.Lock()
			defer l.mu.Unlock()
			if len(l.books) != taken+1 || len(l.wrong) > 0 {
				t.Errorf("the server has %d messages, %d were taken; wrong: %q", len(l.books), taken, l.wrong)
			}
		})
	}
}

// If a server answers 421 and continues, it gets the messages on the wire and no more.
func TestRunTakesNothingAfter421(t *testing.T) {
	t.Parallel()
	for name, way := range runWays() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := plainConfig()
			l := newLedger(way(&cfg)...)
			l.stays, l.holds = true, true
			list := slices.Concat(slices.Repeat([]letter{{from: "a", to: "x"}}, 3), []letter{{from: "bye", to: "x"}}, slices.Repeat([]letter{{from: "a", to: "x"}}, 196))
			q := source(t, list)
			results := carry(t, l, cfg, q)
			if n := len(results) - 4; n < 0 || n > 33 || len(q.left) < 100 {
				t.Errorf("%d results after the 421, %d not taken", n, len(q.left))
			}
			l.compare(t, results)
		})
	}
}

// A server keeps a transaction whose message failed, and neither RSET nor MAIL ends it: its
// recipients are unknown.
func TestRunOnAServerThatRefusesRSET(t *testing.T) {
	t.Parallel()
	cfg := plainConfig()
	l := newLedger("PIPELINING", "CHUNKING")
	l.stubborn, l.holds = true, true
	results := carry(t, l, cfg, source(t, []letter{{from: "a", to: "x"}, {from: "body", to: "y"}, {from: "a", to: "z"}, {from: "a", to: "x"}}))
	var got []string
	for _, r := range results {
		got = append(got, statuses(r))
	}
	if want := "accepted refused unknown unknown"; strings.Join(got, " ") != want {
		t.Errorf("outcomes %v, want %s", got, want)
	}
}

// A message that must not be sent any more is settled in its turn, without a command; messages on
// the wire are finished.
func TestRunIsStoppedBeforeWhatWaits(t *testing.T) {
	t.Parallel()
	stopped := errors.New("enough")
	for name, way := range runWays() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := plainConfig()
			l := newLedger(way(&cfg)...)
			q := source(t, slices.Repeat([]letter{{from: "a", to: "x"}}, 100))
			asked := 0
			for i := range q.left {
				q.left[i].Ready = func() error {
					if i >= 10 {
						asked++
						return stopped
					}
					return nil
				}
			}
			results := carry(t, l, cfg, q)
			if len(results) != 100 || asked < 90 {
				t.Fatalf("%d results, %d asked", len(results), asked)
			}
			for i, r := range results {
				o := r.Outcomes[0]
				if i < 10 && o.Status != smtp.Accepted || i >= 10 && (o.Status != smtp.NotTried || !errors.Is(o.Err, stopped) || r.Lost) {
					t.Errorf("message %d: %v, lost %v", i, o, r.Lost)
				}
			}
			l.compare(t, results)
		})
	}
}

// fed is a Source whose messages come one by one.
type fed chan smtpclient.Transaction

func (f fed) Next(ctx context.Context, wait bool) (smtpclient.Transaction, bool) {
	if wait {
		select {
		case t, ok := <-f:
			return t, ok
		case <-ctx.Done():
			return smtpclient.Transaction{}, false
		}
	}
	select {
	case t, ok := <-f:
		return t, ok
	default:
		return smtpclient.Transaction{}, false
	}
}

// A run with a slow source sends each message as it comes, and checks an idle connection before
// it sends more.
func TestRunWaitsForItsSource(t *testing.T) {
	t.Parallel()
	for name, way := range runWays() {
		for _, ends := range []string{"", "hangs up", "says 421"} {
			t.Run(name+"/"+ends, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { trickle(t, way, ends) })
			})
		}
	}
}

// A server offers PIPELINING and loses commands that follow another: the message was not tried
// and is lost to this connection, and the error recommends one command at a time.
func TestRunOutOfStep(t *testing.T) {
	t.Parallel()
	for lost, serve := range map[string]func(string) string{
		"MAIL": func(verb string) string { return map[string]string{"RCPT": "503 no MAIL", "DATA": "503 no RCPT"}[verb] },
		"RCPT": func(verb string) string { return map[string]string{"MAIL": "250 ok", "DATA": "354 go"}[verb] },
		"DATA": func(verb string) string { return map[string]string{"MAIL": "250 ok", "RCPT": "250 ok"}[verb] },
	} {
		t.Run(lost, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &losing{simple: simple{caps: []string{"PIPELINING"}}, answer: serve}
				cfg, _, done := pipe(plainConfig(), server.serve)
				conn, err := smtpclient.Dial(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				r := conn.Send(t.Context(), letter{from: "a", to: "x y"}.transaction(t, "0"))
				for _, o := range r.Outcomes {
					if o.Status != smtp.NotTried || !errors.Is(o.Err, smtpclient.ErrOutOfStep) || !r.Lost {
						t.Errorf("%v, lost %v", o, r.Lost)
					}
				}
				<-done
			})
		})
	}
}

// losing is a server that answers some commands only.
type losing struct {
	simple
	answer func(verb string) string
}

func (l *losing) serve(conn net.Conn) {
	l.simple.serve(&filtered{Conn: conn, answer: l.answer})
}

// filtered drops the replies to commands that a server loses.
type filtered struct {
	net.Conn
	answer func(verb string) string
	verbs  []string
}

func (f *filtered) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	for line := range strings.Lines(string(p[:n])) {
		verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		f.verbs = append(f.verbs, verb)
	}
	return n, err
}

func (f *filtered) Write(p []byte) (int, error) {
	if len(f.verbs) == 0 || f.verbs[0] == "EHLO" {
		f.verbs = nil
		return f.Conn.Write(p)
	}
	verb := f.verbs[0]
	f.verbs = f.verbs[1:]
	if answer := f.answer(verb); answer != "" {
		if _, err := f.Conn.Write([]byte(answer + "\r\n")); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// A refusal of MAIL for the number of messages on the connection does not decide about the
// message: it is not tried, and can be sent on another connection. For the first message of a
// connection it is a real refusal.
func TestRunComesToTheLimitOfAConnection(t *testing.T) {
	t.Parallel()
	for _, caps := range [][]string{nil, {"PIPELINING"}} {
		for _, first := range []bool{false, true} {
			server := &simple{caps: caps, reply: map[string]string{
				"MAIL FROM:<full@example.org>": "452 4.5.3 Too many recipients: Too many messages sent", "DATA": "354 go"}}
			cfg, _, done := pipe(plainConfig(), server.serve)
			conn, err := smtpclient.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			list := []letter{{from: "a", to: "x"}, {from: "full", to: "x"}, {from: "a", to: "x"}, {from: "a", to: "x"}}
			if first {
				list = list[1:2]
			}
			q := source(t, list)
			results := slices.Collect(conn.RunSource(t.Context(), q))
			conn.Quit(t.Context())
			<-done
			r := results[min(1, len(list)-1)]
			o := r.Outcomes[0]
			if first && (o.Status != smtp.Deferred || r.Lost) || !first && (o.Status != smtp.NotTried || !r.Lost || o.Reply.Code != 452 || !conn.Spent()) {
				t.Errorf("%v, first %v: %v, lost %v", caps, first, o, r.Lost)
			}
			if !first && len(q.left) != 2 {
				t.Errorf("%v: %d messages were left", caps, len(q.left))
			}
		}
	}
}
