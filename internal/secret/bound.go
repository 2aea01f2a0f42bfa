package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// A name in the keyring outlives what it was given for: the account of that name
// may be another one by now, or log in elsewhere. So the secret is kept with what it
// is for, and for anything else it is as if it were not there.

// bound is what the keyring and the encrypted file hold for a key with For. It is
// of one line, since some keyrings are commands.
type bound struct {
	Version int    `json:"yan"` // 1
	For     string `json:"for"`
	Secret  string `json:"secret"`
}

// bind joins a secret with what it is for.
func (k Key) bind(secret string) (string, error) {
	if k.For == "" {
		return secret, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // < and > are frequent in codes, and room is scarce
	if err := e.Encode(bound{Version: 1, For: k.For, Secret: secret}); err != nil {
		return "", &Error{Problem: Unwritable, Err: errors.New("the secret is no text")}
	}
	return string(bytes.TrimSpace(b.Bytes())), nil
}

// open gives the secret of what bind has made, if it is for this key.
func (k Key) open(kept string) (string, error) {
	if k.For == "" {
		return kept, nil
	}
	var b bound
	switch err := json.Unmarshal([]byte(kept), &b); {
	case err != nil || b.Version < 1: // whose error would show the secret
		return "", &Error{Problem: OtherLogin, Err: errors.New("nothing says what it was kept for")}
	case b.Version > 1:
		return "", &Error{Problem: Damaged, Err: fmt.Errorf("it is of a newer program, version %d", b.Version)}
	case b.For != k.For:
		return "", &Error{Problem: OtherLogin, For: b.For}
	}
	return b.Secret, nil
}
