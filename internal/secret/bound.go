package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// The name of an account may be reused: for another mailbox, or for a login elsewhere. So a secret
// is stored with the login that it is for, and is not returned for any other.

// boundSecret is the entry in the keyring or the encrypted file for a key with For. It is one line, since
// some keyrings are commands.
type boundSecret struct {
	Version int    `json:"yan"` // 1
	For     string `json:"for"`
	Secret  string `json:"secret"`
}

// bind encodes a secret with the login that it is for.
func (k Key) bind(secret string) (string, error) {
	if k.For == "" {
		return secret, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // < and > are frequent in codes, and space is scarce
	if err := e.Encode(boundSecret{Version: 1, For: k.For, Secret: secret}); err != nil {
		return "", &Error{Problem: Unwritable, Err: errors.New("the secret is no text")}
	}
	return string(bytes.TrimSpace(b.Bytes())), nil
}

// open decodes an entry made by bind and returns the secret if it is for this key.
func (k Key) open(kept string) (string, error) {
	if k.For == "" {
		return kept, nil
	}
	var b boundSecret
	switch err := json.Unmarshal([]byte(kept), &b); {
	case err != nil || b.Version < 1: // json's error would contain the secret
		return "", &Error{Problem: OtherLogin, Err: errors.New("nothing says what it was kept for")}
	case b.Version > 1:
		return "", &Error{Problem: Damaged, Err: fmt.Errorf("it is of a newer program, version %d", b.Version)}
	case b.For != k.For:
		return "", &Error{Problem: OtherLogin, For: b.For}
	}
	return b.Secret, nil
}
