package transport

import (
	"context"
	"errors"

	"github.com/yanmail/yan/smtp"
	"github.com/yanmail/yan/smtpclient"
)

// connectWithToken opens a connection, with a fresh token if tokens are used. If the server refuses the
// token, it may have been revoked, or the clocks may differ: the source is asked for another one,
// once.
func (s *SMTP) connectWithToken(ctx context.Context, cfg smtpclient.Config) (*smtpclient.Conn, error) {
	logsIn := cfg.StopAfter == "" || cfg.StopAfter == smtp.StageAuth
	if s.token == nil || cfg.Auth == nil || !logsIn {
		return smtpclient.Dial(ctx, cfg)
	}
	token, err := s.withToken(ctx, &cfg, "")
	if err != nil {
		return nil, err
	}
	conn, refusal := smtpclient.Dial(ctx, cfg)
	if refusal == nil || !tokenRefused(refusal) {
		return conn, refusal
	}
	fresh, err := s.withToken(ctx, &cfg, token)
	if err != nil {
		return nil, err
	}
	if fresh == token { // the source has no other
		return nil, refusal
	}
	return smtpclient.Dial(ctx, cfg)
}

// withToken sets a token from the source in a configuration.
func (s *SMTP) withToken(ctx context.Context, cfg *smtpclient.Config, refused string) (string, error) {
	token, err := s.token(ctx, refused)
	if err == nil && token == "" {
		err = errors.New("there is no access token")
	}
	if err != nil {
		return "", &smtp.Error{Stage: smtp.StageAuth, Err: err}
	}
	auth := *cfg.Auth
	auth.Token = token
	cfg.Auth = &auth
	return token, nil
}

// tokenRefused reports whether the server refused the token, so that a fresh one may help. A 4xx
// means that the server can't decide now, and an unknown mechanism says nothing about the token.
func tokenRefused(err error) bool { return errors.Is(err, smtpclient.ErrTokenRefused) }
