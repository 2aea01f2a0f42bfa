package secret

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"filippo.io/age"
)

// The encrypted file is what "age --decrypt" can read: an age file with a
// passphrase (scrypt), and in it {"version":1,"secrets":{"ACCOUNT/ITEM":"…"}}.

const (
	sealedVersion = 1
	sealedHeader  = "age-encryption.org/v1\n"

	// workFactor is the base 2 logarithm of scrypt's N: 128 MiB for each guess at
	// the passphrase, and some tenths of a second for each read.
	workFactor = 17
	// mostWork is the most that a file may ask for: 1 GiB.
	mostWork = 20
)

type contents struct {
	Version int               `json:"version"`
	Secrets map[string]string `json:"secrets"`
}

// sealed is an encrypted file that was read or written.
type sealed struct {
	sum     [sha256.Size]byte // of the file
	secrets map[string]string
}

// seal encrypts secrets; cost is the base 2 logarithm of scrypt's N.
func seal(secrets map[string]string, passphrase string, cost int) ([]byte, error) {
	plain, err := json.Marshal(contents{sealedVersion, secrets})
	if err != nil {
		return nil, err
	}
	return encrypt(plain, passphrase, cost)
}

func encrypt(plain []byte, passphrase string, cost int) ([]byte, error) {
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(cost)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipient)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unseal decrypts them.
func unseal(data []byte, passphrase string) (map[string]string, error) {
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, &Error{Problem: Passphrase, Err: err}
	}
	identity.SetMaxWorkFactor(mostWork)
	r, err := age.Decrypt(bytes.NewReader(data), identity)
	if _, wrong := errors.AsType[*age.NoIdentityMatchError](err); wrong {
		return nil, &Error{Problem: Passphrase}
	}
	if err != nil {
		return nil, &Error{Problem: Damaged, Err: err}
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, &Error{Problem: Damaged, Err: err}
	}
	var c contents
	// What json says of its input may quote it.
	if json.Unmarshal(plain, &c) != nil || c.Secrets == nil {
		return nil, &Error{Problem: Damaged, Err: errors.New("what is in it is no list of secrets")}
	}
	if c.Version != sealedVersion {
		return nil, &Error{Problem: Damaged, Err: fmt.Errorf("it is of version %d, written by a newer yan; this one knows %d", c.Version, sealedVersion)}
	}
	return c.Secrets, nil
}

// fileData reads the encrypted file; nil means that there is none.
func (v *Vault) fileData() ([]byte, error) {
	if v.File == "" {
		return nil, nil
	}
	data, err := os.ReadFile(v.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, &Error{Problem: Unreadable, Path: v.File, Err: reason(err)}
	case !bytes.HasPrefix(data, []byte(sealedHeader)):
		return nil, &Error{Problem: Damaged, Path: v.File, Err: errors.New("it does not begin like an age file")}
	}
	return data, nil
}

// enter waits for the turn to use the encrypted file; leave gives it on.
func (v *Vault) enter(ctx context.Context) (leave func(), err error) {
	v.once.Do(func() { v.turn = make(chan struct{}, 1) })
	select {
	case v.turn <- struct{}{}:
		return func() { <-v.turn }, nil
	case <-ctx.Done():
		return nil, &Error{Problem: Unreadable, Path: v.File, Err: ended(ctx)}
	}
}

// fileGet reads a secret; the error is ErrNotFound when the file has none of
// that name, or does not exist.
func (v *Vault) fileGet(ctx context.Context, name string) (string, error) {
	leave, err := v.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	data, err := v.fileData()
	switch {
	case err != nil:
		return "", err
	case data == nil:
		return "", ErrNotFound
	}
	var phrase string
	if !v.isOpen(data) {
		if phrase, err = v.passphrase(ctx, false, true); err != nil {
			return "", err
		}
	}
	secrets, err := v.unseal(data, phrase)
	if err != nil {
		return "", err
	}
	secret, ok := secrets[name]
	if !ok {
		return "", ErrNotFound
	}
	return secret, nil
}

// fileSet writes a secret. The passphrase is asked for before other processes
// are kept waiting.
func (v *Vault) fileSet(ctx context.Context, name, secret string) error {
	leave, err := v.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if v.File == "" {
		return &Error{Problem: Unavailable, Err: errors.New("no place for an encrypted file is known")}
	}
	data, err := v.fileData()
	if err != nil {
		return err
	}
	phrase, err := v.passphrase(ctx, data == nil, true)
	if err != nil {
		return err
	}
	unlock, err := v.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	secrets, err := v.counting(phrase)
	if err != nil {
		return err
	}
	secrets[name] = secret
	return v.write(secrets, phrase)
}

// counting reads the secrets of the file that count.
func (v *Vault) counting(phrase string) (map[string]string, error) {
	data, err := v.fileData()
	if err != nil || data == nil {
		return map[string]string{}, err
	}
	secrets, err := v.unseal(data, phrase)
	if err != nil {
		return nil, err
	}
	if names, known := v.readNames(data); known {
		maps.DeleteFunc(secrets, func(name, _ string) bool { return !names[name] })
	}
	return secrets, nil
}

// dropping says how far fileDrop goes.
type dropping int

const (
	always  dropping = iota // asks for the passphrase
	ifKnown                 // without one, it is marked that the secret is outdated
)

// fileDrop forgets a secret of the encrypted file. Without a passphrase this
// can be done when nothing else is in the file.
func (v *Vault) fileDrop(ctx context.Context, name string, how dropping) error {
	leave, err := v.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if _, err := v.fileData(); err != nil && how == always {
		return err
	}
	holds := v.fileHolds(name)
	if holds == no || holds == perhaps && how == ifKnown {
		return nil
	}
	var phrase string
	if holds == perhaps || !v.isLast(name) {
		phrase, err = v.passphrase(ctx, false, how == always)
		if err != nil && how == always {
			return err
		}
	}
	unlock, err := v.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if phrase != "" {
		err := v.rewriteWithout(name, phrase)
		if err == nil || how == always {
			return err
		}
	}
	data, err := v.fileData()
	if err != nil {
		return err
	}
	names, known := v.readNames(data)
	delete(names, name)
	switch {
	case known && len(names) == 0:
		return v.remove()
	case known:
		return v.writeNames(data, names)
	}
	return nil // another process has replaced the file meanwhile
}

// isLast reports whether the file holds that secret alone.
func (v *Vault) isLast(name string) bool {
	data, err := v.fileData()
	if err != nil {
		return false
	}
	names, known := v.readNames(data)
	return known && len(names) == 1 && names[name]
}

func (v *Vault) rewriteWithout(name, phrase string) error {
	secrets, err := v.counting(phrase)
	if err != nil {
		return err
	}
	delete(secrets, name)
	if len(secrets) == 0 {
		return v.remove()
	}
	return v.write(secrets, phrase)
}

// isOpen reports whether it is known what is in this file.
func (v *Vault) isOpen(data []byte) bool {
	return v.opened != nil && v.opened().sum == sha256.Sum256(data)
}

// unseal gives what is in the file, and remembers it and the passphrase that
// was right.
func (v *Vault) unseal(data []byte, phrase string) (map[string]string, error) {
	if v.isOpen(data) {
		return maps.Clone(v.opened().secrets), nil
	}
	secrets, err := unseal(data, phrase)
	if err != nil {
		v.phrase = nil
		e := *err.(*Error)
		e.Path = v.File
		return nil, &e
	}
	v.remember(data, secrets, phrase)
	return maps.Clone(secrets), nil
}

func (v *Vault) remember(data []byte, secrets map[string]string, phrase string) {
	known := sealed{sha256.Sum256(data), maps.Clone(secrets)}
	v.opened = func() sealed { return known }
	v.phrase = func() string { return phrase }
}

// write replaces the file. The lock is held.
func (v *Vault) write(secrets map[string]string, phrase string) error {
	cost := v.cost
	if cost == 0 {
		cost = workFactor
	}
	data, err := seal(secrets, phrase, cost)
	if err != nil {
		return v.unwritable(err)
	}
	if err := replace(v.File, data); err != nil {
		return v.unwritable(err)
	}
	v.remember(data, secrets, phrase)
	names := map[string]bool{}
	for name := range secrets {
		names[name] = true
	}
	return v.writeNames(data, names)
}

// remove deletes the file and what tells of it. The lock is held.
func (v *Vault) remove() error {
	for _, path := range []string{v.File, v.namesFile()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return v.unwritable(err)
		}
	}
	return nil
}

func (v *Vault) unwritable(err error) error {
	return &Error{Problem: Unwritable, Path: v.File, Err: reason(err)}
}

// replace writes a file that only its owner can read: at any moment either the
// old one or the new one is there, whole. A link stays a link.
func replace(path string, data []byte) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the reason is that of the write
		return err
	}
	return nil
}
