package oauth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yanmail/yan/internal/files/filelock"
	"github.com/yanmail/yan/internal/oauth"
	"github.com/yanmail/yan/internal/testing/oauthtest"
)

// kept is a store of tokens.
type kept struct {
	mu     sync.Mutex
	tokens []oauth.Token
	err    error
}

func (k *kept) save(_ context.Context, t oauth.Token) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tokens = append(k.tokens, t)
	return k.err
}

func (k *kept) last() oauth.Token {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.tokens) == 0 {
		return oauth.Token{}
	}
	return k.tokens[len(k.tokens)-1]
}

// start returns a source with a new consent.
func start(t *testing.T, config oauthtest.Config) (*oauthtest.Server, *oauth.TokenSource, *clock, *kept) {
	t.Helper()
	clock, k := newClock(), &kept{}
	config.Now = clock.now
	s := oauthtest.Start(t, config)
	given := s.Grant("me@example.test")
	c := clientOf(s)
	c.Now = clock.now
	source := &oauth.TokenSource{Client: c, Save: k.save,
		Token: oauth.Token{Access: given.Access, Refresh: given.Refresh, Expiry: given.Expiry}}
	t.Cleanup(func() { noProblems(t, s) })
	return s, source, clock, k
}

func mustAccess(t *testing.T, source *oauth.TokenSource, refused string) string {
	t.Helper()
	access, err := source.Access(t.Context(), refused)
	if err != nil {
		t.Fatal(err)
	}
	return access
}

func problemOf(t *testing.T, err error) *oauth.Error {
	t.Helper()
	var e *oauth.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v is not an *oauth.Error", err)
	}
	return e
}

func TestSourceRefreshesWhatExpires(t *testing.T) {
	t.Parallel()
	s, source, clock, k := start(t, oauthtest.Config{})
	first := source.Token.Access
	for _, step := range []struct {
		after     time.Duration
		refreshes int
	}{{0, 0}, {58 * time.Minute, 0}, {59 * time.Minute, 1}, {60 * time.Minute, 1}, {117 * time.Minute, 1}, {118 * time.Minute, 2}} {
		clock.advance(newClock().now().Add(step.after).Sub(clock.now()))
		access := mustAccess(t, source, "")
		if _, ok := s.Valid(access); !ok || s.Calls().Refresh != step.refreshes || (access == first) != (step.refreshes == 0) {
			t.Errorf("after %v: valid %v, %d refreshes", step.after, ok, s.Calls().Refresh)
		}
	}
	if len(k.tokens) != 2 || k.last().Refresh == "" || !k.last().Expiry.Equal(clock.now().Add(time.Hour)) {
		t.Errorf("kept %v", k.tokens)
	}
}

// A token without an expiry is used until it is refused.
func TestSourceWithoutAnEnd(t *testing.T) {
	t.Parallel()
	s, source, clock, _ := start(t, oauthtest.Config{Lifetime: -1})
	first := source.Token.Access
	clock.advance(1000 * time.Hour)
	if mustAccess(t, source, "") != first {
		t.Error("the token was replaced")
	}
	s.Revoke(first)
	second := mustAccess(t, source, first)
	if _, ok := s.Valid(second); !ok {
		t.Error("the second is not valid")
	}
	clock.advance(1000 * time.Hour)
	if mustAccess(t, source, "") != second {
		t.Error("the token was replaced")
	}
}

func TestSourceRefreshesWhatIsRefused(t *testing.T) {
	t.Parallel()
	s, source, clock, _ := start(t, oauthtest.Config{})
	first := source.Token.Access
	s.Revoke(first)
	second := mustAccess(t, source, first)
	if _, ok := s.Valid(second); !ok || second == first {
		t.Fatal("the second is not valid")
	}
	// Another connection had the first one too: it gets the existing
	// replacement.
	if again := mustAccess(t, source, first); again != second || s.Calls().Refresh != 1 {
		t.Errorf("%d refreshes", s.Calls().Refresh)
	}
	// The new one is refused: requesting a third would never end.
	_, err := source.Access(t.Context(), second)
	if e := problemOf(t, err); !errors.Is(err, oauth.ErrConsent) || e.Problem != oauth.StillRefused || s.Calls().Refresh != 1 {
		t.Errorf("error %v, %d refreshes", err, s.Calls().Refresh)
	}
	// Later it is no longer new, and may have been revoked too.
	clock.advance(5 * time.Minute)
	if third := mustAccess(t, source, second); third == second || s.Calls().Refresh != 2 {
		t.Errorf("%d refreshes", s.Calls().Refresh)
	}
}

// The replacement of an expired token was not refused before, so it is tried.
func TestSourceRefusedAfterExpiry(t *testing.T) {
	t.Parallel()
	s, source, clock, _ := start(t, oauthtest.Config{})
	clock.advance(2 * time.Hour)
	second := mustAccess(t, source, "")
	s.Revoke(second)
	third := mustAccess(t, source, second)
	if _, err := source.Access(t.Context(), third); !errors.Is(err, oauth.ErrConsent) || s.Calls().Refresh != 2 {
		t.Errorf("error %v, %d refreshes", err, s.Calls().Refresh)
	}
}

// A server that returns the refused token again has no better one.
func TestSourceSameTokenAgain(t *testing.T) {
	t.Parallel()
	s, source, _, _ := start(t, oauthtest.Config{})
	s.FailTokens(1, 200, `{"access_token":"`+source.Token.Access+`","expires_in":3600}`)
	_, err := source.Access(t.Context(), source.Token.Access)
	if problemOf(t, err).Problem != oauth.StillRefused {
		t.Errorf("error %v", err)
	}
}

// Concurrent callers share one refresh.
func TestSourceRefreshesOnce(t *testing.T) {
	t.Parallel()
	asked, release := make(chan string, 100), make(chan struct{})
	s, source, _, k := start(t, oauthtest.Config{Rotate: true, Before: func(grant string) {
		asked <- grant
		<-release
	}})
	first := source.Token.Access
	s.Revoke(first)
	const many = 20
	got := make(chan string, many)
	started := make(chan struct{}, many)
	for range many {
		go func() {
			started <- struct{}{}
			access, err := source.Access(t.Context(), first)
			if err != nil {
				t.Error(err)
			}
			got <- access
		}()
	}
	for range many {
		<-started
	}
	if grant := <-asked; grant != "refresh_token" {
		t.Errorf("asked for %q", grant)
	}
	// A caller that gives up does not cancel it for the others.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source.Access(ctx, first); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	close(release)
	fresh := map[string]int{}
	for range many {
		fresh[<-got]++
	}
	if _, ok := s.Valid(k.last().Access); !ok || len(fresh) != 1 || fresh[k.last().Access] != many || s.Calls().Refresh != 1 || len(k.tokens) != 1 {
		t.Errorf("%d different tokens, %d refreshes, %d kept", len(fresh), s.Calls().Refresh, len(k.tokens))
	}
}

// The caller that began the refresh may give up; the server's new token is
// saved all the same.
func TestSourceKeepsWhatNobodyWaitsFor(t *testing.T) {
	t.Parallel()
	asked, release, saved := make(chan string), make(chan struct{}), make(chan oauth.Token, 1)
	s, source, _, _ := start(t, oauthtest.Config{Rotate: true, Before: func(grant string) {
		asked <- grant
		<-release
	}})
	source.Save = func(ctx context.Context, token oauth.Token) error {
		saved <- token
		return ctx.Err()
	}
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := source.Access(ctx, source.Token.Access)
		failed <- err
	}()
	<-asked
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	close(release)
	token := <-saved
	if _, ok := s.Valid(token.Access); !ok || token.Refresh == "" {
		t.Errorf("kept %v", token)
	}
}

func TestSourceRotates(t *testing.T) {
	t.Parallel()
	s, source, clock, k := start(t, oauthtest.Config{Rotate: true})
	used := map[string]bool{source.Token.Refresh: true}
	for range 3 {
		clock.advance(time.Hour)
		if access := mustAccess(t, source, ""); k.last().Access != access || used[k.last().Refresh] {
			t.Errorf("kept %v", k.tokens)
		}
		used[k.last().Refresh] = true
	}
	if s.Calls().Refresh != 3 || len(k.tokens) != 3 {
		t.Errorf("%d refreshes, %d kept", s.Calls().Refresh, len(k.tokens))
	}
}

func TestSourceSurvivesASaveThatFails(t *testing.T) {
	t.Parallel()
	s, source, clock, k := start(t, oauthtest.Config{Rotate: true})
	k.err = errors.New("the keyring is locked")
	var told []error
	source.Unsaved = func(err error) { told = append(told, err) }
	for range 2 {
		clock.advance(time.Hour)
		if _, ok := s.Valid(mustAccess(t, source, "")); !ok {
			t.Error("the token is not valid")
		}
	}
	if len(told) != 2 || !errors.Is(told[0], k.err) || problemOf(t, told[0]).Problem != oauth.Unsaved {
		t.Errorf("got %v", told)
	}
	source.Unsaved = nil
	clock.advance(time.Hour)
	mustAccess(t, source, "")
	source.Save = nil
	clock.advance(time.Hour)
	mustAccess(t, source, "")
}

func TestSourceConsentEnded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		prepare func(*oauthtest.Server, *oauth.TokenSource)
		says    string
	}{
		{"taken back", func(s *oauthtest.Server, _ *oauth.TokenSource) { s.EndConsent("me@example.test") }, "invalid_grant"},
		{"no refresh token", func(_ *oauthtest.Server, o *oauth.TokenSource) { o.Token.Refresh = "" }, "there is no refresh token"},
		{"nothing", func(_ *oauthtest.Server, o *oauth.TokenSource) { o.Token = oauth.Token{} }, "there is no refresh token"},
		{"interaction", func(s *oauthtest.Server, _ *oauth.TokenSource) {
			s.FailTokens(1, 400, `{"error":"interaction_required","error_description":"AADSTS50076: use multi-factor authentication"}`)
		}, "AADSTS50076"},
		{"denied", func(s *oauthtest.Server, _ *oauth.TokenSource) { s.FailTokens(1, 400, `{"error":"access_denied"}`) }, "access_denied"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, source, clock, k := start(t, oauthtest.Config{})
			test.prepare(s, source)
			clock.advance(2 * time.Hour)
			_, err := source.Access(t.Context(), "")
			if e := problemOf(t, err); !errors.Is(err, oauth.ErrConsent) || e.Problem != oauth.ConsentEnded || e.Host != "127.0.0.1" {
				t.Errorf("error %+v", e)
			}
			if !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "log in again") || len(k.tokens) != 0 {
				t.Errorf("error %q, kept %v", err, k.tokens)
			}
		})
	}
}

// Another process used the refresh token and stored its successor.
func TestSourceLooksAtWhatIsKept(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		later     time.Duration
		refreshes int
		saves     int
	}{{"still good", 0, 1, 0}, {"expired as well", time.Hour, 2, 1}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, source, clock, k := start(t, oauthtest.Config{Rotate: true})
			used := source.Token
			clock.advance(time.Hour)
			other := &oauth.TokenSource{Client: source.Client, Token: used, Save: k.save}
			theirs := mustAccess(t, other, "")
			clock.advance(test.later)
			var mine kept
			source.Save = mine.save
			source.Load = func(context.Context) (oauth.Token, error) { return k.last(), nil }
			access := mustAccess(t, source, "")
			if _, ok := s.Valid(access); !ok || (access == theirs) != (test.later == 0) || s.Calls().Refresh != 1+test.saves || len(mine.tokens) != test.saves {
				t.Errorf("valid %v, theirs %v, %d refreshes, %d saves", ok, access == theirs, s.Calls().Refresh, len(mine.tokens))
			}
		})
	}
	s, source, clock, _ := start(t, oauthtest.Config{})
	s.EndConsent("me@example.test")
	clock.advance(time.Hour)
	same := source.Token
	for name, load := range map[string]func(context.Context) (oauth.Token, error){
		"the same": func(context.Context) (oauth.Token, error) { return same, nil },
		"nothing":  func(context.Context) (oauth.Token, error) { return oauth.Token{}, nil },
		"locked":   func(context.Context) (oauth.Token, error) { return oauth.Token{}, errors.New("locked") },
	} {
		source.Load = load
		before := s.Calls().Refresh
		if _, err := source.Access(t.Context(), ""); !errors.Is(err, oauth.ErrConsent) || s.Calls().Refresh != before+1 {
			t.Errorf("%s: %v after %d refreshes", name, err, s.Calls().Refresh-before)
		}
	}
	// The stored token is the very one that was refused.
	s, source, _, _ = start(t, oauthtest.Config{})
	s.EndConsent("me@example.test")
	refused := source.Token
	source.Load = func(context.Context) (oauth.Token, error) { return refused, nil }
	if _, err := source.Access(t.Context(), refused.Access); !errors.Is(err, oauth.ErrConsent) || problemOf(t, err).Problem != oauth.ConsentEnded {
		t.Errorf("the refused one: %v", err)
	}
}

func TestSourceWithoutNetwork(t *testing.T) {
	t.Parallel()
	_, source, clock, k := start(t, oauthtest.Config{})
	first := source.Token.Access
	source.Client.TokenURL = nobody
	// A minute before its end it should be replaced, but it is still valid …
	clock.advance(59*time.Minute + 30*time.Second)
	if mustAccess(t, source, "") != first {
		t.Error("another token")
	}
	// … unless the mail server refuses it.
	_, err := source.Access(t.Context(), first)
	if e := problemOf(t, err); e.Problem != oauth.Unreachable || !e.Ended.IsZero() || errors.Is(err, oauth.ErrConsent) {
		t.Errorf("error %v", err)
	}
	clock.advance(time.Minute)
	_, err = source.Access(t.Context(), "")
	e := problemOf(t, err)
	if !errors.Is(err, oauth.ErrUnreachable) || e.Host != "127.0.0.1" || !e.Ended.Equal(source.Token.Expiry) {
		t.Errorf("error %+v", e)
	}
	for _, word := range []string{"the access token ended at ", "127.0.0.1 can't be reached", "refused", "check the network", "the login is not lost"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q, want %q in it", err, word)
		}
	}
	if len(k.tokens) != 0 {
		t.Errorf("kept %v", k.tokens)
	}
}

// An outage of the server does not end the consent.
func TestSourceOutage(t *testing.T) {
	t.Parallel()
	s, source, clock, _ := start(t, oauthtest.Config{})
	first := source.Token.Access
	s.FailTokens(2, 503, `{"error":"temporarily_unavailable"}`)
	clock.advance(59 * time.Minute)
	if mustAccess(t, source, "") != first {
		t.Error("another token")
	}
	clock.advance(time.Minute)
	_, err := source.Access(t.Context(), "")
	if e := problemOf(t, err); e.Problem != oauth.Failing || !strings.Contains(err.Error(), "try again later") {
		t.Errorf("error %v", err)
	}
	if _, ok := s.Valid(mustAccess(t, source, "")); !ok {
		t.Error("it does not recover")
	}
}

// A wrong or jumping clock costs at most one refresh.
func TestSourceWithAWrongClock(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		s, source, _, _ := start(t, oauthtest.Config{})
		mine := newClock()
		mine.advance(jump)
		source.Client.Now = mine.now
		access := mustAccess(t, source, "")
		if _, ok := s.Valid(access); !ok {
			t.Errorf("jump %v: not valid", jump)
		}
		s.Revoke(access)
		access = mustAccess(t, source, access)
		if _, ok := s.Valid(access); !ok {
			t.Errorf("jump %v: not replaced", jump)
		}
		if again := mustAccess(t, source, ""); again != access {
			t.Errorf("jump %v: replaced again", jump)
		}
	}
}

// Another process holds the lock and does not finish: nothing is refreshed
// without the lock, and the consent is not lost.
func TestSourceWhileAnotherIsBusy(t *testing.T) {
	t.Parallel()
	s, source, clock, k := start(t, oauthtest.Config{Rotate: true, ReuseEnds: true})
	source.Lock = func(context.Context) (func(), error) {
		return nil, fmt.Errorf("a lock: %w", filelock.ErrBusy)
	}
	source.Load = func(context.Context) (oauth.Token, error) { return k.last(), nil }
	first := source.Token
	clock.advance(first.Expiry.Add(-time.Second).Sub(clock.now()))
	if got := mustAccess(t, source, ""); got != first.Access {
		t.Error("the old token is valid for another second and was not used")
	}
	clock.advance(time.Hour)
	_, err := source.Access(t.Context(), "")
	if e := problemOf(t, err); e.Problem != oauth.Busy || errors.Is(err, oauth.ErrConsent) || s.Calls().Refresh != 0 {
		t.Errorf("%v, %d refreshes", err, s.Calls().Refresh)
	}
	other := &oauth.TokenSource{Client: source.Client, Token: first, Save: k.save} // the other process finishes
	theirs := mustAccess(t, other, "")
	if got := mustAccess(t, source, ""); got != theirs || s.Calls().Refresh != 1 {
		t.Errorf("%d refreshes", s.Calls().Refresh)
	}
	// If no lock is possible, the token is refreshed all the same.
	source.Lock = func(context.Context) (func(), error) { return nil, errors.New("read-only") }
	clock.advance(2 * time.Hour)
	if _, ok := s.Valid(mustAccess(t, source, "")); !ok {
		t.Error("no valid token without a lock")
	}
}
