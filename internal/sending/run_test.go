package sending

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/mailfiles"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

func resultAt(t *testing.T, stage smtp.Stage, status smtp.Status) yan.Result {
	t.Helper()
	return yan.Result{Recipients: []smtp.Outcome{{Recipient: address(t, "a@example.org"), Status: status, Stage: stage}}}
}

// A run ends after one refused login or three failures to connect in a row, and for no other
// reason.
func TestRunsThatLeadNowhere(t *testing.T) {
	t.Parallel()
	login, dial, refused := resultAt(t, smtp.StageAuth, smtp.Refused), resultAt(t, smtp.StageConnect, smtp.NotTried), resultAt(t, smtp.StageRcpt, smtp.Refused)
	tls, ok, unknown := resultAt(t, smtp.StageTLS, smtp.NotTried), resultAt(t, smtp.StageBody, smtp.Accepted), resultAt(t, smtp.StageBody, smtp.Unknown)
	for _, test := range []struct {
		name    string
		results []yan.Result
		ends    bool
	}{
		{"login", []yan.Result{ok, login}, true},
		{"dial", []yan.Result{dial, dial}, false},
		{"dial three times", []yan.Result{dial, tls, dial}, true},
		{"not in a row", []yan.Result{dial, dial, ok, dial, dial, refused, dial, dial, unknown, dial}, false},
		{"refused", []yan.Result{refused, refused, refused, refused}, false},
	} {
		r := New(Options{}, nil)
		for _, result := range test.results {
			r.endIfHopeless(result)
		}
		if ends := errors.Is(r.end, ErrHopeless); ends != test.ends {
			t.Errorf("%s: %v", test.name, r.end)
		}
		probe := New(Options{Probe: true}, nil)
		for _, result := range test.results {
			probe.endIfHopeless(result)
		}
		if probe.end != nil {
			t.Errorf("%s: a probe ended at a failure", test.name)
		}
	}
}

// A server that loses commands is reported, even for one message.
func TestOutOfStep(t *testing.T) {
	t.Parallel()
	lost := resultAt(t, smtp.StageBody, smtp.Unknown)
	lost.Recipients[0].Err = fmt.Errorf("%w: 250 in answer to nothing", smtpclient.ErrOutOfStep)
	r := New(Options{}, nil)
	r.endIfHopeless(resultAt(t, smtp.StageBody, smtp.Accepted))
	if r.summary.OutOfStep {
		t.Error("a server in step is out of step")
	}
	r.endIfHopeless(lost)
	r.endIfHopeless(resultAt(t, smtp.StageBody, smtp.Accepted))
	if !r.summary.OutOfStep {
		t.Error("the summary does not say that the server lost commands")
	}
}

// hoarder takes all messages before it sends the first, and returns results out of order.
type hoarder struct {
	transport.Recorder
	sent func(place int)
}

func (h *hoarder) SendAll(ctx context.Context, messages iter.Seq[yan.Transaction]) iter.Seq2[int, smtpclient.Result] {
	return func(yield func(int, smtpclient.Result) bool) {
		all := slices.Collect(messages)
		for i := len(all) - 1; i >= 0; i-- {
			result := h.Send(ctx, all[i])
			h.sent(i)
			if !yield(i, result) {
				return
			}
		}
	}
}

// A message that waits in the transport is not unknown: its attempt is logged when its turn comes,
// and not earlier.
func TestAttemptsAreLoggedInTurn(t *testing.T) {
	t.Parallel()
	const messages = 20
	path := filepath.Join(t.TempDir(), "run.log")
	h := &hoarder{sent: func(place int) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		attempts, this := strings.Count(string(b), `"event":"attempt"`), fmt.Sprintf(`%04d.eml"`, place+1)
		if attempts != messages-place || !strings.Contains(string(b), this) {
			t.Errorf("when message %d was sent the log had %d attempts:\n%s", place+1, attempts, b)
		}
	}}
	summary, events := sent(t, Options{Sender: through("one", h), Log: openLog(t, path)}, mails(t, messages))
	if summary.Sent != messages || summary.LogErr != nil {
		t.Errorf("%+v", summary)
	}
	for i, e := range of[Reported](events) {
		if want := fmt.Sprintf("%04d.eml", messages-i); e.Message.File != want || e.Result.Recipients[0].Status != smtp.Accepted {
			t.Errorf("report %d is about %s, want %s: %v", i, e.Message.File, want, e.Result)
		}
	}
}

// The same messages with the same log are sent once. Deferred recipients are sent to again, refused
// ones only on request.
func TestResume(t *testing.T) {
	t.Parallel()
	path, dir := filepath.Join(t.TempDir(), "run.log"), clitest.WriteMails(t, 3)
	for i, run := range []struct {
		codes  map[string]int // of the server; 250 for others
		resend []smtp.Status
		sent   int
		want   Summary
	}{
		{map[string]int{"u2@example.org": 450, "u3@example.org": 550}, nil, 1, Summary{Messages: 3, Sent: 1, Deferred: 1, Refused: 1, Missing: 1}},
		{nil, nil, 1, Summary{Messages: 3, Before: 1, Sent: 1, Refused: 1, RefusedTo: 1}},
		{nil, []smtp.Status{smtp.Refused}, 1, Summary{Messages: 3, Before: 2, Sent: 1}},
		{nil, []smtp.Status{smtp.Refused, smtp.Unknown}, 0, Summary{Messages: 3, Before: 3}},
	} {
		recorder := &transport.Recorder{Answer: func(to smtp.Address) smtp.Reply {
			if code := run.codes[to.String()]; code != 0 {
				return smtp.Reply{Code: code, Lines: []string{"no"}}
			}
			return smtp.Reply{Code: 250, Lines: []string{"OK"}}
		}}
		summary, events := sent(t, Options{Sender: through("one", recorder), Log: openLog(t, path), Resend: run.resend}, messagesIn(t, dir))
		if len(recorder.Messages()) != run.sent {
			t.Errorf("run %d sent %d messages, want %d", i+1, len(recorder.Messages()), run.sent)
		}
		if got, want := fmt.Sprintf("%+v", summary), fmt.Sprintf("%+v", run.want); got != want {
			t.Errorf("run %d: %s, want %s", i+1, got, want)
		}
		if n := len(of[Reported](events)); n != 3 {
			t.Errorf("run %d reported %d messages", i+1, n)
		}
	}
}

// A file that changes or disappears while earlier messages are sent is not sent; the others are.
func TestFilesThatChangeMeanwhile(t *testing.T) {
	t.Parallel()
	for _, logged := range []bool{false, true} {
		dir := clitest.WriteMails(t, 5)
		messages := messagesIn(t, dir)
		at := func(name string) string { return filepath.Join(dir, name) }
		o := Options{}
		if logged {
			o.Log = openLog(t, filepath.Join(t.TempDir(), "run.log"))
		}
		stamp := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, err := range []error{os.Chtimes(at("0002.eml"), stamp, stamp), os.Remove(at("0003.eml")), sameSize(at("0005.eml"))} {
			if err != nil {
				t.Fatal(err)
			}
		}
		recorder := &transport.Recorder{}
		o.Sender = through("one", recorder)
		_, events := sent(t, o, messages)
		if len(recorder.Messages()) != 2 {
			t.Errorf("%d messages were sent", len(recorder.Messages()))
		}
		for _, e := range of[Reported](events) {
			want := map[string]error{"0002.eml": mailfiles.ErrChanged, "0003.eml": fs.ErrNotExist, "0005.eml": mailfiles.ErrChanged}[e.Message.File]
			if got := e.Result.Recipients[0].Err; !errors.Is(got, want) || want != nil && !errors.Is(got, smtpclient.ErrContent) {
				t.Errorf("%s: %v, want %v", e.Message.File, got, want)
			}
		}
	}
}

// sameSize changes a message but not its size and time; only the hash differs.
func sameSize(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(strings.Replace(clitest.MailTo(5), "hello", "hallo", 1)), 0o600); err != nil {
		return err
	}
	return os.Chtimes(path, info.ModTime(), info.ModTime())
}

// A run whose login is refused sends nothing more, and reports the rest with the reason.
func TestRestIsReported(t *testing.T) {
	t.Parallel()
	o := Options{Sender: through("one", refusing{smtp.StageAuth, 535})}
	summary, events := sent(t, o, mails(t, 4))
	var reasons []error
	for _, e := range of[Reported](events) {
		reasons = append(reasons, e.Reason)
	}
	if !slices.Equal(reasons, []error{nil, ErrHopeless, ErrHopeless, ErrHopeless}) || summary.NotTried != 4 {
		t.Errorf("%v, %+v", reasons, summary)
	}
}

// refusing fails each message at a stage before MAIL.
type refusing struct {
	stage smtp.Stage
	code  int
}

func (f refusing) Send(_ context.Context, t yan.Transaction) smtpclient.Result {
	var r smtpclient.Result
	for _, to := range t.Envelope.To() {
		o := smtp.Outcome{Recipient: to, Status: smtp.NotTried, Stage: f.stage, Reply: smtp.Reply{Code: f.code, Lines: []string{"no"}}}
		if f.code == 0 {
			o.Reply, o.Err = smtp.Reply{}, errors.New("connection refused")
		}
		r.Outcomes = append(r.Outcomes, o)
	}
	return r
}

func (f refusing) Close() error { return nil }

// With KeepUnreached, messages whose server can't be reached are left to the caller.
func TestUnreached(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		o := Options{Sender: through("one", refusing{stage: smtp.StageConnect}), KeepUnreached: keep}
		summary, events := sent(t, o, mails(t, 5))
		left := 0
		if keep {
			left = 5
		}
		if !summary.Unreachable || len(summary.Unreached) != left || len(of[Unreached](events)) != left || len(of[Reported](events)) != 5-left {
			t.Errorf("keep %v: %+v, %d reported", keep, summary, len(of[Reported](events)))
		}
	}
}

// stuck sends a message until its context ends.
type stuck struct{ transport.Recorder }

func (s *stuck) Send(ctx context.Context, t yan.Transaction) smtpclient.Result {
	<-ctx.Done()
	return s.Recorder.Send(ctx, t)
}

// A cancelled run begins no further message, and waits ten seconds for the one in flight; a run
// past its deadline ends at once.
func TestDraining(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cancel func(context.Context) (context.Context, context.CancelFunc)
		took   time.Duration
		drains int
	}{
		"cancelled": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel
		}, time.Second + drainTimeout, 1},
		"out of time": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, time.Second, 0},
	} {
		messages := mails(t, 3)
		synctest.Test(t, func(t *testing.T) {
			var events []RunEvent
			o := Options{Sender: through("one", &stuck{}), Observe: func(_ context.Context, e RunEvent) { events = append(events, e) }}
			ctx, cancel := c.cancel(context.Background())
			defer cancel()
			start := time.Now()
			r := New(o, messages)
			if err := r.Open(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Send(ctx); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took != c.took {
				t.Errorf("%s: the run ended after %v, want %v", name, took, c.took)
			}
			if got := len(of[Draining](events)); got != c.drains || len(of[Reported](events)) != 3 {
				t.Errorf("%s: %d times draining, %d messages reported", name, got, len(of[Reported](events)))
			}
		})
	}
}
