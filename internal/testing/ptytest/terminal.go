//go:build unix

package ptytest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// patience limits each wait. It is generous: it only ends tests that fail.
const patience = time.Minute

// Terminal is a pseudo-terminal of 80 columns. It is not safe for concurrent
// use.
type Terminal struct {
	t testing.TB
	// Program is the end for the program under test.
	Program *os.File
	person  *os.File
	before  term.State

	mu    sync.Mutex
	shown bytes.Buffer
	seen  int // how much of the text earlier waits have consumed
	more  chan struct{}
	cmd   *exec.Cmd
}

// New returns a terminal that is closed at the end of the test.
func New(t testing.TB) *Terminal {
	t.Helper()
	person, program, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(program, &pty.Winsize{Rows: 30, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	before, err := term.GetState(int(program.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	c := &Terminal{t: t, Program: program, person: person, before: *before, more: make(chan struct{}, 1)}
	go c.read()
	// The program's end stays open, because its process may still use it for a
	// moment.
	t.Cleanup(func() { _ = person.Close() })
	return c
}

func (c *Terminal) read() {
	buf := make([]byte, 4096)
	for {
		n, err := c.person.Read(buf)
		c.mu.Lock()
		c.shown.Write(buf[:n])
		c.mu.Unlock()
		select {
		case c.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

var escapes = regexp.MustCompile(`\x1b(\[[0-9;?>=<!$]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][0-9A-B]|[=>78])`)

// Text returns all output, without colours and cursor movements.
func (c *Terminal) Text() string { return escapes.ReplaceAllString(c.Raw(), "") }

// Raw returns all output.
func (c *Terminal) Raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shown.String()
}

// Waits reads until a text is shown, after the text that earlier waits have
// found.
func (c *Terminal) Waits(text string) {
	c.t.Helper()
	timeout := time.After(patience)
	for {
		all := c.Text()
		rest := all[min(c.seen, len(all)):]
		if i := strings.Index(rest, text); i >= 0 {
			c.seen += i + len(text)
			return
		}
		select {
		case <-c.more:
		case <-timeout:
			c.t.Fatalf("%q is not shown:\n%s", text, all)
		}
	}
}

// Types sends s as keyboard input.
func (c *Terminal) Types(s string) {
	c.t.Helper()
	if _, err := c.person.WriteString(s); err != nil {
		c.t.Fatal(err)
	}
}

// Start runs a program on the terminal.
func (c *Terminal) Start(cmd *exec.Cmd) {
	c.t.Helper()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Program, c.Program, c.Program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.cmd = cmd
	c.t.Cleanup(func() { _ = cmd.Process.Kill() }) // if it has not ended yet
}

// Exit waits for the program and returns its exit status.
func (c *Terminal) Exit() int {
	c.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- c.cmd.Wait() }()
	select {
	case err := <-ended:
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			c.t.Fatal(err)
		}
		return c.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		c.t.Fatalf("the program does not end:\n%s", c.Text())
		return 0
	}
}

// Restored checks that the terminal is in its original state: the mode, the
// cursor, and the reports of pastes and focus.
func (c *Terminal) Restored() {
	c.t.Helper()
	// The program's last output may not have been read yet.
	if _, err := c.Program.WriteString("<end of the program>"); err != nil {
		c.t.Fatal(err)
	}
	c.Waits("<end of the program>")
	after, err := term.GetState(int(c.Program.Fd()))
	if err != nil {
		c.t.Fatal(err)
	}
	if *after != c.before {
		c.t.Errorf("the terminal is left in another mode: %v, was %v", *after, c.before)
	}
	raw := c.Raw()
	for _, mode := range []string{"25h\x1b[?25l", "2004l\x1b[?2004h", "1004l\x1b[?1004h", "1049l\x1b[?1049h"} {
		off, on, _ := strings.Cut(mode, "\x1b[?")
		if strings.LastIndex(raw, "\x1b[?"+on) > strings.LastIndex(raw, "\x1b[?"+off) {
			c.t.Errorf("\\e[?%s is not reset", on)
		}
	}
}
