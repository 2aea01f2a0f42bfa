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

	"github.com/yanmail/yan/internal/filelock"
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
	// Load reads the token that is kept; nil never does. It is called before each
	// refresh, under the lock: another process may have used up the refresh token
	// and kept its successor. Its error wraps [ErrForgotten] if no token is kept.
	Load func(context.Context) (Token, error)
	// Lock keeps other processes from refreshing the same token until unlock is
	// called. A server that takes each refresh token once may revoke the whole
	// consent when it sees one again (RFC 9700 section 4.14.2). Its error wraps
	// [filelock.ErrBusy] if another process does not finish; with any other error
	// the refresh goes on without a lock. nil is for a token that only one
	// process has.
	Lock func(context.Context) (unlock func(), err error)
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
// brought to its end even then, within minutes, so that what the server gave
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
	return errors.As(err, &e) && (e.Problem == Unreachable || e.Problem == Failing || e.Problem == Busy)
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
	f.after, f.err = s.renew(ctx, f.before, refused)
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

// renew gives the successor of a token, which is saved by then. It holds the lock
// over all processes from reading the kept token to saving the fresh one.
func (s *Source) renew(ctx context.Context, t Token, refused string) (Token, error) {
	if s.Lock != nil {
		unlock, err := s.Lock(ctx)
		switch {
		case err == nil:
			defer unlock()
		case errors.Is(err, filelock.ErrBusy):
			return s.instead(ctx, t, refused, &Error{Problem: Busy, Host: hostOf(s.Client.TokenURL)})
		}
	}
	kept, err := s.load(ctx)
	switch {
	case errors.Is(err, ErrForgotten):
		// A fresh token would be kept for a login that the user removed.
		return Token{}, &Error{Problem: ConsentEnded, Host: hostOf(s.Client.TokenURL), Err: ErrForgotten}
	case err != nil: // what is known has to do
	case s.serves(kept, t, refused):
		return kept, nil
	case kept.Refresh != "":
		t = kept
	}
	fresh, err := s.refresh(ctx, t)
	if errors.Is(err, ErrConsent) { // a program without this lock may have used up the refresh token
		return s.instead(ctx, t, refused, err)
	}
	if err != nil {
		return Token{}, err
	}
	s.save(ctx, fresh)
	return fresh, nil
}

// instead gives the token that another process has kept meanwhile, or the error.
func (s *Source) instead(ctx context.Context, t Token, refused string, err error) (Token, error) {
	kept, loadErr := s.load(ctx)
	switch {
	case loadErr != nil: // why there is no fresh token matters more
		return Token{}, err
	case s.serves(kept, t, refused):
		return kept, nil
	case errors.Is(err, ErrConsent) && kept.Refresh != "" && kept.Refresh != t.Refresh:
		fresh, err := s.refresh(ctx, kept)
		if err == nil {
			s.save(ctx, fresh)
		}
		return fresh, err
	}
	return Token{}, err
}

// serves reports whether a kept token can be used instead of a fresh one: another
// process got it, and no server refused it. One that ends soon serves as well. It was
// good a moment ago, and a refresh by each process that waited would not end.
func (s *Source) serves(kept, t Token, refused string) bool {
	return kept.Access != "" && kept.Access != t.Access && kept.Access != refused && !s.endsBy(kept, 0)
}

// load reads the kept token; the zero Token without Load.
func (s *Source) load(ctx context.Context) (Token, error) {
	if s.Load == nil {
		return Token{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	return s.Load(ctx)
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
