// Package logincmd implements yan login. It asks for the sender, finds the server, gets the secret,
// tests both, corrects errors with the user, and stores the account.
package logincmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// loginCommand runs yan login.
type loginCommand struct {
	*outboxes.Outboxes
	findBrowser func() (show func(url string) error)
}

// New returns the command yan login. findBrowser returns a function that shows a page to the user;
// nil if there is no browser.
func New(o *outboxes.Outboxes, findBrowser func() (show func(url string) error)) *cobra.Command {
	return (&loginCommand{Outboxes: o, findBrowser: findBrowser}).cobraCommand()
}
