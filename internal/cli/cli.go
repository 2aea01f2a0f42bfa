// Package cli is the command yan: [Run] carries out a command line, and [World] is
// everything outside that it touches, so that tests run it as a shell does.
//
// The command yan A is made by package internal/cli/Acmd; account also makes config, and
// sandbox makes demo. What commands share stands below them: console (streams and
// tables), jsonout (the types of --json), command (flags, exit status, help), verdict
// (what became of a message), serverflag (--server and its like), accounts
// (configuration and secrets) and outboxes (which outbox is meant). These packages are
// the only ones that print for people.
package cli

import (
	"context"
	"net"
	"os"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/outboxes"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/secret"
	"github.com/yanmail/yan/internal/words"
)

// World is everything outside that the program touches.
type World struct {
	console.System
	// Keyring is the system's store of secrets; nil where there is none.
	Keyring secret.Keyring
	// WorkFactor is the cost of the encrypted file, see secret.Vault; 0 means the full
	// one. Tests alone lower it.
	WorkFactor int
	// FindBrowser returns a function that shows a page to the user; nil if there is no
	// browser.
	FindBrowser func() (show func(url string) error)
	// Dial opens the connections of yan doctor; nil means net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Hangups are the SIGHUPs of yan serve, until the function is called; nil where
	// there are none.
	Hangups func() (<-chan os.Signal, func())
	// OpenOutbox opens an outbox; nil means stores.Open.
	OpenOutbox func(ctx context.Context, where string, o outbox.Options) (outbox.Store, error)
	// LoadConfig reads the configuration at a path; nil means account.LoadFaulty.
	LoadConfig func(path string) (*account.File, error)
}

// front makes the commands.
type front struct {
	*outboxes.Outboxes
	world World
}

// Run carries out a command line (without the program's name) and returns the
// exit status. It prints what went wrong itself.
func Run(ctx context.Context, args []string, world World) int {
	c := console.New(ctx, world.System, words.In(command.ChooseLanguage(args, world.System)))
	services := outboxes.Services{Keyring: world.Keyring, WorkFactor: world.WorkFactor, OpenStore: world.OpenOutbox, LoadConfig: world.LoadConfig}
	a := &front{Outboxes: outboxes.New(command.New(c, args), services), world: world}
	root := a.root(a.asked(args))
	root.SetArgs(args)
	return a.Finish(root.ExecuteContext(ctx))
}
