package secret

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"time"

	"github.com/yanmail/yan/internal/filelock"
)

// changing is how long another process may hold the lock of a secret: two answers of
// an authorization server, and reading and writing with a dialog of the keyring each.
const changing = 4 * time.Minute

// Alone keeps other processes of this user from replacing a secret until unlock is
// called. It is for a secret that is read, exchanged for a new one elsewhere, and
// written. The lock ends with the process that holds it. Get, Set and Delete don't
// take it.
//
// The error wraps [filelock.ErrBusy] after four minutes. Any other error means that
// there can be no lock here; a Vault without File has none either.
func (v *Vault) Alone(ctx context.Context, key Key) (unlock func(), err error) {
	if v.File == "" {
		return nil, errors.New("no place for a lock is known")
	}
	// The name of an account may hold anything.
	sum := sha256.Sum256([]byte(key.name()))
	path := filepath.Join(filepath.Dir(v.File), "change-"+hex.EncodeToString(sum[:8])+".lock")
	return filelock.LockWithin(ctx, path, changing)
}
