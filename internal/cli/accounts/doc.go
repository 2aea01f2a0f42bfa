// Package accounts is the configuration and the secrets of this user for all
// commands: it reads and saves them, finds the account that is meant, tries a login,
// and says what is wrong with them.
package accounts

import (
	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/credentials"
	"github.com/yanmail/yan/internal/secret"
)

// Secrets reads and keeps the secrets of accounts.
type Secrets = credentials.Secrets[account.Account]

// NewSecrets reads and keeps secrets in a vault.
func NewSecrets(v *secret.Vault) *Secrets { return credentials.New[account.Account](v) }

// Accounts finds accounts and their secrets.
type Accounts struct {
	*serverflag.Servers
	// Keyring is the system's store of secrets; nil if there is none.
	Keyring secret.Keyring
	// WorkFactor is the cost of the encrypted file, see secret.Vault; 0 means the full one.
	WorkFactor int
	// LoadConfig reads the configuration at a path; nil means account.LoadFaulty.
	LoadConfig func(path string) (*account.File, error)
	// Cache has what was read of it. It is needed.
	Cache *Cache
}
