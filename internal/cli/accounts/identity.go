package accounts

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/yanmail/yan"
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/transport"
)

// Identity is the account that sends, with its configuration and secrets. It is nil if flags and
// variables define the server.
type Identity struct {
	account.Account
	File    *account.File
	Secrets *Secrets
	// Given holds the flags as given, before the account filled the gaps. A fallback account starts
	// from them.
	Given serverflag.ServerFlags
}

// SelectAccount selects the account: the one of -A; none if a server is named; the one of the sender;
// none if the environment holds a secret, which is not for any account; else the default.
func (a *Accounts) SelectAccount(name, server string, from smtp.Address) (*Identity, error) {
	if name != "" && server != "" {
		return nil, a.Wrongf("%s can't be used with %s: the account has its own server", a.Name("account"), a.Name("server"))
	}
	if server != "" {
		return nil, nil
	}
	if _, err := account.Path(a.Getenv); err != nil && name == "" {
		return nil, nil // for example a service without a home: flags and variables suffice
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
		return nil, a.unknownAccountError(unknown)
	case errors.As(err, &ambiguous):
		return nil, a.ambiguousError(ambiguous)
	case err != nil:
		return nil, a.BadConfiguration(f.Path(), err)
	case name == "" && !from.IsZero() && a.HasSecret() && !chosen.Serves(from):
		return nil, nil
	}
	if err := a.checkUsable(f, chosen); err != nil {
		return nil, err
	}
	return &Identity{Account: chosen, File: f, Secrets: a.Secrets()}, nil
}

// StatedSender returns the address in --sender, -f or EMAIL; zero if there is none. EMAIL is set
// for all programs: it selects the account, but does not override the account's own address.
func (a *Accounts) StatedSender(sender, from string) smtp.Address {
	for _, text := range []string{sender, from, a.Getenv("EMAIL")} {
		if text == "" {
			continue
		}
		if box, err := message.ParseMailbox(text); err == nil {
			return box.Address
		}
		return smtp.Address{} // the code that uses it reports the error
	}
	return smtp.Address{}
}

// FillFlags sets each flag that was not given. Errors in these values name the account.
func (a *Accounts) FillFlags(s *serverflag.ServerFlags, id *Identity, changed func(string) bool) error {
	acc := id.Account
	s.Server = acc.Server
	for _, flag := range s.FillFrom(acc.Connection(), changed) {
		a.Origin[flag] = a.T("account %s: %s", acc.Name, strings.ReplaceAll(flag, "-", "_")) // the key has the name of the flag
	}
	if !changed("timeout") {
		s.Timeout = acc.Timeout
	}
	return s.CheckTLS(a.Servers)
}

// withReadTimeout returns a context with --timeout for reading a secret, which may run a program. 0 means
// the limit of package secret.
func withReadTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, timeout, verdict.ErrTimeout{})
}

// SetAccountSecret sets the account's secret in the options. If none is stored, it asks for one on the
// terminal.
func (a *Accounts) SetAccountSecret(ctx context.Context, s *serverflag.ServerFlags, id *Identity, server transport.Server, o *yan.Options) error {
	reading, cancel := withReadTimeout(ctx, s.Timeout)
	given, err := id.Options(reading, id.Secrets)
	cancel()
	var missing *secret.Error
	if errors.As(err, &missing) && missing.Problem == secret.NotFound && missing.Source.Kind == secret.Stored && a.ReadSecret != nil && !id.UsesOAuth2() {
		a.Errf("%s\n", a.T("Account %s has no stored secret. The one you enter is used only this time; '%s' stores it.", id.Name, "yan login "+id.Name))
		return a.AskSecret(ctx, server, o)
	}
	if err != nil {
		return a.BadSecret(id.Account, err)
	}
	o.Password, o.FreshToken, o.MaxConnections = given.Password, given.FreshToken, given.MaxConnections
	return nil
}

// checkUsable refuses an account that is invalid, or that has an invalid fallback.
func (a *Accounts) checkUsable(f *account.File, acc account.Account) error {
	for range len(f.Accounts()) {
		if p := f.FaultOf(acc.Name); p != nil {
			return a.BadConfiguration(f.Path(), p)
		}
		next, ok := f.Account(acc.Fallback)
		if !ok {
			break
		}
		acc = next
	}
	return nil
}
