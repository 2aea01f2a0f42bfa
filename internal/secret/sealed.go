package secret

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"

	"github.com/yanmail/yan/internal/files/atomicfile"
)

// The encrypted file can be read with "age --decrypt": it is an age file with a passphrase (scrypt)
// that contains {"version":1,"secrets":{"ACCOUNT/ITEM":"…"}}.

const (
	sealedVersion = 1
	sealedHeader  = "age-encryption.org/v1\n"

	// FullWork is the base 2 logarithm of scrypt's N. Each guess at the passphrase needs 128 MiB,
	// and each read takes some tenths of a second.
	FullWork = 17
	// mostWork is the largest work factor accepted: 1 GiB.
	mostWork = 20
)

type fileContents struct {
	Version int               `json:"version"`
	Secrets map[string]string `json:"secrets"`
}

// openedFile is the decrypted content of an encrypted file.
type openedFile struct {
	sum     [sha256.Size]byte // of the file
	secrets map[string]string
}

// sealSecrets encrypts secrets; cost is the base 2 logarithm of scrypt's N.
func sealSecrets(secrets map[string]string, passphrase string, cost int) ([]byte, error) {
	plain, err := json.Marshal(fileContents{sealedVersion, secrets})
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

// unsealSecrets decrypts secrets.
func unsealSecrets(data []byte, passphrase string) (map[string]string, error) {
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
	var c fileContents
	// json's error may quote its input.
	if json.Unmarshal(plain, &c) != nil || c.Secrets == nil {
		return nil, &Error{Problem: Damaged, Err: errors.New("what is in it is no list of secrets")}
	}
	if c.Version != sealedVersion {
		return nil, &Error{Problem: Damaged, Err: fmt.Errorf("it is of version %d, written by a newer yan; this one knows %d", c.Version, sealedVersion)}
	}
	return c.Secrets, nil
}

// replaceFile writes a file that only its owner can read. At any moment either the old file or the new
// one is there, whole. A symbolic link stays a link.
func replaceFile(path string, data []byte) error {
	path = throughLinks(path)
	written, err := atomicfile.WriteTemp(path, data, 0o600)
	if err != nil {
		return err
	}
	return moveInto(written, path)
}

// replaceBoth replaces a file and its companion, or neither if there is no room for both. The
// companion is replaced first: without the matching file it is ignored.
func replaceBoth(path string, data []byte, beside string, more []byte) error {
	path, beside = throughLinks(path), throughLinks(beside)
	written, err := atomicfile.WriteTemp(path, data, 0o600)
	if err != nil {
		return err
	}
	writtenMore, err := atomicfile.WriteTemp(beside, more, 0o600)
	if err == nil {
		err = moveInto(writtenMore, beside)
	}
	if err != nil {
		_ = os.Remove(written) // the other error is returned
		return err
	}
	return moveInto(written, path)
}

func throughLinks(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

func moveInto(written, path string) error {
	err := renameDurably(written, path)
	if err != nil {
		_ = os.Remove(written) // the error of the rename is returned
	}
	return err
}
