// Package sasl holds the client side of the SASL mechanisms that submission
// servers offer, as state machines without I/O.
//
// [Choose] picks the best mechanism that a server offers and the credentials
// can serve; [New] makes it. Its Start gives the initial response, its Next
// answers each challenge, and Finish, called when the server has said yes,
// tells whether the server proved itself where the mechanism asks for that.
//
// SCRAM comes from github.com/xdg-go/scram, everything else is a few lines.
package sasl

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// The mechanisms, by their registered names.
const (
	ScramSHA256Plus = "SCRAM-SHA-256-PLUS"
	ScramSHA256     = "SCRAM-SHA-256"
	ScramSHA1Plus   = "SCRAM-SHA-1-PLUS"
	ScramSHA1       = "SCRAM-SHA-1"
	Plain           = "PLAIN"
	Login           = "LOGIN"
	CramMD5         = "CRAM-MD5"
	OAuthBearer     = "OAUTHBEARER"
	XOAuth2         = "XOAUTH2"
	External        = "EXTERNAL"
)

// Mechanisms lists all of them, best first.
//
// SCRAM leads because the password itself never leaves this machine, with
// channel binding before without. Under verified TLS, PLAIN comes before
// LOGIN because it saves two round trips, and both come before CRAM-MD5, which
// protects nothing that TLS does not and makes the server store the password.
func Mechanisms() []string {
	return []string{ScramSHA256Plus, ScramSHA256, ScramSHA1Plus, ScramSHA1,
		OAuthBearer, XOAuth2, Plain, Login, CramMD5, External}
}

// Credentials is what somebody logs in with: a password, an OAuth 2.0 access
// token, or neither when a client certificate speaks (EXTERNAL). Printing it
// with package fmt, log/slog or encoding/json hides the secrets; within another
// struct that holds only while its field is exported, because package fmt calls
// no methods on unexported values.
type Credentials struct {
	Username string
	// Password is the password or the authorization code.
	Password string
	// Token is an OAuth 2.0 access token. When it is set, Password is not used.
	Token string
	// AuthorizationID asks to act as another user; "" means as Username.
	AuthorizationID string
}

// Secrets lists what must never be shown.
func (c Credentials) Secrets() []string {
	var secrets []string
	for _, s := range []string{c.Password, c.Token} {
		if s != "" {
			secrets = append(secrets, s)
		}
	}
	return secrets
}

// String names the user and hides the rest.
func (c Credentials) String() string { return fmt.Sprintf("credentials of %q", c.Username) }

// Format is String for every verb: %#v and %d must not show more than %v.
func (c Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// GoString is String, for whoever calls it beside package fmt.
func (c Credentials) GoString() string { return c.String() }

// MarshalText is String, for log/slog and JSON.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Session is what a mechanism needs to know of the connection.
type Session struct {
	// TLS is the state of the encrypted connection; nil when it is not.
	TLS *tls.ConnectionState
	// Host and Port are those of the server, for OAUTHBEARER.
	Host string
	Port int
	// Offered are the server's mechanisms. SCRAM tells the server whether
	// channel binding was left unused because it was not offered, which
	// uncovers somebody who took it out of the list (RFC 5802 section 6).
	Offered []string
}

// Mechanism is one authentication in progress.
type Mechanism interface {
	// Name is the registered name.
	Name() string
	// Start gives the initial response; nil when the mechanism has none, an
	// empty slice when it has an empty one.
	Start() ([]byte, error)
	// Next answers a challenge. An error means to cancel with "*".
	Next(challenge []byte) ([]byte, error)
	// Finish is called after the server said yes. An error means not to
	// believe it.
	Finish() error
}

// ErrServerNotVerified is what Finish returns when the server said yes without
// proving that it knows the password.
var ErrServerNotVerified = errors.New("the server did not prove that it knows the password")

// New makes a mechanism by name, upper case. Printing a mechanism shows no
// secret.
func New(name string, c Credentials, s Session) (Mechanism, error) {
	if err := usable(name, c, s); err != nil {
		return nil, err
	}
	held := func() Credentials { return c }
	switch name {
	case Plain:
		return &plain{held}, nil
	case Login:
		return &login{c: held}, nil
	case CramMD5:
		return &cramMD5{held}, nil
	case XOAuth2:
		return &xoauth2{held}, nil
	case OAuthBearer:
		return &oauthBearer{held, s}, nil
	case External:
		return &external{held}, nil
	}
	return newScram(name, c, s, nil)
}

// Choose picks the best offered mechanism that the credentials can serve. ok
// is false when there is none.
func Choose(c Credentials, s Session) (name string, ok bool) {
	for _, name := range Mechanisms() {
		if slices.Contains(s.Offered, name) && usable(name, c, s) == nil {
			return name, true
		}
	}
	return "", false
}

// KeepsPassword reports whether the mechanism authenticates without the
// password, or anything worth as much, passing over the connection.
func KeepsPassword(name string) bool { return strings.HasPrefix(name, "SCRAM-") }

// usable says why a mechanism can't be used with these credentials.
func usable(name string, c Credentials, s Session) error {
	if !slices.Contains(Mechanisms(), name) {
		return fmt.Errorf("mechanism %q is not known; known are %s", name, strings.Join(Mechanisms(), ", "))
	}
	switch {
	case name == External:
		if c.Password != "" || c.Token != "" {
			return errors.New("EXTERNAL uses a client certificate, and a password or token was given")
		}
		if s.TLS == nil {
			return errors.New("EXTERNAL needs TLS with a client certificate")
		}
	case name == OAuthBearer || name == XOAuth2:
		if c.Token == "" {
			return fmt.Errorf("%s needs an OAuth 2.0 access token, and there is none", name)
		}
		// Their messages are fields between ^A; no user name or token holds one.
		if strings.ContainsFunc(c.Username+c.AuthorizationID+c.Token, unicode.IsControl) {
			return fmt.Errorf("%s: the user name or token holds a control character", name)
		}
	case c.Token != "":
		return fmt.Errorf("%s needs a password, and an access token was given", name)
	case c.Password == "":
		return fmt.Errorf("%s needs a password, and there is none", name)
	case c.Username == "":
		return fmt.Errorf("%s needs a user name, and there is none", name)
	case strings.HasSuffix(name, "-PLUS") && s.TLS == nil:
		return fmt.Errorf("%s needs TLS", name)
	case strings.HasSuffix(name, "-PLUS"):
		// Not every connection can be bound to: RFC 5929 knows no
		// tls-server-end-point for an Ed25519 certificate under TLS 1.2.
		if _, err := channelBinding(s.TLS); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
