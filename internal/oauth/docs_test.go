package oauth_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/provider"
)

// The guides match the program.
func TestGuides(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile("(?s)```toml\n(.*?)```")
	for _, name := range []string{"oauth2.md", "oauth2.zh-CN.md"} {
		content, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		guide := string(content)
		for _, word := range []string{"--oauth2 browser", "--oauth2 device", "--client-id", "--client-secret", "http://localhost", "http://127.0.0.1", "SMTP.Send", "offline_access", "mail:smtp"} {
			if !strings.Contains(guide, word) {
				t.Errorf("%s lacks %s", name, word)
			}
		}
		for _, e := range []oauth.Error{{Problem: oauth.ConsentEnded}, {Problem: oauth.StillRefused}, {Problem: oauth.BadClient, Host: "x"}} {
			what, _, _ := strings.Cut(strings.TrimPrefix(e.Error(), "x "), ";")
			if !strings.Contains(guide, what) {
				t.Errorf("%s does not explain %q", name, what)
			}
		}
		blocks := block.FindAllStringSubmatch(guide, -1)
		if len(blocks) != 2 {
			t.Fatalf("%s has %d configurations", name, len(blocks))
		}
		for i, b := range blocks {
			path := filepath.Join(t.TempDir(), "config.toml")
			if err := os.WriteFile(path, []byte(b[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			file, err := account.Load(path)
			if err != nil {
				t.Fatalf("%s, configuration %d: %v", name, i+1, err)
			}
			for _, a := range file.Accounts() {
				if c, ok := a.OAuth2Client(); !ok || c.Server.TokenURL == "" || c.Server.DeviceURL == "" || len(strings.Fields(c.Server.Scope)) != 2 {
					t.Errorf("%s, account %s: %v", name, a.Name, c)
				}
			}
		}
	}
	// The commands name the providers that have the flow in question.
	for id, device := range map[string]bool{"gmail": false, "outlook": true, "yandex": true} {
		p, _ := provider.ByID(id)
		if c, ok := oauth.ForProvider(p); !ok || (c.DeviceURL != "") != device {
			t.Errorf("%s: device flow %q", id, c.DeviceURL)
		}
	}
}
