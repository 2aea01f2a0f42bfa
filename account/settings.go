package account

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/sentence"
)

// document is the file as TOML has it.
type document struct {
	Version  int                 `toml:"version"`
	Default  string              `toml:"default"`
	Defaults settings            `toml:"defaults"`
	Account  map[string]settings `toml:"account"`
	Outbox   outboxSettings      `toml:"outbox"`
}

// settings are the keys of an account or of the defaults; nil is what does not
// stand there.
type settings struct {
	From       *string           `toml:"from"`
	Server     *string           `toml:"server"`
	User       *string           `toml:"user"`
	Auth       *string           `toml:"auth"`
	Secret     *secretSettings   `toml:"secret"`
	OAuth2     *oauth2Settings   `toml:"oauth2"`
	Match      *[]string         `toml:"match"`
	Fallback   *string           `toml:"fallback"`
	Signature  *string           `toml:"signature"`
	SignFile   *string           `toml:"signature_file"`
	ReplyTo    *string           `toml:"reply_to"`
	Headers    map[string]string `toml:"headers"`
	SaveSent   any               `toml:"save_sent"` // true is "auto"
	IMAP       *string           `toml:"imap"`
	SentFolder *string           `toml:"sent_folder"`
	TLSCA      *string           `toml:"tls_ca"`
	TLSPin     *string           `toml:"tls_pin"`
	TLSCert    *string           `toml:"tls_cert"`
	TLSKey     *string           `toml:"tls_key"`
	TLSName    *string           `toml:"tls_name"`
	TLSRSA     *bool             `toml:"tls_rsa_key_exchange"`
	Cleartext  *bool             `toml:"allow_cleartext_password"`
	Proxy      *string           `toml:"proxy"`
	LocalName  *string           `toml:"local_name"`
	Pipelining *bool             `toml:"pipelining"`
	PipelineMs *string           `toml:"pipeline_messages"`
	Conns      *int              `toml:"connections"`
	Pace       *string           `toml:"pace"`
	InDoubt    *string           `toml:"in_doubt"`
	Timeout    *string           `toml:"timeout"`
	DKIM       *string           `toml:"dkim_selector"`
	SetFrom    *string           `toml:"set_from"`
}

type secretSettings struct {
	Command    string `toml:"command"`
	File       string `toml:"file"`
	Env        string `toml:"env"`
	Netrc      any    `toml:"netrc"` // true, or the file
	Credential string `toml:"credential"`
	Keyring    bool   `toml:"keyring"` // what it is without any of the others
}

type oauth2Settings struct {
	ClientID     string   `toml:"client_id"`
	ClientSecret string   `toml:"client_secret"`
	AuthURL      string   `toml:"auth_url"`
	TokenURL     string   `toml:"token_url"`
	DeviceURL    string   `toml:"device_url"`
	Scopes       []string `toml:"scopes"`
	Tenant       string   `toml:"tenant"`
}

// DefaultNetrc as Secret.Netrc is $NETRC or ~/.netrc.
const DefaultNetrc = "default"

// overlay puts the keys of s that are set over an account, and names the key
// of which that can't be done.
func (s settings) overlay(a *Account) (key string, err error) {
	if s.Signature != nil && s.SignFile != nil {
		return "signature", sentence.New("signature and signature_file are both given")
	}
	set(&a.From, s.From)
	set(&a.Server, s.Server)
	set(&a.User, s.User)
	set(&a.Auth, s.Auth)
	set(&a.Match, s.Match)
	set(&a.Fallback, s.Fallback)
	// Each of the two replaces the other where it is inherited.
	if s.Signature != nil {
		a.Signature, a.SignatureFile = *s.Signature, ""
	}
	if s.SignFile != nil {
		a.Signature, a.SignatureFile = "", *s.SignFile
	}
	set(&a.ReplyTo, s.ReplyTo)
	set(&a.IMAP, s.IMAP)
	set(&a.SentFolder, s.SentFolder)
	set(&a.TLSCA, s.TLSCA)
	set(&a.TLSPin, s.TLSPin)
	set(&a.TLSCert, s.TLSCert)
	set(&a.TLSKey, s.TLSKey)
	set(&a.TLSName, s.TLSName)
	set(&a.TLSRSAKeyExchange, s.TLSRSA)
	set(&a.AllowCleartextPassword, s.Cleartext)
	set(&a.Proxy, s.Proxy)
	set(&a.LocalName, s.LocalName)
	set(&a.Connections, s.Conns)
	set(&a.DKIMSelector, s.DKIM)
	set(&a.SetFrom, s.SetFrom)
	switch save := s.SaveSent.(type) {
	case nil:
	case bool:
		a.SaveSent = map[bool]SaveSent{true: SaveAuto, false: SaveNever}[save]
	default:
		a.SaveSent = SaveSent(fmt.Sprint(save)) // check refuses what is no word of it
	}
	if s.Pipelining != nil {
		a.NoPipelining = !*s.Pipelining
	}
	if s.PipelineMs != nil {
		a.PipelineMessages = PipelineMessages(*s.PipelineMs)
	}
	if s.Secret != nil {
		if a.Secret, err = s.Secret.secret(); err != nil {
			return "secret", err
		}
	}
	if s.OAuth2 != nil {
		o := *s.OAuth2
		a.OAuth2 = OAuth2(o)
	}
	if s.Pace != nil {
		if a.Pace, err = parsePace(*s.Pace); err != nil {
			return "pace", err
		}
	}
	if s.InDoubt != nil {
		a.InDoubt = InDoubt(*s.InDoubt)
	}
	if s.Timeout != nil {
		if a.Timeout, err = parseTimeout(*s.Timeout); err != nil {
			return "timeout", err
		}
	}
	if err := checkNames(s.Headers); err != nil {
		return "headers", err
	}
	a.Headers = withHeaders(a.Headers, s.Headers)
	return "", nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// parseTimeout reads "30s"; "" and "0" mean none.
func parseTimeout(s string) (time.Duration, error) {
	if s == "" || s == "0" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, sentence.New("want a time with its unit, like 30s or 5m")
	}
	return d, nil
}

func (s secretSettings) secret() (Secret, error) {
	secret := Secret{Command: s.Command, File: s.File, Env: s.Env, Credential: s.Credential}
	switch netrc := s.Netrc.(type) {
	case nil:
	case string:
		secret.Netrc = netrc
	case bool:
		if netrc {
			secret.Netrc = DefaultNetrc
		}
	default:
		return secret, sentence.New("netrc: want true, or a file")
	}
	if s.Keyring && secret != (Secret{}) {
		return secret, errSeveralPlaces
	}
	return secret, nil
}

// keys gives what stands in the file for an account: every key that is not
// what it would be without it, with its value in TOML. They are in the order of
// the documentation.
func (a Account) keys(inherited Account) []keyValue {
	var list []keyValue
	text := func(key, value, inherited string) {
		list = append(list, keyValue{key, quote(value), value != inherited})
	}
	text("from", a.From, inherited.From)
	text("server", a.Server, inherited.Server)
	text("user", a.User, inherited.User)
	text("auth", a.Auth, inherited.Auth)
	list = append(list,
		keyValue{"secret", a.Secret.toml(), a.Secret != inherited.Secret},
		keyValue{"oauth2", a.OAuth2.toml(), a.OAuth2.toml() != inherited.OAuth2.toml()},
		keyValue{"match", quoteAll(a.Match), quoteAll(a.Match) != quoteAll(inherited.Match)})
	text("fallback", a.Fallback, inherited.Fallback)
	// One key says it all: the other one is what was inherited.
	if sameSignature := a.Signature == inherited.Signature && a.SignatureFile == inherited.SignatureFile; a.SignatureFile != "" {
		list = append(list, keyValue{"signature_file", quote(a.SignatureFile), !sameSignature}, keyValue{"signature", "", false})
	} else {
		list = append(list, keyValue{"signature", quote(a.Signature), !sameSignature}, keyValue{"signature_file", "", false})
	}
	text("reply_to", a.ReplyTo, inherited.ReplyTo)
	list = append(list, keyValue{"headers", headersTOML(a.Headers, inherited.Headers), headersTOML(a.Headers, inherited.Headers) != "{}"})
	text("save_sent", string(a.SaveSent), string(inherited.SaveSent))
	text("imap", a.IMAP, inherited.IMAP)
	text("sent_folder", a.SentFolder, inherited.SentFolder)
	text("tls_ca", a.TLSCA, inherited.TLSCA)
	text("tls_pin", a.TLSPin, inherited.TLSPin)
	text("tls_cert", a.TLSCert, inherited.TLSCert)
	text("tls_key", a.TLSKey, inherited.TLSKey)
	text("tls_name", a.TLSName, inherited.TLSName)
	list = append(list, keyValue{"tls_rsa_key_exchange", strconv.FormatBool(a.TLSRSAKeyExchange), a.TLSRSAKeyExchange != inherited.TLSRSAKeyExchange})
	list = append(list, keyValue{"allow_cleartext_password", strconv.FormatBool(a.AllowCleartextPassword), a.AllowCleartextPassword != inherited.AllowCleartextPassword})
	text("proxy", a.Proxy, inherited.Proxy)
	text("local_name", a.LocalName, inherited.LocalName)
	list = append(list,
		keyValue{"pipelining", strconv.FormatBool(!a.NoPipelining), a.NoPipelining != inherited.NoPipelining},
		keyValue{"pipeline_messages", quote(string(a.PipelineMessages.orAuto())), a.PipelineMessages.orAuto() != inherited.PipelineMessages.orAuto()},
		keyValue{"connections", strconv.Itoa(a.Connections), a.Connections != inherited.Connections},
		keyValue{"pace", quote(a.Pace.String()), a.Pace != inherited.Pace},
		keyValue{"in_doubt", quote(string(a.InDoubt)), a.InDoubt != inherited.InDoubt},
		keyValue{"timeout", quote(timeoutTOML(a.Timeout)), a.Timeout != inherited.Timeout})
	text("dkim_selector", a.DKIMSelector, inherited.DKIMSelector)
	text("set_from", a.SetFrom, inherited.SetFrom)
	return list
}

// keyValue is a key with its value in TOML. It is not needed where it says what
// is inherited anyway.
type keyValue struct {
	key, value string
	needed     bool
}

func timeoutTOML(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	return d.String()
}

func (s Secret) toml() string {
	switch {
	case s.Command != "":
		return "{ command = " + quote(s.Command) + " }"
	case s.File != "":
		return "{ file = " + quote(s.File) + " }"
	case s.Env != "":
		return "{ env = " + quote(s.Env) + " }"
	case s.Netrc == DefaultNetrc:
		return "{ netrc = true }"
	case s.Netrc != "":
		return "{ netrc = " + quote(s.Netrc) + " }"
	case s.Credential != "":
		return "{ credential = " + quote(s.Credential) + " }"
	}
	return "{ keyring = true }"
}

func (o OAuth2) toml() string {
	var parts []string
	add := func(key, value string) {
		if value != "" {
			parts = append(parts, key+" = "+quote(value))
		}
	}
	add("client_id", o.ClientID)
	add("client_secret", o.ClientSecret)
	add("tenant", o.Tenant)
	add("auth_url", o.AuthURL)
	add("token_url", o.TokenURL)
	add("device_url", o.DeviceURL)
	if len(o.Scopes) > 0 {
		parts = append(parts, "scopes = "+quoteAll(o.Scopes))
	}
	return inline(parts)
}

func inline(parts []string) string {
	if len(parts) == 0 {
		return "{}"
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

func quoteAll(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// quote writes a TOML basic string: what is readable stays so (TOML 1.0,
// section String).
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(r)):
			b.WriteByte(s[i]) // no UTF-8: no TOML either
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// dottedKey writes a path as TOML wants it: bare where it can be.
func dottedKey(path []string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = p
		if !isName(p) {
			parts[i] = quote(p)
		}
	}
	return strings.Join(parts, ".")
}
