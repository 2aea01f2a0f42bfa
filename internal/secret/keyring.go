package secret

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	zalando "github.com/zalando/go-keyring"
)

// Keyring is the system's store of secrets. Errors are those below, wrapped or
// not; any other says that the keyring fails. A method may block until somebody
// has answered a dialog.
type Keyring interface {
	Get(service, user string) (string, error)
	Set(service, user, secret string) error
	Delete(service, user string) error
}

// What a Keyring answers.
var (
	// ErrNotFound: nothing is kept under that name.
	ErrNotFound = errors.New("no such secret is kept")
	// ErrLocked: the keyring is there, and nobody unlocked it.
	ErrLocked = errors.New("the keyring is locked")
	// ErrNoKeyring: this machine has none, or not for this session.
	ErrNoKeyring = errors.New("there is no keyring")
	// ErrTooLong: the keyring does not take secrets of this length.
	ErrTooLong = errors.New("the keyring does not take so long a secret")
	// ErrDamaged: what is kept makes no sense.
	ErrDamaged = errors.New("what the keyring holds makes no sense")
)

// service is what all entries of this program belong to.
const service = "yan"

// patience is how long an answer of the keyring is waited for: a dialog may
// have to be read and a password to be found.
const patience = time.Minute

// withKeyring asks the keyring, whose methods know no context. When ctx or the
// patience ends first, the goroutine that waits is left behind, and with it what
// the keyring shows, until the program ends.
func (v *Vault) withKeyring(ctx context.Context, ask func(Keyring) (string, error)) (string, error) {
	if v.Keyring == nil {
		return "", ErrNoKeyring
	}
	tooLong := time.NewTimer(patience)
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
		return "", fmt.Errorf("%w, or hangs: no answer within %v", ErrLocked, patience)
	case <-ctx.Done():
		return "", fmt.Errorf("%w, or was about to answer: %w", ErrLocked, ended(ctx))
	}
}

// ended is why a context ended: context.Canceled or DeadlineExceeded, and what
// its maker says.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return ctx.Err()
}

func (v *Vault) keyringGet(ctx context.Context, name string) (string, error) {
	return v.withKeyring(ctx, func(k Keyring) (string, error) { return k.Get(service, name) })
}

// keyringSet keeps a secret and looks whether it is there.
//
// QUIRK: macOS's security, reading commands, does not tell by its exit status
// whether one of them failed.
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

// keyringError makes an Error of what a keyring answers.
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

// library is the keyring of go-keyring, which is a set of functions.
type library struct{}

func (library) Get(service, user string) (string, error) {
	secret, err := zalando.Get(service, user)
	return secret, translate(err)
}

func (library) Set(service, user, secret string) error {
	return translate(zalando.Set(service, user, secret))
}

func (library) Delete(service, user string) error {
	return translate(zalando.Delete(service, user))
}

// translate makes the errors of this package of those of go-keyring.
func translate(err error) error {
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
