package cli

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/yanmail/yan/internal/cli/clitest"

	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/testing/oauthtest"
	"github.com/yanmail/yan/sandboxtest"
)

// yan login asks the authorization server for consent, then uses the token at the mail server. The
// registration is stored in the configuration.
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
			d := newLoginDesk(t)
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
			if code != command.ExitOK {
				t.Fatalf("%d %s", code, errs)
			}
			if way == "browser" {
				if err := <-opened; err != nil {
					t.Error(err)
				}
				clitest.Wants(t, "the terminal", errs, "The browser asks for your consent", grants.AuthURL)
			} else {
				clitest.Wants(t, "the terminal", errs, "enter the code")
			}
			clitest.Wants(t, "the output", out, "Account work is ready; its secret is in the system keyring")
			clitest.Wants(t, "the keyring", d.kept(), "access_token")
			if d.config() != config {
				t.Errorf("the configuration changed:\n%s", d.config())
			}
			if strings.Contains(out+errs, "access_token") || len(grants.Problems()) > 0 {
				t.Errorf("problems %q", grants.Problems())
			}
			if code, _, errs := d.yan("send", "-t", "a@example.com", "-s", "hi", "-b", "x"); code != command.ExitOK {
				t.Errorf("sending: %d %s", code, errs)
			}
		})
	}
}

func TestLoginConsentRefused(t *testing.T) {
	t.Parallel()
	d := newLoginDesk(t)
	d.answers = []string{"2", ""} // with OAuth 2.0; no client ID
	code, _, errs := d.yan("login", "me@gmail.com", "--from", "me@gmail.com", "--oauth2", "device")
	if code == command.ExitOK {
		t.Errorf("%d %s", code, errs)
	}
	clitest.Wants(t, "the terminal", errs, "docs/oauth2.md", "Client ID")
	d.empty()
}

// Server errors are explained in the same way. A token that can't be renewed is reported as such.
func TestLoginOAuthServers(t *testing.T) {
	t.Parallel()
	grants := oauthtest.Start(t, oauthtest.Config{User: "me@example.org", NoRefresh: true})
	s := sandboxtest.Start(t, "plain", sandboxtest.WithTokens(func(_, token string) bool {
		_, ok := grants.Valid(token)
		return ok
	}))
	gone := "http://127.0.0.1:1/"
	for name, test := range map[string]struct {
		client, device, token string
		code                  int
		says                  string
	}{
		"no refresh token": {grants.ClientID(), grants.DeviceURL, grants.TokenURL, command.ExitOK, "returned no refresh token"},
		"unreachable":      {grants.ClientID(), gone, gone, command.ExitTemporary, "can't reach 127.0.0.1"},
		"bad client":       {"somebody", grants.DeviceURL, grants.TokenURL, command.ExitConfig, "refused the client ID"},
		"bad URL":          {grants.ClientID(), grants.DeviceURL, "http://login.example/", command.ExitConfig, "want a URL that starts with https://"},
		"nonsense":         {grants.ClientID(), grants.AuthURL, grants.TokenURL, command.ExitTemporary, "does not respond like an OAuth 2.0 server"},
	} {
		d := newLoginDesk(t)
		d.writes(fmt.Sprintf("version = 1\n\n[account.work]\nfrom = \"me@example.org\"\nserver = %q\nuser = \"me@example.org\"\ntls_ca = %q\n\n"+
			"[account.work.oauth2]\nclient_id = %q\nauth_url = %q\ntoken_url = %q\ndevice_url = %q\nscopes = [\"mail\"]\n",
			"smtps://"+s.TLSAddr(), s.CAFile(), test.client, grants.AuthURL, test.token, test.device))
		code, _, errs := d.yan("login", "work", "--oauth2", "device")
		if code != test.code {
			t.Errorf("%s: exit status %d: %s", name, code, errs)
		}
		clitest.Wants(t, name, errs, test.says)
		if (len(d.keyring) > 0) != (test.code == command.ExitOK) {
			t.Errorf("%s: the keyring holds %d", name, len(d.keyring))
		}
	}
}
