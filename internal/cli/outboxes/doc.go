// Package outboxes opens the outbox of a command, and explains why it can't be opened.
package outboxes

import (
	"context"
	"sync"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/accounts"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/serverflag"
	"github.com/yanmail/yan/internal/cli/times"
	"github.com/yanmail/yan/internal/cli/verdict"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/secret"
)

// Outboxes opens outboxes. It embeds all that commands share, and commands are built from it.
type Outboxes struct {
	*accounts.Accounts
	times.Times
	// OpenStore opens an outbox; nil means stores.Open.
	OpenStore func(ctx context.Context, where string, o outbox.Options) (outbox.Store, error)
}

// Services are the parts of the machine, besides the console, that commands use.
type Services struct {
	// Keyring is the keyring of the system; nil if there is none.
	Keyring secret.Keyring
	// WorkFactor is the cost of the encrypted file, see secret.Vault; 0 means the full cost.
	WorkFactor int
	// OpenStore opens an outbox; nil means stores.Open.
	OpenStore func(ctx context.Context, where string, o outbox.Options) (outbox.Store, error)
	// LoadConfig reads the configuration at a path; nil means account.LoadLenient.
	LoadConfig func(path string) (*account.File, error)
}

// New returns the Outboxes that commands are built from.
func New(c *command.Context, s Services) *Outboxes {
	servers := &serverflag.Servers{Reporter: &verdict.Reporter{Context: c}, WarnedProxy: new(sync.Once)}
	return &Outboxes{Times: times.New(c), Accounts: &accounts.Accounts{Servers: servers, Keyring: s.Keyring, WorkFactor: s.WorkFactor, LoadConfig: s.LoadConfig, Cache: new(accounts.Cache)}, OpenStore: s.OpenStore}
}

// InLanguage returns o in another language, for texts that are needed in both.
func (o *Outboxes) InLanguage(language i18n.Language) *Outboxes {
	c, context := *o.Console, *o.Context
	c.Words, context.Console = i18n.NewWords(language), &c
	other := New(&context, Services{Keyring: o.Keyring, WorkFactor: o.WorkFactor, OpenStore: o.OpenStore, LoadConfig: o.LoadConfig})
	other.WarnedProxy, other.Cache = o.WarnedProxy, o.Cache
	return other
}
