package serverflag

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/transport"
)

// ALL_PROXY is for all programs. An unsupported value is ignored, with one warning.
func TestAllProxyOfAnyKind(t *testing.T) {
	t.Parallel()
	for value, used := range map[string]bool{
		"socks5://127.0.0.1:1080": true, "socks5h://127.0.0.1:1080": true, "http://127.0.0.1:8080": true,
		"socks://127.0.0.1:29999/": true, "socks4://127.0.0.1:1080": false, "https://127.0.0.1:8443": false,
		"127.0.0.1:1080": false, "nonsense": false, "ftp://me:geheim@127.0.0.1:1": false,
	} {
		for _, lang := range []i18n.Language{i18n.English, i18n.Chinese} {
			a, _, errs := testApp(lang)
			a.Getenv = func(name string) string {
				if name == "ALL_PROXY" {
					return value
				}
				return ""
			}
			for range 2 {
				got, err := a.SystemProxy(transport.Server{Host: "smtp.example.org", Port: 465})
				if err != nil || (got == value) != used || !used && got != "" {
					t.Errorf("%s: %q, %v", value, got, err)
				}
			}
			said := errs.String()
			if used != (said == "") || !used && strings.Count(said, "ALL_PROXY") != 1 || strings.Contains(said, "geheim") {
				t.Errorf("%s: printed %q", value, said)
			}
			if used {
				if _, err := transport.ProxyDialer(value, nil); err != nil {
					t.Errorf("%s: %v", value, err)
				}
			}
		}
	}
}

func TestPrintableURLHidesWhatMayBeAPassword(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"smtps:me:secret@host", "smtps:/me:secret@host", "me:secret@host", "qq:secret@x"} {
		if got := PrintableURL(s); strings.Contains(got, "secret") {
			t.Errorf("printableURL(%q) = %q", s, got)
		}
	}
	if got := PrintableURL("qqq"); got != "qqq" {
		t.Errorf("got %q", got)
	}
}

func TestSystemProxy(t *testing.T) {
	t.Parallel()
	const proxy = "socks5://127.0.0.1:1080"
	for _, test := range []struct {
		env  map[string]string
		host string
		want string
	}{
		{nil, "smtp.example.org", ""},
		{map[string]string{"ALL_PROXY": proxy}, "smtp.example.org", proxy},
		{map[string]string{"all_proxy": proxy}, "smtp.example.org", proxy},
		{map[string]string{"ALL_PROXY": proxy}, "127.0.0.1", ""},
		{map[string]string{"ALL_PROXY": proxy}, "localhost", ""},
		{map[string]string{"ALL_PROXY": proxy}, "::1", ""},
		{map[string]string{"ALL_PROXY": proxy, "NO_PROXY": ".example.org"}, "smtp.example.org", ""},
		{map[string]string{"ALL_PROXY": proxy, "no_proxy": "other.example, smtp.example.org"}, "smtp.example.org", ""},
		{map[string]string{"ALL_PROXY": proxy, "NO_PROXY": "other.example"}, "smtp.example.org", proxy},
	} {
		a, _, _ := testApp(i18n.English)
		a.Getenv = func(name string) string { return test.env[name] }
		got, err := a.SystemProxy(transport.Server{Host: test.host, Port: 465})
		if err != nil || got != test.want {
			t.Errorf("%v, %s: %q %v, want %q", test.env, test.host, got, err, test.want)
		}
	}
}
