// Package servecmd implements yan serve: the daemon that delivers the outbox.
package servecmd

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// serveCommand runs the command.
type serveCommand struct {
	*outboxes.Outboxes
	// signals returns the SIGHUPs until its function is called; nil if there
	// are none.
	signals func() (<-chan os.Signal, func())
}

// New returns yan serve. signals returns the SIGHUPs until its function is
// called; nil if there are none.
func New(o *outboxes.Outboxes, signals func() (<-chan os.Signal, func())) *cobra.Command {
	return (&serveCommand{Outboxes: o, signals: signals}).cobraCommand()
}
