package account

import (
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/yanmail/yan/internal/localerr"
	"github.com/yanmail/yan/message"
	"github.com/yanmail/yan/sasl"
	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
	"github.com/yanmail/yan/transport"
)

// checkAccounts finds unusable values, at most one per account. It looks at nothing outside the
// configuration.
func (f *File) checkAccounts() {
	add := func(fault Fault, err error, name string, key ...string) {
		if f.FaultOf(name) == nil {
			f.faults = append(f.faults, f.faultAt(fault, append([]string{"account", name}, key...), err))
		}
	}
	for _, a := range f.accounts {
		if !isName(a.Name) {
			add(FaultValue, localerr.New("a name may contain only letters, digits, - and _"), a.Name)
		} else if key, err := f.ownSchema().checkAccount(a); err != nil {
			add(FaultValue, err, a.Name, key)
		}
	}
	for _, a := range f.accounts {
		if err := f.checkFallback(a); err != nil {
			add(FaultReference, err, a.Name, "fallback")
		}
	}
	if _, ok := f.Account(f.standard); !ok && f.standard != "" {
		f.faults = append(f.faults, f.faultAt(FaultReference, []string{"default"}, f.unknownAccount(f.standard)))
	}
}

// checkFallback follows the chain of fallbacks, which must end.
func (f *File) checkFallback(a Account) error {
	seen := []string{a.Name}
	for a.Fallback != "" {
		if slices.Contains(seen, a.Fallback) {
			return localerr.Errorf("circular fallback accounts: %s", strings.Join(append(seen, a.Fallback), ", "))
		}
		next, ok := f.Account(a.Fallback)
		if !ok {
			return f.unknownAccount(a.Fallback)
		}
		seen, a = append(seen, a.Fallback), next
	}
	return nil
}

// isName reports whether a name can be written on a command line and as a bare key of TOML.
func isName(s string) bool {
	ok := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
	}
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool { return !ok(r) })
}

// checkAccount returns the first key whose value is unusable, and the error.
func (s *schema) checkAccount(a Account) (key string, err error) {
	for _, k := range s.keys {
		if k.check == nil {
			continue
		}
		if err := k.check(a); err != nil {
			return k.name, err
		}
	}
	return "", nil
}

func (a Account) checkFrom() error {
	_, err := a.Address()
	return err
}

// Address returns the address in From.
func (a Account) Address() (smtp.Address, error) {
	if strings.TrimSpace(a.From) == "" {
		return smtp.Address{}, localerr.New("the sender is missing: want an address, with or without a name")
	}
	mailbox, err := message.ParseMailbox(a.From)
	if err != nil {
		return smtp.Address{}, localerr.Errorf("not a valid sender address: %w", err)
	}
	return mailbox.Address, nil
}

// checkServer runs after checkFrom, because the server may depend on the address.
func (a Account) checkServer() error {
	from, err := a.Address()
	if err == nil {
		_, err = transport.ParseServer(a.Server, from)
	}
	return err
}

func (a Account) checkTLSName() error {
	if strings.ContainsFunc(a.TLSName, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("/@", r) }) {
		return localerr.Errorf("%q: want a host name like mail.example.com", a.TLSName)
	}
	return nil
}

func (a Account) checkAuth() error {
	if a.Auth == "" || a.NoLogin() || slices.Contains(sasl.Mechanisms(), strings.ToUpper(a.Auth)) {
		return nil
	}
	return localerr.Errorf("unknown mechanism %q; want one of %s", a.Auth, strings.Join(append(sasl.Mechanisms(), "none"), ", "))
}

var errSeveralPlaces = localerr.New("several places are set; use one of keyring, command, file, env, netrc, credential")

func (s Secret) checkSources() error {
	n := 0
	for _, v := range []string{s.Command, s.File, s.Env, s.Netrc, s.Credential} {
		if v != "" {
			n++
		}
	}
	if n > 1 {
		return errSeveralPlaces
	}
	return nil
}

func (a Account) checkOAuth2() error {
	for _, u := range []string{a.OAuth2.AuthURL, a.OAuth2.TokenURL, a.OAuth2.DeviceURL} {
		if u == "" {
			continue
		}
		parsed, err := url.Parse(u)
		local := err == nil && parsed.Scheme == "http" && (parsed.Hostname() == "127.0.0.1" || parsed.Hostname() == "::1" || parsed.Hostname() == "localhost")
		switch { // without the URL, which may hold a password; net/url would repeat it
		case err != nil || parsed.Host == "" || parsed.Scheme != "https" && !local:
			return localerr.New("want a URL that starts with https://")
		case parsed.User != nil:
			return localerr.New("user names and passwords are not allowed in this URL")
		}
	}
	if a.OAuth2.ClientID == "" && a.OAuth2.asTOML() != "{}" {
		return localerr.New("client_id is missing")
	}
	return nil
}

func (a Account) checkMatch() error {
	for _, m := range a.Match {
		if _, err := newPattern(m); err != nil {
			return err
		}
	}
	return nil
}

func (a Account) checkReplyTo() error {
	if a.ReplyTo == "" {
		return nil
	}
	_, err := message.ParseMailboxList(a.ReplyTo)
	return err
}

// checkHeaders refuses fields that the composer writes itself: servers refuse a message with a
// second From or Date.
func (a Account) checkHeaders() error {
	for _, h := range a.Headers {
		if err := (message.Header(h)).Check(); err != nil {
			return localerr.Errorf("%q: %w", h.Name, err)
		}
	}
	return nil
}

func (a Account) checkSaveSent() error {
	if slices.Contains([]SaveSent{SaveAuto, SaveAlways, SaveNever}, a.SaveSent) {
		return nil
	}
	return localerr.Errorf("%q: want auto, always or never", a.SaveSent)
}

func (a Account) checkIMAP() error {
	_, err := a.Mailbox()
	return err
}

func (a Account) checkPin() error {
	if a.TLSPin == "" {
		return nil
	}
	_, err := smtpclient.ParsePin(a.TLSPin)
	return err
}

func (a Account) checkCertificate() error {
	if (a.TLSCert == "") != (a.TLSKey == "") {
		return localerr.New("a client certificate needs two files: tls_cert and tls_key")
	}
	return nil
}

func (a Account) checkProxy() error {
	if a.Proxy == "" {
		return nil
	}
	u, err := url.Parse(a.Proxy)
	if err != nil || u.Host == "" || !slices.Contains([]string{"socks5", "socks5h", "socks", "http"}, u.Scheme) {
		return localerr.New("want a URL like socks5://127.0.0.1:1080 or http://127.0.0.1:8080")
	}
	if _, has := u.User.Password(); has {
		return localerr.New("passwords are not allowed in this file; put the URL into the variable ALL_PROXY")
	}
	return nil
}

func (a Account) checkConnections() error {
	if a.Connections < 0 {
		return localerr.New("want a number above zero")
	}
	return nil
}

// The values of SetFrom.
const (
	SetFromMissing = "missing"
	SetFromAlways  = "always"
)

func (a Account) checkSetFrom() error {
	switch a.SetFrom {
	case "", SetFromMissing, SetFromAlways:
		return nil
	}
	return localerr.Errorf("want %q or %q", SetFromMissing, SetFromAlways)
}

func (a Account) checkInDoubt() error {
	if a.InDoubt == "" { // the value of [outbox]
		return nil
	}
	return a.InDoubt.checkWord()
}
