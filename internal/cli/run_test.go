package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/sandbox"
	"github.com/yanmail/yan/sandboxtest"
)

// run executes a command line in this process.
func run(ctx context.Context, env map[string]string, args ...string) (code int, out, errs string) {
	w, o, e := testEnv(env)
	code = Run(ctx, args, w)
	return code, o.String(), e.String()
}

// to returns the flags that reach a sandbox.
func to(s *sandboxtest.Server, more ...string) []string {
	return append([]string{"send", "--server", s.URL(), "--tls-ca", s.CAFile(), "-s", "hi", "-b", "x"}, more...)
}

func login(s *sandboxtest.Server) map[string]string {
	return map[string]string{"YAN_PASSWORD": s.Password()}
}

// TestEveryExitStatus provokes each possible exit status.
func TestEveryExitStatus(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	expired := sandboxtest.Start(t, "plain", sandboxtest.WithCertificate("expired"))
	small := sandboxtest.Start(t, "plain", sandboxtest.WithMaxSize(100))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	friend := []string{"-t", "friend@example.org"}
	tests := map[int][][]string{
		command.ExitOK:          {to(s, friend...), {"version"}},
		command.ExitUsage:       {{"send"}, {"nosuch"}, to(s, "-t", "nobody")},
		command.ExitData:        {to(s, append(friend, "-s", "a\nb")...), to(small, friend...)},
		command.ExitNoInput:     {to(s, append(friend, "-a", file+".missing")...)},
		command.ExitNoUser:      {to(s, "-t", "rcpt-550@example.org")},
		command.ExitUnavailable: {to(s, "-t", "body-554@example.org")},
		command.ExitCantCreate:  {{"man", "--dir", filepath.Join(file, "pages")}},
		command.ExitTemporary:   {to(s, "-t", "rcpt-450@example.org")},
		command.ExitProtocol:    {to(expired, friend...)},
		command.ExitConfig:      {to(s, append(friend, "--tls-ca", file)...)},
		command.ExitPartial:     {to(s, "-t", "a@example.org", "-t", "rcpt-550@example.org", "--to-policy", "any")},
		command.ExitUnknown:     {to(s, "-t", "body-cut@example.org")},
		// Tested elsewhere, because they need more than a command line:
		command.ExitIO:          nil, // TestOutputThatCantBeWritten
		command.ExitAuth:        nil, // TestWrongPassword
		command.ExitNoHost:      nil, // TestUnknownHost: no test asks a name server
		command.ExitInterrupted: nil, // TestLoginLeavesNothing: at a question
		// No input is known that makes yan contradict itself.
		command.ExitInternal: nil,
	}
	a, _, _ := testApp("en")
	listed := map[int]bool{}
	for _, st := range a.Statuses() {
		listed[st.Code] = true
		if _, ok := tests[st.Code]; !ok {
			t.Errorf("exit status %d has no test", st.Code)
		}
	}
	for want, lines := range tests {
		if !listed[want] {
			t.Errorf("exit status %d is not in the help", want)
		}
		for _, args := range lines {
			for _, lang := range []string{"en", "zh"} {
				env := login(s)
				env["LANG"] = lang
				code, out, errs := run(t.Context(), env, args...)
				if code != want {
					t.Errorf("%q: exit status %d, want %d\n%s%s", args, code, want, out, errs)
				}
				if strings.Contains(out+errs, s.Password()) {
					t.Errorf("%q shows the password", args)
				}
			}
		}
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	for _, profile := range sandboxtest.Profiles() {
		s := sandboxtest.Start(t, profile)
		code, out, errs := run(t.Context(), map[string]string{"YAN_PASSWORD": "wrongsecretwrong"}, to(s, "-t", "friend@example.org", "-v")...)
		if code != command.ExitAuth || strings.Contains(out+errs, "wrongsecret") {
			t.Errorf("%s: exit status %d\n%s%s", profile, code, out, errs)
		}
	}
}

// TestUnknownHost builds the outcome by hand, because tests can't ask a name server: the proxy's
// host would be unknown, too, without one.
func TestUnknownHost(t *testing.T) {
	t.Parallel()
	err := &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "smtp.example.invalid", IsNotFound: true}}
	if got := exitFor(t, err); got != command.ExitNoHost {
		t.Errorf("exit status %d, want %d", got, command.ExitNoHost)
	}
	if got := exitFor(t, verdict.ErrTimeout{}); got != command.ExitTemporary {
		t.Errorf("exit status %d, want %d", got, command.ExitTemporary)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestOutputThatCantBeWritten(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	for want, args := range map[string][]string{
		"74": {"providers"},
		"0":  to(s, "-t", "friend@example.org"), // it was sent, and must not be sent again
	} {
		w, _, errs := testEnv(login(s))
		w.Stdout = brokenWriter{}
		if code := fmt.Sprint(Run(t.Context(), args, w)); code != want {
			t.Errorf("%q: exit status %s, want %s", args, code, want)
		}
		if !strings.Contains(errs.String(), "can't write the output: disk full") {
			t.Errorf("%q: %s", args, errs)
		}
	}
}

// tripwire calls a function when a text is written.
type tripwire struct {
	bytes.Buffer
	word string
	trip func()
	once sync.Once
}

func (w *tripwire) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if bytes.Contains(p, []byte(w.word)) {
		w.once.Do(w.trip)
	}
	return n, err
}

// After Ctrl-C a message is "not tried" before its last octet, and "unknown" after it. The signal
// comes when the server has seen the line at which it then stalls.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault, at, says string
		exit            int
	}{
		{"ehlo-stall", "EHLO", "not tried (at EHLO): interrupted", command.ExitTemporary},
		{"auth-stall", "AUTH", "not tried (at AUTH): interrupted", command.ExitTemporary},
		{"body-stall", "message of", "unknown (at BODY): interrupted", command.ExitUnknown},
	} {
		fault, err := sandbox.ParseFault(test.fault)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		s, err := sandbox.Start(sandbox.Config{Faults: []sandbox.Fault{fault}, Log: func(e sandbox.LogEvent) {
			if strings.HasPrefix(e.Text, test.at) {
				cancel()
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		ca := filepath.Join(t.TempDir(), "ca.pem")
		if err := s.WriteCA(ca); err != nil {
			t.Fatal(err)
		}
		code, out, errs := run(ctx, map[string]string{"YAN_PASSWORD": sandbox.Password},
			"send", "--server", "smtps://me%40example.org@"+s.TLSAddr(), "--tls-ca", ca, "-t", "friend@example.org", "-b", "x")
		cancel()
		_ = s.Close() // an error does not matter
		if code != test.exit || !strings.Contains(out, test.says) {
			t.Errorf("%s: exit status %d, want %d\n%s%s", test.fault, code, test.exit, out, errs)
		}
	}
}

// Ctrl-C while yan reads its input ends it, too.
func TestInterruptWhileReading(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"send", "-f", "me@example.org", "-t", "a@example.org", "-n"}, {"send", "--raw", "-n"},
		{"send", "-f", "me@example.org", "-t", "a@example.org", "-n", "-a", "-", "-b", "x"}} {
		ctx, cancel := context.WithCancel(t.Context())
		w, _, errs := testEnv(nil)
		r, pipe := net.Pipe() // there is no writer
		w.Stdin = r
		cancel()
		if code := Run(ctx, args, w); code != command.ExitTemporary || !strings.Contains(errs.String(), "interrupted; nothing was sent") {
			t.Errorf("%q: exit status %d: %s", args, code, errs)
		}
		_, _ = r.Close(), pipe.Close() // ends the reading goroutine
	}
}

func TestPasswordPrompt(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "qq")
	ask := func(secret string, err error) (int, string) {
		w, _, errs := testEnv(nil)
		w.StdinTTY, w.StderrWidth, w.NoColor = 80, 80, true
		w.ReadSecret = func(context.Context) (string, error) { return secret, err }
		return Run(t.Context(), append([]string{"--lang", "zh"}, to(s, "-t", "friend@example.org")...), w), errs.String()
	}
	code, errs := ask(s.Password()+"\n", nil)
	if code != command.ExitOK || !strings.Contains(errs, "me@qq.com 的密码或授权码（不显示）：") || strings.Contains(errs, s.Password()) {
		t.Errorf("exit status %d: %s", code, errs)
	}
	if code, errs := ask(" ", nil); code != command.ExitConfig || !strings.Contains(errs, "没有输入密码") {
		t.Errorf("exit status %d: %s", code, errs)
	}
	if code, errs := ask("", errors.New("terminal gone")); code != command.ExitIO || !strings.Contains(errs, "无法从终端读取密码") {
		t.Errorf("exit status %d: %s", code, errs)
	}
}

// Hints are printed on a terminal only, except the one about a secret file that others can read.
func TestHints(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, "plain")
	secret := filepath.Join(t.TempDir(), "code.txt")
	if err := os.WriteFile(secret, []byte(s.Password()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(secret, 0o644); err != nil { // independent of the umask
		t.Fatal(err)
	}
	for _, terminal := range []bool{true, false} {
		w, _, errs := testEnv(map[string]string{"YAN_PASSWORD_FILE": secret})
		if w.NoColor = true; terminal {
			w.StderrWidth = 80
		}
		args := []string{"send", "--server", s.URL(), "--tls-ca", s.CAFile(), "-t", "friend@example.org", "-s", "hi"}
		if code := Run(t.Context(), args, w); code != command.ExitOK {
			t.Fatalf("exit status %d: %s", code, errs)
		}
		if got := strings.Contains(errs.String(), "The message has no text and is sent without it"); got != terminal {
			t.Errorf("terminal %v: %q", terminal, errs)
		}
		if got := strings.Contains(errs.String(), "Other users of this machine can read"); got != (runtime.GOOS != "windows") {
			t.Errorf("terminal %v: %q", terminal, errs)
		}
	}
}

// The bar of a large message is drawn on a terminal, reaches its end whatever the form of the
// message, and is removed again.
func TestProgressOfALargeMessage(t *testing.T) {
	t.Parallel()
	big := filepath.Join(t.TempDir(), "big.bin")
	if err := os.WriteFile(big, make([]byte, 2_000_000), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, option := range map[string]sandboxtest.Option{
		"100%  2.7 MB / 2.7 MB": sandboxtest.WithoutExtension("BINARYMIME"),
		"100%  2.0 MB / 2.0 MB": sandboxtest.WithoutExtension("STARTTLS"),
	} {
		s := sandboxtest.Start(t, "plain", option)
		w, _, errs := testEnv(login(s))
		w.StderrWidth = 80
		if code := Run(t.Context(), to(s, "-t", "friend@example.org", "-a", big), w); code != command.ExitOK {
			t.Fatalf("exit status %d: %s", code, errs)
		}
		if got := errs.String(); !strings.Contains(got, want+"  waiting for the server") || !strings.HasSuffix(got, "\r\x1b[K") {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The sandbox says when it is ready, lists each message once, and leaves no files.
func TestSandboxCommand(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready := make(chan struct{})
	w, _, errs := testEnv(nil)
	out := &tripwire{word: `"event":"ready"`, trip: func() { close(ready) }}
	w.Stdout = out
	done := make(chan int)
	go func() { done <- Run(ctx, []string{"sandbox", "--json", "--exit-after", "3"}, w) }()
	select {
	case <-ready:
	case code := <-done:
		t.Fatalf("it ended with %d: %s", code, errs)
	}
	var first jsonout.Ready
	clitest.Decode(t, strings.SplitN(out.String(), "\n", 2)[0], &first)
	for range 3 {
		code, o, e := run(ctx, map[string]string{"YAN_PASSWORD": first.Password},
			"send", "--server", first.URL, "--tls-ca", first.CA, "-t", "a@example.org,b@example.org", "-s", "你好", "-b", "x")
		if code != command.ExitOK {
			t.Fatalf("exit status %d: %s%s", code, o, e)
		}
	}
	if code := <-done; code != command.ExitOK {
		t.Errorf("exit status %d: %s", code, errs)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines: %s", len(lines), out)
	}
	ids := map[string]bool{}
	for _, line := range lines[1:] {
		var m jsonout.Received
		clitest.Decode(t, line, &m)
		if ids[m.ID] || m.Subject != "你好" || len(m.To) != 2 || !m.TLS || m.Login != first.Login {
			t.Errorf("%+v", m)
		}
		ids[m.ID] = true
	}
	if _, err := os.Stat(first.CA); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary CA is still there: %v", err)
	}
}
