package providerscmd

import (
	"fmt"
	"strings"

	"github.com/yanmail/yan/provider"
)

// providerFacts returns the facts about a provider that users need, in their
// language. The maintainers' notes are only in the JSON.
func (a *providersCommand) providerFacts(p provider.Provider) [][2]string {
	rows := [][2]string{{a.T("domains"), a.SomeOf(p.Domains, len(p.Domains))}}
	for _, port := range p.SMTP.Ports {
		rows = append(rows, [2]string{"SMTP", fmt.Sprintf("%s:%d  %s", a.FilledIn(p.SMTP.Host), port.Port,
			a.T("%s (%s)", a.tlsMode(port.TLS), a.statusText(port.Status)))})
	}
	if p.Auth.Kind != provider.OAuth2Only || p.CodeHelp.EN == "" { // then the way to log in says it
		rows = append(rows, [2]string{a.T("login"), a.secretKind(p)})
	}
	if end := p.Auth.PasswordEnd; end != nil {
		rows = append(rows, [2]string{a.T("passwords"), a.T("%s (%s)", a.ChooseText(strings.TrimSuffix(end.When.EN, "."), strings.TrimSuffix(end.When.ZH, "。")), a.statusText(end.Status))},
			[2]string{"", a.ChooseText(end.Do.EN, end.Do.ZH)})
		for _, url := range end.URLs {
			rows = append(rows, [2]string{"", url})
		}
	}
	rows = append(rows, [2]string{a.CodeLabel(p), a.ChooseText(p.CodeHelp.EN, p.CodeHelp.ZH)})
	for _, url := range p.CodeHelp.URLs {
		rows = append(rows, [2]string{"", url})
	}
	return append(rows, [2]string{a.T("sender rule"), a.SenderRule(p.SenderRule)}, [2]string{a.T("confidence"), a.confidence(p.Confidence)})
}

func (a *providersCommand) tlsMode(m provider.TLSMode) string {
	switch m {
	case provider.Implicit:
		return a.T("TLS from the start")
	case provider.StartTLS:
		return "STARTTLS"
	case provider.NoTLS:
		return a.T("not encrypted")
	}
	return a.T("encryption unknown")
}

// statusText returns how well a fact is verified.
func (a *providersCommand) statusText(s provider.Status) string {
	switch s {
	case provider.Official:
		return a.T("official")
	case provider.Verified:
		return a.T("verified")
	case provider.ISPDB:
		return a.T("from Thunderbird's list")
	case provider.Reported:
		return a.T("reported")
	}
	return a.T("not verified")
}

func (a *providersCommand) confidence(word string) string {
	switch word {
	case "high":
		return a.T("high")
	case "medium":
		return a.T("medium")
	}
	return a.T("low")
}

// secretKind returns the kind of secret that a provider requires; "" if
// unknown.
func (a *providersCommand) secretKind(p provider.Provider) string {
	switch p.Auth.Kind {
	case provider.AuthorizationCode:
		return a.T("authorization code, not the login password")
	case provider.AppPassword:
		return a.T("app password, not the login password")
	case provider.Password:
		return a.T("the password of the mailbox")
	case provider.PasswordOrAppPassword:
		return a.T("password, or app password")
	case provider.OAuth2Only:
		return a.T("OAuth 2.0 only")
	case provider.OAuth2OrAppPassword:
		return a.T("app password, or OAuth 2.0")
	case provider.OAuth2OrPassword:
		return a.T("password, or OAuth 2.0")
	case provider.APIKey:
		return a.T("API key as the password")
	case provider.SMTPCredentials:
		return a.T("user name and password made for SMTP")
	case provider.SMTPKey:
		return a.T("SMTP key as the password")
	case provider.SMTPPassword:
		return a.T("SMTP password of the sender address")
	}
	return ""
}
