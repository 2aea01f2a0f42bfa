package serverflag

import (
	"errors"
	"fmt"
	"strings"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/provider"
)

// FilledIn returns the placeholder for a name that differs between users.
func (a *Servers) FilledIn(name string) string {
	return strings.NewReplacer("{cc}", "*", "{tenant}", "*", "{domain}", a.T("<domain>"), "{region}", a.T("<region>")).Replace(name)
}

// WhereTo returns the path through a provider's menus, before a question: to the secret, or to the
// setting that allows the user's own password.
func (a *Servers) WhereTo(p provider.Provider) string {
	switch p.Auth.Kind {
	case provider.OAuth2Only:
		return a.T("How to log in: ")
	case provider.OAuth2OrPassword, provider.Password:
		return a.T("How to enable it: ")
	}
	return a.T("Where to get it: ")
}

// CodeLabel returns the name of that secret or setting.
func (a *Servers) CodeLabel(p provider.Provider) string {
	switch p.Auth.Kind {
	case provider.AuthorizationCode:
		return a.T("code")
	case provider.OAuth2Only:
		return a.T("login method")
	case provider.OAuth2OrPassword, provider.Password:
		return a.T("to enable it")
	case provider.SMTPPassword, provider.SMTPKey, provider.SMTPCredentials:
		return a.T("SMTP password")
	case provider.APIKey:
		return a.T("API key")
	}
	return a.T("app password")
}

// SomeOf lists the first n domains and counts the rest.
func (a *Servers) SomeOf(domains []string, n int) string {
	list := make([]string, len(domains))
	for i, d := range domains {
		list[i] = a.FilledIn(d)
	}
	if len(list) > n {
		return a.Listed(list[:n]) + fmt.Sprintf(" +%d", len(list)-n)
	}
	return a.Listed(list)
}

// UnknownProvider returns the error for an unknown provider, with the nearest known one.
func (a *Servers) UnknownProvider(name string) error {
	hint := a.T("'yan providers' lists the known providers.")
	if near := provider.Nearest(name); len(near) > 0 {
		hint = a.T("Did you mean %s?", a.Listed(near))
	}
	return command.Fail(command.ExitUsage, errors.New(a.T("unknown provider %q", name)), hint)
}
