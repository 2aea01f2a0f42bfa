package secret

import (
	"io"
	"time"
)

// Pieces returns a keyring that splits secrets longer than most octets.
func Pieces(k Keyring, most int) Keyring { return pieces{k, most} }

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
	Seal    = seal
	Encrypt = encrypt
)

type Machine struct {
	Name, Login, Password string
	HasPassword           bool
}

func ParseNetrc(text string) ([]Machine, error) {
	entries, err := parseNetrc(text)
	var all []Machine
	for _, m := range entries {
		all = append(all, Machine{m.name, m.login, m.password, m.hasPassword})
	}
	return all, err
}

var (
	Decode      = decode
	Translate   = translate
	MostOctets  = mostOctets
	SystemError = systemError
)
