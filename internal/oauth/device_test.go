package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/testing/oauthtest"
)

func TestDevice(t *testing.T) {
	t.Parallel()
	const pending, slow = "authorization_pending", "slow_down"
	for _, test := range []struct {
		name    string
		polls   []string
		consent string
		fail    int // number of token requests that fail first
		is      error
		problem oauth.Problem
		waits   []time.Duration
	}{
		{name: "at once", waits: durations(2)},
		{name: "pending", polls: []string{pending, pending}, waits: durations(2, 2, 2)},
		{name: "slow down", polls: []string{slow, pending, slow}, waits: durations(2, 7, 7, 12)},
		{name: "denied", polls: []string{pending}, consent: "access_denied", is: oauth.ErrDenied, problem: oauth.Denied, waits: durations(2, 2)},
		{name: "declined", consent: "authorization_declined", is: oauth.ErrDenied, problem: oauth.Denied, waits: durations(2)},
		{name: "expired", polls: []string{pending}, consent: "expired_token", is: oauth.ErrExpired, problem: oauth.Expired, waits: durations(2, 2)},
		{name: "other", consent: "invalid_request", problem: oauth.Rejected, waits: durations(2)},
		{name: "outage", fail: 2, waits: durations(2, 4, 8)},
		{name: "long outage", fail: 6, problem: oauth.Failing, waits: durations(2, 4, 8, 16, 32, 60)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := oauthtest.Start(t, oauthtest.Config{ClientSecret: "x"})
			s.SetPolls(test.polls...)
			s.SetConsent(test.consent)
			s.FailTokens(test.fail, 500, "oops")
			c, clock := clientOf(s), newClock()
			c.Now, c.Wait, c.Secret = clock.now, clock.wait, "x"
			var shown []oauth.DeviceCode
			token, err := c.Device(t.Context(), func(d oauth.DeviceCode) error { shown = append(shown, d); return nil })
			var e *oauth.Error
			switch {
			case test.problem == "":
				if user, ok := s.Valid(token.Access); err != nil || !ok || user != "test@example.test" || token.Refresh == "" {
					t.Errorf("token %v of %q, %v, error %v", token, user, ok, err)
				}
			case !errors.As(err, &e) || e.Problem != test.problem || test.is != nil && !errors.Is(err, test.is):
				t.Errorf("error %v", err)
			}
			if !equal(clock.waits, test.waits) {
				t.Errorf("waited %v, want %v", clock.waits, test.waits)
			}
			if len(shown) != 1 || shown[0].Code != "WDJB-MJHT" || !strings.HasSuffix(shown[0].Complete, "?user_code=WDJB-MJHT") ||
				!shown[0].Expires.Equal(newClock().now().Add(10*time.Minute)) {
				t.Errorf("shown %+v", shown)
			}
			noProblems(t, s)
		})
	}
}

// A code that the user does not enter expires by the local clock too.
func TestDeviceExpiresByTheClock(t *testing.T) {
	t.Parallel()
	s := oauthtest.Start(t, oauthtest.Config{})
	var polls []string
	for range 1000 {
		polls = append(polls, "authorization_pending")
	}
	s.SetPolls(polls...)
	c, clock := clientOf(s), newClock()
	c.Now, c.Wait = clock.now, clock.wait
	_, err := c.Device(t.Context(), func(oauth.DeviceCode) error { return nil })
	if !errors.Is(err, oauth.ErrExpired) || s.Calls().Poll != 299 {
		t.Errorf("%d polls, error %v", s.Calls().Poll, err)
	}
}

func TestDeviceEnds(t *testing.T) {
	t.Parallel()
	s := oauthtest.Start(t, oauthtest.Config{})
	c := clientOf(s)
	broken := errors.New("no terminal")
	if _, err := c.Device(t.Context(), func(oauth.DeviceCode) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("show failed: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := c.Device(ctx, func(oauth.DeviceCode) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := c.Device(ctx, func(oauth.DeviceCode) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	if n := s.Calls().Poll; n != 0 {
		t.Errorf("%d polls", n)
	}
	c.ID = "another"
	var e *oauth.Error
	if _, err := c.Device(t.Context(), nil); !errors.As(err, &e) || e.Problem != oauth.BadClient {
		t.Errorf("unknown client: %v", err)
	}
	c.DeviceURL = ""
	if _, err := c.Device(t.Context(), nil); !errors.Is(err, oauth.ErrNoDevice) {
		t.Errorf("no device flow: %v", err)
	}
}

// Text of the server that would be unsafe on a terminal or in a browser is
// rejected.
func TestDeviceAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		change   map[string]any
		problem  oauth.Problem // "" if the code is shown
		complete string
		expires  time.Duration
		waits    []time.Duration
	}{
		{name: "usual", complete: "https://a.example/d?c=1", expires: 600 * time.Second, waits: durations(5)},
		{name: "no code", change: map[string]any{"device_code": ""}, problem: oauth.Failing},
		{name: "no user code", change: map[string]any{"user_code": nil}, problem: oauth.Failing},
		{name: "escape", change: map[string]any{"user_code": "A\x1b[2J"}, problem: oauth.Failing},
		{name: "script", change: map[string]any{"verification_uri": "javascript:alert(1)"}, problem: oauth.Failing},
		{name: "http", change: map[string]any{"verification_uri": "http://a.example/d"}, problem: oauth.Failing},
		{name: "complete http", change: map[string]any{"verification_uri_complete": "http://a.example/d"}, expires: 600 * time.Second, waits: durations(5)},
		{name: "Google's spelling", change: map[string]any{"verification_uri": nil, "verification_url": "https://a.example/d", "verification_uri_complete": nil}, expires: 600 * time.Second, waits: durations(5)},
		{name: "no end", change: map[string]any{"expires_in": nil, "verification_uri_complete": nil}, expires: 15 * time.Minute, waits: durations(5)},
		{name: "long", change: map[string]any{"expires_in": 1 << 30, "interval": 1 << 40, "verification_uri_complete": nil}, expires: time.Hour, waits: durations(3600)},
		{name: "no number", change: map[string]any{"expires_in": "soon"}, problem: oauth.Failing},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answer := map[string]any{"device_code": "secret", "user_code": "AB-12", "expires_in": 600,
				"verification_uri": "https://a.example/d", "verification_uri_complete": "https://a.example/d?c=1"}
			for name, value := range test.change {
				answer[name] = value
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(answer)
			}))
			defer server.Close()
			clock, enough := newClock(), errors.New("enough")
			c := oauth.Client{ID: "x", TokenURL: server.URL, DeviceURL: server.URL, Now: clock.now,
				Wait: func(_ context.Context, d time.Duration) error { clock.waits = append(clock.waits, d); return enough }}
			var shown oauth.DeviceCode
			_, err := c.Device(t.Context(), func(d oauth.DeviceCode) error { shown = d; return nil })
			var e *oauth.Error
			if test.problem != "" {
				if !errors.As(err, &e) || e.Problem != test.problem || shown.Code != "" {
					t.Errorf("shown %+v, error %v", shown, err)
				}
				return
			}
			if !errors.Is(err, enough) || shown.Code != "AB-12" || shown.URL != "https://a.example/d" || shown.Complete != test.complete ||
				!shown.Expires.Equal(clock.now().Add(test.expires)) || !equal(clock.waits, test.waits) {
				t.Errorf("shown %+v, waits %v, error %v", shown, clock.waits, err)
			}
		})
	}
}
