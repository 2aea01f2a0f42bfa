package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/internal/sending/sendlog"
	"github.com/yanmail/yan/sandboxtest"
)

// received counts the messages of each recipient.
func received(messages []sandboxtest.Message) map[string]int {
	got := map[string]int{}
	for _, m := range messages {
		for _, to := range m.To {
			got[to]++
		}
	}
	return got
}

// TestKilledRuns kills runs with kill -9 after a random line of output and starts them again until
// one finishes. No recipient gets a message twice, and each message is accepted or listed in the
// end.
func TestKilledRuns(t *testing.T) {
	t.Parallel()
	// The output must not fit into a pipe buffer, so that the reader controls how far the run
	// comes.
	const messages = 400
	const seeds = 3
	kills := 0
	for seed := range uint64(seeds) {
		s := sandboxtest.Start(t, "plain")
		dir := clitest.WriteMails(t, messages)
		refused := strings.Replace(clitest.MailTo(0), "u0@", "rcpt-550@", 1)
		if err := os.WriteFile(filepath.Join(dir, "0300.eml"), []byte(refused), 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{"yan", "send", "--raw", dir, "--log", filepath.Join(dir, "run.log"), "--server", s.URL(), "--tls-ca", s.CAFile(), "--json"}
		random := rand.New(rand.NewPCG(seed, 3))
		ended := false
		for lines := random.IntN(100); kills < 100; lines = random.IntN(messages + messages/2) {
			// The settled messages are reported first, a line for each.
			if ended = killBehind(t, s, args, lines); ended {
				break
			}
			kills++
		}
		if !ended {
			t.Fatalf("seed %d: no run finished", seed)
		}
		if !s.WaitIdle() {
			t.Fatal("a connection stays open")
		}
		checkOnce(t, clitest.LoggedStates(t, filepath.Join(dir, "run.log")), received(s.Messages()), messages)
	}
	if kills < seeds {
		t.Errorf("only %d kills", kills)
	}
}

// killBehind runs a command and kills it after so many lines. It reports whether the command had
// ended before.
func killBehind(t *testing.T, s *sandboxtest.Server, args []string, lines int) (ended bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Args = args // TestMain runs the program of this name
	cmd.Env = append(os.Environ(), "YAN_PASSWORD="+s.Password(), "GORACE=atexit_sleep_ms=0 exitcode=99")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	for range lines {
		if !in.Scan() {
			break
		}
	}
	ended = !in.Scan()
	_ = cmd.Process.Kill() // it may have ended
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait() // its status does not matter
	return ended
}

func checkOnce(t *testing.T, states map[string]string, got map[string]int, messages int) {
	t.Helper()
	if len(states) != messages {
		t.Errorf("the log knows %d recipients, want %d", len(states), messages)
	}
	count := map[string]int{}
	for to, status := range states {
		address, _, _ := strings.Cut(to, "#")
		count[status]++
		switch n := got[address]; {
		case n > 1:
			t.Errorf("%s got a message %d times", to, n)
		case status == "accepted" && n != 1, status == "refused" && n != 0:
			t.Errorf("%s is %s and got %d messages", to, status, n)
		case status != "accepted" && status != "refused" && status != "unknown":
			t.Errorf("%s is %s in the end", to, status)
		}
	}
	if count["refused"] > 1 || count["accepted"] < messages/2 {
		t.Errorf("%v", count)
	}
}

// startSandbox starts a server that calls event with each line of its log.
func startSandbox(t *testing.T, fault string, event func(string), without ...string) (s *sandbox.Server, args []string) {
	t.Helper()
	c := sandbox.Config{Log: func(e sandbox.LogEvent) { event(e.Text) }, Without: without}
	if fault != "" {
		f, err := sandbox.ParseFault(fault)
		if err != nil {
			t.Fatal(err)
		}
		c.Faults = []sandbox.Fault{f}
	}
	s, err := sandbox.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := s.WriteCA(ca); err != nil {
		t.Fatal(err)
	}
	return s, []string{"send", "--server", "smtps://me%40example.org@" + s.TLSAddr(), "--tls-ca", ca}
}

// After Ctrl-C no further message is begun, and messages in flight get some time; then they are
// unknown. The next run sends the others.
func TestInterruptedRun(t *testing.T) {
	t.Parallel()
	const messages = 300
	for _, fault := range []string{"", "body-stall"} {
		dir := clitest.WriteMails(t, messages)
		log := filepath.Join(t.TempDir(), "run.log")
		ctx, cancel := context.WithCancel(t.Context())
		first, args := startSandbox(t, fault, func(text string) {
			if strings.HasPrefix(text, "message of") {
				cancel()
			}
		})
		env := map[string]string{"YAN_PASSWORD": sandbox.Password}
		w, out, errs := testEnv(env)
		w.StderrWidth, w.NoColor = 100, true
		over := make(chan time.Time)
		if fault != "" {
			close(over)
		}
		w.After = func(time.Duration) <-chan time.Time { return over }
		code := Run(ctx, append(args, "--raw", dir, "--log", log), w)
		cancel()
		_ = first.Close() // an error does not matter
		states := clitest.LoggedStates(t, log)
		want := command.ExitTemporary
		if fault != "" {
			want = command.ExitUnknown
		}
		for _, says := range []string{"Interrupted: waiting for the messages in flight, at most 10 seconds", "Run the same command again"} {
			if !strings.Contains(errs.String(), says) {
				t.Errorf("%q: %q is missing in %s", fault, says, errs)
			}
		}
		if code != want || !strings.Contains(out.String(), "messages not tried: interrupted") {
			t.Errorf("%q: exit status %d, want %d\n%s%s", fault, code, want, out, errs)
		}
		second, args := startSandbox(t, "", func(string) {})
		code, o, e := run(t.Context(), env, append(args, "--raw", dir, "--log", log)...)
		want = command.ExitOK
		if fault != "" {
			want = command.ExitUnknown
		}
		if code != want {
			t.Errorf("%q: exit status %d, want %d\n%s%s", fault, code, want, o, e)
		}
		_ = second.Close() // an error does not matter
		before, after := ledger(first), ledger(second)
		for to, status := range states {
			address, _, _ := strings.Cut(to, "#")
			n, m := before[address], after[address]
			sent := status == "accepted" && n == 1 && m == 0 || status == "unknown" && fault != "" && m == 0 || status == "not tried" && n == 0 && m == 1
			if !sent {
				t.Errorf("%q: %s was %s, and received %d and %d times", fault, to, status, n, m)
			}
		}
		if len(clitest.LoggedStates(t, log)) != messages {
			t.Errorf("%q: the log knows %d recipients", fault, len(clitest.LoggedStates(t, log)))
		}
	}
}

// Messages that still wait when Ctrl-C comes are not sent.
func TestInterruptedRunSendsNothingThatWaits(t *testing.T) {
	t.Parallel()
	const messages = 200
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, args := startSandbox(t, "", func(text string) {
		if strings.HasPrefix(text, "message of") {
			cancel()
		}
	}, "CHUNKING")
	defer s.Close()
	w, out, errs := testEnv(map[string]string{"YAN_PASSWORD": sandbox.Password})
	w.After = func(time.Duration) <-chan time.Time { return make(chan time.Time) }
	code := Run(ctx, append(args, "--raw", clitest.WriteMails(t, messages)), w)
	// At most: one in flight and one opened on each of two connections, and those begun before the
	// signal arrived.
	if sent := len(ledger(s)); code != command.ExitTemporary || sent < 1 || sent > 20 ||
		!strings.Contains(out.String(), fmt.Sprintf("%d of %d messages not tried: interrupted", messages-sent, messages)) {
		t.Errorf("exit status %d, %d sent\n%s%s", code, sent, out, errs)
	}
}

func ledger(s *sandbox.Server) map[string]int {
	got := map[string]int{}
	for _, m := range s.Messages() {
		for _, to := range m.To {
			got[to]++
		}
	}
	return got
}

func TestLogInUse(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	path := filepath.Join(t.TempDir(), "run.log")
	l, err := sendlog.Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"send", "--server", s.URL(), "--tls-ca", s.CAFile(), "--raw", clitest.WriteMails(t, 2), "--log", path}
	code, _, errs := run(t.Context(), login(s), args...)
	if code != command.ExitTemporary || !strings.Contains(errs, "another yan is using this log") {
		t.Errorf("exit status %d: %s", code, errs)
	}
	if code, _, errs := run(t.Context(), login(s), append(args, "--lang", "zh")...); !strings.Contains(errs, "另一个 yan 正在使用这个日志") {
		t.Errorf("exit status %d: %s", code, errs)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t.Context(), login(s), args...); code != command.ExitOK {
		t.Errorf("exit status %d: %s", code, errs)
	}
}

// The bar of a run is drawn on a terminal only, and removed at the end.
func TestProgressOfARun(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	dir := clitest.WriteMails(t, 30)
	for width, want := range map[int]bool{80: true, 0: false} {
		w, _, errs := testEnv(login(s))
		w.StderrWidth, w.NoColor = width, true
		now := time.Unix(0, 0)
		w.Now = func() time.Time {
			now = now.Add(300 * time.Millisecond)
			return now
		}
		code := Run(t.Context(), []string{"send", "--server", s.URL(), "--tls-ca", s.CAFile(), "--raw", dir}, w)
		got := errs.String()
		if code != command.ExitOK || strings.Contains(got, "of 30 messages") != want || strings.Contains(got, " left") != want {
			t.Errorf("%d columns: exit status %d: %q", width, code, got)
		}
		if want && !strings.HasSuffix(got, "\r\x1b[K") || !want && got != "" {
			t.Errorf("%d columns: the bar stays: %q", width, got)
		}
	}
}

// Every message has its JSON object, even if the run ends early.
func TestJSONOfARunThatEnds(t *testing.T) {
	t.Parallel()
	w, out, errs := testEnv(map[string]string{"YAN_PASSWORD": "x"})
	code := Run(t.Context(), []string{"send", "--server", "smtps://me%40example.org@127.0.0.1:1", "--raw", clitest.WriteMails(t, 20), "--json"}, w)
	if code != command.ExitTemporary || errs.Len() > 0 {
		t.Errorf("exit status %d: %s", code, errs)
	}
	var files []string
	for line := range bytes.Lines(out.Bytes()) {
		var r jsonout.SendReport
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if r.Status != "failed" || len(r.Recipients) != 1 || r.Recipients[0].Status != "not tried" {
			t.Errorf("%s", line)
		}
		files = append(files, r.File)
	}
	slices.Sort(files)
	if len(slices.Compact(files)) != 20 {
		t.Errorf("%d messages: %s", len(files), out)
	}
}
