package sendcmd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/words"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

func resultAt(t *testing.T, stage smtp.Stage, status smtp.Status) yan.Result {
	t.Helper()
	to, err := smtp.ParseAddress("a@example.org")
	if err != nil {
		t.Fatal(err)
	}
	return yan.Result{Recipients: []smtp.Outcome{{Recipient: to, Status: status, Stage: stage}}}
}

// A refused login ends a run at once, three failures to connect in a row do,
// and nothing else.
func TestRunsThatLeadNowhere(t *testing.T) {
	t.Parallel()
	login, dial, refused := resultAt(t, smtp.StageAuth, smtp.Refused), resultAt(t, smtp.StageConnect, smtp.NotTried), resultAt(t, smtp.StageRcpt, smtp.Refused)
	tls, sent, unknown := resultAt(t, smtp.StageTLS, smtp.NotTried), resultAt(t, smtp.StageBody, smtp.Accepted), resultAt(t, smtp.StageBody, smtp.Unknown)
	for _, test := range []struct {
		name    string
		results []yan.Result
		ends    bool
	}{
		{"login", []yan.Result{sent, login}, true},
		{"dial", []yan.Result{dial, dial}, false},
		{"dial thrice", []yan.Result{dial, tls, dial}, true},
		{"not in a row", []yan.Result{dial, dial, sent, dial, dial, refused, dial, dial, unknown, dial}, false},
		{"refused", []yan.Result{refused, refused, refused, refused}, false},
	} {
		r := &delivery{s: &sendFlags{}}
		for _, result := range test.results {
			r.judge(result)
		}
		if ends := errors.Is(r.end, verdict.ErrHopeless); ends != test.ends {
			t.Errorf("%s: %v", test.name, r.end)
		}
		asked := &delivery{s: &sendFlags{ServerFlags: serverflag.ServerFlags{QuitAfter: "auth"}}}
		for _, result := range test.results {
			asked.judge(result)
		}
		if asked.end != nil {
			t.Errorf("%s: what --quit-after asked for ends the run", test.name)
		}
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	for lang, want := range map[words.Language]string{
		words.English: "28 messages in 2.0 s (10/s): 1 sent, 2 sent before, 3 sent to some, 4 refused, 5 deferred, 6 unknown, 7 not tried",
		words.Chinese: "28 封邮件，用时 2.0 s（每秒 10 封）：发出 1 封、先前已发出 2 封、只发给部分收件人 3 封、被拒绝 4 封、被推迟 5 封、结果未知 6 封、未尝试 7 封",
	} {
		a, _, _ := testApp(lang)
		r := &delivery{a: a, settled: []*job{{}}, tally: tally{messages: 28, sent: 1, before: 2, partial: 3, refused: 4, deferred: 5, unknown: 6, notTried: 7}}
		if got := r.summary(2 * time.Second); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// hoarder takes all messages before it sends the first, and answers out of
// order.
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

// What waits in the sender's queue is in no doubt: the log has an attempt at a
// message only when its turn comes, and when it has come.
func TestAttemptsAreNotedInTurn(t *testing.T) {
	t.Parallel()
	const messages = 20
	dir, log := clitest.Mails(t, messages), filepath.Join(t.TempDir(), "run.log")
	a, out, errs := testApp(words.English) // its clock stands still, so that no batch grows
	s := &sendFlags{raw: true, policy: "all", log: log}
	jobs, err := a.rawJobs(t.Context(), s, []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	h := &hoarder{sent: func(place int) {
		b, err := os.ReadFile(log)
		if err != nil {
			t.Error(err)
		}
		attempts, this := strings.Count(string(b), `"event":"attempt"`), fmt.Sprintf(`%04d.eml"`, place+1)
		if attempts != messages-place || !strings.Contains(string(b), this) {
			t.Errorf("when message %d was sent the log had %d attempts:\n%s", place+1, attempts, b)
		}
	}}
	r := &delivery{a: a, s: s, jobs: jobs, client: yan.NewClient(h), server: transport.Server{Host: "smtp.example.org"}}
	if err := r.resume(); err != nil {
		t.Fatal(err)
	}
	if code := a.Finish(r.deliver(t.Context())); code != command.ExitOK || errs.Len() > 0 {
		t.Errorf("exit status %d: %s", code, errs)
	}
	for i := 1; i <= messages; i++ {
		if !strings.Contains(out.String(), fmt.Sprintf("%04d.eml  u%d@example.org  accepted", i, i)) {
			t.Errorf("message %d is not told of as its own:\n%s", i, out)
		}
	}
}

// Whose server loses commands is told of the switch, in any language and even
// where only one message suffered; not who has used it.
func TestAdviceForServersThatLoseCommands(t *testing.T) {
	t.Parallel()
	lost := resultAt(t, smtp.StageBody, smtp.Unknown)
	lost.Recipients[0].Err = fmt.Errorf("%w: 250 in answer to nothing", smtpclient.ErrOutOfStep)
	for _, test := range []struct {
		lang     words.Language
		lockStep bool
		reason   string
		advice   string
	}{
		{words.English, false, "the server's replies do not fit the commands: 250 in answer to nothing", "This server can't keep up with commands that come together: send to it with --no-pipelining.\n"},
		{words.Chinese, false, "服务器的应答与所发的命令对不上: 250 in answer to nothing", "这个服务器处理不了连发的命令：请加上 --no-pipelining 再发。\n"},
		{words.English, true, "the server's replies do not fit the commands: 250 in answer to nothing", ""},
	} {
		a, _, errs := testApp(test.lang)
		r := &delivery{a: a, s: &sendFlags{ServerFlags: serverflag.ServerFlags{LockStep: test.lockStep}}, jobs: []*job{{}}}
		r.judge(lost)
		r.judge(resultAt(t, smtp.StageBody, smtp.Accepted))
		r.conclude(time.Second)
		if errs.String() != test.advice {
			t.Errorf("%s, %v: %q, want %q", test.lang, test.lockStep, errs, test.advice)
		}
		if got := a.LocalError(lost.Recipients[0].Err); got != test.reason {
			t.Errorf("%q, want %q", got, test.reason)
		}
	}
}
