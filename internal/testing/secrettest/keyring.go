// Package secrettest has keyrings for tests. [New] returns one in memory; [Locked] and [None]
// return the keyrings of machines where it is locked or missing. Programs must not use this
// package.
package secrettest

import (
	"fmt"
	"maps"
	"sync"

	"github.com/yanmail/yan/internal/secret"
)

// Keyring is a keyring in memory. It is safe for concurrent use.
type Keyring struct {
	mu      sync.Mutex
	entries map[entryKey]string
	err     error
	calls   int
}

// WorkFactor is a cheap work factor for a [secret.Vault] in tests. The full one takes some seconds
// under the race detector.
const WorkFactor = 4

type entryKey struct{ service, user string }

// New returns an empty keyring.
func New() *Keyring { return &Keyring{entries: map[entryKey]string{}} }

// Locked returns a keyring that is never unlocked.
func Locked() *Keyring { return Failing(secret.ErrLocked) }

// None returns the keyring of a machine that has none.
func None() *Keyring { return Failing(secret.ErrNoKeyring) }

// Failing returns a keyring whose methods always return err.
func Failing(err error) *Keyring {
	k := New()
	k.err = err
	return k
}

// Fail makes every method return err from now on; with nil the keyring works again and still has
// its entries.
func (k *Keyring) Fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
}

// Get returns a secret, or secret.ErrNotFound.
func (k *Keyring) Get(service, user string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.err != nil {
		return "", k.err
	}
	s, ok := k.entries[entryKey{service, user}]
	if !ok {
		return "", secret.ErrNotFound
	}
	return s, nil
}

// Set stores a secret.
func (k *Keyring) Set(service, user, s string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.err != nil {
		return k.err
	}
	k.entries[entryKey{service, user}] = s
	return nil
}

// Delete deletes a secret, or returns secret.ErrNotFound.
func (k *Keyring) Delete(service, user string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.err != nil {
		return k.err
	}
	if _, ok := k.entries[entryKey{service, user}]; !ok {
		return secret.ErrNotFound
	}
	delete(k.entries, entryKey{service, user})
	return nil
}

// Entries returns the secrets of yan by name, such as "qq/password".
func (k *Keyring) Entries() map[string]string {
	k.mu.Lock()
	defer k.mu.Unlock()
	found := map[string]string{}
	for e, s := range maps.All(k.entries) {
		if e.service == "yan" {
			found[e.user] = s
		}
	}
	return found
}

// Calls returns the number of calls of Get, Set and Delete.
func (k *Keyring) Calls() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls
}

// Format keeps the secrets out of every formatted text.
func (k *Keyring) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "secrettest.Keyring") }
