package accounts

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// Identity is the account that messages go out from, with the configuration it
// is in and the secrets it needs. It is nil where flags and variables say it all.
type Identity struct {
	account.Account
	File    *account.File
	Secrets *Secrets
	// Given is what the flags said before the account filled the gaps, for the
	// account that falls in for this one.
	Given serverflag.ServerFlags
}

// Identify picks the account: the one of -A; none where a server is named; the
// one of the sender; none where a secret stands in the environment, which is
// not meant for just any account; else the default.
func (a *Accounts) Identify(name, server string, from smtp.Address) (*Identity, error) {
	if name != "" && server != "" {
		return nil, a.Wrongf("%s and %s are both given; the account has its server", a.Name("account"), a.Name("server"))
	}
	if server != "" {
		return nil, nil
	}
	if _, err := account.Path(a.Getenv); err != nil && name == "" {
		return nil, nil // as of a service without a home: flags and variables say it all
	}
	f, err := a.FaultyConfiguration()
	if err != nil {
		return nil, err
	}
	if name == "" && len(f.Accounts()) == 0 {
		return nil, nil
	}
	chosen, err := f.Choose(name, from)
	var unknown *account.UnknownAccountError
	var ambiguous *account.AmbiguousError
	switch {
	case errors.Is(err, account.ErrNone):
		return nil, nil
	case errors.As(err, &unknown):
		return nil, a.unknownAccount(unknown)
	case errors.As(err, &ambiguous):
		return nil, a.ambiguous(ambiguous)
	case err != nil:
		return nil, a.BadConfiguration(f.Path(), err)
	case name == "" && !from.IsZero() && a.HasSecret() && !chosen.Serves(from):
		return nil, nil
	}
	if err := a.usable(f, chosen); err != nil {
		return nil, err
	}
	return &Identity{Account: chosen, File: f, Secrets: a.Secrets()}, nil
}

// StatedSender is the address that --sender, -f or EMAIL names; zero when none does.
// EMAIL is for all programs: it does not overrule the account's own address,
// but finds the account.
func (a *Accounts) StatedSender(sender, from string) smtp.Address {
	for _, text := range []string{sender, from, a.Getenv("EMAIL")} {
		if text == "" {
			continue
		}
		if box, err := message.ParseMailbox(text); err == nil {
			return box.Address
		}
		return smtp.Address{} // what is wrong with it is said where it is used
	}
	return smtp.Address{}
}

// Fill sets each flag that was not given. What is wrong with a value is said to
// be the account's.
func (a *Accounts) Fill(s *serverflag.ServerFlags, id *Identity, changed func(string) bool) error {
	acc := id.Account
	s.Server = acc.Server
	for _, flag := range s.Fill(acc.Connection(), changed) {
		a.Origin[flag] = a.T("account %s: %s", acc.Name, strings.ReplaceAll(flag, "-", "_")) // the key is called like the flag
	}
	if !changed("timeout") {
		s.Timeout = acc.Timeout
	}
	return s.CheckTLS(a.Servers)
}

// Introduce gives a composed message what the account adds: the sender, the
// address for answers, header fields and the signature.
func (a *Accounts) Introduce(m *message.Message, acc account.Account, noSignature bool) error {
	if m.From == "" {
		m.From = acc.From
	}
	if len(m.ReplyTo) == 0 && acc.ReplyTo != "" {
		m.ReplyTo = []string{acc.ReplyTo}
	}
	for _, h := range acc.Headers {
		if !hasHeader(m.Headers, h.Name) {
			m.Headers = append(m.Headers, message.Header(h))
		}
	}
	if noSignature {
		return nil
	}
	signature, err := a.signature(acc)
	if err != nil || signature == "" {
		return err
	}
	// "-- " is the line that programs cut a signature off at (RFC 3676 section 4.3).
	if m.Text != "" || m.HTML == "" {
		if m.Text != "" && !strings.HasSuffix(m.Text, "\n") {
			m.Text += "\n"
		}
		m.Text += "\n-- \n" + signature + "\n"
	}
	if m.HTML != "" {
		m.HTML = withSignature(m.HTML, signature)
	}
	return nil
}

func hasHeader(list []message.Header, name string) bool {
	for _, h := range list {
		if strings.EqualFold(h.Name, name) {
			return true
		}
	}
	return false
}

// signature is the account's, without the line ends behind it.
func (a *Accounts) signature(acc account.Account) (string, error) {
	text := acc.Signature
	if acc.SignatureFile != "" {
		name := acc.File(acc.SignatureFile)
		var err error
		if text, err = a.ReadText(name, command.MaxText); err != nil {
			return "", a.File(a.T("account %s: %s", acc.Name, "signature_file"), name, err)
		}
	}
	text = strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	text = strings.TrimPrefix(text, "-- \n") // as mutt's files have it
	return text, a.Text(a.T("account %s: %s", acc.Name, "signature"), text)
}

// withSignature puts a signature at the end of what a page shows.
func withSignature(html, signature string) string {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\n", "<br>\n")
	block := "<p>-- <br>\n" + escape.Replace(signature) + "</p>\n"
	for _, end := range []string{"</body>", "</html>"} {
		if i := strings.LastIndex(strings.ToLower(html), end); i >= 0 {
			return html[:i] + block + html[i:]
		}
	}
	return strings.TrimRight(html, "\n") + "\n" + block
}

// bounded is a context for reading a secret, which may wait for a program, within
// --timeout; 0 leaves it to what a secret may take.
func bounded(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, timeout, verdict.ErrTimeout{})
}

// LogIn puts the account's secret into the options. One that is kept nowhere is
// asked for where somebody can answer.
func (a *Accounts) LogIn(ctx context.Context, s *serverflag.ServerFlags, id *Identity, server transport.Server, o *yan.Options) error {
	o.User = id.User
	if !serverflag.ReachesLogin(s.QuitAfter) {
		return nil
	}
	reading, cancel := bounded(ctx, s.Timeout)
	given, err := id.Options(reading, id.Secrets)
	cancel()
	var missing *secret.Error
	if errors.As(err, &missing) && missing.Problem == secret.NotFound && missing.Source.Kind == secret.Kept && a.ReadSecret != nil && !id.UsesOAuth2() {
		a.Errf("%s\n", a.T("No secret is kept for the account %s (any more). What you type now is for this time; '%s' keeps it.", id.Name, "yan login "+id.Name))
		return a.AskSecret(ctx, server, o)
	}
	if err != nil {
		return a.BadSecret(id.Account, err)
	}
	o.Password, o.FreshToken, o.MaxConnections = given.Password, given.FreshToken, given.MaxConnections
	return nil
}
