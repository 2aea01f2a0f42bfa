// Package sasl implements the client side of the SASL mechanisms that submission servers offer, as
// state machines without I/O.
//
// [Choose] picks the best mechanism that the server offers and the credentials support; [New]
// creates it. Its Start returns the initial response, Next answers each challenge, and Finish,
// called after the server's success reply, checks whether the server proved itself, if the
// mechanism requires that.
//
// SCRAM uses github.com/xdg-go/scram; the other mechanisms take a few lines each.
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

// The mechanisms, by registered name.
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

// Mechanisms lists all mechanisms, best first.
//
// SCRAM is first because the password never leaves this machine, with channel binding before
// without. Under verified TLS, PLAIN comes before LOGIN because it saves two round trips, and both
// come before CRAM-MD5, which protects nothing that TLS does not and makes the server store the
// password.
func Mechanisms() []string {
	return []string{ScramSHA256Plus, ScramSHA256, ScramSHA1Plus, ScramSHA1,
		OAuthBearer, XOAuth2, Plain, Login, CramMD5, External}
}

// Credentials authenticate a user: a password, an OAuth 2.0 access token, or neither if a client
// certificate authenticates (EXTERNAL). Printing them with package fmt, log/slog or encoding/json
// hides the secrets; inside another struct only if their field is exported, because package fmt
// calls no methods of unexported values.
type Credentials struct {
	Username string
	// Password is the password or the authorization code.
	Password string
	// Token is an OAuth 2.0 access token. If it is set, Password is not used.
	Token string
	// AuthorizationID requests to act as another user; "" means as Username.
	AuthorizationID string
}

// Secrets returns the values that must never be shown.
func (c Credentials) Secrets() []string {
	var secrets []string
	for _, s := range []string{c.Password, c.Token} {
		if s != "" {
			secrets = append(secrets, s)
		}
	}
	return secrets
}

// String names the user and hides the secrets.
func (c Credentials) String() string { return fmt.Sprintf("credentials of %q", c.Username) }

// Format writes String for every verb: %#v and %d must not show more than %v.
func (c Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// GoString returns String, for callers other than package fmt.
func (c Credentials) GoString() string { return c.String() }

// MarshalText returns String, for log/slog and JSON.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Session describes the connection to a mechanism.
type Session struct {
	// TLS is the state of the encrypted connection; nil if it is not encrypted.
	TLS *tls.ConnectionState
	// Host and Port are the server's, for OAUTHBEARER.
	Host string
	Port int
	// Offered are the server's mechanisms. SCRAM tells the server if channel binding was unused
	// because it was not offered, which reveals an attacker who removed it from the list (RFC 5802
	// section 6).
	Offered []string
}

// Mechanism is an authentication in progress.
type Mechanism interface {
	// Name returns the registered name.
	Name() string
	// Start returns the initial response: nil if the mechanism has none, an empty slice if it is
	// empty.
	Start() ([]byte, error)
	// Next answers a challenge. After an error the caller cancels with "*".
	Next(challenge []byte) ([]byte, error)
	// Finish is called after the server's success reply. After an error the caller must not trust
	// the server.
	Finish() error
}

// ErrServerNotVerified is returned by Finish if the server reported success without proving that it
// knows the password.
var ErrServerNotVerified = errors.New("the server did not prove that it knows the password")

// New creates a mechanism by its upper-case name. Printing a mechanism shows no secret.
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

// Choose returns the best offered mechanism that the credentials support. ok is false if there is
// none.
func Choose(c Credentials, s Session) (name string, ok bool) {
	for _, name := range Mechanisms() {
		if slices.Contains(s.Offered, name) && usable(name, c, s) == nil {
			return name, true
		}
	}
	return "", false
}

// KeepsPassword reports whether the mechanism authenticates without sending the password or an
// equivalent.
func KeepsPassword(name string) bool { return strings.HasPrefix(name, "SCRAM-") }

// usable returns why a mechanism can't be used with these credentials.
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
		// Their messages are fields separated by ^A, which no user name or token contains.
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
		// Not every connection supports binding: RFC 5929 defines no tls-server-end-point for an
		// Ed25519 certificate under TLS 1.2.
		if _, err := channelBinding(s.TLS); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
