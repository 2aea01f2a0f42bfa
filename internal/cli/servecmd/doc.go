// Package servecmd is yan serve: the daemon that sends what waits in the outbox.
package servecmd

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// runner carries the command out.
type runner struct {
	*outboxes.Outboxes
	// signals gives the SIGHUPs until its function is called; nil if there are none.
	signals func() (<-chan os.Signal, func())
}

// New makes yan serve. signals gives the SIGHUPs until its function is called; nil if there are none.
func New(o *outboxes.Outboxes, signals func() (<-chan os.Signal, func())) *cobra.Command {
	return (&runner{Outboxes: o, signals: signals}).serveCommand()
}
