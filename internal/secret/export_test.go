package secret

import (
	"io"
	"time"
)

// ChunkedKeyring returns a keyring that splits secrets longer than most octets.
func ChunkedKeyring(k Keyring, most int) Keyring { return chunkedKeyring{k, most} }

// Cheap makes the encrypted file of a vault cheap to open, and redirects commands' standard error.
func (v *Vault) Cheap(stderr io.Writer) *Vault {
	v.WorkFactor, v.stderr = 4, stderr
	return v
}

// Waits bounds the run time of commands.
func (v *Vault) Waits(d time.Duration) *Vault {
	v.waits = d
	return v
}

// Seal encrypts secrets, Encrypt any text.
var (
	Seal    = sealSecrets
	Encrypt = encrypt
)

type NetrcEntry struct {
	Name, Login, Password string
	HasPassword           bool
}

func ParseNetrc(text string) ([]NetrcEntry, error) {
	entries, err := parseNetrc(text)
	var all []NetrcEntry
	for _, m := range entries {
		all = append(all, NetrcEntry{m.name, m.login, m.password, m.hasPassword})
	}
	return all, err
}

var (
	Decode      = decodeText
	Translate   = translateError
	MostOctets  = mostOctets
	SystemError = systemError
)
