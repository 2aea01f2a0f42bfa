package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode"
)

// Any request to the loopback port without the state changes nothing.
func FuzzRedirect(f *testing.F) {
	for _, seed := range []string{"", "code=a", "code=a&state=x", "state=%zz", "error=access_denied&state=", "state=a&state=b", "a;b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := Client{ID: "x"}.redirect(context.Background(), 1)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, &http.Request{Method: http.MethodGet, Host: r.host, URL: &url.URL{Path: "/", RawQuery: query}})
		select {
		case <-r.done:
			t.Errorf("%q was taken for the answer", query)
		default:
		}
		if w.Code != http.StatusBadRequest {
			t.Errorf("%q: status %d", query, w.Code)
		}
	})
}

// A server's text is shown in one line, shortened, without the secret.
func FuzzCleaned(f *testing.F) {
	f.Add("AADSTS: refresh-secret\r\n\x1b[2J", "refresh-secret")
	f.Add("refresh\x00-secret", "refresh-secret")
	f.Fuzz(func(t *testing.T, text, secret string) {
		got := cleanText(text, secret)
		if len([]rune(got)) > 301 || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q became %q", text, got)
		}
		if len(secret) >= 8 && !strings.ContainsAny(secret, "*…") && strings.Contains(got, secret) {
			t.Errorf("%q shows %q", got, secret)
		}
	})
}

// Any answer of a token endpoint is a token that can be sent, or an error that
// does not contain it.
func FuzzTokenAnswer(f *testing.F) {
	for _, seed := range []string{`{}`, `{"access_token":"a","expires_in":"60"}`, `{"access_token":"a\n"}`, `{"error":"x","error_description":"y"}`,
		`{"access_token":"a","expires_in":1e300}`, `[]`, ``} {
		f.Add(200, "application/json", seed)
	}
	f.Add(400, "text/plain", "error=invalid_grant")
	f.Add(200, "text/plain", "access_token=a&expires_in=x")
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		if status < 200 || status > 599 {
			return
		}
		c := Client{ID: "x", TokenURL: "https://a.example/t"}
		hc := &http.Client{Transport: answering(func(*http.Request) *http.Response {
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body))}
		})}
		got, err := c.grantBy(context.Background(), hc, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"r"}})
		var e *Error
		switch {
		case err != nil:
			if !errors.As(err, &e) || got != (Token{}) {
				t.Errorf("token %v, error %v", got, err)
			}
		case got.Access == "" || strings.ContainsFunc(got.Access+got.Refresh, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
			t.Errorf("token %q, %q", got.Access, got.Refresh)
		default:
			if _, err := json.Marshal(got); err != nil {
				t.Errorf("it can't be stored: %v", err)
			}
		}
	})
}

type answering func(*http.Request) *http.Response

func (a answering) RoundTrip(req *http.Request) (*http.Response, error) { return a(req), nil }
