package discover

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// show returns a configuration as text, line by line.
func show(c config) string {
	var b strings.Builder
	for _, s := range c.servers {
		fmt.Fprintf(&b, "%s %s user=%q oauth2=%v\n", s.endpoint, s.tls, s.user, s.oauth2)
	}
	if c.imap != (endpoint{}) {
		fmt.Fprintf(&b, "%s\n", c.imap.url("imap", 0))
	}
	for _, r := range c.refused {
		fmt.Fprintf(&b, "not %s: %v\n", r.what, r.err)
	}
	return b.String()
}

func TestConfigurations(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"full.xml": `smtp.example.com:465 implicit user="me.example.com" oauth2=false
xn--5nq051n.example.com:587 starttls user="" oauth2=true
imap://imap.example.com:143
not plain.example.com:25: the server is not encrypted
`,
		"gbk.xml": "smtp.example.com:465 implicit user=\"邮件-me\" oauth2=false\n",
	} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := parseConfig(text, parse(t, "me@example.com"))
		if got := show(c); err != nil || got != want {
			t.Errorf("%s: %v, got\n%swant\n%s", name, err, got, want)
		}
	}
}

// A server with one mistake each.
func TestServersOfAConfiguration(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ host, port, socket, user, want string }{
		{"smtp.example.com", "465", "SSL", "x", `smtp.example.com:465 implicit user="x" oauth2=false`},
		{"smtp.example.com.", "465", "SSL", "100%", `smtp.example.com:465 implicit user="100%" oauth2=false`},
		{"smtp.example.com", "465", "SSL", "%EMAILLOCALPART%%EMAILDOMAIN%", `smtp.example.com:465 implicit user="meexample.com" oauth2=false`},
		{"smtp.example.com", "465", "SSL", "%EMAILLOCALPART%.%REALNAME%", `smtp.example.com:465 implicit user="" oauth2=false`},
		{"smtp.example.com", "0", "SSL", "x", "not smtp.example.com:0: the port is not a number from 1 to 65535"},
		{"smtp.example.com", "65536", "SSL", "x", "not smtp.example.com:65536: the port is not a number from 1 to 65535"},
		{"smtp.example.com", "-1", "SSL", "x", "not smtp.example.com:-1: the port is not a number from 1 to 65535"},
		{"smtp.example.com", "", "SSL", "x", "not smtp.example.com:: the port is not a number from 1 to 65535"},
		{"smtp.example.com", "465", "", "x", "not smtp.example.com:465: the encryption is not known"},
		{"smtp.example.com", "465", "Plain", "x", "not smtp.example.com:465: the server is not encrypted"},
		{"", "465", "SSL", "x", "not :465: not a host name"},
		{"localhost", "465", "SSL", "x", "not localhost:465: not a host name"},
		{"192.0.2.1", "465", "SSL", "x", "not 192.0.2.1:465: not a host name"},
		{"[2001:db8::1]", "465", "SSL", "x", "not [2001:db8::1]:465: not a host name"},
		{"smtp.example.com/x", "465", "SSL", "x", "not smtp.example.com/x:465: not a host name"},
		{"evil.example&#10;x", "465", "SSL", "x", "not evil.examplex:465: not a host name"},
		{"me@smtp.example.com", "465", "SSL", "x", "not me@smtp.example.com:465: not a host name"},
		{strings.Repeat("x", 300), "465", "SSL", "x", "not " + strings.Repeat("x", 100) + "…:465: not a host name"},
		{"smtp.example.com", "465", "SSL", "x&#13;&#10;QUIT", "not smtp.example.com:465: the user name is longer than 255 octets or holds what can't be seen"},
		{"smtp.example.com", "465", "SSL", "ok&#x202E;fdp", "not smtp.example.com:465: the user name is longer than 255 octets or holds what can't be seen"},
		{"smtp.example.com", "465", "SSL", "ok&#x200B;", "not smtp.example.com:465: the user name is longer than 255 octets or holds what can't be seen"},
		{"smtp.example.com", "465", "SSL", "&#xAD;me", "not smtp.example.com:465: the user name is longer than 255 octets or holds what can't be seen"},
	} {
		text := fmt.Sprintf(`<clientConfig><emailProvider><outgoingServer type="smtp"><hostname>%s</hostname><port>%s</port><socketType>%s</socketType><username>%s</username></outgoingServer></emailProvider></clientConfig>`,
			test.host, test.port, test.socket, test.user)
		c, err := parseConfig([]byte(text), parse(t, "me@example.com"))
		if got := strings.TrimSpace(show(c)); err != nil || got != test.want {
			t.Errorf("%v, got\n%s\nwant\n%s", err, got, test.want)
		}
	}
}

func TestTooManyServersOfAConfiguration(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range maxServers + 1 {
		many = append(many, fmt.Sprintf("smtp%d.example.com 465 SSL x", i))
	}
	c, err := parseConfig([]byte(configuration(many...)), parse(t, "me@example.com"))
	if err != nil || len(c.servers) != maxServers || len(c.refused) != 1 || c.refused[0].err.Error() != "more than 8 servers" {
		t.Errorf("%v\n%s", err, show(c))
	}
}

// For any configuration, the resulting servers can be dialled and logged in to,
// and no raw text reaches a terminal.
func FuzzParseConfig(f *testing.F) {
	for _, name := range []string{"full.xml", "gbk.xml"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "me@example.com")
	}
	f.Add([]byte(configuration("smtp.%EMAILDOMAIN% 587 STARTTLS %EMAILADDRESS% OAuth2")), "雁@例子.example")
	f.Fuzz(func(t *testing.T, text []byte, address string) {
		a, err := smtp.ParseAddress(address)
		if err != nil {
			t.Skip()
		}
		c, err := parseConfig(text, a)
		if err != nil {
			return
		}
		if len(c.servers) > maxServers || len(c.servers)+len(c.refused) == 0 {
			t.Errorf("%d servers, %d refused", len(c.servers), len(c.refused))
		}
		for _, s := range c.servers {
			if err := (smtpclient.Config{Host: s.host, Port: s.port}).Check(); err != nil || s.port < 1 || s.port > 65535 || !s.tls.Encrypted() {
				t.Errorf("%+v: %v", s, err)
			}
			if again, err := hostName(s.host); err != nil || again != s.host {
				t.Errorf("host %q is %q, %v", s.host, again, err)
			}
			if strings.ContainsAny(s.user, "\r\n\x00") {
				t.Errorf("user %q", s.user)
			}
		}
		for _, r := range c.refused {
			if strings.ContainsAny(r.what, "\r\n\x00\x1b") || len(r.what) > 300 {
				t.Errorf("refused %q", r.what)
			}
		}
	})
}
