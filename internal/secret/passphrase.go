package secret

import (
	"context"
	"errors"
)

const (
	passphraseVariable   = "YAN_PASSPHRASE_FILE"
	passphraseCredential = "yan-passphrase"
)

// maxTries bounds how often the user may type a wrong passphrase.
const maxTries = 3

// openingPassphrase returns the passphrase that opens the encrypted file. A wrong passphrase can be typed
// again; one from a file is tried once.
func (v *Vault) openingPassphrase(ctx context.Context, data []byte, ask bool) (string, error) {
	for try := 1; ; try++ {
		phrase, typed, err := v.findPassphrase(ctx, false, ask)
		if err == nil {
			_, err = v.openData(data, phrase)
		}
		if e, ok := errors.AsType[*Error](err); ok && e.Problem == Passphrase && typed && try < maxTries {
			continue
		}
		return phrase, err
	}
}

// findPassphrase returns the passphrase of the encrypted file. It asks the user if ask is set and no
// file or credential has it; typed reports that it asked. anew means that the passphrase is for a
// new file.
func (v *Vault) findPassphrase(ctx context.Context, anew, ask bool) (phrase string, typed bool, err error) {
	if v.phrase != nil {
		return v.phrase(), false, nil
	}
	if name := v.getenv(passphraseVariable); name != "" {
		phrase, err := v.fromFile(ctx, name)
		return phrase, false, setErrorSource(err, Source{File, name})
	}
	if v.getenv("CREDENTIALS_DIRECTORY") != "" {
		phrase, err := v.fromCredential(ctx, passphraseCredential)
		if e, ok := errors.AsType[*Error](err); !ok || e.Problem != NotFound {
			return phrase, false, setErrorSource(err, Source{Credential, passphraseCredential})
		}
	}
	if v.Passphrase == nil || !ask {
		return "", false, &Error{Problem: Unavailable, Path: v.File, Err: errors.New(passphraseVariable + " names no file with the passphrase, and nobody can be asked")}
	}
	phrase, err = v.Passphrase(ctx, anew)
	if err != nil {
		return "", true, &Error{Problem: Unavailable, Path: v.File, Err: err}
	}
	if phrase = Trim(phrase); phrase == "" {
		return "", true, &Error{Problem: Passphrase, Path: v.File, Err: errors.New("it is empty")}
	}
	return phrase, true, nil
}

// setErrorSource sets the source of an error.
func setErrorSource(err error, s Source) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Source = s
	}
	return err
}
