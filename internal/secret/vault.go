package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Place is where a secret was put.
type Place string

// The places.
const (
	InKeyring Place = "keyring"
	InFile    Place = "encrypted file"
)

// Vault is the places for secrets on this machine. It is safe for concurrent
// use. Fields may not change after the first call.
type Vault struct {
	// Keyring is the system's; nil where there is none. [System] is the real one.
	Keyring Keyring
	// File is the encrypted file (age) for machines without a keyring; "" means
	// that there is none. Beside it stand File.names, which tells without a
	// passphrase what it holds, and File.lock.
	File string
	// Passphrase asks for that of the encrypted file; anew says that the file is
	// about to be made, so that the user types it twice. nil where nobody can be
	// asked. Called again without anew, what was typed before was wrong; one call of
	// Get, Set or Delete asks three times. The variable YAN_PASSPHRASE_FILE is looked at first, then the systemd
	// credential yan-passphrase. One that was right is not asked for again.
	Passphrase func(ctx context.Context, anew bool) (string, error)
	// Getenv is the environment; nil means os.Getenv.
	Getenv func(string) string
	// Home is the user's folder, for ~ and ~/.netrc; "" means $HOME or, on
	// Windows, %USERPROFILE%.
	Home string
	// WorkFactor is the base 2 logarithm of scrypt's N, the cost of a guess at the
	// passphrase in a file that is written; 0 means FullWork. Tests alone lower it: the
	// code of the program may only pass it on, which a test of the module's root proves.
	WorkFactor int

	waits  time.Duration // for a command; 0 means the usual
	stderr io.Writer     // of commands; nil means os.Stderr

	// One call at a time uses the encrypted file.
	once sync.Once
	turn chan struct{}
	// What a call has learned. Functions, because nothing can print what they
	// return.
	phrase func() string
	opened func() sealed
}

// Format keeps everything but the file's name out of every text.
func (v *Vault) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "secret.Vault{File: %q}", v.File)
}

// Get reads a secret; white space around it is not part of it. The error is an
// [*Error].
//
// A secret that is kept is looked up in the keyring, then in the encrypted file.
// One that was put into the file while the keyring could not be used is newer
// than what the keyring has, and wins.
func (v *Vault) Get(ctx context.Context, from Source, key Key) (string, error) {
	secret, err := v.find(ctx, from, key)
	if err == nil && from.Kind == Kept {
		secret, err = key.open(secret)
	}
	if err != nil {
		return "", about(err, from, key)
	}
	if secret = Trim(secret); secret == "" {
		return "", about(&Error{Problem: Empty}, from, key)
	}
	return secret, nil
}

func (v *Vault) find(ctx context.Context, from Source, key Key) (string, error) {
	switch from.Kind {
	case Kept:
		return v.kept(ctx, key.name())
	case File:
		return v.fromFile(ctx, from.Value)
	case Command:
		return v.fromCommand(ctx, from.Value)
	case Env:
		return v.fromEnv(from.Value)
	case Netrc:
		return v.fromNetrc(ctx, from.Value, key)
	case Credential:
		return v.fromCredential(ctx, from.Value)
	}
	return "", &Error{Problem: NotFound, Err: fmt.Errorf("%q is no kind of source", from.Kind)}
}

// about says in an error what was asked for.
func about(err error, from Source, key Key) *Error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = keyringError(err)
	}
	of := *e
	if of.Source == (Source{}) {
		of.Source = from
	}
	of.Key = key
	return &of
}

// kept looks up a secret in the keyring and the encrypted file.
func (v *Vault) kept(ctx context.Context, name string) (string, error) {
	holds := v.fileHolds(name)
	if holds == yes { // since the keyring has an older one, if any
		secret, err := v.fileGet(ctx, name)
		if !errors.Is(err, ErrNotFound) {
			return secret, err
		}
	}
	secret, err := v.keyringGet(ctx, name)
	if err == nil || holds != perhaps {
		return secret, absent(err)
	}
	secret, fileErr := v.fileGet(ctx, name)
	switch {
	case fileErr == nil:
		return secret, nil
	case errors.Is(fileErr, ErrNotFound), errors.Is(err, ErrLocked):
		return "", absent(err)
	}
	return "", fileErr
}

// absent: where there is no keyring, nothing is kept in it.
func absent(err error) error {
	if errors.Is(err, ErrNoKeyring) {
		return ErrNotFound
	}
	return err
}

// Set keeps a secret, in the keyring or else in the encrypted file, and says
// where. What is kept under the key is replaced. A keyring that is locked is an
// error: nothing is kept elsewhere then. The error is an [*Error].
func (v *Vault) Set(ctx context.Context, key Key, secret string) (Place, error) {
	if secret = Trim(secret); secret == "" {
		return "", about(&Error{Problem: Empty}, Source{}, key)
	}
	secret, err := key.bind(secret)
	if err != nil {
		return "", about(err, Source{}, key)
	}
	err = v.keyringSet(ctx, key.name(), secret)
	switch {
	case err == nil:
		if err := v.fileDrop(ctx, key.name(), ifKnown); err != nil {
			return "", about(err, Source{}, key)
		}
		return InKeyring, nil
	case errors.Is(err, ErrLocked):
		return "", about(err, Source{}, key)
	}
	fileErr := v.fileSet(ctx, key.name(), secret)
	if fileErr == nil {
		return InFile, nil
	}
	e := about(fileErr, Source{}, key)
	if e.Problem == Unavailable && v.Keyring != nil {
		e.Err = fmt.Errorf("%w; %w", err, e.Err)
	}
	return "", e
}

// Delete forgets a secret wherever it is kept. That there is none is no error.
// The error is an [*Error]; what could be forgotten is, all the same.
func (v *Vault) Delete(ctx context.Context, key Key) error {
	err := v.keyringDelete(ctx, key.name())
	fileErr := v.fileDrop(ctx, key.name(), always)
	if err == nil {
		err = fileErr
	}
	if err != nil {
		return about(err, Source{}, key)
	}
	return nil
}

func (v *Vault) getenv(name string) string {
	if v.Getenv == nil {
		return os.Getenv(name)
	}
	return v.Getenv(name)
}
