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
	// openBrowser shows a page to the user; nil if there is no browser.
	openBrowser func(url string) error
}

// New makes yan login. openBrowser shows a page to the user; nil if there is no browser.
func New(o *outboxes.Outboxes, openBrowser func(url string) error) *cobra.Command {
	return (&runner{Outboxes: o, openBrowser: openBrowser}).loginCommand()
}
