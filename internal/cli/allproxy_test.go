package cli

import (
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/words"
	"github.com/yanmail/yan/transport"
)

// ALL_PROXY is for all programs. What it says in a way that yan does not know stops
// nothing, and is said once.
func TestAllProxyOfAnyKind(t *testing.T) {
	t.Parallel()
	for value, used := range map[string]bool{
		"socks5://127.0.0.1:1080": true, "socks5h://127.0.0.1:1080": true, "http://127.0.0.1:8080": true,
		"socks://127.0.0.1:29999/": true, "socks4://127.0.0.1:1080": false, "https://127.0.0.1:8443": false,
		"127.0.0.1:1080": false, "nonsense": false, "ftp://me:geheim@127.0.0.1:1": false,
	} {
		for _, lang := range []words.Language{words.English, words.Chinese} {
			a, _, errs := testApp(lang)
			a.Getenv = func(name string) string {
				if name == "ALL_PROXY" {
					return value
				}
				return ""
			}
			for range 2 {
				got, err := a.systemProxy(transport.Server{Host: "smtp.example.org", Port: 465})
				if err != nil || (got == value) != used || !used && got != "" {
					t.Errorf("%s: %q, %v", value, got, err)
				}
			}
			said := errs.String()
			if used != (said == "") || !used && strings.Count(said, "ALL_PROXY") != 1 || strings.Contains(said, "geheim") {
				t.Errorf("%s: said %q", value, said)
			}
			if used {
				if _, err := transport.ProxyDialer(value, nil); err != nil {
					t.Errorf("%s: %v", value, err)
				}
			}
		}
	}
}
