// Package secrettest has keyrings for tests: [New] makes one that keeps what it
// is given in memory, [Locked] and [None] are those of machines where nobody
// unlocks the keyring or where there is none. No program may use it.
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
	entries map[entry]string
	err     error
	calls   int
}

// WorkFactor is the cost of encrypted files in tests, of a [secret.Vault]: next to
// nothing, where the full one takes some seconds under the race detector.
const WorkFactor = 4

type entry struct{ service, user string }

// New makes an empty keyring.
func New() *Keyring { return &Keyring{entries: map[entry]string{}} }

// Locked makes a keyring that nobody unlocks.
func Locked() *Keyring { return Failing(secret.ErrLocked) }

// None makes the keyring of a machine that has none.
func None() *Keyring { return Failing(secret.ErrNoKeyring) }

// Failing makes a keyring whose every answer is err.
func Failing(err error) *Keyring {
	k := New()
	k.err = err
	return k
}

// Fail makes every answer err from now on; with nil the keyring works again,
// and holds what it held.
func (k *Keyring) Fail(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
}

// Get gives a secret, or secret.ErrNotFound.
func (k *Keyring) Get(service, user string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.err != nil {
		return "", k.err
	}
	s, ok := k.entries[entry{service, user}]
	if !ok {
		return "", secret.ErrNotFound
	}
	return s, nil
}

// Set keeps a secret.
func (k *Keyring) Set(service, user, s string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.err != nil {
		return k.err
	}
	k.entries[entry{service, user}] = s
	return nil
}

// Delete forgets a secret, or gives secret.ErrNotFound.
func (k *Keyring) Delete(service, user string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	if k.err != nil {
		return k.err
	}
	if _, ok := k.entries[entry{service, user}]; !ok {
		return secret.ErrNotFound
	}
	delete(k.entries, entry{service, user})
	return nil
}

// Entries are the secrets of yan by their names, like "qq/password".
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

// Calls is how often the keyring was asked for anything.
func (k *Keyring) Calls() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls
}

// Format keeps the secrets out of every text.
func (k *Keyring) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "secrettest.Keyring") }
