package tokencmd

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/intake/tokens"
)

type newFlags struct {
	account          string
	from             []string
	perHour, maxRcpt int
	json             bool
}

func (a *tokenCommands) newCommand() *cobra.Command {
	s := &newFlags{}
	cmd := &cobra.Command{
		Use:     "new " + a.T("NAME"),
		Short:   a.T("Create a token and print it once"),
		Long:    a.T("Create a token for a program. Its name is the user name of the login; letters, digits and - _ . @ + are allowed, because some devices accept only an e-mail address there. The token is the password: it is printed once and kept only as a hash. With --from, other senders are refused; without it, a sender that the account does not have is replaced by the account's own address."),
		Example: "  yan token new gitea --account work\n  yan token new scanner --account work --from 'scanner@example.com' --per-hour 200 --max-rcpt 20",
		Args:    a.AtMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.Usagef("no name given; for example: yan token new gitea")
			}
			return a.createToken(cmd.Context(), args[0], s)
		},
	}
	command.Add(cmd, a.T("Flags:"),
		command.NewOption("account", "A", &s.account, a.T("NAME"), a.T("account that sends (default: the default account)")),
		command.NewOption("from", "", &s.from, a.T("ADDRESS"), a.T("sender that the program may use, or a pattern like *@example.com; repeatable")),
		command.NewOption("per-hour", "", &s.perHour, a.T("NUMBER"), a.T("most recipients in an hour (default: no limit)")),
		command.NewOption("max-rcpt", "", &s.maxRcpt, a.T("NUMBER"), a.T("most recipients of a message (default: 1000)")),
		command.NewOption("json", "", &s.json, "", a.T("print JSON")),
	)
	command.Complete(cmd, "account", a.AccountNames)
	return cmd
}

func (a *tokenCommands) createToken(ctx context.Context, name string, s *newFlags) error {
	t := tokens.ProgramToken{Name: name, From: s.from, PerHour: s.perHour, MaxRecipients: s.maxRcpt, Created: time.Now().UTC().Truncate(time.Second)}
	if err := tokens.CheckName(name); err != nil {
		return command.Fail(command.ExitUsage, err, "")
	}
	if err := account.CheckSenders(s.from); err != nil {
		return a.Wrongf("%s %v", a.Name("from"), err)
	}
	for flag, n := range map[string]int{"per-hour": s.perHour, "max-rcpt": s.maxRcpt} {
		if n < 0 {
			return a.Wrongf("%s %d: want a number above zero", a.Name(flag), n)
		}
	}
	f, err := a.FaultyConfiguration()
	if err != nil {
		return err
	}
	var named []string
	if s.account != "" {
		named = []string{s.account}
	}
	acc, err := a.NamedAccount(f, named)
	if err != nil {
		return err
	}
	t.Account = acc.Name
	path, config, err := a.tokensPath()
	if err != nil {
		return err
	}
	secret, err := tokens.New(ctx, path, config, t, rand.Reader)
	if errors.Is(err, tokens.ErrExists) {
		return command.Fail(command.ExitUsage, errors.New(a.T("there is a token %q already", name)), a.T("Choose another name, or remove it first: %s", "yan token remove "+name))
	}
	if err := a.explainFile(path, err); err != nil {
		return err
	}
	if s.json {
		a.PrintJSON(jsonout.TokenCreated{Event: "token", TokenRules: rulesOf(t), Token: secret})
		return nil
	}
	a.printToken(f, t, secret)
	return nil
}

// printToken prints what to type into the program.
func (a *tokenCommands) printToken(f *account.File, t tokens.ProgramToken, secret string) {
	a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("Token %s created; it sends from the account %s.", t.Name, t.Account))
	rows := []command.ListEntry{{Term: a.T("user name"), Text: t.Name}, {Term: a.T("password"), Text: secret}}
	if l, ok := f.ListenSMTP(); ok {
		rows = append([]command.ListEntry{{Term: a.T("server"), Text: l.Address}}, rows...)
	}
	width := 0
	for _, row := range rows {
		width = max(width, console.Columns(row.Term))
	}
	for _, row := range rows {
		a.Outf("  %s  %s\n", console.Pad(row.Term, width), row.Text)
	}
	a.Outf("%s\n", a.T("The password is not shown again. A running 'yan serve' accepts it at once."))
	if _, ok := f.ListenSMTP(); !ok {
		a.Errf("%s\n", a.T("The configuration has no [listen.smtp]: add it to %s, or run 'yan serve --smtp 2525'.", command.QuoteName(f.Path())))
	}
}

// rulesOf returns a token as JSON, without its secret.
func rulesOf(t tokens.ProgramToken) jsonout.TokenRules {
	return jsonout.TokenRules{Name: t.Name, Account: t.Account, From: t.From, PerHour: t.PerHour, MaxRecipients: t.MaxRecipients, Created: t.Created}
}
