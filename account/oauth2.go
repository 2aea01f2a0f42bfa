package account

import (
	"maps"
	"net/url"
	"strings"

	"github.com/yanmail/yan/provider"
	"github.com/yanmail/yan/transport"
)

// UsesOAuth2 reports whether the account logs in with access tokens that Yan requests.
func (a Account) UsesOAuth2() bool { return a.OAuth2.ClientID != "" }

// OAuth2Client is a registration with an authorization server.
type OAuth2Client = struct {
	ID, Secret       string          // an installed program's secret is not secret
	Server           provider.OAuth2 // the provider's, with the changes of the configuration
	LoginHint, Proxy string
}

// OAuth2Client returns the registration that an account logs in with; ok is false if it
// logs in with a password.
func (a Account) OAuth2Client() (c OAuth2Client, ok bool) {
	if !a.UsesOAuth2() {
		return c, false
	}
	if known := a.Provider().Auth.OAuth2; known != nil {
		c.Server = *known
		c.Server.AuthParams = maps.Clone(known.AuthParams)
	}
	o, server := a.OAuth2, &c.Server
	c.ID, c.Secret, c.Proxy = o.ClientID, o.ClientSecret, a.Proxy
	if o.AuthURL != "" { // the requirements of the provider's page do not apply to another page
		server.AuthParams, server.RedirectHost = nil, ""
	}
	for _, f := range []struct{ to, from *string }{{&server.AuthURL, &o.AuthURL}, {&server.TokenURL, &o.TokenURL}, {&server.DeviceURL, &o.DeviceURL}} {
		if *f.from != "" {
			*f.to = *f.from
		}
		if o.Tenant != "" {
			*f.to = withTenant(*f.to, o.Tenant)
		}
	}
	if len(o.Scopes) > 0 {
		server.Scope = strings.Join(o.Scopes, " ")
	}
	if address, err := a.Address(); err == nil {
		c.LoginHint = address.String()
	}
	return c, true
}

// withTenant replaces Microsoft's tenant "common".
func withTenant(u, tenant string) string {
	const common = "https://login.microsoftonline.com/common/"
	if rest, found := strings.CutPrefix(u, common); found {
		return "https://login.microsoftonline.com/" + url.PathEscape(tenant) + "/" + rest
	}
	return u
}

// Provider returns the provider of the account; zero if it is unknown.
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
