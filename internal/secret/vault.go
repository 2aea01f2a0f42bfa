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

// Location is where a secret was stored.
type Location string

// The places.
const (
	InKeyring Location = "keyring"
	InFile    Location = "encrypted file"
)

// Vault reads and stores the secrets of this machine. It is safe for concurrent use. Its fields
// must not change after the first call.
type Vault struct {
	// Keyring is the system's keyring, see [System]; nil if there is none.
	Keyring Keyring
	// File is the encrypted file (age) for machines without a keyring; "" means none. Next to it
	// are File.names, the list of its secrets' names in clear, and File.lock.
	File string
	// Passphrase asks the user for the passphrase of the encrypted file; nil if no user can be
	// asked. anew means that the file is about to be created, so the user should type it twice.
	// Another call without anew means that the passphrase before was wrong; one call of Get, Set or
	// Delete asks at most three times. The variable YAN_PASSPHRASE_FILE and then the systemd
	// credential yan-passphrase come first. A correct passphrase is not asked for again.
	Passphrase func(ctx context.Context, anew bool) (string, error)
	// Getenv returns environment variables; nil means os.Getenv.
	Getenv func(string) string
	// Home is the user's home directory, for ~ and ~/.netrc; "" means $HOME or, on Windows,
	// %USERPROFILE%.
	Home string
	// WorkFactor is the base 2 logarithm of scrypt's N in files that are written: the cost of a
	// guess at the passphrase. 0 means FullWork. Only tests lower it: the program may only pass it
	// on, which a test in the module's root checks.
	WorkFactor int

	waits  time.Duration // for a command; 0 means the default
	stderr io.Writer     // of commands; nil means os.Stderr

	// One call at a time uses the encrypted file.
	once sync.Once
	turn chan struct{}
	// The passphrase and the content of the file, once known. They are functions because fmt can't
	// print their results.
	phrase func() string
	opened func() openedFile
}

// Format keeps everything but the file's name out of every formatted text.
func (v *Vault) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "secret.Vault{File: %q}", v.File)
}

// Get reads a secret, without the white space around it. The error is an [*Error].
//
// A secret of kind Stored is looked up in the keyring, then in the encrypted file. A secret that
// was written to the file while the keyring could not be used is newer than the keyring's and wins.
func (v *Vault) Get(ctx context.Context, from Source, key Key) (string, error) {
	secret, err := v.readSource(ctx, from, key)
	if err == nil && from.Kind == Stored {
		secret, err = key.open(secret)
	}
	if err != nil {
		return "", withSource(err, from, key)
	}
	if secret = Trim(secret); secret == "" {
		return "", withSource(&Error{Problem: Empty}, from, key)
	}
	return secret, nil
}

func (v *Vault) readSource(ctx context.Context, from Source, key Key) (string, error) {
	switch from.Kind {
	case Stored:
		return v.lookUpStored(ctx, key.name())
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

// withSource adds the source and the key to an error.
func withSource(err error, from Source, key Key) *Error {
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

// lookUpStored looks up a secret in the keyring and the encrypted file.
func (v *Vault) lookUpStored(ctx context.Context, name string) (string, error) {
	holds := v.fileHolds(name)
	if holds == present { // the keyring has an older one, if any
		secret, err := v.fileGet(ctx, name)
		if !errors.Is(err, ErrNotFound) {
			return secret, err
		}
	}
	secret, err := v.keyringGet(ctx, name)
	if err == nil || holds != maybePresent {
		return secret, withoutNoKeyring(err)
	}
	secret, fileErr := v.fileGet(ctx, name)
	switch {
	case fileErr == nil:
		return secret, nil
	case errors.Is(fileErr, ErrNotFound), errors.Is(err, ErrLocked):
		return "", withoutNoKeyring(err)
	}
	return "", fileErr
}

// withoutNoKeyring converts ErrNoKeyring to ErrNotFound.
func withoutNoKeyring(err error) error {
	if errors.Is(err, ErrNoKeyring) {
		return ErrNotFound
	}
	return err
}

// Set stores a secret in the keyring, or in the encrypted file if there is no working keyring, and
// returns where. It replaces the current secret of the key. A locked keyring is an error: then the
// secret is not stored in the file. The error is an [*Error].
func (v *Vault) Set(ctx context.Context, key Key, secret string) (Location, error) {
	if secret = Trim(secret); secret == "" {
		return "", withSource(&Error{Problem: Empty}, Source{}, key)
	}
	secret, err := key.bind(secret)
	if err != nil {
		return "", withSource(err, Source{}, key)
	}
	err = v.keyringSet(ctx, key.name(), secret)
	switch {
	case err == nil:
		if err := v.fileDrop(ctx, key.name(), ifKnown); err != nil {
			return "", withSource(err, Source{}, key)
		}
		return InKeyring, nil
	case errors.Is(err, ErrLocked):
		return "", withSource(err, Source{}, key)
	}
	fileErr := v.fileSet(ctx, key.name(), secret)
	if fileErr == nil {
		return InFile, nil
	}
	e := withSource(fileErr, Source{}, key)
	if e.Problem == Unavailable && v.Keyring != nil {
		e.Err = fmt.Errorf("%w; %w", err, e.Err)
	}
	return "", e
}

// Delete deletes a secret wherever it is stored. A missing secret is no error. After an error,
// which is an [*Error], the other copy has still been deleted if possible.
func (v *Vault) Delete(ctx context.Context, key Key) error {
	err := v.keyringDelete(ctx, key.name())
	fileErr := v.fileDrop(ctx, key.name(), always)
	if err == nil {
		err = fileErr
	}
	if err != nil {
		return withSource(err, Source{}, key)
	}
	return nil
}

func (v *Vault) getenv(name string) string {
	if v.Getenv == nil {
		return os.Getenv(name)
	}
	return v.Getenv(name)
}
