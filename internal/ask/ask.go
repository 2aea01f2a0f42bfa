package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Asker asks one person. It is for one goroutine.
type Asker struct {
	// In is the keyboard or a pipe. A form needs the terminal itself, an *os.File, to
	// see each key.
	In io.Reader
	// Out is where the questions go.
	Out io.Writer
	// Form shows forms; the terminal must understand cursor movement. Otherwise
	// questions are lines.
	Form bool
	// Person says that somebody sits there who can correct an answer. Without, the
	// first wrong one is the error.
	Person bool
	// Width of the terminal in columns; 0 means 80.
	Width int
	// Color is used for what is important; never alone to tell things apart.
	Color bool
	// ReadSecret reads a line that the terminal does not show; nil reads it from In
	// like any other, which is for pipes. Forms don't use it.
	ReadSecret func(context.Context) (string, error)
	// Hush keeps the terminal from showing what is typed until the function that it
	// returns is called, so that what is typed ahead of ReadSecret is not seen; may
	// be nil.
	Hush func() func()
	// Getenv is the environment, of which forms want TERM and COLORTERM; nil is
	// an empty one.
	Getenv func(string) string
	// Words are what the asker says of its own accord.
	Words Words
}

// Words are in the person's language. Empty ones are English.
type Words struct {
	Yes, No string
	Needed  string // an answer is needed
	Number  string // type a number from 1 to %d
	YesOrNo string // type y or n
	Colon   string // behind a question; "" means ": "
}

// Question is what is asked.
type Question struct {
	// Expected: who feeds a pipe knows that this answer is read from it, so that the
	// question is not printed there.
	Expected bool
	// Title is short, without a colon: "Address".
	Title string
	// Help is a line or a few under it; "" for none.
	Help string
	// Default is what Enter alone means; Example stands where the answer will, in
	// a form.
	Default, Example string
	// Optional allows an empty answer.
	Optional bool
	// Unanswered is what somebody types who does not answer yet, "?": no line says
	// afterwards that the question was answered. "" is nothing.
	Unanswered string
	// Check says what is wrong with an answer, in a line; nil takes any. White
	// space around the answer is gone already.
	Check func(string) error
}

// The errors that a caller tells apart.
var (
	// ErrCancelled: the person pressed Ctrl-C or Esc.
	ErrCancelled = errors.New("cancelled")
	// ErrNoAnswer: the input ended before there was an answer.
	ErrNoAnswer = errors.New("the input ended before the answer")
)

// A WrongError is an answer from a pipe that was checked and found wrong.
type WrongError struct {
	Title string
	Err   error
}

func (e *WrongError) Error() string { return fmt.Sprintf("%s: %v", e.Title, e.Err) }
func (e *WrongError) Unwrap() error { return e.Err }

// maxTries bounds how often a wrong answer is asked for again.
const maxTries = 10

// Text asks for a line of text.
func (a *Asker) Text(ctx context.Context, q Question) (string, error) {
	if !a.Form {
		return a.plainText(ctx, q)
	}
	answer, err := a.formText(ctx, q, false)
	if err == nil {
		a.answered(q.Title, answer)
	}
	return answer, err
}

// Secret asks for what nobody may see: a form shows a dot for each character,
// a plain prompt nothing at all. What comes back is [Clean].
func (a *Asker) Secret(ctx context.Context, q Question) (string, error) {
	if !a.Form {
		return a.plainSecret(ctx, q)
	}
	answer, err := a.formText(ctx, q, true)
	if err == nil && answer != "" && answer != q.Unanswered {
		a.answered(q.Title, hidden)
	}
	return answer, err
}

// hidden stands for a secret of any length.
const hidden = "••••••••"

// Choose asks for one of several options and gives its place. The one at selected
// is what Enter alone means.
func (a *Asker) Choose(ctx context.Context, q Question, options []string, selected int) (int, error) {
	if !a.Form {
		return a.plainChoose(ctx, q, options, selected)
	}
	i, err := a.formChoose(ctx, q, options, selected)
	if err == nil {
		a.answered(q.Title, options[i])
	}
	return i, err
}

// Confirm asks for yes or no; Enter alone means yes if that is set.
func (a *Asker) Confirm(ctx context.Context, q Question, yes bool) (bool, error) {
	if !a.Form {
		return a.plainConfirm(ctx, q, yes)
	}
	yes, err := a.formConfirm(ctx, q, yes)
	if err == nil {
		answer := a.word(a.Words.No, "No")
		if yes {
			answer = a.word(a.Words.Yes, "Yes")
		}
		a.answered(q.Title, answer)
	}
	return yes, err
}

// Show says something.
func (a *Asker) Show(text string) { _, _ = fmt.Fprintln(a.Out, text) }

// answered leaves a line where a form was.
func (a *Asker) answered(title, answer string) {
	a.Show(a.paint("32", "✓") + " " + title + "  " + a.paint("1", answer))
}

func (a *Asker) paint(code, s string) string {
	if !a.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (a *Asker) word(given, english string) string {
	if given == "" {
		return english
	}
	return given
}

func (a *Asker) width() int {
	if a.Width <= 0 {
		return 80
	}
	return a.Width
}

// judge takes an answer as it was typed, and gives what it means.
func (a *Asker) judge(q Question, answer string, secret bool) (string, error) {
	if secret {
		answer = Clean(answer)
	} else {
		answer = strings.TrimFunc(unbracketed(answer), isBlank)
	}
	if answer == "" {
		answer = q.Default
	}
	if answer == "" {
		if q.Optional {
			return "", nil
		}
		return "", errors.New(a.word(a.Words.Needed, "an answer is needed"))
	}
	if q.Check != nil {
		if err := q.Check(answer); err != nil {
			return "", err
		}
	}
	return answer, nil
}
