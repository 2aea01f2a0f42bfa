//go:build linux || darwin

package ask_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/yanmail/yan/internal/ask"
)

// terminal is a pseudo-terminal with somebody who reads it.
type terminal struct {
	t            *testing.T
	person, prog *os.File
	mu           sync.Mutex
	shown        bytes.Buffer
	more         chan struct{}
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	person, prog, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(prog, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	c := &terminal{t: t, person: person, prog: prog, more: make(chan struct{}, 1)}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := person.Read(buf)
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
	}()
	// prog stays open: what a form leaves running for a moment may still look at
	// it. Without the person's end nobody can wait for anything.
	t.Cleanup(func() { _ = person.Close() })
	return c
}

func (c *terminal) asker() *ask.Asker {
	return &ask.Asker{In: c.prog, Out: c.prog, Form: true, Person: true, Width: 80, Color: true,
		Getenv: func(name string) string { return map[string]string{"TERM": "xterm-256color"}[name] }}
}

var escapes = regexp.MustCompile(`\x1b(\[[0-9;?>=<!$]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][0-9A-B]|[=>78])`)

// text is what was shown, without what moves the cursor.
func (c *terminal) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return escapes.ReplaceAllString(c.shown.String(), "")
}

func (c *terminal) raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shown.String()
}

// waits reads until the text is there.
func (c *terminal) waits(text string) {
	c.t.Helper()
	timeout := time.After(30 * time.Second)
	for !strings.Contains(c.text(), text) {
		select {
		case <-c.more:
		case <-timeout:
			c.t.Fatalf("%q is not shown:\n%s", text, c.text())
		}
	}
}

func (c *terminal) types(s string) {
	c.t.Helper()
	if _, err := c.person.WriteString(s); err != nil {
		c.t.Fatal(err)
	}
}

// unchanged checks the mode of the terminal. What the form wrote last may not
// have been read yet.
func (c *terminal) unchanged(before *term.State) {
	c.t.Helper()
	c.asker().Show("the form is over")
	c.waits("the form is over")
	after, err := term.GetState(int(c.prog.Fd()))
	if err != nil {
		c.t.Fatal(err)
	}
	if *after != *before {
		c.t.Errorf("the terminal is left in another mode: %v, was %v", after, before)
	}
	for on, off := range map[string]string{"\x1b[?25l": "\x1b[?25h", "\x1b[?2004h": "\x1b[?2004l", "\x1b[?1004h": "\x1b[?1004l"} {
		if strings.LastIndex(c.raw(), on) > strings.LastIndex(c.raw(), off) {
			c.t.Errorf("%q is not taken back", on)
		}
	}
}

type answer struct {
	value any
	err   error
}

// during asks in the background while the person types.
func (c *terminal) during(ask func() (any, error), person func()) answer {
	c.t.Helper()
	before, err := term.GetState(int(c.prog.Fd()))
	if err != nil {
		c.t.Fatal(err)
	}
	got := make(chan answer, 1)
	go func() {
		v, err := ask()
		got <- answer{v, err}
	}()
	person()
	select {
	case a := <-got:
		c.unchanged(before)
		return a
	case <-time.After(30 * time.Second):
		c.t.Fatalf("the form does not end:\n%s", c.text())
		return answer{}
	}
}

func TestForm(t *testing.T) {
	t.Parallel()
	check := func(s string) error {
		if !strings.Contains(s, "@") {
			return errors.New("no @ in it")
		}
		return nil
	}
	options := []string{"smtp.qq.com:465", "smtp.qq.com:587", "其他服务器"}
	text := func(q ask.Question) func(*ask.Asker) (any, error) {
		return func(a *ask.Asker) (any, error) { return a.Text(context.Background(), q) }
	}
	secret := func(a *ask.Asker) (any, error) {
		return a.Secret(context.Background(), ask.Question{Title: "授权码"})
	}
	choose := func(a *ask.Asker) (any, error) {
		return a.Choose(context.Background(), ask.Question{Title: "Server"}, options, 0)
	}
	confirm := func(a *ask.Asker) (any, error) {
		return a.Confirm(context.Background(), ask.Question{Title: "更改账号？"}, true)
	}
	for name, test := range map[string]struct {
		ask   func(*ask.Asker) (any, error)
		title string
		types []string // in turn, what is typed and, at odd places, what is then shown
		want  any
		err   error
		after string
	}{
		"text":         {text(ask.Question{Title: "地址"}), "地址", []string{"me@qq.com\r"}, "me@qq.com", nil, "✓ 地址  me@qq.com"},
		"wrong first":  {text(ask.Question{Title: "Address", Check: check}), "Address", []string{"me\r", "no @ in it", "@qq.com\r"}, "me@qq.com", nil, "✓ Address"},
		"default":      {text(ask.Question{Title: "Address", Default: "me@qq.com"}), "me@qq.com", []string{"\r"}, "me@qq.com", nil, "✓ Address"},
		"Chinese":      {text(ask.Question{Title: "您的名字", Help: "收件人看到的名字。"}), "您的名字", []string{"张三丰\r"}, "张三丰", nil, "✓ 您的名字  张三丰"},
		"secret":       {secret, "授权码", []string{"yansandboxsecret\r"}, "yansandboxsecret", nil, "✓ 授权码  ••••••••"},
		"pasted":       {secret, "授权码", []string{"\x1b[200~ yansandboxsecret\n\x1b[201~", "****", "\r"}, "yansandboxsecret", nil, "✓ 授权码"},
		"choose":       {choose, "其他服务器", []string{"\x1b[B\r"}, 1, nil, "✓ Server  smtp.qq.com:587"},
		"choose first": {choose, "其他服务器", []string{"\r"}, 0, nil, "✓ Server  smtp.qq.com:465"},
		"yes":          {confirm, "更改账号", []string{"\r"}, true, nil, "Yes"},
		"no":           {confirm, "更改账号", []string{"n"}, false, nil, "No"},
		"Ctrl-C":       {text(ask.Question{Title: "Address"}), "Address", []string{"me\x03"}, "", ask.ErrCancelled, ""},
		"Esc":          {secret, "授权码", []string{"yansandboxsecret", "****", "\x1b"}, "", ask.ErrCancelled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTerminal(t)
			got := c.during(func() (any, error) { return test.ask(c.asker()) }, func() {
				c.waits(test.title)
				for i, s := range test.types {
					if i%2 == 0 {
						c.types(s)
					} else {
						c.waits(s)
					}
				}
			})
			if got.value != test.want || !errors.Is(got.err, test.err) {
				t.Errorf("got %v, %v; want %v, %v", got.value, got.err, test.want, test.err)
			}
			c.waits(test.after)
			if strings.Contains(c.raw(), "yansandboxsecret") {
				t.Error("the secret is shown")
			}
		})
	}
}

// Another Ctrl-C, or a signal, ends a form from outside.
func TestFormEndsWithContext(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	got := c.during(func() (any, error) { return c.asker().Text(ctx, ask.Question{Title: "Address"}) }, func() {
		c.waits("Address")
		cancel()
	})
	if !errors.Is(got.err, ask.ErrCancelled) {
		t.Error(got.err)
	}
	if _, err := c.asker().Text(ctx, ask.Question{Title: "Address"}); !errors.Is(err, ask.ErrCancelled) {
		t.Errorf("asks after the end: %v", err)
	}
}

// One question after the other: what is typed for one is not lost on the next.
func TestFormsInARow(t *testing.T) {
	t.Parallel()
	c := newTerminal(t)
	a := c.asker()
	got := c.during(func() (any, error) {
		first, err := a.Text(context.Background(), ask.Question{Title: "First"})
		if err != nil {
			return nil, err
		}
		a.Show("between")
		second, err := a.Secret(context.Background(), ask.Question{Title: "Second"})
		return first + " " + second, err
	}, func() {
		c.waits("First")
		c.types("one\r")
		c.waits("between")
		c.waits("Second")
		c.types("two\r")
	})
	if got.value != "one two" || got.err != nil {
		t.Error(got)
	}
}

// Without colour there is none, on any part of a form.
func TestFormWithoutColor(t *testing.T) {
	t.Parallel()
	color := regexp.MustCompile(`\x1b\[([0-9;]*;)?(3[0-7]|4[0-7]|9[0-7]|38|48)[;m]`)
	show := func(colored bool) string {
		c := newTerminal(t)
		a := c.asker()
		a.Color = colored
		c.during(func() (any, error) { return a.Text(context.Background(), ask.Question{Title: "Address", Help: "x"}) }, func() {
			c.waits("Address")
			c.types("me\r")
		})
		c.waits("✓ Address")
		return c.raw()
	}
	if s := show(false); color.MatchString(s) {
		t.Errorf("colours: %q", s)
	}
	if s := show(true); !color.MatchString(s) {
		t.Errorf("no colours, so that this test shows nothing: %q", s)
	}
}
