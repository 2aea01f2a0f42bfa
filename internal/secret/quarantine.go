package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// Reasons for setting the encrypted file aside. They become part of its new name.
const (
	QuarantineDamaged   = "damaged"
	QuarantineForgotten = "forgotten" // the passphrase is forgotten
)

// Accounts lists the accounts that have a secret in the encrypted file, according to the list of
// names. It does not check that the list belongs to the file: the list of a damaged file never
// matches.
func (v *Vault) Accounts() []string {
	text, err := readKept(v.namesFile())
	if err != nil {
		return nil
	}
	var list nameList
	if json.Unmarshal(text, &list) != nil {
		return nil
	}
	var accounts []string
	for _, name := range list.Holds {
		account, _, _ := strings.Cut(name, "/")
		if !slices.Contains(accounts, account) {
			accounts = append(accounts, account)
		}
	}
	return accounts
}

// Exists reports whether an encrypted file exists, even a damaged one.
func (v *Vault) Exists() bool {
	if v.File == "" {
		return false
	}
	_, err := os.Lstat(v.File)
	return err == nil
}

// Quarantine renames the encrypted file to File.WHY-DATE, with a number appended if that name is
// taken, and renames its list of names to match. The next Set starts a new file. Nothing is
// deleted. The error is an [*Error].
func (v *Vault) Quarantine(ctx context.Context, why string, now time.Time) (to string, err error) {
	leave, err := v.takeTurn(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	unlock, err := v.lockFile(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	to = v.File + "." + why + "-" + now.Format(time.DateOnly)
	for i, first := 2, to; pathTaken(to); i++ {
		to = fmt.Sprintf("%s-%d", first, i)
	}
	if err := renameDurably(v.File, to); err != nil {
		return "", v.unwritableError(err)
	}
	v.phrase, v.opened = nil, nil
	return to, v.moveNames(v.namesFile(), to+".names")
}

// moveNames renames a list of names. A list that stays in its place matches no file and is ignored.
func (v *Vault) moveNames(from, to string) error {
	if err := renameDurably(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return v.unwritableError(err)
	}
	return nil
}

func pathTaken(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// PutBack undoes Quarantine. It overwrites the new file, if there is one.
func (v *Vault) PutBack(ctx context.Context, from string) error {
	leave, err := v.takeTurn(ctx)
	if err != nil {
		return err
	}
	defer leave()
	unlock, err := v.lockFile(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	v.phrase, v.opened = nil, nil
	if err := renameDurably(from, v.File); err != nil {
		return v.unwritableError(err)
	}
	return v.moveNames(from+".names", v.namesFile())
}
