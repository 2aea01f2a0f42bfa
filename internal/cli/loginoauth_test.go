package cli

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/oauthtest"
	"github.com/yanmail/yan/sandboxtest"
)

// The consent of an authorization server, then the token at the mail server; the
// registration stands in the configuration.
func TestLoginWithOAuth(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"browser", "device"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			grants := oauthtest.Start(t, oauthtest.Config{User: "me@example.org"})
			s := sandboxtest.Start(t, "plain", sandboxtest.WithTokens(func(_, token string) bool {
				_, ok := grants.Valid(token)
				return ok
			}))
			d := newDesk(t)
			config := fmt.Sprintf("version = 1\n\n[account.work]\nfrom = \"me@example.org\"\nserver = %q\nuser = \"me@example.org\"\ntls_ca = %q\n\n"+
				"[account.work.oauth2]\nclient_id = %q\nauth_url = %q\ntoken_url = %q\ndevice_url = %q\nscopes = [\"mail\"]\n",
				"smtps://"+s.TLSAddr(), s.CAFile(), grants.ClientID(), grants.AuthURL, grants.TokenURL, grants.DeviceURL)
			d.writes(config)
			opened := make(chan error, 1)
			d.browse = func(url string) error {
				go func() {
					resp, err := http.Get(url)
					if err == nil {
						err = resp.Body.Close()
					}
					opened <- err
				}()
				return nil
			}
			code, out, errs := d.yan("login", "work", "--oauth2", way)
			if code != exitOK {
				t.Fatalf("%d %s", code, errs)
			}
			if way == "browser" {
				if err := <-opened; err != nil {
					t.Error(err)
				}
				wants(t, "the terminal", errs, "The browser asks for your consent", grants.AuthURL)
			} else {
				wants(t, "the terminal", errs, "type the code")
			}
			wants(t, "the output", out, "The account work is ready; its secret is in the keyring")
			wants(t, "the keyring", d.kept(), "access_token")
			if d.config() != config {
				t.Errorf("the configuration changed:\n%s", d.config())
			}
			if strings.Contains(out+errs, "access_token") || len(grants.Problems()) > 0 {
				t.Errorf("problems %q", grants.Problems())
			}
			if code, _, errs := d.yan("send", "-t", "a@example.com", "-s", "hi", "-b", "x"); code != exitOK {
				t.Errorf("sending: %d %s", code, errs)
			}
		})
	}
}

func TestLoginConsentRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.answers = []string{"2", ""} // with OAuth 2.0; no client id
	code, _, errs := d.yan("login", "me@gmail.com", "--from", "me@gmail.com", "--oauth2", "device")
	if code == exitOK {
		t.Errorf("%d %s", code, errs)
	}
	wants(t, "the terminal", errs, "docs/oauth2.md", "Client id")
	d.empty()
}
