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

	"github.com/yanmail/yan/internal/filelock"
)

// What the encrypted file holds is written beside it in clear, by name alone:
// so that nobody is asked for a passphrase in order to learn that the file does
// not have the secret, and so that a secret can be marked as outdated when the
// keyring got a newer one and nobody is there to give the passphrase.
//
// A list that is not of this very file (copied, restored, cut short) is not
// believed: then the file may hold anything.

type nameList struct {
	Of    string   `json:"sha256"` // of the encrypted file
	Holds []string `json:"holds"`
	// Perhaps is what the file has from a time of which the list was lost: the
	// keyring may have something newer.
	Perhaps []string `json:"perhaps,omitempty"`
}

// holding is whether the encrypted file has a secret that counts.
type holding int

const (
	no holding = iota
	yes
	perhaps // only the passphrase can tell
)

func (v *Vault) namesFile() string { return v.File + ".names" }

// FileHolds reports whether the encrypted file is known to hold a secret, which
// then is newer than what the keyring may have. It needs no passphrase.
func (v *Vault) FileHolds(key Key) bool { return v.fileHolds(key.name()) == yes }

func (v *Vault) fileHolds(name string) holding {
	data, err := v.fileData()
	if err != nil {
		return perhaps
	}
	if data == nil {
		return no
	}
	names, known := v.readNames(data)
	if !known {
		return perhaps
	}
	return names[name]
}

// readNames gives the names of what counts in an encrypted file, if they are
// known.
func (v *Vault) readNames(data []byte) (names map[string]holding, known bool) {
	text, err := readKept(v.namesFile())
	if err != nil {
		return nil, false
	}
	var list nameList
	if json.Unmarshal(text, &list) != nil || list.Of != digest(data) {
		return nil, false
	}
	names = map[string]holding{}
	for _, name := range list.Holds {
		names[name] = yes
	}
	for _, name := range list.Perhaps {
		names[name] = perhaps
	}
	return names, true
}

// writeNames says what counts in an encrypted file. The lock is held.
func (v *Vault) writeNames(data []byte, names map[string]holding) error {
	text, err := encodeNames(data, names)
	if err != nil {
		return v.unwritable(err)
	}
	if err := replace(v.namesFile(), text); err != nil {
		return v.unwritable(err)
	}
	return nil
}

func encodeNames(data []byte, names map[string]holding) ([]byte, error) {
	list := nameList{Of: digest(data), Holds: []string{}}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if names[name] == perhaps {
			list.Perhaps = append(list.Perhaps, name)
		} else {
			list.Holds = append(list.Holds, name)
		}
	}
	text, err := json.MarshalIndent(list, "", "  ")
	return append(text, '\n'), err
}

func digest(data []byte) string {
	of := sha256.Sum256(data)
	return hex.EncodeToString(of[:])
}

// lock keeps other processes from writing the encrypted file. It is of a file
// of its own, since the encrypted one is replaced, and this one stays.
func (v *Vault) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(v.File), 0o700); err != nil {
		return nil, v.unwritable(err)
	}
	unlock, err = filelock.Lock(ctx, v.File+".lock")
	switch {
	case err == nil:
		return unlock, nil
	case ctx.Err() != nil:
		err = ended(ctx)
	}
	return nil, v.unwritable(err)
}
