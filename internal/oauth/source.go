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
)

const (
	// early is how long before its end a token is replaced: it has to last for
	// the way to the mail server, and clocks differ.
	early = time.Minute
	// trusted is how long a token that replaced a refused one counts as fresh.
	trusted = 5 * time.Minute
	// saveTime bounds Save and Load.
	saveTime = 30 * time.Second
)

// Source gives access tokens. It is safe for concurrent use; its fields may not
// be changed, nor Token be read, after the first call.
type Source struct {
	Client Client
	// Token is the last known.
	Token Token
	// Save keeps a fresh one, before it is given out: servers may take a refresh
	// token only once, and give the next one along. nil keeps nothing.
	Save func(context.Context, Token) error
	// Load reads the one that is kept; nil never does. It is asked when the server
	// does not take the refresh token: another process may have used it up and
	// kept its successor.
	Load func(context.Context) (Token, error)
	// Unsaved is told when Save failed, with an [*Error]: the token is given out all
	// the same. nil tells nobody.
	Unsaved func(error)

	mu     sync.Mutex
	flight *flight
	// replacement took the place of a token that a mail server refused.
	replacement string
	replacedAt  time.Time
}

// flight is one refresh, for all who wait for it.
type flight struct {
	done   chan struct{} // closed at its end; what follows is written before
	before Token
	after  Token
	err    error
}

// Access gives an access token. refused is the one that a mail server did not
// take, "" if none was: an expired or refused one is replaced by a fresh one. When
// the fresh one is refused as well, the error is [ErrConsent].
//
// The error is an [*Error], or that of the context. A refresh that has begun is
// brought to its end even then, within a minute, so that what the server gave
// is kept.
func (s *Source) Access(ctx context.Context, refused string) (string, error) {
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
		f = &flight{done: make(chan struct{}), before: s.Token}
		s.flight = f
		go s.fly(context.WithoutCancel(ctx), f, refused)
	}
	s.mu.Unlock()
	select {
	case <-f.done:
		return s.landed(f, refused)
	case <-ctx.Done():
		return "", fmt.Errorf("wait for a fresh access token: %w", ctx.Err())
	}
}

// landed is what a refresh means for one of those who waited for it.
func (s *Source) landed(f *flight, refused string) (string, error) {
	switch old := f.before; {
	case f.err == nil && f.after.Access == refused:
		return "", s.stillRefused()
	case f.err == nil:
		return f.after.Access, nil
	case passes(f.err) && old.Access != "" && old.Access != refused && !s.endsBy(old, 0):
		// It was to be replaced a little early; there is still some of it left.
		return old.Access, nil
	default:
		return "", f.err
	}
}

// passes reports whether a failure may be over soon.
func passes(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Problem == Unreachable || e.Problem == Failing)
}

// endsBy reports whether a token ends within a time from now.
func (s *Source) endsBy(t Token, within time.Duration) bool {
	return !t.Expiry.IsZero() && !s.Client.now().Add(within).Before(t.Expiry)
}

func (s *Source) stillRefused() error {
	return &Error{Problem: StillRefused, Host: hostOf(s.Client.TokenURL)}
}

// fly refreshes, keeps what came of it, and lets those who wait go on.
func (s *Source) fly(ctx context.Context, f *flight, refused string) {
	var isNew bool
	f.after, isNew, f.err = s.renew(ctx, f.before)
	if isNew {
		s.save(ctx, f.after)
	}
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

// renew gives the successor of a token. isNew is false when it was kept
// already.
func (s *Source) renew(ctx context.Context, t Token) (fresh Token, isNew bool, err error) {
	fresh, err = s.refresh(ctx, t)
	if !errors.Is(err, ErrConsent) || s.Load == nil {
		return fresh, err == nil, err
	}
	loading, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	kept, loadErr := s.Load(loading)
	switch {
	case loadErr != nil:
		// Why the server refused matters more than why nothing better is kept.
		return Token{}, false, err
	case kept.Access != "" && kept.Access != t.Access && !s.endsBy(kept, early):
		return kept, false, nil
	case kept.Refresh != "" && kept.Refresh != t.Refresh:
		fresh, err = s.refresh(ctx, kept)
		return fresh, err == nil, err
	default:
		return Token{}, false, err
	}
}

// refresh is RFC 6749 section 6.
func (s *Source) refresh(ctx context.Context, t Token) (Token, error) {
	if err := s.Client.check(); err != nil {
		return Token{}, err
	}
	if t.Refresh == "" {
		return Token{}, &Error{Problem: ConsentEnded, Host: hostOf(s.Client.TokenURL), Err: errors.New("there is no refresh token")}
	}
	// x/oauth2 gives back the refresh token that was sent where the server gives
	// no other.
	fresh, err := s.Client.grant(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.Refresh}})
	var e *Error
	if !errors.As(err, &e) {
		return fresh, err
	}
	if s.endsBy(t, 0) {
		e.Ended = t.Expiry
	}
	// The latter three are OpenID Connect's; Microsoft uses them here.
	over := []string{"invalid_grant", "interaction_required", "consent_required", "login_required"}
	if e.Problem == Denied || e.Problem == Expired || slices.Contains(over, e.Code) {
		e.Problem = ConsentEnded
	}
	return Token{}, e
}

func (s *Source) save(ctx context.Context, t Token) {
	if s.Save == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	if err := s.Save(ctx, t); err != nil && s.Unsaved != nil {
		s.Unsaved(&Error{Problem: Unsaved, Host: hostOf(s.Client.TokenURL), Err: err})
	}
}

// Format keeps the tokens out of whatever is printed.
func (s *Source) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.describe()) }

// LogValue is what log/slog shows.
func (s *Source) LogValue() slog.Value { return slog.StringValue(s.describe()) }

func (s *Source) describe() string { return "tokens of " + fmt.Sprint(s.Client) }
