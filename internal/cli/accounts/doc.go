// Package accounts manages the user's configuration and secrets for all commands. It reads and
// saves them, selects the account, tests a login, and explains errors.
package accounts

import (
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/secret"
)

// Accounts finds accounts and their secrets.
type Accounts struct {
	*serverflag.Servers
	// Keyring is the keyring of the system; nil if there is none.
	Keyring secret.Keyring
	// WorkFactor is the cost of the encrypted file, see secret.Vault; 0 means the full cost.
	WorkFactor int
	// LoadConfig reads the configuration at a path; nil means account.LoadLenient.
	LoadConfig func(path string) (*account.File, error)
	// Cache holds the configuration that was read. Required.
	Cache *Cache
}
