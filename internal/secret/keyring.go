package secret

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	zalando "github.com/zalando/go-keyring"
)

// Keyring is the system's store of secrets. Its methods return the errors below, possibly wrapped;
// any other error means that the keyring fails. A method may block until the user has answered a
// dialog.
type Keyring interface {
	Get(service, user string) (string, error)
	Set(service, user, secret string) error
	Delete(service, user string) error
}

// Errors of a Keyring.
var (
	// ErrNotFound: there is no entry of that name.
	ErrNotFound = errors.New("no such secret is kept")
	// ErrLocked: the keyring exists but was not unlocked.
	ErrLocked = errors.New("the keyring is locked")
	// ErrNoKeyring: this machine or this session has no keyring.
	ErrNoKeyring = errors.New("there is no keyring")
	// ErrTooLong: the keyring does not accept secrets of this length.
	ErrTooLong = errors.New("the keyring does not take so long a secret")
	// ErrDamaged: the entry is invalid.
	ErrDamaged = errors.New("what the keyring holds makes no sense")
)

// service is the service name of all entries of this program.
const service = "yan"

// keyringTimeout bounds the wait for the keyring: the user may have to read a dialog and look up a
// password.
const keyringTimeout = time.Minute

// withKeyring calls the keyring, whose methods take no context. If ctx ends or keyringTimeout
// passes first, the waiting goroutine and the keyring's dialog stay until the program ends.
func (v *Vault) withKeyring(ctx context.Context, ask func(Keyring) (string, error)) (string, error) {
	if v.Keyring == nil {
		return "", ErrNoKeyring
	}
	tooLong := time.NewTimer(keyringTimeout)
	defer tooLong.Stop()
	type answer struct {
		secret string
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		secret, err := ask(v.Keyring)
		answered <- answer{secret, err}
	}()
	select {
	case a := <-answered:
		return a.secret, a.err
	case <-tooLong.C:
		return "", fmt.Errorf("%w, or hangs: no answer within %v", ErrLocked, keyringTimeout)
	case <-ctx.Done():
		return "", fmt.Errorf("%w, or was about to answer: %w", ErrLocked, contextError(ctx))
	}
}

// contextError returns why a context ended: context.Canceled or DeadlineExceeded, with the cause.
func contextError(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return ctx.Err()
}

func (v *Vault) keyringGet(ctx context.Context, name string) (string, error) {
	return v.withKeyring(ctx, func(k Keyring) (string, error) { return k.Get(service, name) })
}

// keyringSet stores a secret and checks that it can be read back.
//
// QUIRK: macOS's security, when it reads commands, does not report a failed command by its exit
// status.
func (v *Vault) keyringSet(ctx context.Context, name, secret string) error {
	kept, err := v.withKeyring(ctx, func(k Keyring) (string, error) {
		if err := k.Set(service, name, secret); err != nil {
			return "", err
		}
		return k.Get(service, name)
	})
	switch {
	case err != nil && strings.Contains(err.Error(), secret):
		return errors.New("the keyring fails; what it says holds the secret")
	case errors.Is(err, ErrNotFound), err == nil && kept != secret:
		return errors.New("the keyring did not keep it")
	}
	return err
}

func (v *Vault) keyringDelete(ctx context.Context, name string) error {
	_, err := v.withKeyring(ctx, func(k Keyring) (string, error) { return "", k.Delete(service, name) })
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrNoKeyring) {
		return nil
	}
	return err
}

// keyringError converts an error of a keyring to an Error.
func keyringError(err error) *Error {
	e := &Error{Problem: Unavailable, Err: err}
	switch {
	case errors.Is(err, ErrNotFound):
		e.Problem, e.Err = NotFound, nil
	case errors.Is(err, ErrLocked):
		e.Problem = Locked
	case errors.Is(err, ErrDamaged):
		e.Problem = Damaged
	}
	return e
}

// goKeyring is the keyring of go-keyring, a set of functions.
type goKeyring struct{}

func (goKeyring) Get(service, user string) (string, error) {
	secret, err := zalando.Get(service, user)
	return secret, translateError(err)
}

func (goKeyring) Set(service, user, secret string) error {
	return translateError(zalando.Set(service, user, secret))
}

func (goKeyring) Delete(service, user string) error {
	return translateError(zalando.Delete(service, user))
}

// translateError converts the errors of go-keyring to those of this package.
func translateError(err error) error {
	switch {
	case errors.Is(err, zalando.ErrNotFound):
		return ErrNotFound
	case errors.Is(err, zalando.ErrSetDataTooBig):
		return ErrTooLong
	case errors.Is(err, zalando.ErrUnsupportedPlatform):
		return ErrNoKeyring
	case err != nil:
		return systemError(err)
	}
	return nil
}
