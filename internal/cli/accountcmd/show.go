package accountcmd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
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

// view is an account with all that is used for it.
type view struct {
	account.Account
	address   smtp.Address
	server    transport.Server
	isDefault bool
	// inherited are the keys whose value is that of the defaults.
	inherited []string
}

// viewOf resolves an account, which Load has checked.
func viewOf(f *account.File, acc account.Account) view {
	v := view{Account: acc, isDefault: f.Default() == acc.Name}
	v.address, _ = acc.Address()
	v.server, _ = transport.ParseServer(acc.Server, v.address)
	defaults := keyTexts(f.New(acc.Name))
	empty := keyTexts(account.Account{Name: acc.Name, SaveSent: account.SaveNever})
	for i, k := range keyTexts(acc) {
		if k.text != "" && k.text == defaults[i].text && k.text != empty[i].text {
			v.inherited = append(v.inherited, k.key)
		}
	}
	return v
}

// keyText is a key of the configuration with its value as one reads it, "" when
// it has none.
type keyText struct{ key, text string }

// keyTexts are the keys of an account in the order of the documentation.
func keyTexts(acc account.Account) []keyText {
	flag := func(b bool, text string) string {
		if b {
			return text
		}
		return ""
	}
	var headers []string
	for _, h := range acc.Headers {
		headers = append(headers, h.Name+": "+h.Value)
	}
	connections, timeout := "", ""
	if acc.Connections > 0 {
		connections = strconv.Itoa(acc.Connections)
	}
	if acc.Timeout > 0 {
		timeout = acc.Timeout.String()
	}
	return []keyText{{"server", acc.Server}, {"user", acc.User}, {"auth", acc.Auth}, {"secret", fmt.Sprint(acc.Secret)},
		{"oauth2", acc.OAuth2.ClientID}, {"match", strings.Join(acc.Match, ", ")}, {"fallback", acc.Fallback},
		{"signature", acc.Signature}, {"signature_file", acc.SignatureFile}, {"reply_to", acc.ReplyTo},
		{"headers", strings.Join(headers, "\n")}, {"save_sent", string(acc.SaveSent)}, {"imap", acc.IMAP}, {"sent_folder", acc.SentFolder},
		{"tls_ca", acc.TLSCA}, {"tls_pin", acc.TLSPin}, {"tls_cert", acc.TLSCert}, {"tls_key", acc.TLSKey}, {"tls_name", acc.TLSName}, {"tls_rsa_key_exchange", flag(acc.TLSRSAKeyExchange, "true")},
		{"allow_cleartext_password", flag(acc.AllowCleartextPassword, "true")}, {"proxy", acc.Proxy}, {"local_name", acc.LocalName},
		{"pipelining", flag(acc.NoPipelining, "false")}, {"pipeline_messages", string(acc.PipelineMessages)}, {"connections", connections},
		{"pace", acc.Pace.String()}, {"in_doubt", string(acc.InDoubt)}, {"timeout", timeout}, {"dkim_selector", acc.DKIMSelector}, {"set_from", acc.SetFrom}}
}

// serverName is the server for people: what it is called, and where it is.
func (v view) serverName() string {
	if v.server.Provider.ID != "" {
		return v.server.Provider.ID
	}
	return v.server.String()
}

func (v view) loginName() string { return accounts.LoginName(v.Account, v.server, v.address) }

func (a *runner) accountShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show [" + a.T("NAME") + "]",
		Short: a.T("Show everything that an account uses"),
		Long: a.T("Show everything that an account uses: what the configuration says and what it inherits, what is known of the provider, " +
			"and where the secret is and whether it is there, but never the secret. Without a name it is the default account."),
		Example:           "  yan account show\n  yan account show qq --json",
		Args:              a.AtMost(1),
		ValidArgsFunction: a.completeOneAccount,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.showAccount(cmd.Context(), args, asJSON) },
	}
	command.Add(cmd, a.T("Flags:"), command.NewOption("json", "", &asJSON, "", a.T("print JSON")))
	return cmd
}

// completeOneAccount is completeAccounts for commands that take one.
func (a *runner) completeOneAccount(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.CompleteAccounts(cmd, args, word)
}

func (a *runner) showAccount(ctx context.Context, args []string, asJSON bool) error {
	f, err := a.FaultyConfiguration()
	if err != nil {
		return err
	}
	acc, err := a.NamedToUse(f, args)
	if err != nil {
		return err
	}
	v := viewOf(f, acc)
	state := a.secretState(ctx, v)
	if asJSON {
		j := v.json()
		j.Secret.State = string(state.word)
		a.PrintJSON(j)
		return nil
	}
	title := a.Paint(a.StdoutWidth, console.Bold, acc.Name)
	if v.isDefault {
		title += "  " + a.T("(default)")
	}
	a.Outf("%s\n", title)
	a.rows(append(a.accountRows(f, v, state), a.providerRows(v.server.Provider)...))
	return nil
}

// rows prints labels and texts, which may have several lines.
func (a *runner) rows(rows [][2]string) {
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

// accountRows is what an account uses. A value that stands in the defaults is marked.
func (a *runner) accountRows(f *account.File, v view, state secretState) [][2]string {
	mark := func(text string, keys ...string) string {
		for _, key := range keys {
			if text != "" && slices.Contains(v.inherited, key) {
				return text + "  " + a.T("(inherited)")
			}
		}
		return text
	}
	login := v.loginName()
	how := a.T("with a password")
	switch {
	case login == "" && v.Auth != sasl.External:
		login, how = a.T("nobody logs in"), ""
	case v.UsesOAuth2():
		how = a.T("with OAuth 2.0, client %s", console.Clipped(v.OAuth2.ClientID))
	case v.Auth != "":
		how = a.T("with %s", strings.ToUpper(v.Auth))
	}
	var headers []string
	for _, h := range v.Headers {
		headers = append(headers, h.Name+": "+h.Value)
	}
	rows := [][2]string{
		{a.T("configuration"), f.Path()},
		{a.T("sends as"), v.From},
		{a.T("also sends as"), a.Listed(v.Match)},
		{a.T("server"), mark(a.serverLine(v.server), "server")},
		{a.T("login"), mark(strings.TrimSpace(login+"  "+how), "user", "auth", "oauth2")},
		{a.T("secret"), mark(state.text, "secret")},
		{a.T("fallback"), mark(v.Fallback, "fallback")},
		{a.T("signature"), mark(v.Signature, "signature")},
		{a.T("signature file"), mark(v.SignatureFile, "signature_file")},
		{a.T("answers to"), mark(v.ReplyTo, "reply_to")},
		{a.T("header fields"), mark(strings.Join(headers, "\n"), "headers")},
		{a.T("copy to Sent"), mark(a.sentLine(v), "save_sent", "imap")},
		{a.T("authorities"), mark(v.TLSCA, "tls_ca")},
		{a.T("certificate pin"), mark(v.TLSPin, "tls_pin")},
		{a.T("client certificate"), mark(strings.TrimSpace(v.TLSCert+"  "+v.TLSKey), "tls_cert")},
		{a.T("certificate's name"), mark(v.TLSName, "tls_name")},
		{a.T("proxy"), mark(v.Proxy, "proxy")},
		{a.T("says in EHLO"), mark(v.LocalName, "local_name")},
		{a.T("DKIM selector"), mark(v.DKIMSelector, "dkim_selector")},
		{a.T("writes From"), mark(v.SetFrom, "set_from")},
		{a.T("outbox pace"), mark(v.Pace.String(), "pace")},
		{a.T("if in doubt"), mark(string(v.InDoubt), "in_doubt")},
	}
	if v.Connections > 0 {
		rows = append(rows, [2]string{a.T("connections"), mark(strconv.Itoa(v.Connections), "connections")})
	}
	if v.Timeout > 0 {
		rows = append(rows, [2]string{a.T("time limit"), mark(a.Roughly(v.Timeout), "timeout")})
	}
	if v.NoPipelining {
		rows = append(rows, [2]string{a.T("pipelining"), mark(a.T("off: one command at a time"), "pipelining")})
	}
	if v.PipelineMessages != "" && v.PipelineMessages != account.PipelineAuto {
		rows = append(rows, [2]string{a.T("overlapping messages"), mark(string(v.PipelineMessages), "pipeline_messages")})
	}
	if v.TLSRSAKeyExchange {
		rows = append(rows, [2]string{a.T("careful"), mark(a.T("TLS without forward secrecy is allowed"), "tls_rsa_key_exchange")})
	}
	if v.AllowCleartextPassword {
		rows = append(rows, [2]string{a.T("careful"), mark(a.T("the password may go in clear, for all to read"), "allow_cleartext_password")})
	}
	return rows
}

// serverLine is a server with how it is reached.
func (a *runner) serverLine(s transport.Server) string {
	text := s.String()
	if s.Provider.ID != "" {
		text += "  " + a.Pick(s.Provider.Names.EN, s.Provider.Names.ZH)
	}
	if s.Security == smtpclient.Plaintext && s.Socket == "" {
		text += "  " + a.T("(nothing is encrypted)")
	}
	return text
}

// sentLine says whether a copy is kept, and where.
func (a *runner) sentLine(v view) string {
	if v.SaveSent == account.SaveNever {
		return a.T("no")
	}
	if !v.KeepsSent() {
		if v.server.Provider.Has(provider.KeepsSentCopy) {
			return a.T("no: the provider keeps one itself")
		}
		return a.T("no: the IMAP server is not known; set imap")
	}
	mailbox, err := v.Mailbox()
	if err != nil {
		return a.Say(err)
	}
	return strings.TrimSpace(a.T("by IMAP on %s", mailbox.Host) + "  " + v.SentFolder)
}

// providerRows is what is known of the provider that matters to a sender.
func (a *runner) providerRows(p provider.Provider) [][2]string {
	if p.ID == "" {
		return nil
	}
	where := a.Pick(p.CodeHelp.EN, p.CodeHelp.ZH)
	return [][2]string{
		{a.T("mail provider"), p.ID},
		{a.T("sender rule"), a.SenderRule(p.SenderRule)},
		{a.CodeLabel(p), strings.Join(append([]string{where}, p.CodeHelp.URLs...), "\n")},
	}
}

func (v view) json() jsonout.Settings {
	j := jsonout.Settings{Name: v.Name, Default: v.isDefault, From: v.From, Match: v.Match, Server: v.server.String(),
		Provider: v.server.Provider.ID, User: v.loginName(), Auth: v.Auth, Fallback: v.Fallback, Signature: v.Signature, SignFile: v.SignatureFile,
		ReplyTo: v.ReplyTo, SaveSent: string(v.SaveSent), IMAP: v.IMAP, Sent: v.SentFolder, TLSCA: v.TLSCA, TLSPin: v.TLSPin,
		TLSCert: v.TLSCert, TLSKey: v.TLSKey, TLSName: v.TLSName, TLSRSA: v.TLSRSAKeyExchange, Cleartext: v.AllowCleartextPassword, Proxy: v.Proxy, LocalName: v.LocalName,
		LockStep: v.NoPipelining, Pipeline: string(v.PipelineMessages), Conns: v.Connections, Pace: v.Pace.String(), InDoubt: string(v.InDoubt), Timeout: v.Timeout.Seconds(), DKIM: v.DKIMSelector, SetFrom: v.SetFrom, Inherited: v.inherited}
	j.Secret.Kind, j.Secret.Place = v.secretPlace()
	if v.UsesOAuth2() {
		j.OAuth2 = &jsonout.OAuth2{ClientID: v.OAuth2.ClientID, Tenant: v.OAuth2.Tenant, Scopes: v.OAuth2.Scopes}
	}
	for _, h := range v.Headers {
		if j.Headers == nil {
			j.Headers = map[string]string{}
		}
		j.Headers[h.Name] = h.Value
	}
	return j
}
