package account

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yanmail/yan/internal/localerr"
)

type secretSettings struct {
	Command    string `toml:"command"`
	File       string `toml:"file"`
	Env        string `toml:"env"`
	Netrc      any    `toml:"netrc"` // true, or the path of the file
	Credential string `toml:"credential"`
	Keyring    bool   `toml:"keyring"` // the default if no other key is set
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

func optional[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// parseTimeout parses "30s"; "" and "0" mean none.
func parseTimeout(s string) (time.Duration, error) {
	if s == "" || s == "0" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, localerr.New("want a time with its unit, like 30s or 5m")
	}
	return d, nil
}

func (s secretSettings) toSecret() (Secret, error) {
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
		return secret, localerr.New("netrc: want true, or a file")
	}
	if s.Keyring && secret != (Secret{}) {
		return secret, errSeveralPlaces
	}
	return secret, nil
}

func timeoutText(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return d.String()
}

func timeoutTOML(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	return d.String()
}

func (s Secret) asTOML() string {
	switch {
	case s.Command != "":
		return "{ command = " + quoteTOML(s.Command) + " }"
	case s.File != "":
		return "{ file = " + quoteTOML(s.File) + " }"
	case s.Env != "":
		return "{ env = " + quoteTOML(s.Env) + " }"
	case s.Netrc == DefaultNetrc:
		return "{ netrc = true }"
	case s.Netrc != "":
		return "{ netrc = " + quoteTOML(s.Netrc) + " }"
	case s.Credential != "":
		return "{ credential = " + quoteTOML(s.Credential) + " }"
	}
	return "{ keyring = true }"
}

func (o OAuth2) asTOML() string {
	var parts []string
	add := func(key, value string) {
		if value != "" {
			parts = append(parts, key+" = "+quoteTOML(value))
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
	return inlineTable(parts)
}

func inlineTable(parts []string) string {
	if len(parts) == 0 {
		return "{}"
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

func quoteAll(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quoteTOML(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// quoteTOML writes a TOML basic string and leaves printable characters as they are (TOML 1.0, section
// String).
func quoteTOML(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(r)):
			b.WriteByte(s[i]) // invalid UTF-8, so not TOML either
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

// dottedKey writes a path as a TOML key, bare where possible.
func dottedKey(path []string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = p
		if !isName(p) {
			parts[i] = quoteTOML(p)
		}
	}
	return strings.Join(parts, ".")
}
