package cli

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/yanmail/yan/internal/cli/clitest"
	"github.com/yanmail/yan/internal/testing/secrettest"
	"github.com/yanmail/yan/sandboxtest"
)

// testRun runs the tests with a folder for the command that some of them build.
type testRun struct{ *testing.M }

func (r testRun) Run() int {
	// Most tests wait for a process or a socket, not for a processor.
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	var err error
	if buildFolder, err = os.MkdirTemp("", "yan"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(buildFolder) // the system removes the rest
	return r.M.Run()
}

func TestMain(m *testing.M) {
	testscript.Main(testRun{m}, map[string]func(){
		"yan": func() { // as cmd/yan does
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			signal.Ignore(syscall.SIGPIPE)
			w := SystemEnv()
			w.WorkFactor, _ = strconv.Atoi(os.Getenv(workFactor)) // the full cost without it
			code := Run(ctx, os.Args[1:], w)
			stop()
			os.Exit(code)
		},
	})
}

// workFactor is the variable that lowers the cost of the encrypted file in test processes. The
// program itself does not read it.
const workFactor = "YAN_TEST_WORK_FACTOR"

// cheapFile returns the setting of workFactor.
func cheapFile() string { return fmt.Sprintf("%s=%d", workFactor, secrettest.WorkFactor) }

// TestScripts runs the command as a shell does. Beside testscript's own
// commands the scripts have
//
//	status CODE yan ARG…      run it; the exit status must be CODE. No secret
//	                          may be in what it prints.
//	sandbox PROFILE [OPTION…] start a provider: URL, STARTTLS, NOTLS, LMTP, CA,
//	                          PIN, and YAN_PASSWORD_FILE are set
//	received N                it has so many messages and saw no violation
//	proxy socks5|http         start a proxy: PROXY is set
//	proxied N                 so many connections went through it
//	start NAME yan ARG…       run it until its first line
//	interrupt NAME            Ctrl-C; it must end with 0
//	kill NAME                 end it without a word, as kill -9 does
//	mails FOLDER FROM TO      write messages to u1@example.org and so on
//	once N                    N messages were received, none twice by the same
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("LANG", "en_US.UTF-8")
			for _, name := range []string{"LC_ALL", "LC_MESSAGES", "EMAIL", "NO_COLOR", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"} {
				env.Setenv(name, "")
			}
			// A race-detector process waits a second before it ends, and reports races with exit
			// status 66, which has another meaning here.
			env.Vars = append(env.Vars, cheapFile())
			env.Setenv("GORACE", "atexit_sleep_ms=0 exitcode=99")
			env.Values[envKey{}] = &scriptEnv{started: map[string]*exec.Cmd{}}
			return os.MkdirAll(filepath.Join(env.WorkDir, "home"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": scriptStatus, "sandbox": scriptSandbox, "received": scriptReceived,
			"proxy": scriptProxy, "proxied": scriptProxied, "start": scriptStart, "interrupt": scriptInterrupt,
			"kill": scriptKill, "mails": scriptMails, "once": scriptOnce,
		},
	})
}

type envKey struct{}

// scriptEnv holds the servers and processes of a script.
type scriptEnv struct {
	server  *sandboxtest.Server
	proxy   *testProxy
	started map[string]*exec.Cmd
}

func worldOf(ts *testscript.TestScript) *scriptEnv { return ts.Value(envKey{}).(*scriptEnv) }

func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status CODE COMMAND ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
	checkNoSecret(ts, ts.ReadFile("stdout")+ts.ReadFile("stderr"))
}

// wrongSecret is the secret for logins that must fail.
const wrongSecret = "wrongsecretwrong"

// checkNoSecret searches output for the password in all its encodings.
func checkNoSecret(ts *testscript.TestScript, output string) {
	for _, secret := range []string{sandboxPassword, wrongSecret} {
		for _, login := range []string{"me@example.org", "me@qq.com", "me@163.com", "me@gmail.com", "me@contoso.onmicrosoft.com"} {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)),
				base64.StdEncoding.EncodeToString([]byte("\x00" + login + "\x00" + secret))} {
				if strings.Contains(output, form) {
					ts.Fatalf("the output holds the secret as %q", form)
				}
			}
		}
	}
}

const sandboxPassword = "yansandboxsecret"

func scriptSandbox(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: sandbox PROFILE [OPTION…]")
	}
	options := []sandboxtest.Option{sandboxtest.WithLMTP()}
	for _, word := range args[1:] {
		name, value, _ := strings.Cut(word, ":")
		switch name {
		case "certificate":
			options = append(options, sandboxtest.WithCertificate(value))
		case "client-certificate":
			options = append(options, sandboxtest.WithClientCertificateRequired())
		case "fault":
			options = append(options, sandboxtest.WithFault(value))
		case "without":
			options = append(options, sandboxtest.WithoutExtension(value))
		case "mechanism":
			options = append(options, sandboxtest.WithMechanisms(value))
		case "max-size":
			n, err := strconv.ParseInt(value, 10, 64)
			ts.Check(err)
			options = append(options, sandboxtest.WithMaxSize(n))
		case "quirk":
			options = append(options, sandboxtest.WithQuirk(value))
		case "cleartext":
			options = append(options, sandboxtest.WithCleartextPassword())
		case "auth-required":
			options = append(options, sandboxtest.WithAuthRequired())
		default:
			ts.Fatalf("no option %q", name)
		}
	}
	server, err := sandboxtest.New(args[0], options...)
	ts.Check(err)
	ts.Defer(func() { _ = server.Close() }) // the test is over
	worldOf(ts).server = server
	secret := ts.MkAbs("secret.txt")
	ts.Check(os.WriteFile(secret, []byte(server.Password()+"\n"), 0o600))
	pin, err := pinOf(server.CertificatePEM())
	ts.Check(err)
	for name, value := range map[string]string{"URL": server.URL(), "STARTTLS": server.StartTLSURL(), "NOTLS": server.CleartextURL(),
		"LMTP": server.LMTPURL(), "CA": server.CAFile(), "PIN": pin, "ME": server.Login(), "YAN_PASSWORD_FILE": secret,
		"TLSADDR": server.TLSAddr(), "ADDR": server.Addr()} {
		ts.Setenv(name, value)
	}
	if cert, key, err := server.ClientCertificate(server.Login()); err == nil {
		ts.Setenv("CERT", cert)
		ts.Setenv("KEY", key)
	}
}

func scriptReceived(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: received N")
	}
	server := worldOf(ts).server
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if !server.WaitIdle() {
		ts.Fatalf("a connection stays open")
	}
	if got := len(server.Messages()); got != want {
		ts.Fatalf("the sandbox has %d messages, want %d:\n%s", got, want, server.Transcript())
	}
	if v := server.Violations(); len(v) > 0 {
		ts.Fatalf("the sandbox saw violations: %q", v)
	}
}

// scriptStart runs a command in the background and waits for its first line, which says that it is
// ready.
func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME COMMAND ARG…")
	}
	program, err := lookPath(ts.Getenv("PATH"), args[1])
	ts.Check(err)
	cmd := exec.Command(program, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LANG", "GORACE", "SystemRoot", "YAN_SERVER", "YAN_TLS_CA", "YAN_PASSWORD_FILE"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() { _ = cmd.Process.Kill() }) // it has ended already, if all went well
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		ts.Fatalf("%s ended without a word: %v", args[1], err)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".ready"), []byte(line), 0o600))
	worldOf(ts).started[args[0]] = cmd
	go func() { _, _ = io.Copy(io.Discard, out) }() // so that it never blocks on output
}

func scriptInterrupt(ts *testscript.TestScript, neg bool, args []string) {
	cmd, ok := worldOf(ts).started[strings.Join(args, " ")]
	if neg || !ok {
		ts.Fatalf("usage: interrupt NAME, one of %q", slices.Collect(maps.Keys(worldOf(ts).started)))
	}
	if runtime.GOOS == "windows" {
		ts.Check(cmd.Process.Kill()) // Windows has no Ctrl-C for one process
		_ = cmd.Wait()               // it was killed
		return
	}
	ts.Check(cmd.Process.Signal(os.Interrupt))
	if err := cmd.Wait(); err != nil {
		ts.Fatalf("after Ctrl-C: %v", err)
	}
}

func scriptKill(ts *testscript.TestScript, neg bool, args []string) {
	cmd, ok := worldOf(ts).started[strings.Join(args, " ")]
	if neg || !ok {
		ts.Fatalf("usage: kill NAME, one of %q", slices.Collect(maps.Keys(worldOf(ts).started)))
	}
	ts.Check(cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
}

func scriptMails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: mails FOLDER FROM TO")
	}
	from, err := strconv.Atoi(args[1])
	ts.Check(err)
	to, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o700))
	for i := from; i <= to; i++ {
		ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), fmt.Sprintf("%04d.eml", i)), []byte(clitest.MailTo(i)), 0o600))
	}
}

func scriptOnce(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: once N")
	}
	scriptReceived(ts, false, args)
	seen := map[string]bool{}
	for _, m := range worldOf(ts).server.Messages() {
		for _, to := range m.To {
			if seen[to] {
				ts.Fatalf("%s got a message twice", to)
			}
			seen[to] = true
		}
	}
}

func lookPath(path, name string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		for _, suffix := range []string{"", ".exe"} {
			full := filepath.Join(dir, name+suffix)
			if info, err := os.Stat(full); err == nil && info.Mode().IsRegular() {
				return full, nil
			}
		}
	}
	return "", fmt.Errorf("%s is not in the path", name)
}
