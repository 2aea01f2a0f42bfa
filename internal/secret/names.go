package secret

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/yanmail/yan/internal/files/filelock"
)

// The names of the secrets in the encrypted file are also written in clear to a file next to it. So
// the user need not type a passphrase only to learn that the file does not have the secret, and a
// secret can be marked as outdated without the passphrase when the keyring gets a newer one.
//
// A list that does not match the file (because either was copied, restored or truncated) is
// ignored: then the file may hold any secret.

type nameList struct {
	Of    string   `json:"sha256"` // of the encrypted file
	Holds []string `json:"holds"`
	// Perhaps lists secrets from before a list was lost: the keyring may have newer ones.
	Perhaps []string `json:"perhaps,omitempty"`
}

// presence says whether the encrypted file has a valid secret of some name.
type presence int

const (
	absent presence = iota
	present
	maybePresent // only decrypting can tell
)

func (v *Vault) namesFile() string { return v.File + ".names" }

// FileHolds reports whether the encrypted file is known to hold a secret. It is then newer than the
// keyring's. FileHolds needs no passphrase.
func (v *Vault) FileHolds(key Key) bool { return v.fileHolds(key.name()) == present }

func (v *Vault) fileHolds(name string) presence {
	data, err := v.fileData()
	if err != nil {
		return maybePresent
	}
	if data == nil {
		return absent
	}
	names, known := v.readNames(data)
	if !known {
		return maybePresent
	}
	return names[name]
}

// readNames returns the names of the valid secrets in an encrypted file. known is false if no list
// matches the file.
func (v *Vault) readNames(data []byte) (names map[string]presence, known bool) {
	text, err := readKept(v.namesFile())
	if err != nil {
		return nil, false
	}
	var list nameList
	if json.Unmarshal(text, &list) != nil || list.Of != fileDigest(data) {
		return nil, false
	}
	names = map[string]presence{}
	for _, name := range list.Holds {
		names[name] = present
	}
	for _, name := range list.Perhaps {
		names[name] = maybePresent
	}
	return names, true
}

// writeNames writes the list of valid secrets of an encrypted file. The caller holds the lock.
func (v *Vault) writeNames(data []byte, names map[string]presence) error {
	text, err := encodeNames(data, names)
	if err != nil {
		return v.unwritableError(err)
	}
	if err := replaceFile(v.namesFile(), text); err != nil {
		return v.unwritableError(err)
	}
	return nil
}

func encodeNames(data []byte, names map[string]presence) ([]byte, error) {
	list := nameList{Of: fileDigest(data), Holds: []string{}}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if names[name] == maybePresent {
			list.Perhaps = append(list.Perhaps, name)
		} else {
			list.Holds = append(list.Holds, name)
		}
	}
	text, err := json.MarshalIndent(list, "", "  ")
	return append(text, '\n'), err
}

func fileDigest(data []byte) string {
	of := sha256.Sum256(data)
	return hex.EncodeToString(of[:])
}

// lockFile keeps other processes from writing the encrypted file. It locks a separate file, because
// the encrypted file is replaced and this one stays.
func (v *Vault) lockFile(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(v.File), 0o700); err != nil {
		return nil, v.unwritableError(err)
	}
	unlock, err = filelock.Lock(ctx, v.File+".lock")
	switch {
	case err == nil:
		return unlock, nil
	case ctx.Err() != nil:
		err = contextError(ctx)
	}
	return nil, v.unwritableError(err)
}
