package oauth

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"
)

// The limits of the device flow.
const (
	usualInterval = 5 * time.Second // if the server names none (RFC 8628 section 3.2)
	slowdown      = 5 * time.Second // added by "slow_down" (section 3.5)
	longest       = time.Hour       // maximum lifetime of a code
	usualLife     = 15 * time.Minute
	maxPolls      = 3600
	maxSilences   = 5 // failed polls in a row before it is an error
)

// DeviceCode is the instruction for the user's other device.
type DeviceCode struct {
	URL  string // page to open
	Code string // code to enter there
	// Complete is the URL with the code in it; "" if the server sent none.
	Complete string
	Expires  time.Time
}

// Device asks for consent on another device: show is called once with the
// instruction. Device waits until the user has consented, the code has expired,
// or the context ends. The error is an [*Error], that of show, or that of the
// context.
func (c Client) Device(ctx context.Context, show func(DeviceCode) error) (Token, error) {
	if err := c.checkConfig(); err != nil {
		return Token{}, err
	}
	if c.DeviceURL == "" {
		return Token{}, &Error{Problem: NoDevice, Host: hostOf(c.TokenURL)}
	}
	secret, code, interval, err := c.askDevice(ctx)
	if err != nil {
		return Token{}, err
	}
	if err := show(code); err != nil {
		return Token{}, err
	}
	return c.pollToken(ctx, secret, code.Expires, interval)
}

// askDevice implements RFC 8628 sections 3.1 and 3.2; secret is the device
// code, which is not shown.
func (c Client) askDevice(ctx context.Context) (secret string, code DeviceCode, interval time.Duration, err error) {
	hc, err := c.httpClient(ctx)
	if err != nil {
		return "", DeviceCode{}, 0, err
	}
	config := oauth2.Config{ClientID: c.ID, Scopes: c.Scopes, Endpoint: oauth2.Endpoint{DeviceAuthURL: c.DeviceURL}}
	var options []oauth2.AuthCodeOption
	if c.Secret != "" {
		options = append(options, oauth2.SetAuthURLParam("client_secret", c.Secret))
	}
	host := hostOf(c.DeviceURL)
	asked, before := c.now(), time.Now()
	got, err := config.DeviceAuth(context.WithValue(ctx, oauth2.HTTPClient, hc), options...)
	if err != nil {
		return "", DeviceCode{}, 0, requestError(ctx, err, host, c.Secret)
	}
	code = DeviceCode{URL: got.VerificationURI, Code: got.UserCode, Complete: got.VerificationURIComplete}
	if got.DeviceCode == "" || !isPrintable(code.Code) || !isPrintable(code.URL) || checkURL(code.URL) != nil {
		return "", DeviceCode{}, 0, &Error{Problem: Failing, Host: host, Err: errors.New("it gives no code and address that could be shown")}
	}
	if !isPrintable(code.Complete) || checkURL(code.Complete) != nil {
		code.Complete = ""
	}
	life := usualLife
	if !got.Expiry.IsZero() {
		// x/oauth2 has added it to the system's clock.
		life = min(got.Expiry.Sub(before).Round(time.Second), longest)
	}
	code.Expires = asked.Add(life)
	interval = usualInterval
	if got.Interval > 0 {
		interval = time.Duration(min(got.Interval, int64(longest/time.Second))) * time.Second
	}
	return got.DeviceCode, code, interval, nil
}

// isPrintable rejects text with control characters for the terminal.
func isPrintable(text string) bool {
	return text != "" && len(text) <= 2000 && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// pollToken polls until the user has decided (RFC 8628 section 3.4).
func (c Client) pollToken(ctx context.Context, secret string, expires time.Time, interval time.Duration) (Token, error) {
	params := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {secret}}
	silences := 0
	for range maxPolls {
		if err := c.wait(ctx, interval); err != nil {
			return Token{}, err
		}
		if !c.now().Before(expires) {
			break
		}
		t, err := c.requestToken(ctx, params)
		var e *Error
		switch {
		case err == nil || !errors.As(err, &e):
			return t, err
		case e.Code == "authorization_pending":
			silences = 0
		case e.Code == "slow_down":
			interval += slowdown
			silences = 0
		case isTemporary(err) && silences < maxSilences:
			// A silent server is polled less often (section 3.5).
			interval, silences = min(2*interval, time.Minute), silences+1
		default:
			return Token{}, err
		}
	}
	return Token{}, &Error{Problem: Expired, Host: hostOf(c.TokenURL)}
}
