// Package cli implements the command yan. [Run] executes a command line; [Env] holds every access
// to the machine, so that tests run the command as a shell does.
//
// Package internal/cli/Acmd implements the command yan A; accountcmd also implements yan config,
// and sandboxcmd yan demo. They share the packages below them: console (streams and tables),
// jsonout (the types of --json), command (flags, exit status, help), verdict (the outcome of a
// message), serverflag (--server and related flags), accounts (configuration and secrets) and
// outboxes (opening the outbox). No other package prints for users.
package cli

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yanmail/yan/account"
	"github.com/yanmail/yan/internal/cli/command"
	"github.com/yanmail/yan/internal/cli/console"
	"github.com/yanmail/yan/internal/cli/outboxes"
	"github.com/yanmail/yan/internal/cli/sendmailcmd"
	"github.com/yanmail/yan/internal/i18n"
	"github.com/yanmail/yan/internal/outbox"
	"github.com/yanmail/yan/internal/secret"
)

// Env is the machine as the program sees it.
type Env struct {
	console.System
	// Keyring is the keyring of the system; nil if there is none.
	Keyring secret.Keyring
	// WorkFactor is the cost of the encrypted file, see secret.Vault; 0 means the full cost. Only
	// tests lower it.
	WorkFactor int
	// FindBrowser returns a function that shows a page in a browser; nil if there is none.
	FindBrowser func() (show func(url string) error)
	// Dial opens the connections of yan doctor; nil means net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Hangups returns a channel of SIGHUPs for yan serve, and a function that ends it; nil if there
	// are none.
	Hangups func() (<-chan os.Signal, func())
	// OpenOutbox opens an outbox; nil means stores.Open.
	OpenOutbox func(ctx context.Context, where string, o outbox.Options) (outbox.Store, error)
	// LoadConfig reads the configuration at a path; nil means account.LoadLenient.
	LoadConfig func(path string) (*account.File, error)
}

// front builds the command tree.
type front struct {
	*outboxes.Outboxes
	env Env
}

// RunProgram is [Run] for a whole command line. A program that is called sendmail, mailq or newaliases,
// as through a link, is yan sendmail.
func RunProgram(ctx context.Context, argv []string, world Env) int {
	if len(argv) == 0 {
		return Run(ctx, nil, world)
	}
	name := strings.TrimSuffix(filepath.Base(argv[0]), ".exe")
	if slices.Contains([]string{"sendmail", "mailq", "newaliases"}, name) {
		return runSendmail(ctx, name, argv[1:], world)
	}
	return Run(ctx, argv[1:], world)
}

// runSendmail executes yan sendmail without the command tree, which takes longer to build than the
// command to run. Its help needs the tree.
func runSendmail(ctx context.Context, name string, args []string, world Env) int {
	if slices.Contains(args, "--help") || len(args) == 1 && args[0] == "-h" { // -h has a value otherwise
		return runTree(ctx, append([]string{"sendmail"}, args...), world)
	}
	a := newFront(ctx, args, world)
	cmd := sendmailcmd.New(a.Outboxes, name)
	cmd.SetContext(ctx)
	return a.Finish(cmd.RunE(cmd, args))
}

// Run executes a command line (without the program's name) and returns the exit status. It prints
// errors itself.
func Run(ctx context.Context, args []string, world Env) int {
	if len(args) > 0 && args[0] == "sendmail" {
		return runSendmail(ctx, "", args[1:], world)
	}
	return runTree(ctx, args, world)
}

func newFront(ctx context.Context, args []string, world Env) *front {
	c := console.New(ctx, world.System, i18n.NewWords(command.ChooseLanguage(args, world.System)))
	services := outboxes.Services{Keyring: world.Keyring, WorkFactor: world.WorkFactor, OpenStore: world.OpenOutbox, LoadConfig: world.LoadConfig}
	return &front{Outboxes: outboxes.New(command.New(c, args), services), env: world}
}

func runTree(ctx context.Context, args []string, world Env) int {
	a := newFront(ctx, args, world)
	root := a.rootCommand(a.requestedCommand(args))
	root.SetArgs(args)
	return a.Finish(root.ExecuteContext(ctx))
}
