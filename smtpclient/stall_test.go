package smtpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// The clock of these tests is that of synctest: five minutes take no time, and waits are exact to
// the nanosecond.

// stalled is the result of a dialogue whose server stopped.
type stalled struct {
	result  smtpclient.Result
	err     error // from Dial
	elapsed time.Duration
}

// stall plays a dialogue up to one run and then falls silent. A deaf server does not read either.
func stall(t *testing.T, s script, at int, deaf bool, ctx context.Context) stalled {
	t.Helper()
	over := make(chan struct{})
	head := s
	head.runs, head.hangs = s.runs[:at], true
	cfg, _, done := pipe(s.config(), func(conn net.Conn) {
		if err := head.play(conn, whole, uncut); err != nil {
			t.Error(err)
		}
		if !deaf {
			_, _ = io.Copy(io.Discard, conn)
		}
		<-over
	})
	start := time.Now()
	var out stalled
	conn, err := smtpclient.Dial(ctx, cfg)
	if out.err = err; err == nil {
		out.result = conn.Send(ctx, s.transaction(t))
		out.elapsed = time.Since(start)
		conn.Quit(ctx)
		if quit := time.Since(start) - out.elapsed; quit > 5*time.Second {
			t.Errorf("quit took %v", quit)
		}
	} else {
		out.elapsed = time.Since(start)
	}
	close(over)
	<-done
	return out
}

// failures returns the error of each recipient without a reply.
func (o stalled) failures() []error {
	if o.err != nil {
		return []error{o.err}
	}
	var errs []error
	for _, x := range o.result.Outcomes {
		if x.Err != nil {
			errs = append(errs, x.Err)
		}
	}
	return errs
}

// A cancelled context ends every wait at once, wherever the server stops.
func TestContextEndsAStallAtEveryStage(t *testing.T) {
	t.Parallel()
	cases := 0
	cause := errors.New("the user pressed a key")
	for _, s := range loadScripts(t) {
		if s.value("fails") != "" || len(s.head["want"]) != 1 || strings.Contains(s.value("want"), "(") {
			continue
		}
		for at := range s.runs {
			for _, deaf := range []bool{false, true} {
				cases++
				t.Run(fmt.Sprintf("%s/%d/%v", s.name, at, deaf), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						ctx, cancel := context.WithTimeoutCause(t.Context(), 7*time.Second, cause)
						defer cancel()
						out := stall(t, s, at, deaf, ctx)
						if quit := at >= len(s.runs)-2 && out.elapsed == 0; quit {
							return // everything was answered except QUIT
						}
						if out.elapsed != 7*time.Second {
							t.Errorf("it took %v", out.elapsed)
						}
						failures := out.failures()
						if len(failures) == 0 && describe(out.result) != s.value("want") {
							t.Error("nothing failed")
						}
						for _, err := range failures {
							if !errors.Is(err, cause) {
								t.Errorf("the context's cause is not named: %v", err)
							}
						}
					})
				})
			}
		}
	}
	if cases < 300 {
		t.Fatalf("only %d cases", cases)
	}
}

// Each phase has the timeout of RFC 5321 section 4.5.3.2.
func TestTimeoutOfEachPhase(t *testing.T) {
	t.Parallel()
	const grace = 5 * time.Second // to read replies sent before the server stopped reading
	byName := map[string]script{}
	for _, s := range loadScripts(t) {
		byName[s.name] = s
	}
	for _, tc := range []struct {
		dialogue string
		at       int
		deaf     bool
		wait     time.Duration
		status   smtp.Status // "" if Dial fails
		stage    smtp.Stage
	}{
		{"lock-step", 0, false, 5 * time.Minute, "", smtp.StageGreeting},
		{"lock-step", 1, true, 5*time.Minute + grace, "", smtp.StageHello},
		{"lock-step", 2, false, 5 * time.Minute, "", smtp.StageHello},
		{"auth-plain", 3, true, 5*time.Minute + grace, "", smtp.StageAuth},
		{"auth-plain", 4, false, 5 * time.Minute, "", smtp.StageAuth},
		{"lock-step", 3, true, 5*time.Minute + grace, smtp.NotTried, smtp.StageMail},
		{"lock-step", 4, false, 5 * time.Minute, smtp.NotTried, smtp.StageMail},
		{"lock-step", 6, false, 5 * time.Minute, smtp.NotTried, smtp.StageRcpt},
		{"lock-step", 10, false, 2 * time.Minute, smtp.NotTried, smtp.StageData},
		{"lock-step", 11, true, 3*time.Minute + grace, smtp.NotTried, smtp.StageBody},
		{"lock-step", 12, false, 10 * time.Minute, smtp.Unknown, smtp.StageBody},
		{"pipelining", 3, true, 5*time.Minute + grace, smtp.NotTried, smtp.StageMail},
		{"pipelining", 4, false, 5 * time.Minute, smtp.NotTried, smtp.StageMail},
		{"pipelining", 5, true, 3*time.Minute + grace, smtp.NotTried, smtp.StageBody},
		{"pipelining", 6, false, 10 * time.Minute, smtp.Unknown, smtp.StageBody},
		{"chunking", 3, true, 3*time.Minute + grace, smtp.NotTried, smtp.StageMail},
		{"chunking", 4, false, 5 * time.Minute, smtp.Unknown, smtp.StageBody},
	} {
		t.Run(fmt.Sprintf("%s/%d", tc.dialogue, tc.at), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				out := stall(t, byName[tc.dialogue], tc.at, tc.deaf, context.Background())
				if out.elapsed != tc.wait {
					t.Errorf("it took %v, want %v", out.elapsed, tc.wait)
				}
				for _, err := range out.failures() {
					if !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("not a time-out: %v", err)
					}
				}
				if tc.status == "" {
					if at := stageOf(t, out.err); at.Stage != tc.stage {
						t.Errorf("stage %s", at.Stage)
					}
					return
				}
				for _, o := range out.result.Outcomes {
					if o.Status != tc.status || o.Stage != tc.stage {
						t.Errorf("outcome %v", o)
					}
				}
			})
		})
	}
}

// An upload that makes progress is never cut off, however long it takes.
func TestProgressResetsTheTimeoutOfTheMessage(t *testing.T) {
	t.Parallel()
	data := strings.Repeat(strings.Repeat("x", 76)+"\r\n", 10_000)
	for way, caps := range ways() {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &simple{caps: caps}
				cfg, _, done := pipe(plainConfig(), func(conn net.Conn) { server.serve(&slow{conn, 20 << 10}) })
				conn, err := smtpclient.Dial(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				r := conn.Send(t.Context(), smtpclient.Transaction{Envelope: envelope(t, "a@x.org", "b@x.org"), Content: text{data: data}})
				if r.Outcomes[0].Status != smtp.Accepted {
					t.Errorf("outcome %v", r.Outcomes[0])
				}
				if took := time.Since(start); took < 30*time.Minute {
					t.Errorf("it took only %v", took)
				}
				conn.Close()
				<-done
			})
		})
	}
}

// slow is a connection that takes a minute for a number of octets.
type slow struct {
	net.Conn
	perMinute int
}

func (s *slow) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p[:min(len(p), s.perMinute)])
	timer := time.NewTimer(time.Minute * time.Duration(n) / time.Duration(s.perMinute))
	<-timer.C
	return n, err
}

// A reply that arrives byte by byte has the timeout of one reply, not of each byte.
func TestDrippingReplyIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		cfg, _, done := pipe(plainConfig(), func(conn net.Conn) {
			for {
				if _, err := conn.Write([]byte("220-x\r\n")); err != nil {
					return
				}
				select {
				case <-over:
				case <-time.After(4 * time.Minute):
				}
			}
		})
		start := time.Now()
		_, err := smtpclient.Dial(t.Context(), cfg)
		if at := stageOf(t, err); at.Stage != smtp.StageGreeting || time.Since(start) != 5*time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		close(over)
		<-done
	})
}
