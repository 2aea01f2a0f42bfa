package account

import (
	"net/url"
	"strings"

	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/transport"
)

// UsesOAuth2 reports whether the account logs in with tokens that this program
// gets.
func (a Account) UsesOAuth2() bool { return a.OAuth2.ClientID != "" }

// OAuthClient is the registration that an account logs in with; ok is false
// when it uses a password.
func (a Account) OAuthClient() (c oauth.Client, ok bool) {
	if !a.UsesOAuth2() {
		return c, false
	}
	c, _ = oauth.ForProvider(a.Provider())
	o := a.OAuth2
	c.ID, c.Secret, c.Proxy = o.ClientID, o.ClientSecret, a.Proxy
	if o.AuthURL != "" { // what the provider's page wants, another one need not
		c.AuthParams, c.RedirectHost = nil, ""
	}
	for _, f := range []struct{ to, from *string }{{&c.AuthURL, &o.AuthURL}, {&c.TokenURL, &o.TokenURL}, {&c.DeviceURL, &o.DeviceURL}} {
		if *f.from != "" {
			*f.to = *f.from
		}
		if o.Tenant != "" {
			*f.to = withTenant(*f.to, o.Tenant)
		}
	}
	if len(o.Scopes) > 0 {
		c.Scopes = o.Scopes
	}
	if address, err := a.Address(); err == nil {
		c.LoginHint = address.String()
	}
	return c, true
}

// withTenant replaces Microsoft's "common", the tenant of everybody.
func withTenant(u, tenant string) string {
	const common = "https://login.microsoftonline.com/common/"
	if rest, found := strings.CutPrefix(u, common); found {
		return "https://login.microsoftonline.com/" + url.PathEscape(tenant) + "/" + rest
	}
	return u
}

// Provider is the account's; zero when it is not known.
func (a Account) Provider() provider.Provider {
	address, err := a.Address()
	if err != nil {
		return provider.Provider{}
	}
	server, err := transport.ParseServer(a.Server, address)
	if err != nil {
		return provider.Provider{}
	}
	return server.Provider
}
