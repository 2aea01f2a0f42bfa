package oauth_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/testing/oauthtest"
)

func TestBrowser(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		config oauthtest.Config
		change func(*oauth.Client)
		user   string
	}{
		{"public client", oauthtest.Config{}, nil, "test@example.test"},
		{"https", oauthtest.Config{TLS: true}, nil, "test@example.test"},
		{"hint", oauthtest.Config{}, func(c *oauth.Client) { c.LoginHint = "me@example.test" }, "me@example.test"},
		{"localhost", oauthtest.Config{}, func(c *oauth.Client) { c.RedirectHost = "localhost" }, "test@example.test"},
		{"secret", oauthtest.Config{ClientSecret: "s e=c&r+et"}, nil, "test@example.test"},
		{"secret in a header", oauthtest.Config{ClientSecret: "s e=c&r+et", BasicOnly: true}, nil, "test@example.test"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			test.config.Now = clock.now
			s := oauthtest.Start(t, test.config)
			c := clientOf(s)
			c.Secret, c.Now, c.AuthParams = test.config.ClientSecret, clock.now, map[string]string{"access_type": "offline"}
			hc := &http.Client{}
			if test.config.TLS {
				c.Roots = s.Roots()
				hc.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.Roots()}}
			}
			if test.change != nil {
				test.change(&c)
			}
			var b browser
			var asked, back *url.URL
			token, err := c.Browser(t.Context(), func(u string) error {
				asked, _ = url.Parse(u)
				back, _ = url.Parse(asked.Query().Get("redirect_uri"))
				return b.get(hc, u)
			})
			if err != nil {
				t.Fatal(err)
			}
			if user, ok := s.Valid(token.Access); !ok || user != test.user {
				t.Errorf("the token is of %q, %v", user, ok)
			}
			if want := clock.now().Add(time.Hour); !token.Expiry.Equal(want) || token.Refresh == "" {
				t.Errorf("expiry %v, want %v; refresh token %v", token.Expiry, want, token.Refresh != "")
			}
			if q := asked.Query(); q.Get("access_type") != "offline" || q.Get("scope") != "mail offline_access" {
				t.Errorf("asked with %v", q)
			}
			if want := c.RedirectHost; want != "" && back.Hostname() != want || want == "" && back.Hostname() != "127.0.0.1" {
				t.Errorf("redirect to %v", back)
			}
			if b.status != 200 || !strings.Contains(b.page, "授权成功") || !strings.Contains(b.page, "You are logged in") ||
				b.header.Get("Cache-Control") != "no-store" || !strings.Contains(b.header.Get("Content-Security-Policy"), "default-src 'none'") {
				t.Errorf("page %d %v:\n%s", b.status, b.header, b.page)
			}
			hasNone(t, b.page, token.Access, token.Refresh)
			noProblems(t, s)
		})
	}
}

// Requests other than the expected answer change nothing.
func TestBrowserStrays(t *testing.T) {
	t.Parallel()
	s := oauthtest.Start(t, oauthtest.Config{})
	token, err := clientOf(s).Browser(t.Context(), func(u string) error {
		asked, err := url.Parse(u)
		if err != nil {
			return err
		}
		state, back := asked.Query().Get("state"), asked.Query().Get("redirect_uri")
		for _, stray := range []struct {
			method, host, at string
			status           int
		}{
			{"GET", "", "/favicon.ico", 404},
			{"GET", "", "/x?code=a&state=" + state, 404},
			{"GET", "attacker.example", "/?code=a&state=" + state, 404},
			{"POST", "", "/?code=a&state=" + state, 405},
			{"GET", "", "/", 400},
			{"GET", "", "/?code=a", 400},
			{"GET", "", "/?code=a&state=x" + state, 400},
			{"GET", "", "/?error=access_denied&state=other", 400},
			{"GET", "", "/?code=a;b&state=" + state, 400},
		} {
			req, err := http.NewRequest(stray.method, back+stray.at, nil)
			if err != nil {
				return err
			}
			if stray.host != "" {
				req.Host = stray.host
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			_ = resp.Body.Close()
			if resp.StatusCode != stray.status {
				t.Errorf("%s %s: status %d, want %d", stray.method, stray.at, resp.StatusCode, stray.status)
			}
		}
		var b browser
		return b.get(http.DefaultClient, u)
	})
	if _, ok := s.Valid(token.Access); err != nil || !ok {
		t.Errorf("token valid %v, error %v", ok, err)
	}
	if n := s.Calls().Code; n != 1 {
		t.Errorf("%d codes were redeemed", n)
	}
}

func TestBrowserAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		query   string // "" sends the request to the server
		prepare func(*oauthtest.Server)
		problem oauth.Problem
		is      error
		page    string
		says    string
	}{
		{"denied", "", func(s *oauthtest.Server) { s.SetConsent("access_denied") }, oauth.Denied, oauth.ErrDenied, "您没有同意授权", "log in again"},
		{"scope", "", func(s *oauthtest.Server) { s.SetConsent("invalid_scope") }, oauth.BadScope, nil, "授权没有完成", "invalid_scope: what the user"},
		{"other", "", func(s *oauthtest.Server) { s.SetConsent("interaction_required") }, oauth.Rejected, nil, "授权没有完成", "127.0.0.1 refused"},
		{"no code", "?state=STATE", nil, oauth.Failing, nil, "授权没有完成", "without a code"},
		{"two codes", "?code=a&code=b&state=STATE", nil, oauth.Failing, nil, "授权没有完成", "without a code"},
		{"wrong code", "?code=a&state=STATE", nil, oauth.Rejected, nil, "授权没有完成", "invalid_grant"},
		{"outage", "", func(s *oauthtest.Server) { s.FailTokens(1, 503, "<html>access-verysecret") }, oauth.Failing, nil, "授权没有完成", "HTTP status 503"},
		{"terminal", "?error=x%1b[31m%0ay&error_description=" + strings.Repeat("long%20", 200) + "&state=STATE", nil, oauth.Rejected, nil, "授权没有完成", `"x[31m y: long`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := oauthtest.Start(t, oauthtest.Config{})
			if test.prepare != nil {
				test.prepare(s)
			}
			var b browser
			token, err := clientOf(s).Browser(t.Context(), func(u string) error {
				if test.query == "" {
					return b.get(http.DefaultClient, u)
				}
				asked, err := url.Parse(u)
				if err != nil {
					return err
				}
				q := asked.Query()
				return b.get(http.DefaultClient, q.Get("redirect_uri")+strings.ReplaceAll(test.query, "STATE", q.Get("state")))
			})
			var e *oauth.Error
			if !errors.As(err, &e) || e.Problem != test.problem || test.is != nil && !errors.Is(err, test.is) || token.Access != "" {
				t.Fatalf("error %v (%+v)", err, e)
			}
			if !strings.Contains(err.Error(), test.says) || len(err.Error()) > 500 {
				t.Errorf("error %q, want %q in it", err, test.says)
			}
			if !strings.Contains(b.page, test.page) {
				t.Errorf("page %q, want %q in it", b.page, test.page)
			}
			hasNone(t, err.Error()+b.page, "verysecret", "\x1b")
		})
	}
}

// The answer is accepted once, even if the browser sends it twice at the same
// time.
func TestBrowserTwice(t *testing.T) {
	t.Parallel()
	s := oauthtest.Start(t, oauthtest.Config{})
	var pages [2]browser
	_, err := clientOf(s).Browser(t.Context(), func(u string) error {
		// The first answer is fetched from the server, and sent twice.
		hc := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := hc.Get(u)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		back := resp.Header.Get("Location")
		done := make(chan error, len(pages))
		for i := range pages {
			go func() { done <- pages[i].get(http.DefaultClient, back) }()
		}
		return errors.Join(<-done, <-done)
	})
	if err != nil {
		t.Fatal(err)
	}
	both := pages[0].page + pages[1].page
	if strings.Count(both, "授权成功") != 1 || strings.Count(both, "已经处理过了") != 1 || s.Calls().Code != 1 {
		t.Errorf("%d codes redeemed, pages:\n%s", s.Calls().Code, both)
	}
}

func TestBrowserEnds(t *testing.T) {
	t.Parallel()
	s := oauthtest.Start(t, oauthtest.Config{})
	broken := errors.New("no browser here")
	if _, err := clientOf(s).Browser(t.Context(), func(string) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("open failed: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := clientOf(s).Browser(ctx, func(string) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	c, clock := clientOf(s), newClock()
	c.Wait = clock.wait
	if _, err := c.Browser(t.Context(), func(string) error { return nil }); !errors.Is(err, oauth.ErrExpired) || !equal(clock.waits, durations(600)) {
		t.Errorf("no redirect: %v after %v", err, clock.waits)
	}
}

// Not parallel, so that no other test gets the port meanwhile.
func TestBrowserLeavesNothingOpen(t *testing.T) {
	s := oauthtest.Start(t, oauthtest.Config{})
	var back string
	_, err := clientOf(s).Browser(t.Context(), func(u string) error {
		asked, err := url.Parse(u)
		if err != nil {
			return err
		}
		back = asked.Query().Get("redirect_uri")
		var b browser
		return b.get(http.DefaultClient, u)
	})
	if err != nil {
		t.Fatal(err)
	}
	var b browser
	if err := b.get(http.DefaultClient, back); err == nil {
		t.Errorf("the port is still open: %s", b.page)
	}
}

func TestWrongClients(t *testing.T) {
	t.Parallel()
	good := oauth.Client{ID: "x", AuthURL: "https://a.example/a", TokenURL: "https://a.example/t", DeviceURL: "https://a.example/d"}
	never := func(string) error { t.Error("a page was opened"); return nil }
	for name, test := range map[string]struct {
		change  func(*oauth.Client)
		problem oauth.Problem
	}{
		"no id":       {func(c *oauth.Client) { c.ID = "" }, oauth.NoClientID},
		"no auth":     {func(c *oauth.Client) { c.AuthURL = "" }, oauth.BadURL},
		"no token":    {func(c *oauth.Client) { c.TokenURL = "" }, oauth.BadURL},
		"auth http":   {func(c *oauth.Client) { c.AuthURL = "http://a.example/a" }, oauth.BadURL},
		"token http":  {func(c *oauth.Client) { c.TokenURL = "http://a.example/t" }, oauth.BadURL},
		"device http": {func(c *oauth.Client) { c.DeviceURL = "http://127.0.0.1.example/d" }, oauth.BadURL},
		"user":        {func(c *oauth.Client) { c.TokenURL = "https://u:p@a.example/t" }, oauth.BadURL},
		"no host":     {func(c *oauth.Client) { c.TokenURL = "https:///t" }, oauth.BadURL},
		"no url":      {func(c *oauth.Client) { c.TokenURL = "https://a b" }, oauth.BadURL},
		"file":        {func(c *oauth.Client) { c.AuthURL = "file://localhost/etc/passwd" }, oauth.BadURL},
	} {
		c := good
		test.change(&c)
		_, err := c.Browser(t.Context(), never)
		var e *oauth.Error
		if !errors.As(err, &e) || e.Problem != test.problem {
			t.Errorf("%s: %v", name, err)
		}
		if name != "no auth" {
			source := oauth.TokenSource{Client: c, Token: oauth.Token{Refresh: "r"}}
			if _, err := source.Access(t.Context(), ""); !errors.As(err, &e) || e.Problem != test.problem {
				t.Errorf("%s: refresh: %v", name, err)
			}
		}
	}
	c := good
	c.ID = ""
	if _, err := c.Browser(t.Context(), never); !errors.Is(err, oauth.ErrNoClientID) {
		t.Errorf("no id: %v", err)
	}
}

// Neither fmt nor a log prints a secret.
func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	token := oauth.Token{Access: "access-secret", Refresh: "refresh-secret", Expiry: newClock().now()}
	client := oauth.Client{ID: "x", Secret: "client-secret", TokenURL: "https://a.example/t"}
	source := &oauth.TokenSource{Client: client, Token: token}
	var text strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&text, verb+verb+verb+"\n", token, client, source)
	}
	_, used, _, _ := start(t, oauthtest.Config{})
	replacement := mustAccess(t, used, used.Token.Access) // the remembered replacement is secret too
	fmt.Fprintf(&text, "%v%+v", used, used)
	hasNone(t, text.String(), replacement)
	text.WriteString(token.LogValue().String() + client.LogValue().String() + source.LogValue().String())
	hasNone(t, text.String(), "access-secret", "refresh-secret", "client-secret", "6163636573732d")
	if !strings.Contains(text.String(), "token until 2026-07-01T08:00:00Z") || !strings.Contains(text.String(), `client "x" of a.example`) {
		t.Errorf("text %s", text.String())
	}
}
