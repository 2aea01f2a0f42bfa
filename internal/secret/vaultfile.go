package secret

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"maps"
	"os"
)

// fileData reads the encrypted file; nil means that there is none.
func (v *Vault) fileData() ([]byte, error) {
	if v.File == "" {
		return nil, nil
	}
	data, err := readKept(v.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, &Error{Problem: Unreadable, Path: v.File, Err: systemReason(err)}
	case !bytes.HasPrefix(data, []byte(sealedHeader)):
		return nil, &Error{Problem: Damaged, Path: v.File, Err: errors.New("it does not begin like an age file")}
	}
	return data, nil
}

// takeTurn waits until no other call uses the encrypted file; leave ends the caller's turn.
func (v *Vault) takeTurn(ctx context.Context) (leave func(), err error) {
	v.once.Do(func() { v.turn = make(chan struct{}, 1) })
	select {
	case v.turn <- struct{}{}:
		return func() { <-v.turn }, nil
	case <-ctx.Done():
		return nil, &Error{Problem: Unreadable, Path: v.File, Err: contextError(ctx)}
	}
}

// fileGet reads a secret from the encrypted file. The error is ErrNotFound if the file does not
// exist or has no secret of that name.
func (v *Vault) fileGet(ctx context.Context, name string) (string, error) {
	leave, err := v.takeTurn(ctx)
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
	if !v.isOpen(data) {
		if _, err = v.openingPassphrase(ctx, data, true); err != nil {
			return "", err
		}
	}
	secret, ok := v.opened().secrets[name]
	if !ok {
		return "", ErrNotFound
	}
	return secret, nil
}

// fileSet writes a secret. It asks for the passphrase before it locks the file, so that other
// processes do not wait for the user.
func (v *Vault) fileSet(ctx context.Context, name, secret string) error {
	leave, err := v.takeTurn(ctx)
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
	var phrase string
	if data == nil {
		phrase, _, err = v.findPassphrase(ctx, true, true)
	} else {
		phrase, err = v.openingPassphrase(ctx, data, true)
	}
	if err != nil {
		return err
	}
	unlock, err := v.lockFile(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	secrets, names, err := v.validSecrets(phrase)
	if err != nil {
		return err
	}
	secrets[name], names[name] = secret, present
	return v.writeFile(secrets, names, phrase)
}

// validSecrets reads the valid secrets of the file. names says how certain each is: if the list was
// lost, the keyring may have a newer version of any of them.
func (v *Vault) validSecrets(phrase string) (secrets map[string]string, names map[string]presence, err error) {
	data, err := v.fileData()
	if err != nil || data == nil {
		return map[string]string{}, map[string]presence{}, err
	}
	secrets, err = v.openData(data, phrase)
	if err != nil {
		return nil, nil, err
	}
	names, known := v.readNames(data)
	if known {
		maps.DeleteFunc(secrets, func(name, _ string) bool { return names[name] == absent })
		return secrets, names, nil
	}
	names = map[string]presence{}
	for name := range secrets {
		names[name] = maybePresent
	}
	return secrets, names, nil
}

// dropScope says how far fileDrop goes.
type dropScope int

const (
	always  dropScope = iota // asks for the passphrase
	ifKnown                  // never asks; marks the secret as outdated if the passphrase is unknown
)

// fileDrop deletes a secret from the encrypted file. Without a passphrase it can only delete the
// last secret.
func (v *Vault) fileDrop(ctx context.Context, name string, how dropScope) error {
	leave, err := v.takeTurn(ctx)
	if err != nil {
		return err
	}
	defer leave()
	data, err := v.fileData()
	if err != nil && how == always {
		return err
	}
	holds := v.fileHolds(name)
	if holds == absent || holds == maybePresent && how == ifKnown {
		return nil
	}
	var phrase string
	if holds == maybePresent || !v.isLast(name) {
		phrase, err = v.openingPassphrase(ctx, data, how == always)
		if err != nil && how == always {
			return err
		}
	}
	unlock, err := v.lockFile(ctx)
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
	data, err = v.fileData()
	if err != nil {
		return err
	}
	names, known := v.readNames(data)
	delete(names, name)
	switch {
	case known && len(names) == 0:
		return v.removeFile()
	case known:
		return v.writeNames(data, names)
	}
	return nil // another process has replaced the file in the meantime
}

// isLast reports whether the file holds no other secret.
func (v *Vault) isLast(name string) bool {
	data, err := v.fileData()
	if err != nil {
		return false
	}
	names, known := v.readNames(data)
	return known && len(names) == 1 && names[name] != absent
}

func (v *Vault) rewriteWithout(name, phrase string) error {
	secrets, names, err := v.validSecrets(phrase)
	if err != nil {
		return err
	}
	delete(secrets, name)
	delete(names, name)
	if len(secrets) == 0 {
		return v.removeFile()
	}
	return v.writeFile(secrets, names, phrase)
}

// isOpen reports whether the file's content is already decrypted.
func (v *Vault) isOpen(data []byte) bool {
	return v.opened != nil && v.opened().sum == sha256.Sum256(data)
}

// openData returns the content of the file. It caches the content and the passphrase if that was
// correct.
func (v *Vault) openData(data []byte, phrase string) (map[string]string, error) {
	if v.isOpen(data) {
		return maps.Clone(v.opened().secrets), nil
	}
	secrets, err := unsealSecrets(data, phrase)
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
	known := openedFile{sha256.Sum256(data), maps.Clone(secrets)}
	v.opened = func() openedFile { return known }
	v.phrase = func() string { return phrase }
}

// writeFile replaces the file. The caller holds the lock.
func (v *Vault) writeFile(secrets map[string]string, names map[string]presence, phrase string) error {
	data, err := sealSecrets(secrets, phrase, cmp.Or(v.WorkFactor, FullWork))
	if err != nil {
		return v.unwritableError(err)
	}
	list, err := encodeNames(data, names)
	if err != nil {
		return v.unwritableError(err)
	}
	// Both files are written before either is renamed: on a full disk the secret must not stay in a
	// file after an error was returned.
	if err := replaceBoth(v.File, data, v.namesFile(), list); err != nil {
		return v.unwritableError(err)
	}
	v.remember(data, secrets, phrase)
	return nil
}

// removeFile deletes the file and its list of names. The caller holds the lock.
func (v *Vault) removeFile() error {
	for _, path := range []string{v.File, v.namesFile()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return v.unwritableError(err)
		}
	}
	return nil
}

func (v *Vault) unwritableError(err error) error {
	return &Error{Problem: Unwritable, Path: v.File, Err: systemReason(err)}
}
