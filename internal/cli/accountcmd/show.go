package accountcmd

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/jsonout"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// accountView is an account with all settings that apply to it.
type accountView struct {
	account.Account
	address   smtp.Address
	server    transport.Server
	isDefault bool
	settings  []account.Setting
}

// viewOf resolves an account that Load has checked.
func viewOf(f *account.File, acc account.Account) accountView {
	v := accountView{Account: acc, isDefault: f.Default() == acc.Name, settings: f.Settings(acc)}
	v.address, _ = acc.Address()
	v.server, _ = transport.ParseServer(acc.Server, v.address)
	return v
}

// inheritedKeys returns the keys whose value comes from the defaults.
func (v accountView) inheritedKeys() []string {
	var keys []string
	for _, s := range v.settings {
		if s.Inherited {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// serverName returns the name of the provider, or else the server.
func (v accountView) serverName() string {
	if v.server.Provider.ID != "" {
		return v.server.Provider.ID
	}
	return v.server.String()
}

func (v accountView) loginName() string { return accounts.LoginName(v.Account, v.server, v.address) }

func (a *accountCommands) accountShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "show [" + a.T("NAME") + "]",
		Short:             a.T("Show all settings of an account"),
		Long:              a.T("Show all settings of an account: its own and inherited settings, the provider's known properties, and the place of its secret and whether it exists, but never the secret. Without a name, shows the default account."),
		Example:           "  yan account show\n  yan account show qq --json",
		Args:              a.AtMost(1),
		ValidArgsFunction: a.completeOneAccount,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.showAccount(cmd.Context(), args, asJSON) },
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("json", "", &asJSON, "", a.T("print JSON")))
	return cmd
}

// completeOneAccount is CompleteAccounts for commands that take one account.
func (a *accountCommands) completeOneAccount(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.CompleteAccounts(cmd, args, word)
}

func (a *accountCommands) showAccount(ctx context.Context, args []string, asJSON bool) error {
	f, err := a.FaultyConfiguration()
	if err != nil {
		return err
	}
	acc, err := a.UsableAccount(f, args)
	if err != nil {
		return err
	}
	v := viewOf(f, acc)
	state := a.secretState(ctx, v)
	if asJSON {
		j := v.jsonAccount()
		j.Secret.State = string(state.word)
		a.PrintJSON(j)
		return nil
	}
	title := a.Paint(a.StdoutWidth, console.Bold, acc.Name)
	if v.isDefault {
		title += "  " + a.T("(default)")
	}
	a.Outf("%s\n", title)
	a.printRows(append(a.accountRows(f, v, state), a.providerRows(v.server.Provider)...))
	return nil
}

// printRows prints labels and texts; a text may have several lines.
func (a *accountCommands) printRows(rows [][2]string) {
	widest := 0
	for _, row := range rows {
		if row[1] != "" {
			widest = max(widest, console.Columns(row[0]))
		}
	}
	for _, row := range rows {
		label := row[0]
		for line := range strings.Lines(row[1]) {
			a.Outf("%s\n", strings.TrimRight("  "+console.Pad(label, widest+2)+strings.TrimRight(line, "\n"), " "))
			label = ""
		}
	}
}

// accountRows returns a row for each key that has a label. It marks inherited values.
func (a *accountCommands) accountRows(f *account.File, v accountView, state secretState) [][2]string {
	inherited := v.inheritedKeys()
	rows := [][2]string{{a.T("configuration"), f.Path()}}
	for _, s := range v.settings {
		if s.Label == (account.Label{}) {
			continue
		}
		text, with := a.shownAs(v, s, state)
		if text != "" && slices.ContainsFunc(append(with, s.Key), func(k string) bool { return slices.Contains(inherited, k) }) {
			text += "  " + a.T("(inherited)")
		}
		rows = append(rows, [2]string{a.ChooseText(s.Label.EN, s.Label.ZH), text})
	}
	return rows
}

// shownAs returns the text of a key that is not shown as its plain value, and the keys that are
// shown with it.
func (a *accountCommands) shownAs(v accountView, s account.Setting, state secretState) (text string, with []string) {
	switch s.Key {
	case "server":
		return a.serverLine(v.server), nil
	case "user":
		return a.loginLine(v), []string{"auth", "oauth2"}
	case "secret":
		return state.text, nil
	case "match":
		return a.Listed(v.Match), nil
	case "save_sent":
		return a.sentLine(v), []string{"imap"}
	case "tls_cert":
		return strings.TrimSpace(v.TLSCert + "  " + v.TLSKey), nil
	}
	if s.Text == "" {
		return "", nil
	}
	switch s.Key {
	case "timeout":
		return a.Roughly(v.Timeout), nil
	case "pipelining":
		return a.T("off: one command at a time"), nil
	case "tls_rsa_key_exchange":
		return a.T("TLS without forward secrecy is allowed"), nil
	case "allow_cleartext_password":
		return a.T("the password may be sent in cleartext, readable by anyone on the way"), nil
	}
	return s.Text, nil
}

// loginLine returns the user name and the method of the login.
func (a *accountCommands) loginLine(v accountView) string {
	login, how := v.loginName(), a.T("with a password")
	switch {
	case login == "" && v.Auth != sasl.External:
		return a.T("no login")
	case v.UsesOAuth2():
		how = a.T("with OAuth 2.0, client %s", console.ClipText(v.OAuth2.ClientID))
	case v.Auth != "":
		how = a.T("with %s", strings.ToUpper(v.Auth))
	}
	return strings.TrimSpace(login + "  " + how)
}

// serverLine returns a server and how it is reached.
func (a *accountCommands) serverLine(s transport.Server) string {
	text := s.String()
	if s.Provider.ID != "" {
		text += "  " + a.ChooseText(s.Provider.Names.EN, s.Provider.Names.ZH)
	}
	if s.Security == smtpclient.Plaintext && s.Socket == "" {
		text += "  " + a.T("(not encrypted)")
	}
	return text
}

// sentLine returns whether copies of sent messages are kept, and where.
func (a *accountCommands) sentLine(v accountView) string {
	if v.SaveSent == account.SaveNever {
		return a.T("no")
	}
	if !v.KeepsSent() {
		if v.server.Provider.Has(provider.KeepsSentCopy) {
			return a.T("no: the provider saves one itself")
		}
		return a.T("no: unknown IMAP server; set imap")
	}
	mailbox, err := v.Mailbox()
	if err != nil {
		return a.TranslateError(err)
	}
	return strings.TrimSpace(a.T("with IMAP on %s", mailbox.Host) + "  " + v.SentFolder)
}

// providerRows returns the facts about the provider that matter to a sender.
func (a *accountCommands) providerRows(p provider.Provider) [][2]string {
	if p.ID == "" {
		return nil
	}
	where := a.ChooseText(p.CodeHelp.EN, p.CodeHelp.ZH)
	return [][2]string{
		{a.T("mail provider"), p.ID},
		{a.T("sender rule"), a.SenderRule(p.SenderRule)},
		{a.CodeLabel(p), strings.Join(append([]string{where}, p.CodeHelp.URLs...), "\n")},
	}
}

func (v accountView) jsonAccount() jsonout.AccountSettings {
	j := jsonout.AccountSettings{Name: v.Name, Default: v.isDefault, Server: v.server.String(), Provider: v.server.Provider.ID,
		User: v.loginName(), Inherited: v.inheritedKeys(), Keys: v.settings}
	j.Secret.Kind, j.Secret.Place = v.secretPlace()
	if v.UsesOAuth2() {
		j.OAuth2 = &jsonout.AccountOAuth2{ClientID: v.OAuth2.ClientID, Tenant: v.OAuth2.Tenant, Scopes: v.OAuth2.Scopes}
	}
	return j
}
