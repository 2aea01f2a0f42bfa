// Package sendcmd is yan send: it composes a message or reads whole ones, sends them or
// puts them into the outbox, and reports what became of each.
package sendcmd

import (
	"github.com/spf13/cobra"

	"github.com/yanmail/yan/internal/cli/outboxes"
)

// runner carries the command out.
type runner struct {
	*outboxes.Outboxes
}

// New makes yan send.
func New(o *outboxes.Outboxes) *cobra.Command { return (&runner{Outboxes: o}).sendCommand() }
