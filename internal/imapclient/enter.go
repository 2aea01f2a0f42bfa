package imapclient

import (
	"context"
	"errors"
)

// loginToFolder connects, logs in and finds the folder, with a new token if tokens are
// used. A refused token may have been revoked, or the clocks differ: then the
// source is asked once for another.
func loginToFolder(ctx context.Context, cfg Config) (*imapConn, listedFolder, error) {
	if cfg.Token == nil {
		return enterOnce(ctx, cfg)
	}
	if cfg.Auth.Password != "" || cfg.Auth.Token != "" {
		err := errors.New("use either a token source or a password or token")
		return nil, listedFolder{}, &Error{Stage: StageLogin, Err: err}
	}
	token, err := cfg.token(ctx, "")
	if err != nil {
		return nil, listedFolder{}, err
	}
	cfg.Auth.Token = token
	c, found, refusal := enterOnce(ctx, cfg)
	if !tokenRefused(refusal) {
		return c, found, refusal
	}
	if cfg.Auth.Token, err = cfg.token(ctx, token); err != nil {
		return nil, listedFolder{}, err
	}
	if cfg.Auth.Token == token { // the source has no other token
		return nil, listedFolder{}, refusal
	}
	return enterOnce(ctx, cfg)
}

func enterOnce(ctx context.Context, cfg Config) (*imapConn, listedFolder, error) {
	c, err := dial(ctx, cfg)
	if err != nil {
		return nil, listedFolder{}, err
	}
	err = c.login()
	var found listedFolder
	if err == nil {
		found, err = c.findFolder(cfg.Folder)
	}
	if err != nil {
		c.close()
		return nil, listedFolder{}, err
	}
	return c, found, nil
}

// token asks the source for a token.
func (c Config) token(ctx context.Context, refused string) (string, error) {
	token, err := c.Token(ctx, refused)
	if err == nil && token == "" {
		err = errors.New("there is no access token")
	}
	if err != nil {
		return "", &Error{Stage: StageLogin, Err: err}
	}
	return token, nil
}

// tokenRefused reports whether a new token may help after a failed login. A
// server with a temporary failure sends a code (RFC 5530 section 3).
func tokenRefused(err error) bool {
	var failed *Error
	if !errors.As(err, &failed) || failed.Stage != StageLogin || failed.Reply.Status != "NO" {
		return false
	}
	switch failed.Reply.Code {
	case "UNAVAILABLE", "INUSE", "LIMIT", "OVERQUOTA", "SERVERBUG":
		return false
	}
	return true
}
