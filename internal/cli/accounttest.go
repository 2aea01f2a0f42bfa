package cli

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/diagnosis"
	"github.com/yanmail/yan/smtp"
)

type accountTestFlags struct {
	all, transcript, json bool
	timeout               time.Duration
	// refused are the accounts whose password was refused, by loginOf: who logs in
	// again with the same would bring the provider nearer to locking the mailbox.
	refused map[string]string
}

func (a *app) accountTestCommand() *cobra.Command {
	s := &accountTestFlags{timeout: time.Minute, refused: map[string]string{}}
	cmd := &cobra.Command{
		Use:   "test [" + a.T("NAME") + "…]",
		Short: a.T("Log in with an account, and send nothing"),
		Long: a.T("Connect, log in, and ask the server whether it takes the sender; no message is sent. " +
			"The exit status is that of 'yan send'. Without a name it is the default account."),
		Example:           "  yan account test\n  yan account test qq -v\n  yan account test --all --json",
		ValidArgsFunction: a.completeAccounts,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.testAccounts(cmd.Context(), s, args) },
	}
	add(cmd, a.T("Flags:"),
		newOption("all", "", &s.all, "", a.T("test every account")),
		newOption("transcript", "v", &s.transcript, "", a.T("show the conversation with the server, secrets hidden")),
		newOption("timeout", "", &s.timeout, a.T("TIME"), a.T("give up after this time, like 30s or 5m (default: 1m)")),
		newOption("json", "", &s.json, "", a.T("print JSON")),
	)
	cmd.Flags().Lookup("timeout").DefValue = "" // the help says it
	return cmd
}

func (a *app) testAccounts(ctx context.Context, s *accountTestFlags, args []string) error {
	if s.timeout <= 0 {
		return a.wrongf("%s %q: want a time above zero, like 30s", a.name("timeout"), s.timeout.String())
	}
	if s.all && len(args) > 0 {
		return a.usagef("--all tests every account; leave out %q", args[0])
	}
	f, err := a.faultyConfiguration()
	if err != nil {
		return err
	}
	list := f.Accounts()
	if faults := f.Faults(); s.all && len(faults) > 0 {
		return a.badConfiguration(f.Path(), faults[0])
	}
	if !s.all {
		list = nil
		for i := range max(1, len(args)) {
			acc, err := a.namedToUse(f, args[min(i, len(args)):min(i+1, len(args))])
			if err != nil {
				return err
			}
			list = append(list, acc)
		}
	}
	if len(list) == 0 {
		return a.noneYet(f, exitConfig)
	}
	code := exitOK
	for _, acc := range list {
		if one := a.testAccount(ctx, s, viewOf(f, acc)); one != exitOK {
			code = worse(code, one)
		}
		if ctx.Err() != nil {
			return a.interrupted()
		}
	}
	if code == exitOK {
		return nil
	}
	return &failure{code: code, err: errors.New("not every account works"), told: true}
}

// accountTestJSON is what --json prints for each account.
type accountTestJSON struct {
	Account   string         `json:"account"`
	OK        bool           `json:"ok"`
	Exit      int            `json:"exit"`
	Server    string         `json:"server"`
	User      string         `json:"user,omitempty"`
	From      string         `json:"from"`
	Stage     string         `json:"stage"`
	Code      int            `json:"code,omitempty"`
	Text      string         `json:"text,omitempty"`
	Error     string         `json:"error,omitempty"`
	Took      int64          `json:"took_ms"`
	Diagnosis *diagnosisJSON `json:"diagnosis,omitempty"`
}

// testAccount tells what became of one account, and gives its exit status.
func (a *app) testAccount(ctx context.Context, s *accountTestFlags, v view) int {
	began := a.Now()
	t := loginTrial{account: v.Account, secrets: a.secrets(), server: v.server, timeout: s.timeout, transcript: s.transcript}
	t.connecting = func() { began = a.Now() } // who types a passphrase before that is no part of it
	login := ""
	t.mayTry = func(o yan.Options) error {
		login = loginOf(v, o)
		if before := s.refused[login]; before != "" {
			return fail(exitAuth, errors.New(a.T("%s: not tried: it logs in as %s does, with the same secret, which was refused", v.Name, before)), "")
		}
		return nil
	}
	o, err := t.try(ctx, a)
	took := a.Now().Sub(began)
	if err != nil && ctx.Err() != nil {
		err = a.interrupted()
	}
	j := accountTestJSON{Account: v.Name, OK: true, Server: v.server.String(), User: v.loginName(), From: v.address.String(),
		Stage: string(smtp.StageMail), Took: took.Milliseconds()}
	var failed *failure
	var finding diagnosis.Finding
	switch {
	case err != nil:
		failed = asFailure(err)
		j.OK, j.Exit, j.Stage, j.Error = false, failed.code, "", failed.Error()
	case o != nil:
		finding = yan.Explain(*o, v.server.Provider.ID).At(v.server.Host, v.server.Port)
		j.OK, j.Exit, j.Stage = false, exitForOutcome(*o, finding), string(o.Stage)
		j.Code, j.Text, j.Diagnosis = o.Reply.Code, o.Reply.Text(), newDiagnosis(finding)
		if o.Err != nil {
			j.Error = o.Err.Error()
		}
		if login != "" && o.Stage == smtp.StageAuth && !o.Reply.IsZero() && finding.Permanence != diagnosis.Temporary {
			s.refused[login] = v.Name
		}
	}
	if j.OK {
		defer a.loginWorked(ctx, v.Name, s.json)
	}
	if s.json {
		a.printJSON(j)
		return j.Exit
	}
	switch {
	case failed != nil:
		a.explain(failed)
	case o != nil:
		a.tellLoginFailed(v.Name, t, *o)
		a.finding(a.Stderr, a.StderrWidth, finding)
	case v.loginName() == "":
		a.outf("%s %s\n", a.paint(a.StdoutWidth, green, "✓"), a.T("%s: %s takes the sender %s; nobody logs in (%s)",
			v.Name, v.server.String(), v.address, duration(took)))
	default:
		a.outf("%s %s\n", a.paint(a.StdoutWidth, green, "✓"), a.T("%s: logged in to %s as %s, which may send as %s (%s)",
			v.Name, v.server.String(), v.loginName(), v.address, duration(took)))
	}
	return j.Exit
}

// loginOf tells logins with a password apart: where, as whom, and with what; "" for
// other logins. It is kept in memory alone.
func loginOf(v view, o yan.Options) string {
	if o.Password == "" {
		return ""
	}
	return strings.Join([]string{cmp.Or(v.server.Provider.ID, v.server.Host), v.loginName(), o.Password}, "\x00")
}

// asFailure is the error of a function that gives failures only.
func asFailure(err error) *failure {
	var failed *failure
	if errors.As(err, &failed) {
		return failed
	}
	return internal("testing the account", err)
}
