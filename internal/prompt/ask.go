package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Asker asks one user. It is not safe for concurrent use.
type Asker struct {
	// In is the keyboard or a pipe. A form needs the terminal itself, an *os.File, to read each
	// key.
	In io.Reader
	// Out receives the questions.
	Out io.Writer
	// Form shows forms; the terminal must support cursor movement. Otherwise each question is a
	// line.
	Form bool
	// Person is true if a user is present who can correct an answer. Otherwise the first wrong
	// answer is an error.
	Person bool
	// Width is the terminal's width in columns; 0 means 80.
	Width int
	// Color enables colours for emphasis; no meaning depends on colour alone.
	Color bool
	// ReadSecret reads a line without echo; nil reads it from In like other lines, for pipes. Forms
	// do not use it.
	ReadSecret func(context.Context) (string, error)
	// Hush switches the terminal's echo off until the returned function is called, so that keys
	// typed ahead of ReadSecret are not shown; may be nil.
	Hush func() func()
	// Getenv returns environment variables, of which forms use TERM and COLORTERM; nil means none
	// are set.
	Getenv func(string) string
	// Texts are the asker's own texts.
	Texts Texts
}

// Texts are texts in the user's language. Empty ones are English.
type Texts struct {
	Yes, No string
	Needed  string // an answer is needed
	Number  string // type a number from 1 to %d
	YesOrNo string // type y or n
	Colon   string // after a question; "" means ": "
}

// Question is a question to the user.
type Question struct {
	// Expected suppresses the question in a pipe: its writer knows that this answer is read from
	// it.
	Expected bool
	// Title is short, without a colon: "Address".
	Title string
	// Help is shown with the question, one or a few lines; "" for none.
	Help string
	// Default is the answer for Enter alone. Example is shown in the empty field of a form.
	Default, Example string
	// Optional allows an empty answer.
	Optional bool
	// Unanswered is input that is not yet an answer, such as "?": no line is left that shows it as
	// one. "" means none.
	Unanswered string
	// Check returns an error of one line for a wrong answer; nil accepts all. The answer has no
	// surrounding white space.
	Check func(string) error
}

// Errors that callers distinguish.
var (
	// ErrCancelled: the user pressed Ctrl-C or Esc.
	ErrCancelled = errors.New("cancelled")
	// ErrNoAnswer: the input ended before an answer.
	ErrNoAnswer = errors.New("the input ended before the answer")
)

// WrongError is a wrong answer from a pipe.
type WrongError struct {
	Title string
	Err   error
}

func (e *WrongError) Error() string { return fmt.Sprintf("%s: %v", e.Title, e.Err) }
func (e *WrongError) Unwrap() error { return e.Err }

// maxTries bounds how often a question is repeated after wrong answers.
const maxTries = 10

// Text asks for a line of text.
func (a *Asker) Text(ctx context.Context, q Question) (string, error) {
	if !a.Form {
		return a.plainText(ctx, q)
	}
	answer, err := a.formText(ctx, q, false)
	if err == nil {
		a.printAnswer(q.Title, answer)
	}
	return answer, err
}

// Secret asks for a secret: a form shows a dot for each character, a line shows nothing. The answer
// is cleaned with [CleanSecret].
func (a *Asker) Secret(ctx context.Context, q Question) (string, error) {
	if !a.Form {
		return a.plainSecret(ctx, q)
	}
	answer, err := a.formText(ctx, q, true)
	if err == nil && answer != "" && answer != q.Unanswered {
		a.printAnswer(q.Title, hidden)
	}
	return answer, err
}

// hidden replaces a secret of any length.
const hidden = "••••••••"

// Choose asks for one of several options and returns its index. Enter alone means selected.
func (a *Asker) Choose(ctx context.Context, q Question, options []string, selected int) (int, error) {
	if !a.Form {
		return a.plainChoose(ctx, q, options, selected)
	}
	i, err := a.formChoose(ctx, q, options, selected)
	if err == nil {
		a.printAnswer(q.Title, options[i])
	}
	return i, err
}

// Confirm asks for yes or no; Enter alone means yes.
func (a *Asker) Confirm(ctx context.Context, q Question, yes bool) (bool, error) {
	if !a.Form {
		return a.plainConfirm(ctx, q, yes)
	}
	yes, err := a.formConfirm(ctx, q, yes)
	if err == nil {
		answer := a.textOr(a.Texts.No, "No")
		if yes {
			answer = a.textOr(a.Texts.Yes, "Yes")
		}
		a.printAnswer(q.Title, answer)
	}
	return yes, err
}

// Show prints a line.
func (a *Asker) Show(text string) { _, _ = fmt.Fprintln(a.Out, text) }

// printAnswer prints the answer where the form was.
func (a *Asker) printAnswer(title, answer string) {
	a.Show(a.paint("32", "✓") + " " + title + "  " + a.paint("1", answer))
}

func (a *Asker) paint(code, s string) string {
	if !a.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (a *Asker) textOr(given, english string) string {
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

// checkAnswer cleans and checks a typed answer and returns its meaning.
func (a *Asker) checkAnswer(q Question, answer string, secret bool) (string, error) {
	if secret {
		answer = CleanSecret(answer)
	} else {
		answer = strings.TrimFunc(stripPasteMarks(answer), isBlank)
	}
	if answer == "" {
		answer = q.Default
	}
	if answer == "" {
		if q.Optional {
			return "", nil
		}
		return "", errors.New(a.textOr(a.Texts.Needed, "please enter a value"))
	}
	if q.Check != nil {
		if err := q.Check(answer); err != nil {
			return "", err
		}
	}
	return answer, nil
}
