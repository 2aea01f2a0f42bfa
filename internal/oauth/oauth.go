package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/yanmail/yan/provider"
)

// Client is an authorization server and how this program is registered with it.
type Client struct {
	// ID is the client id. Secret is "" for public clients; where a provider gives
	// one to an installed program it is no secret (RFC 8252 section 8.5).
	ID, Secret string
	AuthURL    string
	TokenURL   string
	DeviceURL  string // "" when the server has no device flow
	Scopes     []string
	// LoginHint is the address whose consent is wanted; "" for none.
	LoginHint string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Token is what the consent gave. It is kept as JSON in the keyring.
type Token struct {
	Access  string    `json:"access_token"`
	Refresh string    `json:"refresh_token,omitempty"`
	Expiry  time.Time `json:"expiry,omitzero"`
}

// DeviceCode is what the user does on another device.
type DeviceCode struct {
	URL  string // where to go
	Code string // what to type there
	// Complete is the URL with the code in it; "" when the server gives none.
	Complete string
	Expires  time.Time
}

// The errors that a caller tells apart.
var (
	ErrNoClientID = errors.New("no client id is configured")
	ErrNoDevice   = errors.New("the authorization server has no device flow")
	ErrDenied     = errors.New("the consent was refused")
	ErrExpired    = errors.New("the code has expired before it was used")
	// ErrConsent: the refresh token is no longer good, or there is none; the user
	// has to consent again.
	ErrConsent = errors.New("the consent has ended; log in again")
)

// ForProvider is a provider's authorization server. ok is false when it has
// none that is known.
func ForProvider(p provider.Provider) (c Client, ok bool) { return Client{}, false }

// Browser asks for consent in the browser of this machine: open is called with
// the URL to open. It listens on 127.0.0.1 until the redirect has come.
func (c Client) Browser(ctx context.Context, open func(url string) error) (Token, error) {
	return Token{}, ErrDenied
}

// Device asks for consent on another device: show is called with what to do
// there. It waits until that is done.
func (c Client) Device(ctx context.Context, show func(DeviceCode) error) (Token, error) {
	return Token{}, ErrNoDevice
}

// Source gives access tokens. It is safe for concurrent use.
type Source struct {
	// Client refreshes; Token is the last known; Save keeps a new one, nil not to.
	Client Client
	Token  Token
	Save   func(context.Context, Token) error
}

// Access gives an access token. refused is the one that a mail server did not
// take, "" if none was: an expired or refused one is replaced by a fresh one.
// When the same fresh one is refused again, the error is that of the consent.
func (s *Source) Access(ctx context.Context, refused string) (string, error) {
	return "", ErrConsent
}
