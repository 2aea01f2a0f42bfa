package command

import (
	"context"
	"errors"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/prompt"
)

// Asker returns the prompts of this terminal, or reads the answers from a pipe.
func (a *Context) Asker(plain bool) *prompt.Asker {
	person := a.StdinTTY > 0 && a.StderrWidth > 0
	form := person && !plain && a.Getenv("TERM") != "dumb" && (a.Getenv("TERM") != "" || a.Windows)
	q := &prompt.Asker{In: a.Stdin, Out: a.Stderr, Form: form, Person: person, Width: a.StderrWidth,
		Color: a.Color && a.StderrWidth > 0, ReadSecret: a.ReadSecret, Hush: a.DisableEcho, Getenv: a.Getenv,
		Texts: prompt.Texts{Yes: a.T("Yes"), No: a.T("No"), Needed: a.T("please enter a value"),
			Number: a.T("enter a number from 1 to %d"), YesOrNo: a.T("enter y or n"), Colon: a.T(": ")}}
	if form {
		q.In = a.Keyboard
		q.Out = a.Screen
	}
	return q
}

// Confirm asks a yes-or-no question; Enter means yes if yes is set.
func (a *Context) Confirm(ctx context.Context, title string, yes bool) (bool, error) {
	answer, err := a.Asker(true).Confirm(ctx, prompt.Question{Title: title}, yes)
	switch {
	case err == nil:
		return answer, nil
	case errors.Is(err, prompt.ErrCancelled), ctx.Err() != nil:
		return false, a.Interrupted()
	case errors.Is(err, prompt.ErrNoAnswer):
		return false, Fail(ExitTemporary, errors.New(a.T("no answer; nothing was sent")), "")
	}
	return false, Fail(ExitIO, localerr.Errorf("%s: %w", a.T("can't read the answer"), err), "")
}
