package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/testing/oauthtest"
	"github.com/yanmail/yan/provider"
)

// refreshAt refreshes a token at a server with the given handler.
func refreshAt(t *testing.T, answer http.HandlerFunc) (oauth.Token, error) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	var k kept
	source := oauth.TokenSource{Client: oauth.Client{ID: "x", Secret: "client-secret", TokenURL: server.URL, Now: newClock().now},
		Token: oauth.Token{Refresh: "refresh-secret"}, Save: k.save}
	_, err := source.Access(t.Context(), "")
	return k.last(), err
}

func TestAnswersOfTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	start := newClock().now()
	for _, test := range []struct {
		name, kind, body string
		want             oauth.Token
		problem          oauth.Problem
		says             string
	}{
		{name: "usual", body: `{"access_token":"a","token_type":"Bearer","expires_in":3599,"refresh_token":"r"}`,
			want: oauth.Token{Access: "a", Refresh: "r", Expiry: start.Add(3599 * time.Second)}},
		{name: "the old refresh token", body: `{"access_token":"a","token_type":"bearer","expires_in":60}`,
			want: oauth.Token{Access: "a", Refresh: "refresh-secret", Expiry: start.Add(time.Minute)}},
		{name: "in quotes", body: `{"access_token":"a","expires_in":"60"}`,
			want: oauth.Token{Access: "a", Refresh: "refresh-secret", Expiry: start.Add(time.Minute)}},
		{name: "a form", kind: "application/x-www-form-urlencoded", body: `access_token=a&expires_in=60&refresh_token=r`,
			want: oauth.Token{Access: "a", Refresh: "r", Expiry: start.Add(time.Minute)}},
		{name: "no end", body: `{"access_token":"a"}`, want: oauth.Token{Access: "a", Refresh: "refresh-secret"}},
		{name: "ended", body: `{"access_token":"a","expires_in":-5}`, want: oauth.Token{Access: "a", Refresh: "refresh-secret"}},
		{name: "far away", body: `{"access_token":"a","expires_in":9e18}`, problem: oauth.Failing, says: "can't be understood"},
		{name: "a century", body: `{"access_token":"a","expires_in":3153600000}`,
			want: oauth.Token{Access: "a", Refresh: "refresh-secret", Expiry: start.Add(10 * 365 * 24 * time.Hour)}},
		{name: "another type", body: `{"access_token":"a","token_type":"mac"}`, problem: oauth.Failing, says: "another type"},
		{name: "control characters", body: `{"access_token":"a\u0001\r\nQUIT"}`, problem: oauth.Failing, says: "forbidden characters"},
		{name: "a refresh token of lines", body: `{"access_token":"a","refresh_token":"r\n"}`, problem: oauth.Failing, says: "forbidden characters"},
		{name: "nothing", body: `{}`, problem: oauth.Failing, says: "can't be understood"},
		{name: "empty", body: ``, problem: oauth.Failing, says: "can't be understood"},
		{name: "HTML", kind: "text/html", body: `<html>`, problem: oauth.Failing, says: "can't be understood"},
		{name: "an error with 200", body: `{"error":"invalid_scope"}`, problem: oauth.BadScope, says: "invalid_scope"},
		{name: "long", body: `{"access_token":"` + strings.Repeat("a", 300_000) + `"}`, problem: oauth.Failing, says: "too long"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := refreshAt(t, func(w http.ResponseWriter, _ *http.Request) {
				if test.kind == "" {
					test.kind = "application/json"
				}
				w.Header().Set("Content-Type", test.kind)
				_, _ = io.WriteString(w, test.body)
			})
			if test.problem == "" {
				if err != nil || got != test.want {
					t.Errorf("token %q %q %v, error %v", got.Access, got.Refresh, got.Expiry, err)
				}
				return
			}
			if e := problemOf(t, err); e.Problem != test.problem || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// A server's words in a refusal are shown without secrets.
func TestRefusalsShowNoSecrets(t *testing.T) {
	t.Parallel()
	jwt := "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0eyJzdWIiOiJtZSJ9"
	for _, test := range []struct {
		status  int
		code    string
		problem oauth.Problem
	}{
		{400, "invalid_request", oauth.Rejected}, {401, "invalid_client", oauth.BadClient}, {400, "unauthorized_client", oauth.BadClient},
		{400, "deleted_client", oauth.BadClient}, {400, "invalid_scope", oauth.BadScope}, {400, "invalid_grant", oauth.ConsentEnded},
		{500, "server_error", oauth.Failing}, {503, "odd", oauth.Failing}, {500, "", oauth.Failing}, {302, "", oauth.Failing},
	} {
		asked := 0
		_, err := refreshAt(t, func(w http.ResponseWriter, req *http.Request) {
			asked++
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(test.status)
			_ = req.ParseForm()
			_, _ = fmt.Fprintf(w, `{"error":%q,"error_description":"AADSTS7000218: not\u0007 with %s and %s and\n%s","access_token":%q}`,
				test.code, "refresh-secret", "client-secret", jwt, jwt)
		})
		e := problemOf(t, err)
		if e.Problem != test.problem || test.code != "" && e.Code != test.code {
			t.Errorf("%d %s: %+v", test.status, test.code, e)
		}
		if !strings.Contains(err.Error(), "AADSTS7000218: not with **** and **** and ****") {
			t.Errorf("%d %s: %q", test.status, test.code, err)
		}
		hasNone(t, fmt.Sprintf("%v %+v %#v %q", err, err, *e, err), "refresh-secret", "client-secret", jwt)
		// With a secret, an unknown client tries the header too.
		if want := map[bool]int{true: 2, false: 1}[test.code == "invalid_client"]; asked != want {
			t.Errorf("%d %s: asked %d times", test.status, test.code, asked)
		}
	}
}

// A client without a secret does not try the header.
func TestUnknownPublicClient(t *testing.T) {
	t.Parallel()
	s := oauthtest.Start(t, oauthtest.Config{})
	c := clientOf(s)
	c.ID = "unknown"
	source := oauth.TokenSource{Client: c, Token: oauth.Token{Refresh: s.Grant("me").Refresh}}
	_, err := source.Access(t.Context(), "")
	if problemOf(t, err).Problem != oauth.BadClient || s.Calls().Refresh != 1 {
		t.Errorf("%v after %d requests", err, s.Calls().Refresh)
	}
}

func TestUntrustedServer(t *testing.T) {
	t.Parallel()
	s := oauthtest.Start(t, oauthtest.Config{TLS: true})
	source := oauth.TokenSource{Client: clientOf(s), Token: oauth.Token{Refresh: s.Grant("me").Refresh}}
	_, err := source.Access(t.Context(), "")
	if e := problemOf(t, err); e.Problem != oauth.Untrusted || !strings.Contains(err.Error(), "the certificate of 127.0.0.1 is not trusted") {
		t.Errorf("error %v", err)
	}
	source.Client.Roots = s.Roots()
	if _, ok := s.Valid(mustAccess(t, &source, "")); !ok {
		t.Error("the token is not valid")
	}
}

func TestSilentServer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body) // so that the server notices a closed connection
		cancel()
		<-req.Context().Done()
	}))
	defer server.Close()
	c := oauth.Client{ID: "x", TokenURL: server.URL, DeviceURL: server.URL}
	_, err := c.Device(ctx, nil)
	if e := (*oauth.Error)(nil); !errors.Is(err, context.Canceled) || errors.As(err, &e) {
		t.Errorf("error %v", err)
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked = append(asked, req.Method+" "+req.Host)
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()
	source := oauth.TokenSource{Client: oauth.Client{ID: "x", TokenURL: "https://login.example/token", Proxy: proxy.URL}, Token: oauth.Token{Refresh: "r"}}
	_, err := source.Access(t.Context(), "")
	if problemOf(t, err).Problem != oauth.Unreachable || len(asked) != 1 || asked[0] != "CONNECT login.example:443" {
		t.Errorf("error %v, the proxy was asked for %q", err, asked)
	}
	source = oauth.TokenSource{Client: oauth.Client{ID: "x", TokenURL: nobody, Proxy: "user:pass word@proxy"}, Token: oauth.Token{Refresh: "r"}}
	_, err = source.Access(t.Context(), "")
	if problemOf(t, err).Problem != oauth.BadURL {
		t.Errorf("error %v", err)
	}
	hasNone(t, err.Error(), "pass word")
}

func TestForProvider(t *testing.T) {
	t.Parallel()
	find := func(id string) oauth.Client {
		p, known := provider.ByID(id)
		c, ok := oauth.ForProvider(p)
		if !known || !ok {
			t.Fatalf("%s has no authorization server", id)
		}
		return c
	}
	google := find("gmail")
	if google.TokenURL != "https://oauth2.googleapis.com/token" || google.DeviceURL != "" || google.RedirectHost != "" ||
		google.AuthParams["access_type"] != "offline" || google.AuthParams["prompt"] != "consent" || google.Scopes[0] != "https://mail.google.com/" {
		t.Errorf("Google: %+v", google.AuthParams)
	}
	microsoft := find("office365")
	if microsoft.DeviceURL != "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode" || microsoft.RedirectHost != "localhost" ||
		len(microsoft.Scopes) != 2 || microsoft.Scopes[1] != "offline_access" {
		t.Errorf("Microsoft: %v %v", microsoft.DeviceURL, microsoft.Scopes)
	}
	p, _ := provider.ByID("gmail")
	c, _ := oauth.ForProvider(p)
	c.AuthParams["prompt"] = "x"
	if p.Auth.OAuth2.AuthParams["prompt"] != "consent" {
		t.Error("a caller can change the provider's facts")
	}
	qq, _ := provider.ByID("qq")
	if _, ok := oauth.ForProvider(qq); ok {
		t.Error("QQ has an authorization server")
	}
	servers := 0
	for _, p := range provider.All() {
		c, ok := oauth.ForProvider(p)
		if !ok {
			continue
		}
		servers++
		// Each accepts a request: the first error is the missing client id.
		if _, err := c.Browser(t.Context(), nil); !errors.Is(err, oauth.ErrNoClientID) || len(c.Scopes) == 0 {
			t.Errorf("%s: %v", p.ID, err)
		}
	}
	if servers < 5 {
		t.Errorf("%d servers", servers)
	}
}

// Requests to this machine bypass the proxy, which would take localhost for
// itself, and see the refresh token in the clear.
func TestNoProxyToThisMachine(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(proxy.Close)
	for _, url := range []string{"http://127.0.0.1:1/t", "http://localhost:1/t", "http://[::1]:1/t", "http://127.9.9.9:1/t"} {
		s := &oauth.TokenSource{Client: oauth.Client{ID: "x", TokenURL: url, Proxy: proxy.URL}, Token: oauth.Token{Refresh: "refresh token"}}
		if _, err := s.Access(t.Context(), ""); err == nil {
			t.Errorf("%s: no error", url)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the proxy was asked %d times", n)
	}
	s := &oauth.TokenSource{Client: oauth.Client{ID: "x", TokenURL: "https://id.example/t", Proxy: proxy.URL}, Token: oauth.Token{Refresh: "refresh token"}}
	if _, err := s.Access(t.Context(), ""); err == nil || asked.Load() != 1 {
		t.Errorf("the proxy is not used at all: %v", err)
	}
}
