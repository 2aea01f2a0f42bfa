package secret

import "context"

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
	// File is the encrypted file (age) for machines without a keyring.
	File string
	// Passphrase asks for that of the encrypted file; anew says that the file is
	// about to be made, so that the user types it twice. nil where nobody can be
	// asked. The variable YAN_PASSPHRASE_FILE is looked at first, and the systemd
	// credential yan-passphrase.
	Passphrase func(ctx context.Context, anew bool) (string, error)
	// Getenv is the environment; nil means os.Getenv.
	Getenv func(string) string
	// Home is the user's folder, for ~ and ~/.netrc.
	Home string
}

// Get reads a secret; white space around it is not part of it. The error is an
// [*Error].
func (v *Vault) Get(ctx context.Context, from Source, key Key) (string, error) {
	return "", &Error{Problem: NotFound, Source: from}
}

// Set keeps a secret, in the keyring or else in the encrypted file, and says
// where. What is kept under the key is replaced.
func (v *Vault) Set(ctx context.Context, key Key, secret string) (Place, error) {
	return "", &Error{Problem: Unavailable}
}

// Delete forgets a secret wherever it is kept. That there is none is no error.
func (v *Vault) Delete(ctx context.Context, key Key) error { return nil }

// System is the keyring of this machine: Secret Service, macOS Keychain or
// Windows Credential Manager.
func System() Keyring { return nil }
