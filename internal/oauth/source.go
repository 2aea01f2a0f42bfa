package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/yanmail/yan/internal/files/filelock"
)

const (
	// early is how long before its end a token is replaced: it must last until
	// it reaches the mail server, and clocks differ.
	early = time.Minute
	// trusted is how long a token that replaced a refused one counts as new.
	trusted = 5 * time.Minute
	// saveTime limits Save and Load.
	saveTime = 30 * time.Second
)

// TokenSource returns access tokens. It is safe for concurrent use; its fields must
// not be changed, nor Token be read, after the first call.
type TokenSource struct {
	Client Client
	// Token is the last known token.
	Token Token
	// Save stores a new token before it is used: servers may accept a refresh
	// token only once, and send the next one with the answer. nil stores
	// nothing.
	Save func(context.Context, Token) error
	// Load reads the stored token; nil never does. It is called before each
	// refresh, under the lock: another process may have used the refresh token
	// and saved its successor. Its error wraps [ErrForgotten] if no token is
	// stored.
	Load func(context.Context) (Token, error)
	// Lock keeps other processes from refreshing the same token until unlock is
	// called. A server that accepts each refresh token once may revoke the
	// whole consent if it sees one again (RFC 9700 section 4.14.2). Its error
	// wraps [filelock.ErrBusy] if another process does not finish; after any
	// other error the refresh goes on without a lock. nil is for a token that
	// only one process has.
	Lock func(context.Context) (unlock func(), err error)
	// Unsaved is called with an [*Error] if Save failed: the token is returned
	// all the same. It may be nil.
	Unsaved func(error)

	mu     sync.Mutex
	flight *refreshCall
	// replacement is the token that replaced one that a mail server refused.
	replacement string
	replacedAt  time.Time
}

// refreshCall is one refresh, shared by all callers that wait for it.
type refreshCall struct {
	done   chan struct{} // closed at its end; the fields below are written before
	before Token
	after  Token
	err    error
}

// Access returns an access token. refused is a token that the mail server did
// not accept, or "": an expired or refused token is replaced by a new one. If
// the new one is refused too, the error is [ErrConsent].
//
// The error is an [*Error], or that of the context. A refresh that has begun is
// finished even then, within minutes, so that the server's new tokens are
// saved.
func (s *TokenSource) Access(ctx context.Context, refused string) (string, error) {
	s.mu.Lock()
	if t := s.Token; t.Access != "" && t.Access != refused && !s.endsBy(t, early) {
		s.mu.Unlock()
		return t.Access, nil
	}
	if refused != "" && refused == s.replacement && s.Client.now().Sub(s.replacedAt) < trusted {
		s.mu.Unlock()
		return "", s.stillRefused()
	}
	f := s.flight
	if f == nil {
		f = &refreshCall{done: make(chan struct{}), before: s.Token}
		s.flight = f
		go s.runRefresh(context.WithoutCancel(ctx), f, refused)
	}
	s.mu.Unlock()
	select {
	case <-f.done:
		return s.refreshResult(f, refused)
	case <-ctx.Done():
		return "", fmt.Errorf("wait for a fresh access token: %w", ctx.Err())
	}
}

// refreshResult returns the result of a refresh for one of its callers.
func (s *TokenSource) refreshResult(f *refreshCall, refused string) (string, error) {
	switch old := f.before; {
	case f.err == nil && f.after.Access == refused:
		return "", s.stillRefused()
	case f.err == nil:
		return f.after.Access, nil
	case isTemporary(f.err) && old.Access != "" && old.Access != refused && !s.endsBy(old, 0):
		// It was to be replaced a little early; the old one is still valid.
		return old.Access, nil
	default:
		return "", f.err
	}
}

// isTemporary reports whether a failure is temporary.
func isTemporary(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Problem == Unreachable || e.Problem == Failing || e.Problem == Busy)
}

// endsBy reports whether a token ends within a time from now.
func (s *TokenSource) endsBy(t Token, within time.Duration) bool {
	return !t.Expiry.IsZero() && !s.Client.now().Add(within).Before(t.Expiry)
}

func (s *TokenSource) stillRefused() error {
	return &Error{Problem: StillRefused, Host: hostOf(s.Client.TokenURL)}
}

// runRefresh refreshes, stores the result, and wakes the waiting callers.
func (s *TokenSource) runRefresh(ctx context.Context, f *refreshCall, refused string) {
	f.after, f.err = s.renewToken(ctx, f.before, refused)
	s.mu.Lock()
	if f.err == nil {
		s.Token = f.after
	}
	if f.err == nil && refused != "" {
		s.replacement, s.replacedAt = f.after.Access, s.Client.now()
	}
	s.flight = nil
	s.mu.Unlock()
	close(f.done)
}

// renewToken returns the successor of a token, already saved. It holds the lock over
// all processes from reading the stored token to saving the new one.
func (s *TokenSource) renewToken(ctx context.Context, t Token, refused string) (Token, error) {
	if s.Lock != nil {
		unlock, err := s.Lock(ctx)
		switch {
		case err == nil:
			defer unlock()
		case errors.Is(err, filelock.ErrBusy):
			return s.storedInstead(ctx, t, refused, &Error{Problem: Busy, Host: hostOf(s.Client.TokenURL)})
		}
	}
	kept, err := s.loadToken(ctx)
	switch {
	case errors.Is(err, ErrForgotten):
		// A new token would be stored for a login that the user removed.
		return Token{}, &Error{Problem: ConsentEnded, Host: hostOf(s.Client.TokenURL), Err: ErrForgotten}
	case err != nil: // the token in memory is used
	case s.canUseStored(kept, t, refused):
		return kept, nil
	case kept.Refresh != "":
		t = kept
	}
	fresh, err := s.refreshToken(ctx, t)
	if errors.Is(err, ErrConsent) { // a program without this lock may have used the refresh token
		return s.storedInstead(ctx, t, refused, err)
	}
	if err != nil {
		return Token{}, err
	}
	s.saveToken(ctx, fresh)
	return fresh, nil
}

// storedInstead returns the token that another process has stored meanwhile, or the
// error.
func (s *TokenSource) storedInstead(ctx context.Context, t Token, refused string, err error) (Token, error) {
	kept, loadErr := s.loadToken(ctx)
	switch {
	case loadErr != nil: // the reason why there is no new token matters more
		return Token{}, err
	case s.canUseStored(kept, t, refused):
		return kept, nil
	case errors.Is(err, ErrConsent) && kept.Refresh != "" && kept.Refresh != t.Refresh:
		fresh, err := s.refreshToken(ctx, kept)
		if err == nil {
			s.saveToken(ctx, fresh)
		}
		return fresh, err
	}
	return Token{}, err
}

// canUseStored reports whether a stored token can be used instead of a new one:
// another process got it, and no server refused it. A token that ends soon
// qualifies too: it was valid a moment ago, and otherwise each waiting process
// would refresh again.
func (s *TokenSource) canUseStored(kept, t Token, refused string) bool {
	return kept.Access != "" && kept.Access != t.Access && kept.Access != refused && !s.endsBy(kept, 0)
}

// loadToken reads the stored token; the zero Token without Load.
func (s *TokenSource) loadToken(ctx context.Context) (Token, error) {
	if s.Load == nil {
		return Token{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	return s.Load(ctx)
}

// refreshToken implements RFC 6749 section 6.
func (s *TokenSource) refreshToken(ctx context.Context, t Token) (Token, error) {
	if err := s.Client.checkConfig(); err != nil {
		return Token{}, err
	}
	if t.Refresh == "" {
		return Token{}, &Error{Problem: ConsentEnded, Host: hostOf(s.Client.TokenURL), Err: errors.New("there is no refresh token")}
	}
	// x/oauth2 returns the refresh token that was sent if the server sends no
	// other.
	fresh, err := s.Client.requestToken(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.Refresh}})
	var e *Error
	if !errors.As(err, &e) {
		return fresh, err
	}
	if s.endsBy(t, 0) {
		e.Ended = t.Expiry
	}
	// The latter three come from OpenID Connect; Microsoft uses them here.
	over := []string{"invalid_grant", "interaction_required", "consent_required", "login_required"}
	if e.Problem == Denied || e.Problem == Expired || slices.Contains(over, e.Code) {
		e.Problem = ConsentEnded
	}
	return Token{}, e
}

func (s *TokenSource) saveToken(ctx context.Context, t Token) {
	if s.Save == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	if err := s.Save(ctx, t); err != nil && s.Unsaved != nil {
		s.Unsaved(&Error{Problem: Unsaved, Host: hostOf(s.Client.TokenURL), Err: err})
	}
}

// Format keeps the tokens out of printed values.
func (s *TokenSource) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.describe()) }

// LogValue is the value for log/slog.
func (s *TokenSource) LogValue() slog.Value { return slog.StringValue(s.describe()) }

func (s *TokenSource) describe() string { return "tokens of " + fmt.Sprint(s.Client) }
