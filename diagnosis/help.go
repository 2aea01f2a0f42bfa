package diagnosis

import (
	"fmt"
	"strings"

	"github.com/yanmail/yan/provider"
)

// addHelp adds data about the provider: the kind of secret that it requires, the place of its
// authorization codes, and its rules.
func (d *diagnosis) addHelp(f Finding) Finding {
	if d.provider.ID != "" && f.Class == ClassAuthBadCredentials {
		if want := requiredSecret(d.provider); want != (Text{}) {
			f.Advice = want
		}
	}
	switch end := d.provider.Auth.PasswordEnd; {
	case f.Class == ClassAuthBasicDisabled && end != nil: // the menus to another password don't help
		f.HelpURLs = end.URLs
	case d.isAboutCode(f.Class):
		f.Where = Text{EN: d.provider.CodeHelp.EN, ZH: d.provider.CodeHelp.ZH}
		f.HelpURLs = d.provider.CodeHelp.URLs
	case f.Class == ClassFromHeaderInvalid && d.provider.FromRulesURL != "":
		f.HelpURLs = []string{d.provider.FromRulesURL}
	}
	return f
}

// requiredSecret returns the advice for a refused login: which secret this provider accepts. It is empty
// if that is unknown.
func requiredSecret(p provider.Provider) Text {
	var en, zh string
	switch p.Auth.Kind {
	case provider.AuthorizationCode:
		en, zh = "its authorization code, not the login password", "授权码，不是登录密码"
	case provider.AppPassword:
		en, zh = "an app password, not the login password", "应用专用密码，不是登录密码"
		if p.Region == "cn" { // the term of such services
			zh = "客户端专用密码（授权码），不是登录密码"
		}
	case provider.Password:
		en, zh = "the password of the mailbox", "邮箱的登录密码"
	case provider.PasswordOrAppPassword:
		en, zh = "the password, or an app password where two steps are on", "登录密码；开启两步验证后填应用专用密码"
	case provider.OAuth2Only:
		en, zh = "a sign-in with OAuth 2.0 and no password", "用 OAuth 2.0 登录，不接受密码"
	case provider.OAuth2OrAppPassword:
		en, zh = "an app password or OAuth 2.0, not the login password", "应用专用密码（或用 OAuth 2.0 登录），不是登录密码"
	case provider.OAuth2OrPassword:
		en, zh = "the password, or a sign-in with OAuth 2.0", "登录密码，或用 OAuth 2.0 登录"
	case provider.APIKey:
		en, zh = "an API key as the password", "API 密钥，不是登录密码"
	case provider.SMTPCredentials:
		en, zh = "the user name and password made for SMTP alone", "专为 SMTP 生成的用户名和密码"
	case provider.SMTPKey:
		en, zh = "an SMTP key, not the login password", "SMTP 密钥，不是登录密码"
	case provider.SMTPPassword:
		en, zh = "the SMTP password that was set for the sender", "为该发件地址设置的 SMTP 密码"
	default:
		return Text{}
	}
	verb := "要填"
	if p.Auth.Kind == provider.OAuth2Only {
		verb = "要"
	}
	return Text{EN: fmt.Sprintf("Check the user name; %s wants %s.", p.Names.EN, en), ZH: fmt.Sprintf("请核对账号；%s%s%s。", p.Names.ZH, verb, zh)}
}

// isAboutCode reports whether a wrong password or authorization code is a possible cause.
func (d *diagnosis) isAboutCode(c Class) bool {
	switch c {
	case ClassAuthRateLimited, ClassAuthTokenRefused, ClassAuthConsentNeeded, ClassAuthClientRefused, ClassAuthServerAway:
		return false
	}
	return strings.HasPrefix(string(c), "AUTH_")
}
