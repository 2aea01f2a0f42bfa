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

// Reasons for which an encrypted file is set aside, as a part of its new name.
const (
	AsideDamaged   = "damaged"
	AsideForgotten = "forgotten" // its passphrase is
)

// Accounts are those that have a secret in the encrypted file, as far as the list
// beside it tells; it is not asked whether the file is still the one that the list
// was written for, since a damaged one is not.
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

// Exists reports whether there is an encrypted file, whatever is in it.
func (v *Vault) Exists() bool {
	if v.File == "" {
		return false
	}
	_, err := os.Lstat(v.File)
	return err == nil
}

// SetAside renames the encrypted file, so that the next secret begins a new one:
// to File.WHY-DATE, with a number behind it where that is taken, and the list of
// names with it. Nothing is deleted. The error is an [*Error].
func (v *Vault) SetAside(ctx context.Context, why string, now time.Time) (to string, err error) {
	leave, err := v.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	unlock, err := v.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	to = v.File + "." + why + "-" + now.Format(time.DateOnly)
	for i, first := 2, to; taken(to); i++ {
		to = fmt.Sprintf("%s-%d", first, i)
	}
	if err := rename(v.File, to); err != nil {
		return "", v.unwritable(err)
	}
	v.phrase, v.opened = nil, nil
	return to, v.moveNames(v.namesFile(), to+".names")
}

// moveNames: a list that stays behind is of no file, and not believed.
func (v *Vault) moveNames(from, to string) error {
	if err := rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return v.unwritable(err)
	}
	return nil
}

func taken(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// PutBack undoes SetAside; what is in the new file, if there is one by now, goes.
func (v *Vault) PutBack(ctx context.Context, from string) error {
	leave, err := v.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	unlock, err := v.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	v.phrase, v.opened = nil, nil
	if err := rename(from, v.File); err != nil {
		return v.unwritable(err)
	}
	return v.moveNames(from+".names", v.namesFile())
}
