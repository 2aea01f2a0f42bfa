package prompt

import (
	"context"
	"errors"
	"fmt"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
)

// formText asks with an input line. A secret is shown as dots, so that the user sees that a paste
// worked.
func (a *Asker) formText(ctx context.Context, q Question, secret bool) (string, error) {
	var typed string
	field := huh.NewInput().Title(q.Title).Description(q.Help).Prompt("❯ ").Value(&typed).
		Validate(func(s string) error {
			_, err := a.checkAnswer(q, s, secret)
			return err
		})
	field.Placeholder(q.Example)
	if q.Default != "" {
		field.Placeholder(q.Default)
	}
	if secret {
		field.EchoMode(huh.EchoModePassword)
	}
	if err := a.runForm(ctx, field); err != nil {
		return "", err
	}
	return a.checkAnswer(q, typed, secret)
}

func (a *Asker) formChoose(ctx context.Context, q Question, options []string, selected int) (int, error) {
	if len(options) == 0 {
		return 0, errors.New("nothing to choose from")
	}
	var list []huh.Option[int]
	for i, option := range options {
		list = append(list, huh.NewOption(option, i))
	}
	chosen := selected
	field := huh.NewSelect[int]().Title(q.Title).Description(q.Help).Options(list...).Value(&chosen)
	err := a.runForm(ctx, field)
	return chosen, err
}

func (a *Asker) formConfirm(ctx context.Context, q Question, yes bool) (bool, error) {
	field := huh.NewConfirm().Title(q.Title).Description(q.Help).Value(&yes).
		Affirmative(a.textOr(a.Texts.Yes, "Yes")).Negative(a.textOr(a.Texts.No, "No")).WithButtonAlignment(0)
	err := a.runForm(ctx, field)
	return yes, err
}

// runForm shows a form of one field until it is answered.
func (a *Asker) runForm(ctx context.Context, field huh.Field) error {
	if ctx.Err() != nil {
		return ErrCancelled
	}
	keyboard, leave, err := openKeyboard(a.In)
	if err != nil {
		return fmt.Errorf("asking on the terminal: %w", err)
	}
	defer leave()
	form := huh.NewForm(huh.NewGroup(field)).WithAccessible(false).WithShowHelp(false).WithWidth(min(a.width(), 100)).
		WithTheme(huh.ThemeFunc(func(bool) *huh.Styles { return formStyles() })).WithKeyMap(formKeys()).
		WithProgramOptions(tea.WithInput(keyboard), tea.WithOutput(a.Out), tea.WithEnvironment(a.environment()),
			// Signals come through ctx; a form sees Ctrl-C as a key.
			tea.WithoutSignalHandler())
	err = form.RunWithContext(ctx)
	switch {
	case err == nil && form.State == huh.StateCompleted:
		return nil
	case err == nil, errors.Is(err, huh.ErrUserAborted), ctx.Err() != nil:
		return ErrCancelled
	}
	return fmt.Errorf("asking on the terminal: %w", err)
}

// environment returns the variables that decide about colours. SSH_TTY prevents the form from
// querying the terminal's capabilities: a late response would be taken for typing.
func (a *Asker) environment() []string {
	env := []string{"SSH_TTY=1"}
	for _, name := range []string{"TERM", "COLORTERM", "TMUX", "STY"} {
		if a.Getenv != nil && a.Getenv(name) != "" {
			env = append(env, name+"="+a.Getenv(name))
		}
	}
	if !a.Color {
		env = append(env, "NO_COLOR=1")
	}
	return env
}

// formKeys returns the usual keys, and Esc to leave.
func formKeys() *huh.KeyMap {
	k := huh.NewDefaultKeyMap()
	k.Quit = key.NewBinding(key.WithKeys("ctrl+c", "esc"))
	k.Select.Filter.SetEnabled(false)
	k.Input.Submit.SetKeys("enter", "tab")
	return k
}
