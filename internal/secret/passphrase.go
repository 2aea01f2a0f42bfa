package secret

import (
	"context"
	"errors"
)

const (
	passphraseVariable   = "YAN_PASSPHRASE_FILE"
	passphraseCredential = "yan-passphrase"
)

// passphrase finds that of the encrypted file, or asks for it if somebody may
// be asked.
func (v *Vault) passphrase(ctx context.Context, anew, ask bool) (string, error) {
	if v.phrase != nil {
		return v.phrase(), nil
	}
	if name := v.getenv(passphraseVariable); name != "" {
		phrase, err := v.fromFile(ctx, name)
		return phrase, of(err, Source{File, name})
	}
	if v.getenv("CREDENTIALS_DIRECTORY") != "" {
		phrase, err := v.fromCredential(ctx, passphraseCredential)
		if e, ok := errors.AsType[*Error](err); !ok || e.Problem != NotFound {
			return phrase, of(err, Source{Credential, passphraseCredential})
		}
	}
	if v.Passphrase == nil || !ask {
		return "", &Error{Problem: Unavailable, Path: v.File, Err: errors.New(passphraseVariable + " names no file with the passphrase, and nobody can be asked")}
	}
	phrase, err := v.Passphrase(ctx, anew)
	if err != nil {
		return "", &Error{Problem: Unavailable, Path: v.File, Err: err}
	}
	if phrase = Trim(phrase); phrase == "" {
		return "", &Error{Problem: Passphrase, Path: v.File, Err: errors.New("it is empty")}
	}
	return phrase, nil
}

// of says which source an error is about.
func of(err error, s Source) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Source = s
	}
	return err
}
