// Package logincmd is yan login: it asks for the sender, finds the server, gets the secret, tries
// both, repairs errors with the user, and stores the account.
package logincmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// runner runs the command.
type runner struct {
	*outboxes.Outboxes
	findBrowser func() (show func(url string) error)
}

// New returns yan login. findBrowser returns a function that shows a page to the user; nil if there
// is no browser.
func New(o *outboxes.Outboxes, findBrowser func() (show func(url string) error)) *cobra.Command {
	return (&runner{Outboxes: o, findBrowser: findBrowser}).loginCommand()
}
