package prompt_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/prompt"
)

// piped returns an asker that reads its answers from a pipe.
func piped(input string) (*prompt.Asker, *bytes.Buffer) {
	var out bytes.Buffer
	return &prompt.Asker{In: strings.NewReader(input), Out: &out}, &out
}

func noDigits(s string) error {
	if strings.ContainsAny(s, "0123456789") {
		return errors.New("holds a digit")
	}
	return nil
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		input  string
		person bool
		q      prompt.Question
		want   string
		err    error
		wrong  string // of a WrongError
	}{
		"line":               {input: "me@qq.com\n", want: "me@qq.com"},
		"no line end":        {input: "me@qq.com", want: "me@qq.com"},
		"blanks around":      {input: " \u3000 me@qq.com\t\r\n", want: "me@qq.com"},
		"byte order mark":    {input: "\ufeffme@qq.com\n", want: "me@qq.com"},
		"pasted in brackets": {input: "\x1b[200~me@qq.com\x1b[201~\n", want: "me@qq.com"},
		"default":            {input: "\n", q: prompt.Question{Default: "x"}, want: "x"},
		"optional":           {input: "\n", q: prompt.Question{Optional: true}, want: ""},
		"needed":             {input: "\n", wrong: "please enter a value"},
		"checked":            {input: "a1\n", q: prompt.Question{Check: noDigits}, wrong: "holds a digit"},
		"end":                {input: "", err: prompt.ErrNoAnswer},
		"person corrects":    {input: "\na1\nab\n", person: true, q: prompt.Question{Check: noDigits}, want: "ab"},
		"person gives up":    {input: strings.Repeat("1\n", 50), person: true, q: prompt.Question{Check: noDigits}, err: prompt.ErrCancelled},
		"person leaves":      {input: "1\n", person: true, q: prompt.Question{Check: noDigits}, err: prompt.ErrNoAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, out := piped(test.input)
			a.Person = test.person
			test.q.Title = "Address"
			got, err := a.Text(t.Context(), test.q)
			var wrong *prompt.WrongError
			if errors.As(err, &wrong) {
				if wrong.Err.Error() != test.wrong || wrong.Title != "Address" {
					t.Errorf("wrong: %v", err)
				}
			} else if !errors.Is(err, test.err) || test.wrong != "" {
				t.Errorf("error %v, want %v %q", err, test.err, test.wrong)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if !strings.Contains(out.String(), "Address") {
				t.Errorf("printed %q", out)
			}
		})
	}
}

// Data after a line belongs to the next question.
func TestPlainReadsLineByLine(t *testing.T) {
	t.Parallel()
	a, out := piped("me@qq.com\ny\n2\n\n code here \nleft")
	a.Texts = prompt.Texts{Yes: "是", No: "否"}
	if got, err := a.Text(t.Context(), prompt.Question{Title: "1"}); got != "me@qq.com" || err != nil {
		t.Error(got, err)
	}
	if yes, err := a.Confirm(t.Context(), prompt.Question{Title: "2"}, false); !yes || err != nil {
		t.Error(yes, err)
	}
	if i, err := a.Choose(t.Context(), prompt.Question{Title: "3"}, []string{"a", "b"}, 0); i != 1 || err != nil {
		t.Error(i, err)
	}
	if i, err := a.Choose(t.Context(), prompt.Question{Title: "4"}, []string{"a", "b"}, 1); i != 1 || err != nil {
		t.Error(i, err)
	}
	if got, err := a.Secret(t.Context(), prompt.Question{Title: "5"}); got != "code here" || err != nil {
		t.Error(got, err)
	}
	if rest, err := io.ReadAll(a.In); string(rest) != "left" || err != nil {
		t.Errorf("rest %q, %v", rest, err)
	}
	if !strings.Contains(out.String(), "1) a\n") || strings.Contains(out.String(), "code here") {
		t.Errorf("printed %q", out)
	}
}

func TestPlainConfirm(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]bool{"y\n": true, "YES\n": true, "是\n": true, "\n": true, "n\n": false, "否\n": false, "ｎ\n": false} {
		a, _ := piped(input)
		a.Texts = prompt.Texts{Yes: "是", No: "否"}
		if got, err := a.Confirm(t.Context(), prompt.Question{Title: "OK"}, true); got != want || err != nil {
			t.Errorf("%q: %v, %v", input, got, err)
		}
	}
	a, _ := piped("perhaps\n")
	if _, err := a.Confirm(t.Context(), prompt.Question{Title: "OK"}, true); err == nil {
		t.Error("perhaps is accepted as an answer")
	}
	for _, input := range []string{"0\n", "3\n", "x\n"} {
		a, _ := piped(input)
		if i, err := a.Choose(t.Context(), prompt.Question{}, []string{"a", "b"}, 0); err == nil {
			t.Errorf("%q chose %d", input, i)
		}
	}
	if _, err := a.Choose(t.Context(), prompt.Question{}, nil, 0); err == nil {
		t.Error("a choice without options returned no error")
	}
}

// A terminal reads the secret itself, and the error of a wrong one is shown.
func TestPlainSecretFromTerminal(t *testing.T) {
	t.Parallel()
	a, out := piped("")
	a.Person = true
	answers := []string{"", "abcd\u00a0efgh\u200b\r\n"}
	a.ReadSecret = func(context.Context) (string, error) {
		next := answers[0]
		answers = answers[1:]
		return next, nil
	}
	got, err := a.Secret(t.Context(), prompt.Question{Title: "Code"})
	if got != "abcd efgh" || err != nil || strings.Contains(out.String(), "abcd") {
		t.Errorf("%q, %v, printed %q", got, err, out)
	}
	ctx, cancel := context.WithCancel(t.Context())
	a.ReadSecret = func(context.Context) (string, error) {
		cancel()
		return "", context.Canceled
	}
	if _, err := a.Secret(ctx, prompt.Question{Title: "Code"}); !errors.Is(err, prompt.ErrCancelled) {
		t.Errorf("Ctrl-C: %v", err)
	}
	a.ReadSecret = func(context.Context) (string, error) { return "", io.EOF }
	if _, err := a.Secret(t.Context(), prompt.Question{Title: "Code"}); !errors.Is(err, prompt.ErrNoAnswer) {
		t.Errorf("Ctrl-D: %v", err)
	}
}

type endlessReader struct{}

func (endlessReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestPlainBounds(t *testing.T) {
	t.Parallel()
	a := &prompt.Asker{In: endlessReader{}, Out: io.Discard, Person: true}
	if _, err := a.Text(t.Context(), prompt.Question{}); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("endless line: %v", err)
	}
	broken := errors.New("broken")
	a.In = io.MultiReader(strings.NewReader("me"), &failingReader{broken})
	if _, err := a.Text(t.Context(), prompt.Question{}); !errors.Is(err, broken) {
		t.Errorf("broken input: %v", err)
	}
}

type failingReader struct{ err error }

func (f *failingReader) Read([]byte) (int, error) { return 0, f.err }

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"abcdefghijklmnop":                       "abcdefghijklmnop",
		"  abcdefghijklmnop\r\n":                 "abcdefghijklmnop",
		"\u3000abcd\u200b\u2060efgh\ufeff\u00a0": "abcdefgh",
		"abcd\u00a0efgh\u202fijkl":               "abcd efgh ijkl",
		"\x1b[200~abcd\n\x1b[201~":               "abcd",
		"pass word":                              "pass word",
		"密码 1":                                   "密码 1",
		" \n ":                                   "",
	} {
		if got := prompt.CleanSecret(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("abcd efgh\u00a0\x1b[200~")
	f.Fuzz(func(t *testing.T, s string) {
		once := prompt.CleanSecret(s)
		if len(once) > len(s)*3 { // invalid UTF-8 becomes U+FFFD
			t.Errorf("Clean(%q) = %q", s, once)
		}
	})
}
