// Package logincmd is yan login: it asks who sends, finds the server, takes the secret,
// tries both, corrects what can be corrected, and keeps the account.
package logincmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// runner carries the command out.
type runner struct {
	*outboxes.Outboxes
	findBrowser func() (show func(url string) error)
}

// New makes yan login. findBrowser returns a function that shows a page to the user; nil
// if there is no browser.
func New(o *outboxes.Outboxes, findBrowser func() (show func(url string) error)) *cobra.Command {
	return (&runner{Outboxes: o, findBrowser: findBrowser}).loginCommand()
}
