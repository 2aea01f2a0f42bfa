package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/yanmail/yan/internal/localerr"
)

// plainText prints the question and reads a line.
func (a *Asker) plainText(ctx context.Context, q Question) (string, error) {
	return a.askUntilValid(q, func() (string, error) {
		a.printPrompt(q, q.Default)
		line, err := a.readLine(ctx)
		if err != nil {
			if errors.Is(err, ErrCancelled) {
				a.Show("") // after the question and the terminal's ^C
			}
			return "", err
		}
		return a.checkAnswer(q, line, false)
	})
}

func (a *Asker) plainSecret(ctx context.Context, q Question) (string, error) {
	return a.askUntilValid(q, func() (string, error) {
		if a.Hush != nil {
			defer a.Hush()()
		}
		a.printPrompt(q, "")
		line, err := a.secretLine(ctx)
		if err != nil {
			return "", err
		}
		return a.checkAnswer(q, line, true)
	})
}

func (a *Asker) plainChoose(ctx context.Context, q Question, options []string, selected int) (int, error) {
	if len(options) == 0 {
		return 0, errors.New("nothing to choose from")
	}
	if q.Help != "" && a.Person { // the help comes before the options
		a.Show(q.Help)
		q.Help = ""
	}
	for i, option := range options {
		a.Show(fmt.Sprintf("  %d) %s", i+1, option))
	}
	q.Default = strconv.Itoa(selected + 1)
	q.Check = func(answer string) error {
		if n, err := strconv.Atoi(answer); err != nil || n < 1 || n > len(options) {
			return fmt.Errorf(a.textOr(a.Texts.Number, "enter a number from 1 to %d"), len(options))
		}
		return nil
	}
	answer, err := a.plainText(ctx, q)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(answer)
	return n - 1, err
}

func (a *Asker) plainConfirm(ctx context.Context, q Question, yes bool) (bool, error) {
	q.Title += " (y/n)"
	q.Default = "n"
	if yes {
		q.Default = "y"
	}
	q.Check = func(answer string) error {
		if yesOrNo(answer, a.Texts) == 0 {
			return errors.New(a.textOr(a.Texts.YesOrNo, "enter y or n"))
		}
		return nil
	}
	answer, err := a.plainText(ctx, q)
	return yesOrNo(answer, a.Texts) > 0, err
}

// yesOrNo returns 1 for yes, -1 for no and 0 for neither.
func yesOrNo(answer string, w Texts) int {
	answer = strings.ToLower(answer)
	switch answer {
	case "y", "yes", "ｙ":
		return 1
	case "n", "no", "ｎ":
		return -1
	case "":
		return 0
	case strings.ToLower(w.Yes):
		return 1
	case strings.ToLower(w.No):
		return -1
	}
	return 0
}

// askUntilValid repeats a question until the answer is right or the user gives up.
func (a *Asker) askUntilValid(q Question, ask func() (string, error)) (string, error) {
	for range maxTries {
		answer, err := ask()
		switch {
		case err == nil:
			return answer, nil
		case errors.Is(err, ErrNoAnswer), errors.Is(err, ErrCancelled), isReadError(err):
			return "", err
		case !a.Person:
			return "", &WrongError{Title: q.Title, Err: err}
		}
		a.Show(a.paint("31", "✗") + " " + err.Error())
	}
	return "", ErrCancelled
}

func (a *Asker) printPrompt(q Question, byDefault string) {
	if q.Expected && !a.Person {
		return
	}
	if q.Help != "" && a.Person {
		a.Show(q.Help)
	}
	s := q.Title
	if byDefault != "" {
		s += " [" + byDefault + "]"
	}
	_, _ = fmt.Fprint(a.Out, s+a.textOr(a.Texts.Colon, ": "))
	if !a.Person {
		a.Show("") // no typed Enter ends the line
	}
}

// readError is an error of reading the input. Its text is only the reason: callers add that the
// answer can't be read.
type readError struct{ error }

func (e readError) Unwrap() error { return e.error }

func isReadError(err error) bool { return errors.As(err, new(readError)) }

// maxLine bounds an answer, in octets.
const maxLine = 64 << 10

// readLine reads up to the end of a line and no further: the rest is for the next question.
func (a *Asker) readLine(ctx context.Context) (string, error) {
	var line []byte
	one := make([]byte, 1)
	for len(line) < maxLine {
		n, err := a.In.Read(one)
		if n == 1 {
			if one[0] == '\n' {
				return string(line), nil
			}
			line = append(line, one[0])
			continue
		}
		switch {
		case ctx.Err() != nil:
			return "", ErrCancelled
		case errors.Is(err, io.EOF) && len(line) > 0:
			return string(line), nil
		case errors.Is(err, io.EOF):
			return "", ErrNoAnswer
		case err != nil:
			return "", readError{err}
		}
	}
	return "", readError{localerr.Errorf("a line is longer than %d octets", maxLine)}
}

// secretLine reads a line without echo if there is a terminal.
func (a *Asker) secretLine(ctx context.Context) (string, error) {
	if a.ReadSecret == nil {
		return a.readLine(ctx)
	}
	line, err := a.ReadSecret(ctx)
	a.Show("")
	switch {
	case ctx.Err() != nil:
		return "", ErrCancelled
	case errors.Is(err, io.EOF):
		return "", ErrNoAnswer
	case err != nil:
		return "", readError{err}
	}
	return line, nil
}
