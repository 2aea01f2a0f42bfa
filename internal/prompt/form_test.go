//go:build unix

package prompt_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/internal/testing/ptytest"
)

// form returns an asker with forms on a terminal.
func form(c *ptytest.Terminal) *prompt.Asker {
	return &prompt.Asker{In: c.Program, Out: c.Program, Form: true, Person: true, Width: 80, Color: true,
		Getenv: func(name string) string { return map[string]string{"TERM": "xterm-256color"}[name] }}
}

type answer struct {
	value any
	err   error
}

// during asks in the background while the user types.
func during(t *testing.T, c *ptytest.Terminal, ask func() (any, error), person func()) answer {
	t.Helper()
	got := make(chan answer, 1)
	go func() {
		v, err := ask()
		got <- answer{v, err}
	}()
	person()
	select {
	case a := <-got:
		c.Restored()
		return a
	case <-time.After(time.Minute):
		t.Fatalf("the form does not end:\n%s", c.Text())
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
	text := func(q prompt.Question) func(*prompt.Asker) (any, error) {
		return func(a *prompt.Asker) (any, error) { return a.Text(context.Background(), q) }
	}
	secret := func(a *prompt.Asker) (any, error) {
		return a.Secret(context.Background(), prompt.Question{Title: "授权码"})
	}
	choose := func(a *prompt.Asker) (any, error) {
		return a.Choose(context.Background(), prompt.Question{Title: "Server"}, options, 0)
	}
	confirm := func(a *prompt.Asker) (any, error) {
		return a.Confirm(context.Background(), prompt.Question{Title: "更改账号？"}, true)
	}
	for name, test := range map[string]struct {
		ask   func(*prompt.Asker) (any, error)
		title string
		types []string // in turn, the keys typed and, at odd indexes, the text then shown
		want  any
		err   error
		after string
	}{
		"text":         {text(prompt.Question{Title: "地址"}), "地址", []string{"me@qq.com\r"}, "me@qq.com", nil, "✓ 地址  me@qq.com"},
		"wrong first":  {text(prompt.Question{Title: "Address", Check: check}), "Address", []string{"me\r", "no @ in it", "@qq.com\r"}, "me@qq.com", nil, "✓ Address"},
		"default":      {text(prompt.Question{Title: "Address", Default: "me@qq.com"}), "me@qq.com", []string{"\r"}, "me@qq.com", nil, "✓ Address"},
		"Chinese":      {text(prompt.Question{Title: "您的名字", Help: "收件人看到的名字。"}), "您的名字", []string{"张三丰\r"}, "张三丰", nil, "✓ 您的名字  张三丰"},
		"secret":       {secret, "授权码", []string{"yansandboxsecret\r"}, "yansandboxsecret", nil, "✓ 授权码  ••••••••"},
		"pasted":       {secret, "授权码", []string{"\x1b[200~ yansandboxsecret\n\x1b[201~", "****", "\r"}, "yansandboxsecret", nil, "✓ 授权码"},
		"choose":       {choose, "其他服务器", []string{"\x1b[B\r"}, 1, nil, "✓ Server  smtp.qq.com:587"},
		"choose first": {choose, "其他服务器", []string{"\r"}, 0, nil, "✓ Server  smtp.qq.com:465"},
		"yes":          {confirm, "更改账号", []string{"\r"}, true, nil, "Yes"},
		"no":           {confirm, "更改账号", []string{"n"}, false, nil, "No"},
		"Ctrl-C":       {text(prompt.Question{Title: "Address"}), "Address", []string{"me\x03"}, "", prompt.ErrCancelled, ""},
		"Esc":          {secret, "授权码", []string{"yansandboxsecret", "****", "\x1b"}, "", prompt.ErrCancelled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := ptytest.New(t)
			got := during(t, c, func() (any, error) { return test.ask(form(c)) }, func() {
				c.Waits(test.title)
				for i, s := range test.types {
					if i%2 == 0 {
						c.Types(s)
					} else {
						c.Waits(s)
					}
				}
			})
			if got.value != test.want || !errors.Is(got.err, test.err) {
				t.Errorf("got %v, %v; want %v, %v", got.value, got.err, test.want, test.err)
			}
			if !strings.Contains(c.Text(), test.after) {
				t.Errorf("%q is missing after the form:\n%s", test.after, c.Text())
			}
			if strings.Contains(c.Raw(), "yansandboxsecret") {
				t.Error("the secret is shown")
			}
		})
	}
}

// Another Ctrl-C or a signal ends a form from outside.
func TestFormEndsWithContext(t *testing.T) {
	t.Parallel()
	c := ptytest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	got := during(t, c, func() (any, error) { return form(c).Text(ctx, prompt.Question{Title: "Address"}) }, func() {
		c.Waits("Address")
		cancel()
	})
	if !errors.Is(got.err, prompt.ErrCancelled) {
		t.Error(got.err)
	}
	if _, err := form(c).Text(ctx, prompt.Question{Title: "Address"}); !errors.Is(err, prompt.ErrCancelled) {
		t.Errorf("a form after the end of the context: %v", err)
	}
}

// Keys typed for one question are not lost on the next.
func TestFormsInARow(t *testing.T) {
	t.Parallel()
	c := ptytest.New(t)
	a := form(c)
	got := during(t, c, func() (any, error) {
		first, err := a.Text(context.Background(), prompt.Question{Title: "First"})
		if err != nil {
			return nil, err
		}
		a.Show("between")
		second, err := a.Secret(context.Background(), prompt.Question{Title: "Second"})
		return first + " " + second, err
	}, func() {
		c.Waits("First")
		c.Types("one\r")
		c.Waits("between")
		c.Waits("Second")
		c.Types("two\r")
	})
	if got.value != "one two" || got.err != nil {
		t.Error(got)
	}
}

// Without Color no part of a form has colours.
func TestFormWithoutColor(t *testing.T) {
	t.Parallel()
	color := regexp.MustCompile(`\x1b\[([0-9;]*;)?(3[0-7]|4[0-7]|9[0-7]|38|48)[;m]`)
	show := func(colored bool) string {
		c := ptytest.New(t)
		a := form(c)
		a.Color = colored
		during(t, c, func() (any, error) { return a.Text(context.Background(), prompt.Question{Title: "Address", Help: "x"}) }, func() {
			c.Waits("Address")
			c.Types("me\r")
		})
		return c.Raw()
	}
	if s := show(false); color.MatchString(s) {
		t.Errorf("colours: %q", s)
	}
	if s := show(true); !color.MatchString(s) {
		t.Errorf("no colours with Color, so this test proves nothing: %q", s)
	}
}
