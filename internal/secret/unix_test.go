//go:build unix

package secret_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/yanmail/yan/internal/secret"
)

func TestFilesThatOthersCanRead(t *testing.T) {
	t.Parallel()
	for mode, open := range map[os.FileMode]bool{
		0o600: false, 0o400: false, 0o700: false,
		0o640: true, 0o604: true, 0o620: true, 0o602: true, 0o644: true, 0o666: true, 0o601: true,
	} {
		t.Run(fmt.Sprintf("%04o", mode), func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			code, netrc := filepath.Join(m.Home, "my code"), filepath.Join(m.Home, ".netrc")
			write(t, code, "geheim\n", mode)
			write(t, netrc, "machine smtp.qq.com login me@qq.com password geheim\n", mode)
			for _, source := range []secret.Source{{Kind: secret.File, Value: code}, {Kind: secret.Netrc}} {
				got, err := m.Get(t.Context(), source, password)
				if !open {
					if err != nil || got != "geheim" {
						t.Errorf("%s: %q, %v", source.Kind, got, err)
					}
					continue
				}
				e := isProblem(t, got, err, secret.Readable)
				if want := fmt.Sprintf("its mode is %04o; chmod 600 ", mode); !strings.Contains(e.Error(), want) {
					t.Errorf("%v does not contain %q", e, want)
				}
				if source.Kind == secret.File && !strings.HasSuffix(e.Error(), "chmod 600 '"+code+"'") {
					t.Errorf("%v can't be pasted into a shell", e)
				}
			}
		})
	}
}

func TestFilesOfOtherUsers(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only the administrator can make a file of another user")
	}
	m := newMachine(t)
	path := filepath.Join(m.Home, "code")
	write(t, path, "geheim\n", 0o600)
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	got, err := m.Get(t.Context(), secret.Source{Kind: secret.File, Value: path}, password)
	if e := isProblem(t, got, err, secret.Readable); !errors.Is(e, secret.ErrForeign) || strings.Contains(e.Error(), "chmod") {
		t.Errorf("%v, want ErrForeign", e)
	}
}

func TestPipes(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	fifo := filepath.Join(m.Home, "pipe")
	if err := unix.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(fifo, []byte("geheim\n"), 0) }()
	got, err := m.Get(t.Context(), secret.Source{Kind: secret.File, Value: fifo}, password)
	if err != nil || got != "geheim" {
		t.Errorf("%q, %v", got, err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, err = io.WriteString(w, "another\n")
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	got, err = m.Get(t.Context(), secret.Source{Kind: secret.File, Value: fmt.Sprintf("/dev/fd/%d", r.Fd())}, password)
	if err != nil || got != "another" {
		t.Errorf("%q, %v", got, err)
	}

	// The pipe has no writer.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err = m.Get(ctx, secret.Source{Kind: secret.File, Value: fifo}, password)
	if e := isProblem(t, got, err, secret.Unreadable); !errors.Is(e, context.Canceled) {
		t.Error(e)
	}
	// Unblock the abandoned goroutine.
	f, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func TestCommands(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line    string
		want    string
		problem secret.Problem
		says    string // how the error ends
	}{
		"first line":         {line: "printf 'geheim\\nuser: me\\n'", want: "geheim"},
		"spaces":             {line: "echo '  geheim '", want: "geheim"},
		"UTF-8 with a mark":  {line: `printf '\357\273\277geheim\r\nnotes\r\n'`, want: "geheim"},
		"UTF-16":             {line: `printf '\377\376g\000e\000\n\000x\000'`, want: "ge"},
		"a pipeline":         {line: "echo GEHEIM | tr A-Z a-z", want: "geheim"},
		"no input":           {line: "cat; echo geheim", want: "geheim"},
		"chatty":             {line: "echo note >&2; echo geheim", want: "geheim"},
		"a child left":       {line: "sleep 5 & echo geheim", want: "geheim"},
		"nothing":            {line: "true", problem: secret.Empty, says: "nothing in it"},
		"empty first line":   {line: "echo; echo user: me", problem: secret.Empty, says: "nothing in it"},
		"NUL":                {line: `printf 'a\000b\n'`, problem: secret.Unreadable, says: "which no text does"},
		"no command":         {line: " ", problem: secret.CommandFailed, says: "no command is given"},
		"no such program":    {line: "/nowhere/pass show", problem: secret.CommandFailed, says: "not found"},
		"status":             {line: "exit 3", problem: secret.CommandFailed, says: "exit status 3"},
		"reason":             {line: "echo 'gpg: no secret key' >&2; echo more >&2; exit 2", problem: secret.CommandFailed, says: "exit status 2: gpg: no secret key"},
		"reason with secret": {line: "echo geheim; echo 'not geheim' >&2; exit 2", problem: secret.CommandFailed, says: "exit status 2"},
		"signal":             {line: "kill -9 $$", problem: secret.CommandFailed, says: "signal: killed"},
		"endless":            {line: "yes", problem: secret.CommandFailed, says: "octets"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			got, err := m.Get(t.Context(), secret.Source{Kind: secret.Command, Value: c.line}, password)
			if c.problem != "" {
				e := isProblem(t, got, err, c.problem)
				if !strings.HasSuffix(e.Error(), c.says) || strings.Contains(e.Error(), "geheim") {
					t.Errorf("%v, want it to end with %q", e, c.says)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestCommandsErrorsAreSeen(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	m := newMachine(t)
	m.Cheap(&said)
	if _, err := m.Get(t.Context(), secret.Source{Kind: secret.Command, Value: "echo touch the key >&2; echo geheim"}, password); err != nil {
		t.Fatal(err)
	}
	if said.String() != "touch the key\n" {
		t.Errorf("standard error: %q", said.String())
	}
}

// The pipe ends when the last process that the command started has ended.
func TestCancelKillsTheCommandAndItsChildren(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	fifo := filepath.Join(m.Home, "alive")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		_, err := m.Get(ctx, secret.Source{Kind: secret.Command, Value: "exec 3>" + fifo + "; (sleep 600; true) & echo started >&3; wait; true"}, password)
		failed <- err
	}()
	alive, err := os.Open(fifo) // waits for the command
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	if err := alive.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(alive, make([]byte, len("started\n"))); err != nil {
		t.Fatal(err)
	}
	cancel()
	if rest, err := io.ReadAll(alive); err != nil || len(rest) != 0 {
		t.Errorf("a process of the command still runs: %q, %v", rest, err)
	}
	err = <-failed
	if e := isProblem(t, "", err, secret.CommandFailed); !errors.Is(e, context.Canceled) {
		t.Error(e)
	}
}

// On a terminal a command can ask, on its standard input or /dev/tty.
func TestCommandsMayAskOnATerminal(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"standard input": "printf '? ' >&2; read -r x; echo $x",
		"/dev/tty":       "printf '? ' >/dev/tty; read -r x </dev/tty; echo $x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestInAnotherProcess$", "-test.v")
			child.Env = append(os.Environ(), "YAN_TEST_ASK="+line)
			terminal, err := pty.Start(child)
			if err != nil {
				t.Fatal(err)
			}
			defer terminal.Close()
			var screen bytes.Buffer
			if err := until(&screen, terminal, "? "); err != nil {
				t.Fatalf("%v; the screen: %q", err, screen.String())
			}
			if _, err := io.WriteString(terminal, "geheim\n"); err != nil {
				t.Fatal(err)
			}
			_ = until(&screen, terminal, "never") // EIO: Linux returns it at the end of a terminal
			if err := child.Wait(); err != nil || !strings.Contains(screen.String(), "got geheim") {
				t.Errorf("%v; the screen: %q", err, screen.String())
			}
		})
	}
}

// until reads until text has been read.
func until(screen *bytes.Buffer, r io.Reader, text string) error {
	buf := make([]byte, 1024)
	for range 10000 {
		n, err := r.Read(buf)
		screen.Write(buf[:n])
		if strings.Contains(screen.String(), text) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return errors.New("it prints and prints")
}

// Processes that write at the same time do not overwrite each other's secrets.
func TestManyProcesses(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.Keyring = nil
	phrases := filepath.Join(m.Home, "phrase")
	write(t, phrases, phrase, 0o600)
	const processes, each = 4, 5
	children := make([]*exec.Cmd, processes)
	output := make([]bytes.Buffer, processes)
	for i := range children {
		c := exec.Command(os.Args[0], "-test.run=^TestInAnotherProcess$", "-test.v")
		c.Env = append(os.Environ(), "YAN_TEST_FILE="+m.File, "YAN_PASSPHRASE_FILE="+phrases,
			fmt.Sprint("YAN_TEST_ACCOUNT=p", i), fmt.Sprint("YAN_TEST_EACH=", each))
		c.Stdout, c.Stderr = &output[i], &output[i]
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		children[i] = c
	}
	for i, c := range children {
		if err := c.Wait(); err != nil {
			t.Errorf("%v: %s", err, output[i].String())
		}
	}
	for i := range processes {
		for j := range each {
			key := secret.Key{Account: fmt.Sprint("p", i), Item: fmt.Sprint("item", j)}
			m.expect(t, key, "secret of "+key.Account+key.Item)
		}
	}
}

// TestInAnotherProcess is run as a process by the tests above.
func TestInAnotherProcess(t *testing.T) {
	if line := os.Getenv("YAN_TEST_ASK"); line != "" {
		v := &secret.Vault{}
		got, err := v.Get(t.Context(), secret.Source{Kind: secret.Command, Value: line}, password)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("got", got)
		return
	}
	file := os.Getenv("YAN_TEST_FILE")
	if file == "" {
		t.Skip("this is part of other tests")
	}
	var each int
	if _, err := fmt.Sscan(os.Getenv("YAN_TEST_EACH"), &each); err != nil {
		t.Fatal(err)
	}
	v := (&secret.Vault{File: file}).Cheap(os.Stderr)
	for j := range each {
		key := secret.Key{Account: os.Getenv("YAN_TEST_ACCOUNT"), Item: fmt.Sprint("item", j)}
		if place, err := v.Set(t.Context(), key, "secret of "+key.Account+key.Item); err != nil || place != secret.InFile {
			t.Fatal(place, err)
		}
	}
}

// A process that hangs while it writes is not waited for forever, and its secret is not
// overwritten.
func TestLockIsHonoured(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.Keyring = nil
	m.set(t, password, "geheim", secret.InFile)
	before := readFile(t, m.File)
	f, err := os.Open(m.File + ".lock")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	m.renew(m.File)
	m.Keyring = nil
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := m.Set(t.Context(), token, "a token")
		isProblem(t, "", err, secret.Unwritable)
		if waited := time.Since(start); waited != 10*time.Second {
			t.Errorf("waited for %v", waited)
		}
	})
	if readFile(t, m.File) != before {
		t.Error("the file was changed")
	}
	m.renew(m.File)
	m.expect(t, password, "geheim") // reading needs no lock
}

// A command that does not end is killed, and the error says that it has no terminal.
func TestCommandsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	for name, bound := range map[string]func(*testMachine) context.Context{
		"by itself": func(m *testMachine) context.Context { m.Waits(50 * time.Millisecond); return t.Context() },
		"by its context": func(m *testMachine) context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			t.Cleanup(cancel)
			return ctx
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			got, err := m.Get(bound(m), secret.Source{Kind: secret.Command, Value: "echo geheim; exec sleep 600"}, password)
			e := isProblem(t, got, err, secret.Stuck)
			if !errors.Is(e, secret.ErrNoTerminal) || strings.Contains(e.Error(), "geheim") {
				t.Error(e)
			}
		})
	}
}
