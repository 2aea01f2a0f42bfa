package oauth_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/testing/oauthtest"
)

// clock is a clock that advances with each wait.
type clock struct {
	mu    sync.Mutex
	time  time.Time
	waits []time.Duration
}

func newClock() *clock { return &clock{time: time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.time = c.time.Add(d)
}

func (c *clock) wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, d)
	c.time = c.time.Add(d)
	return ctx.Err()
}

// nobody is a URL where no server listens. The port of a closed server may be
// reused by another test.
const nobody = "http://127.0.0.1:1/token"

// clientOf returns a client that the server has registered.
func clientOf(s *oauthtest.Server) oauth.Client {
	return oauth.Client{
		ID: s.ClientID(), AuthURL: s.AuthURL, TokenURL: s.TokenURL, DeviceURL: s.DeviceURL,
		Scopes: []string{"mail", "offline_access"},
	}
}

// noProblems fails the test if a client violated the RFCs.
func noProblems(t *testing.T, s *oauthtest.Server) {
	t.Helper()
	if got := s.Problems(); len(got) > 0 {
		t.Errorf("problems: %q", got)
	}
}

// browser imitates a user's browser.
type browser struct {
	status int
	page   string
	header http.Header
}

func (b *browser) get(hc *http.Client, url string) error {
	resp, err := hc.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	b.status, b.page, b.header = resp.StatusCode, string(body), resp.Header
	return err
}

// hasNone fails the test if a text contains one of the secrets.
func hasNone(t *testing.T, text string, secrets ...string) {
	t.Helper()
	if len(secrets) == 0 {
		t.Fatal("no secrets to search for")
	}
	for _, secret := range secrets {
		if secret == "" {
			t.Fatal("an empty secret")
		}
		if strings.Contains(text, secret) {
			t.Errorf("%q shows %q", text, secret)
		}
	}
}

func durations(seconds ...int) []time.Duration {
	var list []time.Duration
	for _, s := range seconds {
		list = append(list, time.Duration(s)*time.Second)
	}
	return list
}

func equal(a, b []time.Duration) bool { return slices.Equal(a, b) }
