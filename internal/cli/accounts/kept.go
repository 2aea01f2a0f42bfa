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
	"github.com/yanmail/yan/internal/files/atomicfile"
	"github.com/yanmail/yan/internal/prompt"
	"github.com/yanmail/yan/internal/secret"
)

// The stored items of an account, as in secret.Key.
const (
	ItemPassword = "password"
	ItemOAuth2   = "oauth2"
)

// PreviousSecret is the former value of a secret. It is restored if the configuration can't be written.
type PreviousSecret struct {
	vault *secret.Vault
	key   secret.Key
	value string // "" if there was none
	// unknown is set if the former value could not be read. Then the new one stays: it was tested,
	// and having none would be worse.
	unknown bool
}

// ReadPreviousSecret reads the stored secret of an account. A vault that asks for the passphrase of the
// encrypted file asks once, for this and for the later write. A forgotten passphrase is not an
// error, since the user may log in again for that reason. It fails if ctx ends, the user cancels
// (prompt.ErrCancelled) or the keyring is locked, which would refuse the write as well.
func ReadPreviousSecret(ctx context.Context, v *secret.Vault, name, item string) (PreviousSecret, error) {
	k := PreviousSecret{vault: v, key: secret.Key{Account: name, Item: item}}
	var err error
	k.value, err = v.Get(ctx, secret.Source{}, k.key)
	var problem *secret.Error
	switch {
	case err == nil:
	case ctx.Err() != nil, errors.Is(err, prompt.ErrCancelled), errors.Is(err, secret.ErrLocked):
		return k, err
	case errors.As(err, &problem) && (problem.Problem == secret.NotFound || problem.Problem == secret.Empty):
	default:
		k.unknown = true
	}
	return k, nil
}

// errNotRead is the error of restoring a value that was never read.
var errNotRead = errors.New("what was kept before could not be read")

// PutBack restores the former value, even if ctx has ended.
func (k PreviousSecret) PutBack(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	switch {
	case k.unknown:
		return errNotRead
	case k.value == "":
		return k.vault.Delete(ctx, k.key)
	}
	_, err := k.vault.Set(ctx, k.key, k.value)
	return err
}

// previousFile is the former content of a secret file.
type previousFile struct {
	path    string
	text    []byte
	mode    fs.FileMode
	existed bool
}

// ReadPreviousFile reads a file before it is changed, so that it can be restored.
func ReadPreviousFile(path string) (previousFile, error) {
	b := previousFile{path: path}
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

func (b previousFile) PutBack() error {
	if !b.existed {
		return os.Remove(b.path)
	}
	return atomicfile.Write(b.path, b.text, b.mode)
}

// CheckSavable checks that a configuration can be written before a secret is changed; read is the
// text that was read. Its errors are those of Save.
func CheckSavable(f *account.File, read []byte) error {
	now, err := os.ReadFile(f.Path())
	switch {
	case errors.Is(err, fs.ErrNotExist) && !f.Exists():
	case errors.Is(err, fs.ErrNotExist), err == nil && (!f.Exists() || !bytes.Equal(now, read)):
		return account.ErrChanged
	case err != nil:
		return fmt.Errorf("rereading the configuration: %w", err)
	}
	path := f.Path()
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	dir := filepath.Dir(path)
	for { // Save creates missing folders
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	t, err := os.CreateTemp(dir, filepath.Base(path)+".*.new") // the name that Save uses
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return errors.Join(t.Close(), os.Remove(t.Name()))
}

// ForgetFormer deletes the secrets stored for the account that had this name before. kept is the
// item stored now.
func (a *Accounts) ForgetFormer(ctx context.Context, secrets *Secrets, acc account.Account, kept storedItem) {
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
		a.Errf("%s\n", a.T("The stored secret of the former account %s could not be deleted: %s", acc.Name, a.SecretProblem(err)))
	}
}

// storedItem is the item that the keyring or the encrypted file holds for an account.
type storedItem int

const (
	KeptNothing storedItem = iota
	KeptPassword
	KeptToken
)
