package provider

import (
	"maps"
	"slices"
	"strings"
)

// Provider has the facts about one provider. Values are copies: a caller may change them.
type Provider struct {
	// ID is a short stable word: "qq", "netease163".
	ID    string `json:"id"`
	Names Text   `json:"names"`
	// Aliases are other names that users type.
	Aliases []string `json:"aliases,omitempty"`
	Kind    Kind     `json:"kind"`
	// Family is the ID of the provider whose server software and replies this one shares; "" if it
	// is alone or the head of its family.
	Family string `json:"family,omitempty"`
	// Region is "cn", "jp", "kr" or "intl".
	Region string `json:"region"`
	// Domains are the mail domains, lower case. "{cc}" represents a country, "{tenant}" a label.
	// Empty for providers that host customers' domains.
	Domains []string `json:"domains,omitempty"`
	// MXHints are hosts of hosted domains' mail exchangers, or suffixes that begin with a dot.
	MXHints []string `json:"mx_hints,omitempty"`
	Website string   `json:"website,omitempty"`
	SMTP    SMTP     `json:"smtp"`
	// HostsByDomain overrides the hosts for some mail domains.
	HostsByDomain map[string]Hosts `json:"hosts_by_domain,omitempty"`
	// HostsByRegion has the SMTP host of each region of the service.
	HostsByRegion map[string]string `json:"hosts_by_region,omitempty"`
	// IMAP and POP3 have no host if the provider does not offer them or they are not known.
	IMAP  Endpoint `json:"imap,omitzero"`
	POP3  Endpoint `json:"pop3,omitzero"`
	Relay *Relay   `json:"relay,omitempty"`
	Auth  Auth     `json:"auth"`
	// CodeHelp explains how to get the authorization code or app password.
	CodeHelp   CodeHelp   `json:"code_help,omitzero"`
	Limits     Limits     `json:"limits,omitzero"`
	SenderRule SenderRule `json:"sender_rule"`
	// FromRulesURL is the provider's page on the From header.
	FromRulesURL string `json:"from_rules_url,omitempty"`
	// Traits are the behaviours that code considers; Quirks describe these and others for people.
	Traits map[Trait]Status `json:"traits,omitempty"`
	Quirks []string         `json:"quirks,omitempty"`
	// Confidence in the whole entry: "high", "medium" or "low".
	Confidence string `json:"confidence"`
	// Sources names the source of a fact by its path in this structure: "smtp.host",
	// "smtp.ports.465", "sender_rule".
	Sources map[string]string `json:"sources,omitempty"`
}

// Text is a text in English and Chinese.
type Text struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// In returns the text in a language: Chinese for "zh" and its variants ("zh-CN", "zh_CN.UTF-8"),
// otherwise English.
func (t Text) In(language string) string {
	if strings.HasPrefix(strings.ToLower(language), "zh") {
		return t.ZH
	}
	return t.EN
}

// Kind distinguishes mailboxes of people from sending services.
type Kind string

// The kinds.
const (
	KindMailbox Kind = "mailbox"
	KindRelay   Kind = "relay"
)

// Status says how well a fact is known.
type Status string

// The statuses, best first.
const (
	Official   Status = "official"   // on the provider's own page
	Verified   Status = "verified"   // two or more independent sources, or a transcript and ISPDB
	ISPDB      Status = "ispdb"      // Mozilla's autoconfiguration database only
	Reported   Status = "reported"   // one third party
	Unverified Status = "unverified" // folklore: do not rely on it
)

// TLSMode is the encryption of a port.
type TLSMode string

// The modes. Yan only chooses the first two for a user.
const (
	Implicit       TLSMode = "implicit"         // TLS from the first byte
	StartTLS       TLSMode = "starttls"         // STARTTLS, required
	NoTLS          TLSMode = "none"             // plaintext
	NoneOrStartTLS TLSMode = "none_or_starttls" // not known which
	UnknownTLS     TLSMode = "unknown"
)

// Encrypted reports whether a password may be sent over such a port.
func (m TLSMode) Encrypted() bool { return m == Implicit || m == StartTLS }

// SMTP is the submission server.
type SMTP struct {
	// Host may contain "{domain}" or "{region}": use [Provider.HostFor] or [Provider.HostInRegion].
	Host string `json:"host"`
	// AltHosts are other hosts of the same service: overseas, other regions.
	AltHosts []string `json:"alt_hosts,omitempty"`
	Ports    []Port   `json:"ports"`
	// Closed are ports that users try and that are known not to work.
	Closed []int `json:"closed,omitempty"`
	// Prefer is the port to use first.
	Prefer int `json:"prefer"`
	// MinTLS is the lowest TLS version, such as "1.2"; "" if unknown.
	MinTLS string `json:"min_tls,omitempty"`
	// Plaintext25 describes port 25 without encryption.
	Plaintext25 string `json:"plaintext_25,omitempty"`
	Note        string `json:"note,omitempty"`
}

// Port is a port of the SMTP host.
type Port struct {
	Port   int     `json:"port"`
	TLS    TLSMode `json:"tls"`
	Status Status  `json:"status"`
}

// Hosts overrides host names; an empty name means no override.
type Hosts struct {
	SMTP string `json:"smtp,omitempty"`
	IMAP string `json:"imap,omitempty"`
	POP3 string `json:"pop3,omitempty"`
}

// Endpoint is a host with its port and encryption.
type Endpoint struct {
	Host   string  `json:"host,omitempty"`
	Port   int     `json:"port,omitempty"`
	TLS    TLSMode `json:"tls,omitempty"`
	Status Status  `json:"status,omitempty"`
	// Username overrides [Auth.Username] unless it is "".
	Username string `json:"username,omitempty"`
	Note     string `json:"note,omitempty"`
}

// Relay is a second service of the same provider, for administrators.
type Relay struct {
	Host  string `json:"host"`
	Ports []int  `json:"ports"`
	Note  string `json:"note,omitempty"`
}

// AuthKind is the kind of secret for a login.
type AuthKind string

// The kinds of secret.
const (
	AuthorizationCode     AuthKind = "authorization_code" // 授权码, created in the web mailbox
	AppPassword           AuthKind = "app_password"
	Password              AuthKind = "password" // the account's own
	PasswordOrAppPassword AuthKind = "password_or_app_password"
	OAuth2Only            AuthKind = "oauth2"
	OAuth2OrAppPassword   AuthKind = "oauth2_or_app_password"
	OAuth2OrPassword      AuthKind = "oauth2_or_password"
	APIKey                AuthKind = "api_key"
	SMTPCredentials       AuthKind = "smtp_credentials" // user and password for SMTP only
	SMTPKey               AuthKind = "smtp_key"
	SMTPPassword          AuthKind = "smtp_password" // set for each sender address
	UnknownSecret         AuthKind = "unknown"
)

// Auth describes the login.
type Auth struct {
	Kind AuthKind `json:"kind"`
	// Mechanisms are the SASL mechanisms seen or supposed, upper case.
	Mechanisms       []string `json:"mechanisms"`
	MechanismsStatus Status   `json:"mechanisms_status"`
	// Username is "full", "localpart", "fixed:" with a word, or "other": use [Provider.LoginFor].
	Username string  `json:"username"`
	OAuth2   *OAuth2 `json:"oauth2,omitempty"`
	// PasswordEnd is the end of logins with the account's own password; nil if none was announced.
	PasswordEnd *PasswordEnd `json:"password_end,omitempty"`
	Notes       []string     `json:"notes,omitempty"`
}

// PasswordEnd says from when on a provider refuses the account's own password (basic authentication).
// Authorization codes, app passwords and OAuth 2.0 are not affected, unless When says so.
type PasswordEnd struct {
	// Date is the first day on which the password is refused by default, "2027-01-01".
	Date string `json:"date"`
	// When has the dates in words, with their exceptions; Do is what users do about it.
	When Text `json:"when"`
	Do   Text `json:"do"`
	// Announced is the date of the announcement that Date follows; "" if unknown.
	Announced string   `json:"announced,omitempty"`
	URLs      []string `json:"urls,omitempty"`
	Status    Status   `json:"status"`
}

// EndsPasswords reports whether PasswordEnd is about the secret of a login: no app password or
// authorization code replaces the account's own password.
func (a Auth) EndsPasswords() bool {
	return a.PasswordEnd != nil && (a.Kind == OAuth2OrPassword || a.Kind == OAuth2Only)
}

// OAuth2 describes the source of access tokens.
type OAuth2 struct {
	Issuer   string `json:"issuer"`
	Scope    string `json:"scope"` // space-separated
	AuthURL  string `json:"auth_url"`
	TokenURL string `json:"token_url"`
	// DeviceURL is "" if there is no device flow (RFC 8628), or none that grants the scope.
	DeviceURL string `json:"device_url,omitempty"`
	// AuthParams are further parameters of the page where the user consents.
	AuthParams map[string]string `json:"auth_params,omitempty"`
	// RedirectHost is the host for loopback redirects if the server requires another than
	// 127.0.0.1; "" otherwise.
	RedirectHost string `json:"redirect_host,omitempty"`
	Status       Status `json:"status"`
	Note         string `json:"note,omitempty"`
}

// CodeHelp is the way through the web pages to the secret for the login.
type CodeHelp struct {
	EN   string   `json:"en,omitempty"`
	ZH   string   `json:"zh,omitempty"`
	URLs []string `json:"urls,omitempty"`
}

// IsZero reports whether there is no help.
func (h CodeHelp) IsZero() bool { return h.EN == "" && h.ZH == "" && len(h.URLs) == 0 }

// Limits are the provider's limits per account.
type Limits struct {
	PerSecond     Limit `json:"per_second,omitzero"`
	PerMinute     Limit `json:"per_minute,omitzero"`
	PerDay        Limit `json:"per_day,omitzero"`
	PerConnection Limit `json:"per_connection,omitzero"` // messages on one connection
	Connections   Limit `json:"connections,omitzero"`    // at the same time
	Recipients    Limit `json:"recipients_per_message,omitzero"`
	// MessageBytes limits the whole message as sent; AttachmentBytes the files before their
	// encoding, which adds a third.
	MessageBytes    Limit  `json:"message_bytes,omitzero"`
	AttachmentBytes Limit  `json:"attachment_bytes,omitzero"`
	Note            string `json:"note,omitempty"`
}

// Limit is one limit.
type Limit struct {
	// Value is 0 if the number is not known.
	Value int64 `json:"value"`
	// Unit is the thing counted, if the field's name does not say it: "messages", "recipients",
	// "messages_per_member"; "" if not known.
	Unit   string `json:"unit,omitempty"`
	Status Status `json:"status,omitempty"`
	Note   string `json:"note,omitempty"`
}

// SenderRule says which sender addresses a login may use.
type SenderRule string

// The rules.
const (
	MustEqualLogin         SenderRule = "must_equal_login"
	MustEqualLoginOrSendAs SenderRule = "must_equal_login_or_sendas"
	VerifiedIdentity       SenderRule = "verified_identity" // verified in the service's console
	AliasOK                SenderRule = "alias_ok"          // also the account's own aliases
	UnknownSenderRule      SenderRule = "unknown"
)

// MXRule guesses the provider of a hosted domain from its mail exchanger. Suffix is lower case; one
// that begins with a dot matches the end of a name, any other the whole name.
//
// DNS is not authenticated: show the guess to the user before sending a password to that host.
type MXRule struct {
	Suffix   string `json:"suffix"`
	Provider string `json:"provider"`
}

// clone keeps the embedded facts out of the caller's reach.
func (p Provider) clone() Provider {
	p.Aliases = slices.Clone(p.Aliases)
	p.Domains = slices.Clone(p.Domains)
	p.MXHints = slices.Clone(p.MXHints)
	p.SMTP.AltHosts = slices.Clone(p.SMTP.AltHosts)
	p.SMTP.Ports = slices.Clone(p.SMTP.Ports)
	p.SMTP.Closed = slices.Clone(p.SMTP.Closed)
	p.HostsByDomain = maps.Clone(p.HostsByDomain)
	p.HostsByRegion = maps.Clone(p.HostsByRegion)
	p.Auth.Mechanisms = slices.Clone(p.Auth.Mechanisms)
	p.Auth.Notes = slices.Clone(p.Auth.Notes)
	p.CodeHelp.URLs = slices.Clone(p.CodeHelp.URLs)
	p.Traits = maps.Clone(p.Traits)
	p.Quirks = slices.Clone(p.Quirks)
	p.Sources = maps.Clone(p.Sources)
	if p.Relay != nil {
		relay := *p.Relay
		relay.Ports = slices.Clone(relay.Ports)
		p.Relay = &relay
	}
	if p.Auth.PasswordEnd != nil {
		end := *p.Auth.PasswordEnd
		end.URLs = slices.Clone(end.URLs)
		p.Auth.PasswordEnd = &end
	}
	if p.Auth.OAuth2 != nil {
		oauth2 := *p.Auth.OAuth2
		oauth2.AuthParams = maps.Clone(oauth2.AuthParams)
		p.Auth.OAuth2 = &oauth2
	}
	return p
}
