package accountcmd

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/smtp"
)

type accountTestFlags struct {
	all, transcript, json bool
	timeout               time.Duration
	// refused holds the accounts whose password was refused, by loginOf: trying the same login
	// again may make the provider lock the mailbox.
	refused map[string]string
}

func (a *accountCommands) accountTestCommand() *cobra.Command {
	s := &accountTestFlags{timeout: time.Minute, refused: map[string]string{}}
	cmd := &cobra.Command{
		Use:               "test [" + a.T("NAME") + "…]",
		Short:             a.T("Log in to an account without sending anything"),
		Long:              a.T("Connect, log in, and ask the server whether it accepts the sender; no message is sent. The exit status is that of 'yan send'. Without a name, tests the default account."),
		Example:           "  yan account test\n  yan account test qq -v\n  yan account test --all --json",
		ValidArgsFunction: a.CompleteAccounts,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.testAccounts(cmd.Context(), s, args) },
	}
	command.Add(cmd, a.T("Flags:"),
		command.NewOption("all", "", &s.all, "", a.T("test every account")),
		command.NewOption("transcript", "v", &s.transcript, "", a.T("show the conversation with the server, without secrets")),
		command.NewOption("timeout", "", &s.timeout, a.T("TIME"), a.T("give up after this time, such as 30s or 5m (default: 1m)")),
		command.NewOption("json", "", &s.json, "", a.T("print JSON")),
	)
	cmd.Flags().Lookup("timeout").DefValue = "" // the help text says it
	return cmd
}

func (a *accountCommands) testAccounts(ctx context.Context, s *accountTestFlags, args []string) error {
	if s.timeout <= 0 {
		return a.Wrongf("%s %q: want a time above zero, like 30s", a.Name("timeout"), s.timeout.String())
	}
	if s.all && len(args) > 0 {
		return a.Usagef("--all tests every account; remove %q", args[0])
	}
	f, err := a.FaultyConfiguration()
	if err != nil {
		return err
	}
	list := f.Accounts()
	if faults := f.Faults(); s.all && len(faults) > 0 {
		return a.BadConfiguration(f.Path(), faults[0])
	}
	if !s.all {
		list = nil
		for i := range max(1, len(args)) {
			acc, err := a.UsableAccount(f, args[min(i, len(args)):min(i+1, len(args))])
			if err != nil {
				return err
			}
			list = append(list, acc)
		}
	}
	if len(list) == 0 {
		return a.NoAccountsError(f, command.ExitConfig)
	}
	code := command.ExitOK
	for _, acc := range list {
		if one := a.testAccount(ctx, s, viewOf(f, acc)); one != command.ExitOK {
			code = command.WorseStatus(code, one)
		}
		if ctx.Err() != nil {
			return a.Interrupted()
		}
	}
	if code == command.ExitOK {
		return nil
	}
	return &command.Failure{Code: code, Err: errors.New("not every account works"), Told: true}
}

// testAccount prints the result for one account, and returns its exit status.
func (a *accountCommands) testAccount(ctx context.Context, s *accountTestFlags, v accountView) int {
	began := a.Now()
	t := accounts.LoginTrial{Account: v.Account, Secrets: a.Secrets(), Server: v.server, Timeout: s.timeout, Transcript: s.transcript}
	t.Connecting = func() { began = a.Now() } // without the time for typing a passphrase
	login := ""
	t.MayTry = func(o yan.Options) error {
		login = loginOf(v, o)
		if before := s.refused[login]; before != "" {
			return command.Fail(command.ExitAuth, errors.New(a.T("%s: not tried: same login and secret as %s, which was refused", v.Name, before)), "")
		}
		return nil
	}
	o, err := t.Try(ctx, a.Accounts)
	took := a.Now().Sub(began)
	if err != nil && ctx.Err() != nil {
		err = a.Interrupted()
	}
	j := jsonout.AccountTest{Account: v.Name, OK: true, Server: v.server.String(), User: v.loginName(), From: v.address.String(),
		Stage: string(smtp.StageMail), Took: took.Milliseconds()}
	var failed *command.Failure
	var finding diagnosis.Finding
	switch {
	case err != nil:
		failed = asFailure(err)
		j.OK, j.Exit, j.Stage, j.Error = false, failed.Code, "", failed.Error()
	case o != nil:
		finding = yan.Explain(*o, v.server.Provider.ID).At(v.server.Host, v.server.Port)
		j.OK, j.Exit, j.Stage = false, verdict.ExitForOutcome(*o, finding), string(o.Stage)
		j.Code, j.Text, j.Diagnosis = o.Reply.Code, o.Reply.Text(), verdict.NewDiagnosis(finding)
		if o.Err != nil {
			j.Error = o.Err.Error()
		}
		if login != "" && o.Stage == smtp.StageAuth && !o.Reply.IsZero() && finding.Permanence != diagnosis.Temporary {
			s.refused[login] = v.Name
		}
	}
	if j.OK {
		defer a.LoginWorked(ctx, v.Name, s.json)
	}
	if s.json {
		a.PrintJSON(j)
		return j.Exit
	}
	switch {
	case failed != nil:
		a.Explain(failed)
	case o != nil:
		a.PrintLoginFailure(v.Name, t, *o)
		a.PrintFinding(a.Stderr, a.StderrWidth, finding)
	case v.loginName() == "":
		a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("%s: %s accepts the sender %s; no login needed (%s)",
			v.Name, v.server.String(), v.address, console.Duration(took)))
	default:
		a.Outf("%s %s\n", a.Paint(a.StdoutWidth, console.Green, "✓"), a.T("%s: logged in to %s as %s, which may send as %s (%s)",
			v.Name, v.server.String(), v.loginName(), v.address, console.Duration(took)))
	}
	return j.Exit
}

// loginOf identifies a password login: server, user and password; "" for other logins. It is kept
// in memory only.
func loginOf(v accountView, o yan.Options) string {
	if o.Password == "" {
		return ""
	}
	return strings.Join([]string{cmp.Or(v.server.Provider.ID, v.server.Host), v.loginName(), o.Password}, "\x00")
}

// asFailure returns err as a Failure. Any other error is an internal one.
func asFailure(err error) *command.Failure {
	var failed *command.Failure
	if errors.As(err, &failed) {
		return failed
	}
	return command.InternalFailure("testing the account", err)
}
