package accounts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/ask"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/wholefile"
)

// What is kept for an account, as secret.Key has it.
const (
	ItemPassword = "password"
	ItemOAuth2   = "oauth2"
)

// KeptBefore is what a secret takes the place of: it is put back when the
// configuration can't be written after all.
type KeptBefore struct {
	vault *secret.Vault
	key   secret.Key
	value string // "" when there was nothing
	// unknown says that it could not be read. Then the new one stays: it has been
	// tried, and nothing at all would be worse.
	unknown bool
}

// RememberKept reads what is kept under the name of an account. A vault that asks
// for the passphrase of the encrypted file asks once, for this and for what is
// kept there afterwards. One that is forgotten is no error, since whoever logs in
// again may want to get around it. The error is that of a context, ask.ErrCancelled
// or of a locked keyring, which would take nothing either.
func RememberKept(ctx context.Context, v *secret.Vault, name, item string) (KeptBefore, error) {
	k := KeptBefore{vault: v, key: secret.Key{Account: name, Item: item}}
	var err error
	k.value, err = v.Get(ctx, secret.Source{}, k.key)
	var problem *secret.Error
	switch {
	case err == nil:
	case ctx.Err() != nil, errors.Is(err, ask.ErrCancelled), errors.Is(err, secret.ErrLocked):
		return k, err
	case errors.As(err, &problem) && (problem.Problem == secret.NotFound || problem.Problem == secret.Empty):
	default:
		k.unknown = true
	}
	return k, nil
}

// errNotRemembered: what was kept can't be put back.
var errNotRemembered = errors.New("what was kept before could not be read")

// PutBack makes it as it was, also when ctx has ended.
func (k KeptBefore) PutBack(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	switch {
	case k.unknown:
		return errNotRemembered
	case k.value == "":
		return k.vault.Delete(ctx, k.key)
	}
	_, err := k.vault.Set(ctx, k.key, k.value)
	return err
}

// fileBefore is what a file of a secret held.
type fileBefore struct {
	path    string
	text    []byte
	mode    fs.FileMode
	existed bool
}

// RememberFile reads a file that is about to change, so that it can be put back.
func RememberFile(path string) (fileBefore, error) {
	b := fileBefore{path: path}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err == nil {
		b.mode, b.existed = info.Mode().Perm(), true
		b.text, err = os.ReadFile(path)
	}
	return b, err
}

func (b fileBefore) PutBack() error {
	if !b.existed {
		return os.Remove(b.path)
	}
	return wholefile.Write(b.path, b.text, b.mode)
}

// CheckSavable finds out whether a configuration can be written before a secret is
// touched; read is what was read of it. Its errors are those of Save.
func CheckSavable(f *account.File, read []byte) error {
	now, err := os.ReadFile(f.Path())
	switch {
	case errors.Is(err, fs.ErrNotExist) && !f.Exists():
	case errors.Is(err, fs.ErrNotExist), err == nil && (!f.Exists() || !bytes.Equal(now, read)):
		return account.ErrChanged
	case err != nil:
		return fmt.Errorf("reading the configuration again: %w", err)
	}
	path := f.Path()
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	dir := filepath.Dir(path)
	for { // Save makes the folders that are missing
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	t, err := os.CreateTemp(dir, filepath.Base(path)+".*.new") // the name that Save takes
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return errors.Join(t.Close(), os.Remove(t.Name()))
}

// ForgetFormer drops what was kept under the name of an account for the one that was
// there before. kept says what is kept now.
func (a *Accounts) ForgetFormer(ctx context.Context, secrets *Secrets, acc account.Account, kept keptItem) {
	var err error
	switch kept {
	case KeptPassword:
		err = secrets.ForgetToken(ctx, acc)
	case KeptToken:
		err = secrets.ForgetPassword(ctx, acc)
	default:
		err = secrets.Forget(ctx, acc)
	}
	if err != nil {
		a.Errf("%s\n", a.T("What was kept for the former account %s could not be forgotten: %s", acc.Name, a.SecretProblem(err)))
	}
}

// keptItem is what the keyring or the encrypted file has for an account.
type keptItem int

const (
	KeptNothing keptItem = iota
	KeptPassword
	KeptToken
)
