package secret

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"time"

	"github.com/yanmail/yan/internal/files/filelock"
)

// changeTimeout is how long another process may hold the lock of a secret: two requests to an
// authorization server, and one read and one write of the keyring that each show a dialog.
const changeTimeout = 4 * time.Minute

// LockKey locks a secret against other processes of this user until unlock is called. Use it to read
// a secret, exchange it for a new one at a server, and write that. The lock ends with the process.
// Get, Set and Delete do not take it.
//
// The error wraps [filelock.ErrBusy] after four minutes. Any other error means that no lock is
// possible; a Vault without File has none.
func (v *Vault) LockKey(ctx context.Context, key Key) (unlock func(), err error) {
	if v.File == "" {
		return nil, errors.New("no place for a lock is known")
	}
	// The name of an account may contain any character.
	sum := sha256.Sum256([]byte(key.name()))
	path := filepath.Join(filepath.Dir(v.File), "change-"+hex.EncodeToString(sum[:8])+".lock")
	return filelock.LockWithin(ctx, path, changeTimeout)
}
