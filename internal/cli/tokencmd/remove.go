package tokencmd

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/intake/tokens"
	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/internal/prompt"
)

func (a *tokenCommands) removeCommand() *cobra.Command {
	var yes, asJSON bool
	cmd := &cobra.Command{
		Use:               "remove " + a.T("NAME"),
		Short:             a.T("Remove a token: its program can't log in any more"),
		Long:              a.T("Remove a token. A running 'yan serve' refuses its program at once, also in sessions that have logged in. Messages that it has handed over are still sent; 'yan queue cancel' stops them."),
		Example:           "  yan token remove gitea\n  yan token remove gitea --yes",
		Args:              a.AtMost(1),
		ValidArgsFunction: a.completeToken,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.Usagef("no name given; 'yan token list' lists them")
			}
			return a.removeToken(cmd.Context(), args[0], yes, asJSON)
		},
	}
	command.Add(cmd, a.T("Flags:"),
		command.NewOption("yes", "y", &yes, "", a.T("do not ask")),
		command.NewOption("json", "", &asJSON, "", a.T("print JSON")),
	)
	return cmd
}

func (a *tokenCommands) removeToken(ctx context.Context, name string, yes, asJSON bool) error {
	f, err := a.load(ctx)
	if err != nil {
		return err
	}
	t, ok := f.Find(name)
	if !ok {
		return a.unknownToken(f, name)
	}
	if !yes {
		if sure, err := a.sureToRemove(ctx, t); err != nil || !sure {
			return err
		}
	}
	path, _, err := a.tokensPath()
	if err != nil {
		return err
	}
	err = tokens.Remove(ctx, path, name)
	if errors.Is(err, tokens.ErrUnknown) { // another process was faster
		return a.unknownToken(f, name)
	}
	if err := a.explainFile(path, err); err != nil {
		return err
	}
	if asJSON {
		a.PrintJSON(jsonout.TokenRemoved{Event: "removed", Name: name})
		return nil
	}
	a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("Token %s removed.", name))
	return nil
}

// unknownToken returns an error with the name that was probably meant.
func (a *tokenCommands) unknownToken(f *tokens.TokenFile, name string) error {
	var names []string
	for _, t := range f.List() {
		names = append(names, t.Name)
	}
	hint := a.T("'yan token list' lists the tokens.")
	if near := command.NearestWord(name, names); near != "" && near != name {
		hint = a.T("Did you mean %s?", near)
	}
	return command.Fail(command.ExitConfig, errors.New(a.T("there is no token %q", name)), hint)
}

// sureToRemove asks for confirmation.
func (a *tokenCommands) sureToRemove(ctx context.Context, t tokens.ProgramToken) (bool, error) {
	q := a.Asker(false)
	if !q.Person {
		return false, command.Fail(command.ExitUsage, errors.New(a.T("can't ask whether to remove %s", t.Name)), a.T("Use %s.", "--yes"))
	}
	title := a.T("Remove the token %s of the account %s?", t.Name, t.Account)
	sure, err := q.Confirm(ctx, prompt.Question{Title: title, Help: a.T("Its program can't send any more.")}, false)
	switch {
	case errors.Is(err, prompt.ErrCancelled), errors.Is(err, context.Canceled):
		return false, command.Fail(command.ExitInterrupted, errors.New(a.T("interrupted; nothing was changed")), "")
	case errors.Is(err, prompt.ErrNoAnswer):
		return false, command.Fail(command.ExitUsage, errors.New(a.T("no answer to the question “%s”", title)), a.T("Use %s.", "--yes"))
	case err != nil:
		return false, command.Fail(command.ExitIO, localerr.Errorf("%s: %w", a.T("can't read the answer"), err), "")
	}
	if !sure {
		a.Errf("%s\n", a.T("Nothing changed."))
	}
	return sure, nil
}
