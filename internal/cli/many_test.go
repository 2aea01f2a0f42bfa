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

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/internal/sendlog"
	"github.com/yanmail/yan/internal/words"
	"github.com/yanmail/yan/sandboxtest"
	"github.com/yanmail/yan/transport"
)

// mails writes n messages, each to a recipient of its own, and gives the folder.
func mails(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := 1; i <= n; i++ {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.eml", i)), []byte(mailTo(i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// logged is what a log says of each recipient, as the next run reads it.
func logged(t *testing.T, path string) map[string]string {
	t.Helper()
	l, err := sendlog.Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // only read from
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() // only read from
	states := map[string]string{}
	for in := bufio.NewScanner(file); in.Scan(); {
		var line sendlog.Line
		decode(t, in.Text(), &line)
		for _, r := range line.Recipients {
			o, _ := l.State(sendlog.Key{Hash: line.SHA256, Recipient: r.Address, Copy: max(r.Copy, 1)})
			states[fmt.Sprintf("%s#%d", r.Address, max(r.Copy, 1))] = string(o.Status)
		}
	}
	return states
}

// received counts what reached each recipient.
func received(messages []sandboxtest.Message) map[string]int {
	got := map[string]int{}
	for _, m := range messages {
		for _, to := range m.To {
			got[to]++
		}
	}
	return got
}

// TestKilledRuns kills runs with kill -9 behind a random line of output and
// starts them again, until one comes to its end. However it goes, no recipient
// gets a message twice, and each message is accepted or listed in the end.
func TestKilledRuns(t *testing.T) {
	t.Parallel()
	// So many that their lines don't fit into a pipe: who reads them decides how
	// far the run comes.
	const messages = 400
	const seeds = 3
	kills := 0
	for seed := range uint64(seeds) {
		s := sandboxtest.Start(t, "plain")
		dir := mails(t, messages)
		refused := strings.Replace(mailTo(0), "u0@", "rcpt-550@", 1)
		if err := os.WriteFile(filepath.Join(dir, "0300.eml"), []byte(refused), 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{"yan", "send", "--raw", dir, "--log", filepath.Join(dir, "run.log"), "--server", s.URL(), "--tls-ca", s.CAFile(), "--json"}
		random := rand.New(rand.NewPCG(seed, 3))
		ended := false
		for lines := random.IntN(100); kills < 100; lines = random.IntN(messages + messages/2) {
			// What is left from before is told first, a line for each.
			if ended = killBehind(t, s, args, lines); ended {
				break
			}
			kills++
		}
		if !ended {
			t.Fatalf("seed %d: no run came to its end", seed)
		}
		if !s.WaitIdle() {
			t.Fatal("a connection stays open")
		}
		checkOnce(t, logged(t, filepath.Join(dir, "run.log")), received(s.Messages()), messages)
	}
	if kills < seeds {
		t.Errorf("only %d kills", kills)
	}
}

// killBehind runs a command and kills it behind so many lines; it reports
// whether the command ended before.
func killBehind(t *testing.T, s *sandboxtest.Server, args []string, lines int) (ended bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Args = args // TestMain makes it the program of this name
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
	_ = cmd.Wait() // its status is not asked for
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

// startSandbox runs a server that calls event with each line of its log.
func startSandbox(t *testing.T, fault string, event func(string), without ...string) (s *sandbox.Server, args []string) {
	t.Helper()
	c := sandbox.Config{Log: func(e sandbox.Event) { event(e.Text) }, Without: without}
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

// Ctrl-C takes no further message and waits for those that are on their way;
// when their time is over they are unknown. The next run sends the others.
func TestInterruptedRun(t *testing.T) {
	t.Parallel()
	const messages = 300
	for _, fault := range []string{"", "body-stall"} {
		dir := mails(t, messages)
		log := filepath.Join(t.TempDir(), "run.log")
		ctx, cancel := context.WithCancel(t.Context())
		first, args := startSandbox(t, fault, func(text string) {
			if strings.HasPrefix(text, "message of") {
				cancel()
			}
		})
		env := map[string]string{"YAN_PASSWORD": sandbox.Password}
		w, out, errs := world(env)
		w.StderrWidth, w.NoColor = 100, true
		over := make(chan time.Time)
		if fault != "" {
			close(over)
		}
		w.After = func(time.Duration) <-chan time.Time { return over }
		code := Run(ctx, append(args, "--raw", dir, "--log", log), w)
		cancel()
		_ = first.Close() // hangs up on nobody
		states := logged(t, log)
		want := exitTemporary
		if fault != "" {
			want = exitUnknown
		}
		for _, says := range []string{"Interrupted: waiting for the messages that are on their way, 10 seconds at most", "Run the same command again"} {
			if !strings.Contains(errs.String(), says) {
				t.Errorf("%q: %q is missing in %s", fault, says, errs)
			}
		}
		if code != want || !strings.Contains(out.String(), "messages not tried: interrupted") {
			t.Errorf("%q: exit status %d, want %d\n%s%s", fault, code, want, out, errs)
		}
		second, args := startSandbox(t, "", func(string) {})
		code, o, e := run(t.Context(), env, append(args, "--raw", dir, "--log", log)...)
		want = exitOK
		if fault != "" {
			want = exitUnknown
		}
		if code != want {
			t.Errorf("%q: exit status %d, want %d\n%s%s", fault, code, want, o, e)
		}
		_ = second.Close() // hangs up on nobody
		before, after := ledger(first), ledger(second)
		for to, status := range states {
			address, _, _ := strings.Cut(to, "#")
			n, m := before[address], after[address]
			sent := status == "accepted" && n == 1 && m == 0 || status == "unknown" && fault != "" && m == 0 || status == "not tried" && n == 0 && m == 1
			if !sent {
				t.Errorf("%q: %s was %s, and received %d and %d times", fault, to, status, n, m)
			}
		}
		if len(logged(t, log)) != messages {
			t.Errorf("%q: the log knows %d recipients", fault, len(logged(t, log)))
		}
	}
}

// What only waits for its turn when Ctrl-C comes is not sent any more.
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
	w, out, errs := world(map[string]string{"YAN_PASSWORD": sandbox.Password})
	w.After = func(time.Duration) <-chan time.Time { return make(chan time.Time) }
	code := Run(ctx, append(args, "--raw", mails(t, messages)), w)
	// One on the wire and one that has opened on each of two connections, and
	// what they did while the word went round.
	if sent := len(ledger(s)); code != exitTemporary || sent < 1 || sent > 20 ||
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
	args := []string{"send", "--server", s.URL(), "--tls-ca", s.CAFile(), "--raw", mails(t, 2), "--log", path}
	code, _, errs := run(t.Context(), login(s), args...)
	if code != exitTemporary || !strings.Contains(errs, "another yan is using this log at the moment") {
		t.Errorf("exit status %d: %s", code, errs)
	}
	if code, _, errs := run(t.Context(), login(s), append(args, "--lang", "zh")...); !strings.Contains(errs, "另一个 yan 正在使用这个日志") {
		t.Errorf("exit status %d: %s", code, errs)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t.Context(), login(s), args...); code != exitOK {
		t.Errorf("exit status %d: %s", code, errs)
	}
}

// deliverWith sends the messages of a folder to a recorder; meanwhile happens
// when they were checked.
func deliverWith(t *testing.T, recorder *transport.Recorder, s *sendFlags, dir string, meanwhile func()) (code int, out, errs string) {
	t.Helper()
	a, o, e := testApp(words.English)
	jobs, err := a.rawJobs(t.Context(), s, []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	meanwhile()
	r := &delivery{a: a, s: s, jobs: jobs, client: yan.NewClient(recorder), server: transport.Server{Host: "smtp.example.org"}}
	if err := r.resume(); err != nil {
		t.Fatal(err)
	}
	code = a.finish(r.deliver(t.Context()))
	return code, o.String(), e.String()
}

// What changes or vanishes while the messages before it are sent is not sent,
// and costs only itself.
func TestFilesThatChangeMeanwhile(t *testing.T) {
	t.Parallel()
	for _, log := range []bool{false, true} {
		dir := mails(t, 4)
		s := &sendFlags{raw: true, policy: "all"}
		if log {
			s.log = filepath.Join(t.TempDir(), "run.log")
		}
		at := func(name string) string { return filepath.Join(dir, name) }
		recorder := &transport.Recorder{}
		code, out, errs := deliverWith(t, recorder, s, dir, func() {
			stamp := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
			for _, err := range []error{os.Chtimes(at("0002.eml"), stamp, stamp), os.Remove(at("0003.eml"))} {
				if err != nil {
					t.Error(err)
				}
			}
		})
		if code != exitIO || len(recorder.Messages()) != 2 {
			t.Errorf("exit status %d, %d messages: %s", code, len(recorder.Messages()), errs)
		}
		for _, want := range []string{"0001.eml  u1@example.org  accepted", "0002.eml  u2@example.org  not tried: the file changed after it was checked",
			"0003.eml  u3@example.org  not tried: the file is gone since it was checked", "0004.eml  u4@example.org  accepted", ": 2 sent, 2 not tried"} {
			if !strings.Contains(out, want) {
				t.Errorf("%q is missing in\n%s", want, out)
			}
		}
		if log {
			if got := logged(t, s.log); len(got) != 2 || got["u2@example.org#1"] != "" {
				t.Errorf("the log has %v", got)
			}
		}
	}
}

// A file that became another of the same size and time is found by its hash.
func TestOtherOctets(t *testing.T) {
	t.Parallel()
	dir := mails(t, 2)
	path := filepath.Join(dir, "0002.eml")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &sendFlags{raw: true, policy: "all", log: filepath.Join(t.TempDir(), "run.log")}
	code, out, _ := deliverWith(t, &transport.Recorder{}, s, dir, func() {
		other := strings.Replace(mailTo(2), "hello", "hallo", 1)
		if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
			t.Error(err)
		}
		if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
			t.Error(err)
		}
	})
	if code != exitIO || !strings.Contains(out, "the file changed after it was checked") {
		t.Errorf("exit status %d\n%s", code, out)
	}
}

// The bar of a run is drawn on a terminal only, and taken away again.
func TestProgressOfARun(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	dir := mails(t, 30)
	for width, want := range map[int]bool{80: true, 0: false} {
		w, _, errs := world(login(s))
		w.StderrWidth, w.NoColor = width, true
		now := time.Unix(0, 0)
		w.Now = func() time.Time {
			now = now.Add(300 * time.Millisecond)
			return now
		}
		code := Run(t.Context(), []string{"send", "--server", s.URL(), "--tls-ca", s.CAFile(), "--raw", dir}, w)
		got := errs.String()
		if code != exitOK || strings.Contains(got, "of 30 messages") != want || strings.Contains(got, " left") != want {
			t.Errorf("%d columns: exit status %d: %q", width, code, got)
		}
		if want && !strings.HasSuffix(got, "\r\x1b[K") || !want && got != "" {
			t.Errorf("%d columns: the bar stays: %q", width, got)
		}
	}
}

func TestRunBar(t *testing.T) {
	t.Parallel()
	for lang, want := range map[words.Language]string{
		words.English: "████████████░░░░░░░░░░░░  50%  1 of 3 messages  0.1/s  10 seconds left",
		words.Chinese: "████████████░░░░░░░░░░░░  50%  已处理 1 封，共 3 封  每秒 0.1 封  剩余 10 秒",
	} {
		a, _, errs := testApp(lang)
		now := time.Unix(0, 0)
		a.Now = func() time.Time { return now }
		a.StderrWidth = 100
		todo := []*job{{size: 4_000_000}, {size: 6_000_000 + overhead}, {size: 2_000_000 - overhead}}
		var b runBar
		b.begin(a, &sendFlags{}, todo)
		part := b.progress(todo[1])
		b.settle(todo[0])
		now = now.Add(10 * time.Second)
		part(2_000_000+overhead/2, todo[1].size)
		got := errs.String()
		if got != "\r"+want+"\x1b[K" {
			t.Errorf("%q, want %q", got, want)
		}
		part(3_000_000, todo[1].size) // not yet: ten times a second are enough
		if errs.String() != got {
			t.Errorf("drawn too soon: %q", errs)
		}
		b.around(true, func() { a.errf("line\n") })
		if !strings.HasSuffix(errs.String(), "\r\x1b[Kline\n") {
			t.Errorf("%q", errs)
		}
		now = now.Add(time.Second)
		a.StderrWidth = 15
		part(4_000_000, todo[1].size)
		if !strings.HasSuffix(errs.String(), "\r 66%\x1b[K") {
			t.Errorf("on a narrow terminal: %q", errs)
		}
		b.clear()
		if !strings.HasSuffix(errs.String(), "\r\x1b[K") {
			t.Errorf("%q", errs)
		}
	}
	var none runBar
	none.around(true, func() {})
	none.settle(&job{})
	if none.progress(&job{size: 1 << 30}) != nil {
		t.Error("a bar that shows nothing asks for progress")
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		n    int
		took time.Duration
		want string
	}{{1, 4 * time.Second, "0.2"}, {99, 10 * time.Second, "9.9"}, {10, time.Second, "10"}, {24_321, 2 * time.Second, "12160"}} {
		if got := rate(test.n, test.took); got != test.want {
			t.Errorf("rate(%d, %v) = %s, want %s", test.n, test.took, got, test.want)
		}
	}
}

// Every message has its object, whatever came in between.
func TestJSONOfARunThatEnds(t *testing.T) {
	t.Parallel()
	w, out, errs := world(map[string]string{"YAN_PASSWORD": "x"})
	code := Run(t.Context(), []string{"send", "--server", "smtps://me%40example.org@127.0.0.1:1", "--raw", mails(t, 20), "--json"}, w)
	if code != exitTemporary || errs.Len() > 0 {
		t.Errorf("exit status %d: %s", code, errs)
	}
	var files []string
	for line := range bytes.Lines(out.Bytes()) {
		var r reportJSON
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
